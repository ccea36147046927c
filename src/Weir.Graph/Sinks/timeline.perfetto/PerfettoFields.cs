namespace Weir.Graph;

/// <summary>
/// Numbers of the fields that are written, by message, from Perfetto's <c>protos/perfetto/trace</c>.
/// </summary>
internal static class PerfettoFields
{
    /// <summary>What a trace is made of.</summary>
    public const int TracePacket = 1;

    public static class Packet
    {
        public const int FtraceEvents = 1;
        public const int ClockSnapshot = 6;
        public const int Timestamp = 8;
        public const int SequenceId = 10;
        public const int TrackEvent = 11;
        public const int InternedData = 12;
        public const int SequenceFlags = 13;
        public const int TrackDescriptor = 60;
        public const int FirstPacketOnSequence = 87;

        public const ulong IncrementalStateCleared = 1;
        public const ulong NeedsIncrementalState = 2;
    }

    public static class ClockSnapshot
    {
        public const int Clocks = 1;
        public const int PrimaryTraceClock = 2;
        public const int ClockId = 1;
        public const int ClockTimestamp = 2;

        public const ulong Realtime = 1;
        public const ulong Monotonic = 3;
        public const ulong Boottime = 6;
    }

    public static class TrackDescriptor
    {
        public const int Uuid = 1;
        public const int Name = 2;
        public const int Process = 3;
        public const int Thread = 4;
        public const int ParentUuid = 5;
        public const int ProcessPid = 1;
        public const int ProcessName = 6;
        public const int ThreadPid = 1;
        public const int ThreadTid = 2;
        public const int ThreadName = 5;
    }

    public static class TrackEvent
    {
        public const int CategoryIids = 3;
        public const int DebugAnnotations = 4;
        public const int Type = 9;
        public const int NameIid = 10;
        public const int TrackUuid = 11;
        public const int Name = 23;

        public const ulong SliceBegin = 1;
        public const ulong SliceEnd = 2;
        public const ulong Instant = 3;
    }

    public static class InternedData
    {
        public const int EventCategories = 1;
        public const int EventNames = 2;
        public const int DebugAnnotationNames = 3;
        public const int Iid = 1;
        public const int Name = 2;
    }

    public static class Annotation
    {
        public const int NameIid = 1;
        public const int Boolean = 2;
        public const int Unsigned = 3;
        public const int Signed = 4;
        public const int Double = 5;
        public const int Text = 6;
        public const int Pointer = 7;
        public const int DictionaryEntries = 11;
        public const int ArrayValues = 12;
    }

    public static class Ftrace
    {
        public const int Cpu = 1;
        public const int Event = 2;
        public const int EventTimestamp = 1;
        public const int EventPid = 2;
        public const int SchedSwitch = 4;
        public const int PrevName = 1;
        public const int PrevPid = 2;
        public const int PrevPriority = 3;
        public const int PrevState = 4;
        public const int NextName = 5;
        public const int NextPid = 6;
        public const int NextPriority = 7;
    }
}
