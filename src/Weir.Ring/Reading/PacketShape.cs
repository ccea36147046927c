using System.Buffers.Binary;

namespace Weir.Ring;

/// <summary>
/// A reader's view of a format's packet heads: where the content ends, and how to finish a head that its writer did not. The writers' view
/// is the format's struct; tests hold the two against each other.
/// </summary>
internal abstract class PacketShape
{
    /// <summary>The shape of a format, or null where only its writer knows it.</summary>
    public static PacketShape? Of(StreamFormat format) => format switch
    {
        StreamFormat.CtfCompact or StreamFormat.CtfLarge => CtfShape.Instance,
        StreamFormat.Plain => PlainShape.Instance,
        StreamFormat.Ftrace => FtraceShape.Instance,
        _ => null,
    };

    /// <summary>Bytes before the first record.</summary>
    public abstract int HeadBytes { get; }

    /// <summary>Where the content of a closed packet ends, head included; may be any number if the bytes are not a head.</summary>
    public abstract long ContentBytes(ReadOnlySpan<byte> packet);

    /// <summary>The time of the packet's end; 0 where the format has none.</summary>
    public virtual ulong EndTime(ReadOnlySpan<byte> packet) => 0;

    /// <summary>Losses until the packet's end; 0 where the format has none.</summary>
    public virtual ulong Discarded(ReadOnlySpan<byte> packet) => 0;

    /// <summary>Writes what closing a packet writes; the packet is to be as long as its content.</summary>
    public abstract void Close(Span<byte> packet, int contentBytes, ulong sequenceNumber, ulong end, ulong discarded);

    /// <summary>Writes the head of a packet whose writer died before it did.</summary>
    public abstract void Open(Span<byte> packet, StreamReader stream, ulong sequenceNumber, ulong begin);

    private sealed class CtfShape : PacketShape
    {
        public static readonly CtfShape Instance = new();

        public override int HeadBytes => PacketLayout.Records;

        public override long ContentBytes(ReadOnlySpan<byte> packet) => (long)(U64(packet, PacketLayout.ContentSize) / 8);

        public override ulong EndTime(ReadOnlySpan<byte> packet) => U64(packet, PacketLayout.TimestampEnd);

        public override ulong Discarded(ReadOnlySpan<byte> packet) => U64(packet, PacketLayout.EventsDiscarded);

        public override void Close(Span<byte> packet, int contentBytes, ulong sequenceNumber, ulong end, ulong discarded)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(packet[PacketLayout.TimestampEnd..], end);
            BinaryPrimitives.WriteUInt64LittleEndian(packet[PacketLayout.ContentSize..], (ulong)contentBytes * 8);
            BinaryPrimitives.WriteUInt64LittleEndian(packet[PacketLayout.PacketSize..], (ulong)contentBytes * 8);
            BinaryPrimitives.WriteUInt64LittleEndian(packet[PacketLayout.SequenceNumber..], sequenceNumber);
            BinaryPrimitives.WriteUInt64LittleEndian(packet[PacketLayout.EventsDiscarded..], discarded);
        }

        public override void Open(Span<byte> packet, StreamReader stream, ulong sequenceNumber, ulong begin)
        {
            packet[..HeadBytes].Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(packet, PacketLayout.Magic);
            stream.Uuid.TryWriteBytes(packet[PacketLayout.Uuid..], bigEndian: true, out _);
            BinaryPrimitives.WriteUInt64LittleEndian(packet[PacketLayout.StreamInstanceId..], stream.Cpu);
            BinaryPrimitives.WriteUInt64LittleEndian(packet[PacketLayout.TimestampBegin..], begin);
            BinaryPrimitives.WriteUInt32LittleEndian(packet[PacketLayout.CpuId..], stream.Cpu);
            Close(packet, HeadBytes, sequenceNumber, begin, 0);
        }
    }

    private sealed class PlainShape : PacketShape
    {
        public static readonly PlainShape Instance = new();

        public override int HeadBytes => PlainRecords.PacketHeadBytes;

        public override long ContentBytes(ReadOnlySpan<byte> packet) => BinaryPrimitives.ReadUInt32LittleEndian(packet[4..]);

        public override ulong Discarded(ReadOnlySpan<byte> packet) => U64(packet, 16);

        public override void Close(Span<byte> packet, int contentBytes, ulong sequenceNumber, ulong end, ulong discarded)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(packet[4..], (uint)contentBytes);
            BinaryPrimitives.WriteUInt64LittleEndian(packet[8..], sequenceNumber);
            BinaryPrimitives.WriteUInt64LittleEndian(packet[16..], discarded);
        }

        public override void Open(Span<byte> packet, StreamReader stream, ulong sequenceNumber, ulong begin)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(packet, PlainRecords.Magic);
            Close(packet, HeadBytes, sequenceNumber, 0, 0);
        }
    }

    private sealed class FtraceShape : PacketShape
    {
        public static readonly FtraceShape Instance = new();

        private const ulong CommitMask = (1UL << 30) - 1;

        public override int HeadBytes => 16;

        public override long ContentBytes(ReadOnlySpan<byte> packet) => HeadBytes + (long)(U64(packet, 8) & CommitMask);

        public override void Close(Span<byte> packet, int contentBytes, ulong sequenceNumber, ulong end, ulong discarded) =>
            BinaryPrimitives.WriteUInt64LittleEndian(packet[8..], (ulong)(contentBytes - HeadBytes));

        public override void Open(Span<byte> packet, StreamReader stream, ulong sequenceNumber, ulong begin)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(packet, begin);
            Close(packet, HeadBytes, 0, 0, 0);
        }
    }

    private static ulong U64(ReadOnlySpan<byte> packet, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(packet[offset..]);
}
