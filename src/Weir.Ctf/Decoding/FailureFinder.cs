using System.Globalization;
using System.Text;

namespace Weir.Ctf;

/// <summary>
/// Finds which field of a bad record cannot be decoded, by decoding it once more: the fast way only knows that one could not. Not for
/// records that are good.
/// </summary>
internal sealed unsafe class FailureFinder
{
    private static readonly string[] s_scopeNames =
        ["packet-header", "packet-context", "event-header", "common-context", "specific-context", "payload"];

    private readonly DecodeState _state;
    private readonly byte* _packet;
    private readonly long _limit;
    private long _position;

    /// <summary>Begins.</summary>
    /// <param name="slots">Values of lengths and selectors that were decoded before.</param>
    /// <param name="packet">Where the packet's first byte lies, or would lie.</param>
    /// <param name="position">Bits from there to the first field.</param>
    /// <param name="limit">Bits from there on may not be touched.</param>
    public FailureFinder(ulong[] slots, byte* packet, long position, long limit)
    {
        _state = new DecodeState(slots.Length);
        slots.CopyTo(_state.Slots, 0);
        _packet = packet;
        _position = position;
        _limit = limit;
    }

    /// <summary>What was found, such as <c>payload.buf[3].len at bit 4096 of the packet</c>; null so far.</summary>
    public string? Found { get; private set; }

    /// <summary>Decodes the fields of a program; true when it fails, and then <see cref="Found"/> says where.</summary>
    /// <param name="program">The program.</param>
    /// <param name="scopes">What its roots are.</param>
    public bool Fails(DecodeProgram program, params ReadOnlySpan<FieldScope> scopes)
    {
        var steps = program.StepArray;
        var visitor = new IndexVisitor(new ulong[steps.Length]);
        _state.FailedStep = -1;
        var status = FieldInterpreter.Run(steps, 0, steps.Length, _packet, ref _position, _limit, _state, ref visitor);
        if (status == DecodeStatus.Done && _position > _limit)
            Found = $"padding at bit {_limit.ToString(CultureInfo.InvariantCulture)} of the packet";
        if (status == DecodeStatus.Done || _state.FailedStep < 0)
            return Found is not null;
        Found = $"{PathOf(program, _state.FailedStep, visitor.Indexes, scopes)} at bit {_state.FailedBits.ToString(CultureInfo.InvariantCulture)} of the packet";
        return true;
    }

    private static string PathOf(DecodeProgram program, int failed, ulong[] indexes, ReadOnlySpan<FieldScope> scopes)
    {
        var path = new StringBuilder();
        var steps = program.StepArray;
        for (int root = 0; root < scopes.Length; root++)
        {
            if (program.RootStarts[root] is >= 0 and var start && start <= failed && failed < steps[start].End)
                path.Append(s_scopeNames[(int)scopes[root]]);
        }
        // The steps around the failed one are those before it that end behind it.
        var around = DecodeStepKind.Skip;
        for (int i = 0; i <= failed; i++)
        {
            if (steps[i].End <= failed)
                continue;
            // A root has no name, nor has an option: the variant's own says where it is.
            if (around == DecodeStepKind.Structure && steps[i].Name.Length > 0)
                path.Append('.').Append(steps[i].Name);
            else if (around == DecodeStepKind.Array)
                path.Append(CultureInfo.InvariantCulture, $"[{indexes[FindAround(steps, i)]}]");
            around = steps[i].Kind;
        }
        return path.ToString();
    }

    private static int FindAround(DecodeStep[] steps, int index)
    {
        int at = index - 1;
        while (steps[at].End <= index)
            at--;
        return at;
    }

    /// <summary>Keeps which element of each array came last.</summary>
    private readonly struct IndexVisitor(ulong[] indexes) : IFieldVisitor
    {
        public ulong[] Indexes => indexes;

        public void Integer(int step, ulong value)
        {
        }

        public void Real(int step, double value)
        {
        }

        public void Text(int step, byte* text, int lengthBytes)
        {
        }

        public void BeginStructure(int step)
        {
        }

        public void EndStructure(int step)
        {
        }

        public void BeginArray(int step, ulong length)
        {
        }

        public void Element(int step, ulong index) => indexes[step] = index;

        public void EndArray(int step)
        {
        }

        public void BeginVariant(int step)
        {
        }

        public void EndVariant(int step)
        {
        }

        public void Blob(int step, byte* bytes, long lengthBytes)
        {
        }

        public void BeginOptional(int step, bool isPresent)
        {
        }

        public void EndOptional(int step)
        {
        }
    }
}
