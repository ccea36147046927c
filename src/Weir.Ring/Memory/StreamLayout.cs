namespace Weir.Ring;

/// <summary>
/// One stream's memory: what one process writes on one CPU, and its reader's progress. Little-endian, explicit widths. A stream is
/// valid from the moment its magic is there; everything in it comes from another process and is checked before use.
/// <code>
///  0      page 0, written once
///         0 magic u64 | 8 version u32 | 12 sequence u32 | 16 packet bytes u64 | 24 packet count u32 | 28 cpu u32 | 32 UUID
///         48 format u32 | 52 packet head bytes u32 | 56 is overwrite u32 | 60 position's offset in page 1 u32
///         64 consumed's offset in page 1 u32 | 68 losses' offset in page 1 u32
///  4096   page 1, control: one cache line for each side
///         +0    position u64 | time of the last record u64        the writers' commit
///         +64   lost, buffer full u64 | lost, too large u64       the writers', counted with a locked instruction
///         +128  consumed u64                                      the reader's
///         +192  floor u64                                         the writers', overwrite mode: what lies below may be gone
///  8192   page 2, commit counts (atomic sequence only): for each sub-buffer a cache line with the bytes committed to it since
///         the stream began
///  12288  sub-buffers: packet count times packet bytes; packet k lies in sub-buffer k modulo packet count
/// </code>
/// Positions count bytes since the stream began and only grow; sizes are powers of two, so position and (packet bytes - 1) is the
/// offset in the packet. The first packet is opened when the stream is made, and no record may end exactly at a packet's end, so a
/// position is never at a packet's boundary and always lies in an open packet. On the atomic path the upper bits of the position's word
/// say who moved it last (<see cref="IntentTable"/>). A ring without packets has a control page of its format's own drawing, where
/// only position and consumed stand, and losses; its packet is the whole ring, its packet count 1.
/// </summary>
public static class StreamLayout
{
    /// <summary>"WEIRSTRM" as bytes in memory.</summary>
    public const ulong Magic = 0x4D52545352494557;

    /// <summary>Layout version.</summary>
    public const uint Version = 2;

    /// <summary>Offset of the version, u32.</summary>
    public const int VersionOffset = 8;

    /// <summary>Offset of the sequence that writes the stream, u32, a <see cref="SequenceKind"/>.</summary>
    public const int Sequence = 12;

    /// <summary>Offset of the bytes in a packet, u64.</summary>
    public const int PacketBytes = 16;

    /// <summary>Offset of the number of sub-buffers, u32.</summary>
    public const int PacketCount = 24;

    /// <summary>Offset of the CPU, u32.</summary>
    public const int Cpu = 28;

    /// <summary>Offset of the trace's UUID, 16 bytes.</summary>
    public const int Uuid = 32;

    /// <summary>Offset of the format, u32, a <see cref="StreamFormat"/>.</summary>
    public const int Format = 48;

    /// <summary>Offset of the bytes of a packet's head, u32; 0 in a ring without packets.</summary>
    public const int PacketHeadBytes = 52;

    /// <summary>Offset of whether the stream overwrites its oldest packets, u32: 0 or 1.</summary>
    public const int IsOverwrite = 56;

    /// <summary>Offset of the position's offset in the control page, u32.</summary>
    public const int PositionOffset = 60;

    /// <summary>Offset of consumed's offset in the control page, u32.</summary>
    public const int ConsumedOffset = 64;

    /// <summary>Offset of the offset of the pair of loss counters in the control page, u32.</summary>
    public const int LostOffset = 68;

    /// <summary>Bytes of all of these.</summary>
    internal const int HeadWords = LostOffset + sizeof(uint);

    /// <summary>Offset of the control page.</summary>
    public const int Control = 4096;

    /// <summary>In the control page: bytes committed, u64; the time of the last record follows it.</summary>
    public const int Position = 0;

    /// <summary>In the control page: time of the last committed record, u64.</summary>
    public const int LastTime = 8;

    /// <summary>In the control page: events lost because the buffer was full, u64.</summary>
    public const int LostFull = 64;

    /// <summary>In the control page: events lost because they are larger than a packet, u64.</summary>
    public const int LostTooLarge = 72;

    /// <summary>In the control page: bytes given back by the reader, u64.</summary>
    public const int Consumed = 128;

    /// <summary>In the control page: overwrite mode, bytes that may have been overwritten, u64.</summary>
    public const int Floor = 192;

    /// <summary>From the control page: the commit counts.</summary>
    public const int CommitCounts = 4096;

    /// <summary>Bytes from one commit count to the next.</summary>
    public const int CommitCountStride = 64;

    /// <summary>From the control page: the first sub-buffer.</summary>
    public const int Data = 8192;

    /// <summary>Bytes of the file before the first sub-buffer.</summary>
    public const int HeadBytes = Control + Data;

    /// <summary>Smallest packet.</summary>
    public const int MinPacketBytes = 4096;

    /// <summary>Largest packet.</summary>
    public const int MaxPacketBytes = 1 << 30;

    /// <summary>Fewest sub-buffers: one to fill while one is read.</summary>
    public const int MinPacketCount = 2;

    /// <summary>Most sub-buffers; their commit counts fill one page.</summary>
    public const int MaxPacketCount = 64;

    /// <summary>Bits of the position in its word, on the atomic path: 4 PiB, a year at 140 MB/s.</summary>
    public const int PositionBits = 52;

    /// <summary>Masks the position out of its word, on the atomic path.</summary>
    public const ulong PositionMask = (1UL << PositionBits) - 1;

    /// <summary>Whether a packet's size and number are ones that a stream with packets may have.</summary>
    public static bool IsValidGeometry(long packetBytes, long packetCount) =>
        packetBytes is >= MinPacketBytes and <= MaxPacketBytes && long.IsPow2(packetBytes)
        && packetCount is >= MinPacketCount and <= MaxPacketCount && long.IsPow2(packetCount);

    /// <summary>Whether a ring without packets may have a size.</summary>
    public static bool IsValidContinuous(long ringBytes) => ringBytes is >= MinPacketBytes and <= MaxPacketBytes && long.IsPow2(ringBytes);

    /// <summary>What may be gone once the packet that begins at a position is being written: all but the ring's last bytes. 0 for nothing.</summary>
    internal static ulong FloorFor(ulong packetStart, ulong packetBytes, ulong ringBytes) =>
        packetStart + packetBytes > ringBytes ? packetStart + packetBytes - ringBytes : 0;
}

/// <summary>The way in which records are committed.</summary>
public enum SequenceKind : uint
{
    /// <summary>One restartable section with one committing store: <see cref="Weir.Ring.Rseq"/>.</summary>
    Rseq = 1,

    /// <summary>Reserve by compare-and-swap, then count what is committed: <see cref="Weir.Ring.Atomic"/>.</summary>
    Atomic = 2,
}
