using Weir.Clock;

namespace Weir.Ring;

/// <summary>What the bytes of a stream are; the numbers stand in its file.</summary>
public enum StreamFormat : uint
{
    /// <summary><see cref="CtfCompact{TClock}"/>.</summary>
    CtfCompact = 1,

    /// <summary><see cref="CtfLarge{TClock}"/>.</summary>
    CtfLarge = 2,

    /// <summary><see cref="PlainRecords"/>.</summary>
    Plain = 3,

    /// <summary><see cref="FtracePages{TClock}"/>.</summary>
    Ftrace = 4,

    /// <summary><see cref="PerfRecords{TClock}"/>.</summary>
    Perf = 5,

    /// <summary>This and greater ones are for formats outside this library: they are read and copied, but not repaired.</summary>
    FirstOfOthers = 0x1_0000,
}

/// <summary>
/// The heads of records. All members are called on the writer's path: they allocate nothing, wait for nothing, and cope with any
/// argument. Heads are staged in the thread's own memory, so they are written plainly, and possibly several times for one record.
/// </summary>
public unsafe interface IRecordFormat
{
    /// <summary>Longest head of a record.</summary>
    const int MaxHeadBytes = CommitBlock.MaxHeadBytes;

    /// <summary>Told in the stream's file.</summary>
    static abstract StreamFormat Format { get; }

    /// <summary>The records' clock; null where they have no time, and both readings are 0.</summary>
    static abstract ClockKind? Clock { get; }

    /// <summary>The time now.</summary>
    static abstract ulong Now();

    /// <summary>The time now, read after every load that precedes it in the program.</summary>
    static abstract ulong NowOrdered();

    /// <summary>Writes a record's head and returns its bytes.</summary>
    /// <param name="head">Room for <see cref="MaxHeadBytes"/>.</param>
    /// <param name="id">The caller's id of the record.</param>
    /// <param name="now">The record's time.</param>
    /// <param name="last">The time of the record before it or, for a packet's first, of the packet's begin; may be older, never newer.</param>
    /// <param name="lengthBytes">The payload's bytes, never negative.</param>
    /// <param name="cpu">The stream's CPU.</param>
    /// <param name="thread">The calling thread's block.</param>
    static abstract int WriteHead(byte* head, uint id, ulong now, ulong last, int lengthBytes, uint cpu, WriterThread* thread);

    /// <summary>Zero bytes behind the payload, at most 7; more than 0 only where head, payload and they are 8 bytes or more.</summary>
    static abstract int TailBytes(int headBytes, int lengthBytes);
}

/// <summary>The heads of packets too.</summary>
public unsafe interface IPacketFormat : IRecordFormat
{
    /// <summary>Most bytes of a packet's head.</summary>
    const int MaxPacketHeadBytes = 128;

    /// <summary>Most bytes that closing a packet changes.</summary>
    const int MaxCloseBytes = 64;

    /// <summary>Bytes before a packet's first record, 1 to <see cref="MaxPacketHeadBytes"/>.</summary>
    static abstract int PacketHeadBytes { get; }

    /// <summary>Where in the head the bytes begin that closing writes.</summary>
    static abstract int CloseOffset { get; }

    /// <summary>How many they are, 0 to <see cref="MaxCloseBytes"/>.</summary>
    static abstract int CloseBytes { get; }

    /// <summary>Writes the head of an open packet.</summary>
    static abstract void OpenPacket(byte* head, in PacketContext context);

    /// <summary>Writes the bytes that closing changes, from <see cref="CloseOffset"/> on; they depend on nothing in the packet.</summary>
    static abstract void ClosePacket(byte* target, in PacketContext context);
}

/// <summary>A format for a ring without packets; it draws its own control page.</summary>
public unsafe interface IContinuousFormat : IRecordFormat
{
    /// <summary>Longest record, head and tail included.</summary>
    static abstract int MaxRecordBytes { get; }

    /// <summary>Offset of the position in the control page.</summary>
    static abstract int PositionOffset { get; }

    /// <summary>Offset of the bytes given back in the control page.</summary>
    static abstract int ConsumedOffset { get; }

    /// <summary>Offset of the pair of loss counters in the control page.</summary>
    static abstract int LostOffset { get; }

    /// <summary>Fills a new control page, whose memory is zero.</summary>
    static abstract void Begin(byte* control, ulong ringBytes);
}

/// <summary>What the head of a packet may tell.</summary>
public unsafe struct PacketContext
{
    /// <summary>The ring.</summary>
    internal RingMemory* Ring;

    /// <summary>The stream's CPU; 0 for the one stream of a global ring.</summary>
    public uint Cpu;

    /// <summary>The time now, 0 without a clock.</summary>
    public ulong Now;

    /// <summary>The packet's number in its stream.</summary>
    public ulong SequenceNumber;

    /// <summary>Used bytes, the head's among them; when a packet is closed.</summary>
    public ulong ContentBytes;

    /// <summary>Records lost on this stream until now; when a packet is closed.</summary>
    public ulong Discarded;

    /// <summary>Bytes of a packet.</summary>
    public readonly ulong PacketBytes => Ring->PacketMask + 1;

    /// <summary>The ring's UUID.</summary>
    public readonly Guid Uuid => new(new ReadOnlySpan<byte>(Ring->Uuid, 16), bigEndian: true);
}
