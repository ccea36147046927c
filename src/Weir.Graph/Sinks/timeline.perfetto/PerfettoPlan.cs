using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>How one step is written: as an annotation (a name and a value) of the event, of a dictionary, or of an array.</summary>
internal struct PerfettoStep
{
    /// <summary>Number of the field that takes the annotation; 0 where the value is not shown.</summary>
    public int Field;

    /// <summary>The interned name; 0 for elements.</summary>
    public ulong NameIid;

    /// <summary>Whether the step's inside is written as if it were not in it.</summary>
    public bool IsTransparent;

    public bool IsSigned;

    public bool IsHexadecimal;

    public IReadOnlyList<EnumerationMapping>? Mappings;

    public byte[][]? Labels;
}

/// <summary>How the fields of an event class are written; new names are interned.</summary>
internal sealed class PerfettoPlan
{
    private readonly Func<string, ulong> _intern;

    public PerfettoPlan(DecodeProgram program, Func<string, ulong> intern)
    {
        _intern = intern;
        Steps = new PerfettoStep[program.Steps.Length];
        for (int root = 0; root < program.RootStarts.Count; root++)
        {
            int start = program.RootStarts[root];
            if (start < 0 || program.Steps[start].IsHidden)
                continue;
            // The payload's members are annotations of the event, the contexts are dictionaries.
            bool isPayload = root == program.RootStarts.Count - 1;
            Add(program.Steps, start, isPayload ? "" : root == 0 ? "context" : "specific_context", PerfettoFields.TrackEvent.DebugAnnotations, isPayload);
        }
    }

    /// <summary>The steps, numbered as the program's.</summary>
    public PerfettoStep[] Steps { get; }

    private void Add(ReadOnlySpan<DecodeStep> steps, int index, string name, int field, bool isTransparent)
    {
        ref readonly var step = ref steps[index];
        // An optional field is its content, or nothing.
        isTransparent |= step.Class is OptionalFieldClass;
        var integer = step.Class as IntegerFieldClass;
        ref var planned = ref Steps[index];
        planned.Field = field;
        planned.NameIid = name.Length == 0 ? 0 : _intern(name);
        planned.IsTransparent = isTransparent;
        planned.IsSigned = integer is { IsSigned: true };
        planned.IsHexadecimal = integer is { DisplayBase: DisplayBase.Hexadecimal, IsSigned: false };
        planned.Mappings = integer?.Mappings;
        planned.Labels = integer?.Mappings?.Select(mapping => Encoding.UTF8.GetBytes(mapping.Label)).ToArray();
        int inner = isTransparent ? field : step.Kind == DecodeStepKind.Array ? PerfettoFields.Annotation.ArrayValues : PerfettoFields.Annotation.DictionaryEntries;
        for (int i = index + 1; i < step.End; i = steps[i].End)
        {
            if (!steps[i].IsHidden)
                Add(steps, i, step.Class is OptionalFieldClass ? name : steps[i].Name, inner, isTransparent: false);
        }
    }
}

/// <summary>Writes the fields of an event as annotations. What makes the event longer than a viewer may want is left out.</summary>
internal readonly unsafe struct PerfettoVisitor(ProtobufBuffer buffer, PerfettoStep[] steps, PerfettoVisit visit) : IFieldVisitor
{
    public void Integer(int step, ulong value)
    {
        ref readonly var plan = ref steps[step];
        if (!TryBegin(in plan, out int start))
            return;
        if (plan.Mappings is not null && FindLabel(in plan, value) is { } label)
            buffer.Text(PerfettoFields.Annotation.Text, label);
        else if (plan.IsSigned)
            buffer.Integer(PerfettoFields.Annotation.Signed, value);
        else
            buffer.Integer(plan.IsHexadecimal ? PerfettoFields.Annotation.Pointer : PerfettoFields.Annotation.Unsigned, value);
        buffer.End(start);
    }

    public void Real(int step, double value)
    {
        if (!TryBegin(in steps[step], out int start))
            return;
        buffer.Double(PerfettoFields.Annotation.Double, value);
        buffer.End(start);
    }

    public void Text(int step, byte* text, int lengthBytes)
    {
        if (!TryBegin(in steps[step], out int start))
            return;
        buffer.Text(PerfettoFields.Annotation.Text, new ReadOnlySpan<byte>(text, Math.Min(lengthBytes, PerfettoVisit.MaxTextBytes)));
        buffer.End(start);
    }

    public void Blob(int step, byte* bytes, long lengthBytes)
    {
        if (!TryBegin(in steps[step], out int start))
            return;
        int length = (int)Math.Min(lengthBytes, PerfettoVisit.MaxTextBytes);
        buffer.Text(PerfettoFields.Annotation.Text, Convert.ToBase64String(new ReadOnlySpan<byte>(bytes, length)));
        buffer.End(start);
    }

    public void BeginStructure(int step) => BeginNested(step);

    public void EndStructure(int step) => EndNested(step);

    public void BeginArray(int step, ulong length) => BeginNested(step);

    public void Element(int step, ulong index)
    {
    }

    public void EndArray(int step) => EndNested(step);

    public void BeginVariant(int step) => BeginNested(step);

    public void EndVariant(int step) => EndNested(step);

    public void BeginOptional(int step, bool isPresent)
    {
    }

    public void EndOptional(int step)
    {
    }

    private static byte[]? FindLabel(in PerfettoStep plan, ulong value)
    {
        for (int i = 0; i < plan.Mappings!.Count; i++)
        {
            if (plan.Mappings[i].Contains((long)value, plan.IsSigned))
                return plan.Labels![i];
        }
        return null;
    }

    private bool TryBegin(in PerfettoStep plan, out int start)
    {
        start = 0;
        if (plan.Field == 0 || visit.IsFull(buffer.Count))
            return false;
        start = buffer.Begin(plan.Field);
        if (plan.NameIid != 0)
            buffer.Integer(PerfettoFields.Annotation.NameIid, plan.NameIid);
        return true;
    }

    private void BeginNested(int step)
    {
        ref readonly var plan = ref steps[step];
        if (plan.Field == 0 || plan.IsTransparent)
            return;
        visit.Push(TryBegin(in plan, out int start) ? start : -1);
    }

    private void EndNested(int step)
    {
        if (steps[step].Field == 0 || steps[step].IsTransparent)
            return;
        int start = visit.Pop();
        if (start >= 0)
            buffer.End(start);
    }
}

/// <summary>What a walk over one event carries along: the messages that are open, and where the event began.</summary>
internal sealed class PerfettoVisit
{
    /// <summary>Longest text of an annotation.</summary>
    public const int MaxTextBytes = 64 << 10;

    private const int MaxEventBytes = 1 << 20;

    private int[] _starts = new int[16];
    private int _depth;
    private int _eventStart;

    public void Begin(int eventStart)
    {
        _eventStart = eventStart;
        _depth = 0;
    }

    public bool IsFull(int count) => count - _eventStart > MaxEventBytes;

    public void Push(int start)
    {
        if (_depth == _starts.Length)
            Array.Resize(ref _starts, _depth * 2);
        _starts[_depth++] = start;
    }

    public int Pop() => _starts[--_depth];
}
