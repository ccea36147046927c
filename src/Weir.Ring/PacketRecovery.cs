using System.Buffers.Binary;

namespace Weir.Ring;

/// <summary>Tells how long the record is that begins at an offset of a packet, head included; 0 or less where none can begin.</summary>
/// <remarks>The ring knows no schema; who recovers a packet does.</remarks>
public delegate int RecordMeasure(ReadOnlySpan<byte> packet, int offset);

/// <summary>What a recovery needs to know besides the packet's bytes.</summary>
/// <param name="SequenceNumber">The packet's number in its stream.</param>
/// <param name="Position">The stream's position when the packet was copied.</param>
/// <param name="PreviousEnd">The end of the packet before it, or the stream's begin; the begin of a packet whose head was never written.</param>
/// <param name="EndTime">The end that an open packet is given; at least the time of its last record.</param>
/// <param name="Discarded">Events lost on the stream's CPU until now.</param>
public readonly record struct RecoveryContext(ulong SequenceNumber, ulong Position, ulong PreviousEnd, ulong EndTime, ulong Discarded);

/// <summary>
/// Makes a valid packet of one that its writer had not finished: a packet still open at a session's end, or what a killed process
/// left. Recovery is reading: nothing in the stream is changed.
/// </summary>
public static class PacketRecovery
{
    /// <summary>Recovers a packet in place.</summary>
    /// <param name="stream">The stream that it comes from.</param>
    /// <param name="packet">The sub-buffer's bytes; afterwards the valid packet is its beginning.</param>
    /// <param name="context">See there.</param>
    /// <param name="intents">The writers' intents; only used for the atomic sequence.</param>
    /// <param name="measure">How long records are; only used for the atomic sequence.</param>
    /// <param name="isCut">Whether records may follow that could not be reached: a hole of unknown length.</param>
    /// <returns>Bytes of the valid packet.</returns>
    public static int Recover(
        StreamReader stream, Span<byte> packet, in RecoveryContext context, IReadOnlyList<WriteIntent> intents, RecordMeasure measure, out bool isCut)
    {
        ulong start = context.SequenceNumber * (ulong)stream.PacketBytes;
        int limit = (int)Math.Min(context.Position - start, (ulong)stream.PacketBytes);
        bool isOpen = context.Position - start < (ulong)stream.PacketBytes;
        isCut = false;
        if (stream.Sequence == SequenceKind.Atomic)
        {
            RestoreHead(stream, packet, context);
            limit = Compact(stream, packet, start, limit, isOpen, intents, measure, out isCut);
            isOpen = true; // Its head was closed by nobody, or for a content that holes have been taken out of.
        }
        if (!isOpen)
            return stream.PacketBytes;
        BinaryPrimitives.WriteUInt64LittleEndian(packet[PacketLayout.TimestampEnd..], context.EndTime);
        BinaryPrimitives.WriteUInt64LittleEndian(packet[PacketLayout.ContentSize..], (ulong)limit * 8);
        BinaryPrimitives.WriteUInt64LittleEndian(packet[PacketLayout.PacketSize..], (ulong)limit * 8);
        BinaryPrimitives.WriteUInt64LittleEndian(packet[PacketLayout.EventsDiscarded..], context.Discarded);
        return limit;
    }

    /// <summary>
    /// A writer that died right after it had taken a new packet has not written its head. Its own record is a hole then; those of
    /// others that follow count their compact time from a record before the packet, and so from the end of the packet before.
    /// </summary>
    private static void RestoreHead(StreamReader stream, Span<byte> packet, in RecoveryContext context)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(packet) == PacketLayout.Magic)
            return;
        packet[..PacketLayout.Records].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(packet, PacketLayout.Magic);
        stream.Uuid.TryWriteBytes(packet[PacketLayout.Uuid..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64LittleEndian(packet[PacketLayout.StreamInstanceId..], stream.Cpu);
        BinaryPrimitives.WriteUInt64LittleEndian(packet[PacketLayout.TimestampBegin..], context.PreviousEnd);
        BinaryPrimitives.WriteUInt64LittleEndian(packet[PacketLayout.SequenceNumber..], context.SequenceNumber);
        BinaryPrimitives.WriteUInt32LittleEndian(packet[PacketLayout.CpuId..], stream.Cpu);
    }

    /// <summary>Moves the committed records together, stepping over holes; returns where they end.</summary>
    private static int Compact(
        StreamReader stream, Span<byte> packet, ulong start, int limit, bool isOpen, IReadOnlyList<WriteIntent> intents, RecordMeasure measure, out bool isCut)
    {
        int from = PacketLayout.Records;
        int to = from;
        isCut = false;
        while (from < limit)
        {
            bool isRecord = (packet[from] & (RecordLayout.ExtendedId)) != 0;
            int length = isRecord ? measure(packet[..limit], from) : HoleBytes(stream.Cpu, start + (ulong)from, intents);
            if (length <= 0 || length > limit - from)
            {
                // In a closed packet zeros without an intent are the unused rest.
                isCut = isRecord || isOpen;
                break;
            }
            if (isRecord)
            {
                packet.Slice(from, length).CopyTo(packet[to..]);
                to += length;
            }
            from += length;
        }
        return to;
    }

    private static int HoleBytes(uint cpu, ulong start, IReadOnlyList<WriteIntent> intents)
    {
        int bytes = 0;
        foreach (var intent in intents)
        {
            if (intent.Cpu != cpu || intent.Start != start)
                continue;
            bytes = (int)Math.Min(intent.SizeBytes, int.MaxValue);
            if (intent.IsWon)
                break;
        }
        return bytes;
    }
}
