using Weir.Ctf;

namespace Weir.Graph;

/// <summary>Picks integers by their names out of what is walked; made once for each program. Not thread-safe.</summary>
internal sealed class FieldPicker
{
    // For each step the place of its value, or -1.
    private readonly int[] _places;
    private readonly ulong[] _values;

    /// <summary>Looks the names up.</summary>
    /// <param name="program">The program that will be walked.</param>
    /// <param name="names">Fields, as TSDL names them.</param>
    /// <param name="from">The first step that counts; steps before it are of other fields.</param>
    /// <param name="until">The first step that does not count any more.</param>
    public FieldPicker(DecodeProgram program, string[] names, int from = 0, int until = int.MaxValue)
    {
        var steps = program.Steps;
        _places = new int[steps.Length];
        _values = new ulong[names.Length];
        Array.Fill(_places, -1);
        for (int i = from; i < Math.Min(until, steps.Length); i++)
        {
            int place = Array.IndexOf(names, steps[i].Name);
            if (place < 0 || steps[i].Kind is < DecodeStepKind.Integer8 or > DecodeStepKind.VariableLengthInteger)
                continue;
            _places[i] = place;
            Found |= 1UL << place;
        }
    }

    /// <summary>Which of the names are there, a bit for each.</summary>
    public ulong Found { get; }

    /// <summary>Values in the order of the names, as the last walk gave them.</summary>
    public ReadOnlySpan<ulong> Values => _values;

    /// <summary>What a walker calls.</summary>
    public Visitor CreateVisitor() => new(_places, _values);

    internal readonly unsafe struct Visitor(int[] places, ulong[] values) : IFieldVisitor
    {
        public void Integer(int step, ulong value)
        {
            if (places[step] is >= 0 and int place)
                values[place] = value;
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

        public void Element(int step, ulong index)
        {
        }

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
