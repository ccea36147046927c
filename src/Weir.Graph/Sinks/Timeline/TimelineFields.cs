using Weir.Ctf;

namespace Weir.Graph;

/// <summary>What a timeline wants to know of an event.</summary>
internal enum TimelineField : byte
{
    None,
    Pid,
    Tid,
    Vpid,
    Vtid,
    ThreadName,
    Cpu,
    PrevTid,
    PrevState,
    PrevName,
    PrevPriority,
    NextTid,
    NextName,
    NextPriority,
    Count,
}

/// <summary>Which steps of a program hold what a timeline wants to know, and the values of the last walk. Not thread-safe.</summary>
internal sealed class TimelineFields
{
    /// <summary>Names are cut to this.</summary>
    public const int MaxNameBytes = 64;

    private readonly TimelineField[] _fields;
    private readonly ulong[] _numbers = new ulong[(int)TimelineField.Count];
    private readonly byte[][] _names = new byte[(int)TimelineField.Count][];
    private readonly int[] _lengths = new int[(int)TimelineField.Count];
    private uint _found;
    private uint _last;

    /// <summary>Looks for the fields of an event or, with <paramref name="isPacket"/>, of a packet context.</summary>
    public TimelineFields(DecodeProgram program, bool isPacket = false)
    {
        var steps = program.Steps;
        _fields = new TimelineField[steps.Length];
        for (int root = 0; root < program.RootStarts.Count; root++)
        {
            int start = program.RootStarts[root];
            // Members of the payload that are not the scheduler's are the event's own business.
            for (int i = start + 1; start >= 0 && i < steps[start].End; i = steps[i].End)
                Set(i, Recognize(steps[i].Name, isContext: isPacket || root < program.RootStarts.Count - 1), in steps[i]);
        }
    }

    /// <summary>Whether there is anything to be looked at.</summary>
    public bool IsEmpty => _found == 0;

    /// <summary>Whether the field is declared.</summary>
    public bool Has(TimelineField field) => (_found >> (int)field & 1) != 0;

    /// <summary>The field's value in the last walk, or null.</summary>
    public ulong? Number(TimelineField field) => (_last >> (int)field & 1) != 0 ? _numbers[(int)field] : null;

    /// <summary>The text in the last walk; empty where there is none.</summary>
    public ReadOnlySpan<byte> Name(TimelineField field) =>
        (_last >> (int)field & 1) != 0 && _names[(int)field] is { } name ? name.AsSpan(0, _lengths[(int)field]) : default;

    /// <summary>What a walker calls.</summary>
    public Visitor CreateVisitor()
    {
        _last = 0;
        return new Visitor(this);
    }

    private static TimelineField Recognize(string name, bool isContext) => (name, isContext) switch
    {
        ("pid" or "process_id", true) => TimelineField.Pid,
        ("tid" or "thread_id", true) => TimelineField.Tid,
        // ftrace's events have it among their own fields.
        ("common_pid", _) => TimelineField.Tid,
        ("vpid", true) => TimelineField.Vpid,
        ("vtid", true) => TimelineField.Vtid,
        ("procname" or "comm", true) => TimelineField.ThreadName,
        ("cpu_id" or "cpu", true) => TimelineField.Cpu,
        ("prev_tid" or "prev_pid", false) => TimelineField.PrevTid,
        ("prev_state", false) => TimelineField.PrevState,
        ("prev_comm", false) => TimelineField.PrevName,
        ("prev_prio", false) => TimelineField.PrevPriority,
        ("next_tid" or "next_pid", false) => TimelineField.NextTid,
        ("next_comm", false) => TimelineField.NextName,
        ("next_prio", false) => TimelineField.NextPriority,
        _ => TimelineField.None,
    };

    private void Set(int index, TimelineField field, in DecodeStep step)
    {
        if (field == TimelineField.None || Has(field))
            return;
        bool isName = field is TimelineField.ThreadName or TimelineField.PrevName or TimelineField.NextName;
        if (isName ? step.Class is not (StringFieldClass or StaticStringFieldClass or DynamicStringFieldClass) : step.Class is not IntegerFieldClass)
            return;
        if (isName)
            _names[(int)field] = new byte[MaxNameBytes];
        _fields[index] = field;
        _found |= 1u << (int)field;
    }

    /// <summary>Keeps the values.</summary>
    internal readonly unsafe struct Visitor(TimelineFields fields) : IFieldVisitor
    {
        public void Integer(int step, ulong value)
        {
            int field = (int)fields._fields[step];
            if (field == 0)
                return;
            fields._numbers[field] = value;
            fields._last |= 1u << field;
        }

        public void Text(int step, byte* text, int lengthBytes)
        {
            int field = (int)fields._fields[step];
            if (field == 0)
                return;
            int length = Math.Min(lengthBytes, MaxNameBytes);
            new ReadOnlySpan<byte>(text, length).CopyTo(fields._names[field]);
            fields._lengths[field] = length;
            fields._last |= 1u << field;
        }

        public void Real(int step, double value)
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
