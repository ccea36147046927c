namespace Weir.Ring;

/// <summary>
/// The head of every packet, as LTTng lays it out, byte for byte what the trace file holds. Little-endian, packed.
/// <code>
///  packet header                          packet context
///  0    4            20          24   32      40    48        56       64    72          80   84
///  +----+------------+-----------+----+-------+-----+---------+--------+-----+-----------+----+--------
///  |mag.| trace UUID | stream id | in.| begin | end | content | packet | seq | discarded |cpu | records
///  +----+------------+-----------+----+-------+-----+---------+--------+-----+-----------+----+--------
/// </code>
/// Content and packet size are in bits. <c>in.</c> is the stream's instance, the CPU's number. Until a packet is closed only what
/// does not change while it fills may be relied on; who reads an open packet takes its end from the stream's position.
/// </summary>
public static class PacketLayout
{
    /// <summary>First word of every packet.</summary>
    public const uint Magic = 0xC1FC1FC1;

    /// <summary>Offset of the trace's UUID, 16 bytes.</summary>
    public const int Uuid = 4;

    /// <summary>Offset of the stream class's id, u32.</summary>
    public const int StreamId = Uuid + 16;

    /// <summary>Offset of the stream's instance id, u64.</summary>
    public const int StreamInstanceId = StreamId + 4;

    /// <summary>Bytes of the packet header; the packet context follows it.</summary>
    public const int HeaderBytes = StreamInstanceId + 8;

    /// <summary>Offset of the time of the packet's opening, u64.</summary>
    public const int TimestampBegin = HeaderBytes;

    /// <summary>Offset of the time of the packet's closing, u64.</summary>
    public const int TimestampEnd = TimestampBegin + 8;

    /// <summary>Offset of the used bits, u64.</summary>
    public const int ContentSize = TimestampEnd + 8;

    /// <summary>Offset of all bits with padding, u64.</summary>
    public const int PacketSize = ContentSize + 8;

    /// <summary>Offset of the packet's number in its stream, u64.</summary>
    public const int SequenceNumber = PacketSize + 8;

    /// <summary>Offset of the events lost on this CPU until the packet's end, u64.</summary>
    public const int EventsDiscarded = SequenceNumber + 8;

    /// <summary>Offset of the CPU, u32.</summary>
    public const int CpuId = EventsDiscarded + 8;

    /// <summary>Offset of the first record.</summary>
    public const int Records = CpuId + 4;
}
