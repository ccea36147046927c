using System.Buffers.Binary;

namespace Weir.Ring;

/// <summary>Tells how long the record is that begins at an offset of a packet, head included; 0 or less where none can begin.</summary>
/// <remarks>The ring knows no schema; who recovers a packet does.</remarks>
public delegate int RecordMeasure(ReadOnlySpan<byte> packet, int offset);

/// <summary>What a recovery needs to know besides the packet's bytes.</summary>
/// <param name="SequenceNumber">The packet's number in its stream.</param>
/// <param name="Position">The stream's position when the packet was copied.</param>
/// <param name="PreviousEnd">
/// The end that stands in the packet before it, recovered if need be, or the stream's begin; the begin of a packet whose head was never
/// written. A later time would move the packet's first records.
/// </param>
/// <param name="EndTime">The end that an open packet is given, unless its last record is later: the stream's last time, read after its position.</param>
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
    /// <param name="isCut">Whether records may follow that could not be reached, behind a hole of unknown length.</param>
    /// <returns>Bytes of the valid packet.</returns>
    public static int Recover(
        StreamReader stream, Span<byte> packet, in RecoveryContext context, IReadOnlyList<WriteIntent> intents, RecordMeasure measure, out bool isCut)
    {
        ulong start = context.SequenceNumber * (ulong)stream.PacketBytes;
        bool isOpen = context.Position - start < (ulong)stream.PacketBytes;
        int limit = isOpen ? Math.Max((int)(context.Position - start), PacketLayout.Records) : stream.PacketBytes;
        ulong end = context.EndTime;
        isCut = false;
        if (stream.Sequence == SequenceKind.Atomic)
        {
            RestoreHead(stream, packet, context);
            // Its successor's writer gave it the end, or died before that: then no time stands there.
            ulong writtenEnd = isOpen ? context.EndTime : BinaryPrimitives.ReadUInt64LittleEndian(packet[PacketLayout.TimestampEnd..]);
            limit = Compact(stream.Cpu, packet[..limit], start, intents, measure, out ulong lastTime, out isCut);
            end = Math.Max(writtenEnd, lastTime);
        }
        else if (!isOpen)
        {
            return stream.PacketBytes;
        }
        BinaryPrimitives.WriteUInt64LittleEndian(packet[PacketLayout.TimestampEnd..], end);
        BinaryPrimitives.WriteUInt64LittleEndian(packet[PacketLayout.ContentSize..], (ulong)limit * 8);
        BinaryPrimitives.WriteUInt64LittleEndian(packet[PacketLayout.PacketSize..], (ulong)limit * 8);
        BinaryPrimitives.WriteUInt64LittleEndian(packet[PacketLayout.EventsDiscarded..], context.Discarded);
        return limit;
    }

    /// <summary>
    /// A writer that died right after it had taken a new packet has not written its head, whose magic comes last. Its own record is a
    /// hole then; those of others that follow count their compact time from a record before the packet, and so from the end of the
    /// packet before.
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
        BinaryPrimitives.WriteUInt64LittleEndian(packet[PacketLayout.TimestampEnd..], context.PreviousEnd);
        BinaryPrimitives.WriteUInt64LittleEndian(packet[PacketLayout.SequenceNumber..], context.SequenceNumber);
        BinaryPrimitives.WriteUInt32LittleEndian(packet[PacketLayout.CpuId..], stream.Cpu);
    }

    /// <summary>Moves the committed records of a packet's used bytes together, stepping over holes; returns where they end.</summary>
    private static int Compact(
        uint cpu, Span<byte> used, ulong start, IReadOnlyList<WriteIntent> intents, RecordMeasure measure, out ulong lastTime, out bool isCut)
    {
        lastTime = BinaryPrimitives.ReadUInt64LittleEndian(used[PacketLayout.TimestampBegin..]);
        isCut = false;
        int from = PacketLayout.Records;
        int to = from;
        while (from < used.Length)
        {
            int idBits = used[from] & (int)RecordLayout.ExtendedId;
            bool isRecord = idBits != 0;
            int headBytes = idBits == RecordLayout.ExtendedId ? RecordLayout.ExtendedBytes : RecordLayout.CompactBytes;
            int length = isRecord ? measure(used, from) : HoleBytes(cpu, used, from, start, intents);
            if (length < (isRecord ? headBytes : 1) || length > used.Length - from)
            {
                // Zeros to the end are the unused rest of a closed packet, or records that nobody committed.
                isCut = used[from..].ContainsAnyExcept((byte)0);
                break;
            }
            if (isRecord)
            {
                var record = used.Slice(from, length);
                lastTime = TimeOf(record, lastTime);
                record.CopyTo(used[to..]);
                to += length;
            }
            from += length;
        }
        return to;
    }

    private static ulong TimeOf(ReadOnlySpan<byte> record, ulong previous)
    {
        if ((record[0] & RecordLayout.ExtendedId) == RecordLayout.ExtendedId)
            return BinaryPrimitives.ReadUInt64LittleEndian(record[(1 + sizeof(uint))..]);
        uint low = BinaryPrimitives.ReadUInt32LittleEndian(record) >> RecordLayout.IdBits;
        return previous + ((low - previous) & ((1UL << RecordLayout.TimeBits) - 1));
    }

    /// <summary>The length of the hole that begins at an offset, from the intents; 0 where they do not tell.</summary>
    private static int HoleBytes(uint cpu, ReadOnlySpan<byte> used, int from, ulong start, IReadOnlyList<WriteIntent> intents)
    {
        uint shortest = 0;
        foreach (var intent in intents)
        {
            if (intent.Cpu != cpu || intent.Start != start + (ulong)from || intent.SizeBytes > used.Length - from)
                continue;
            if (intent.IsWon)
                return (int)intent.SizeBytes;
            if ((shortest == 0 || intent.SizeBytes < shortest) && EndsWhereSomethingBegins(cpu, used, from, (int)intent.SizeBytes, start, intents))
                shortest = intent.SizeBytes;
        }
        return (int)shortest;
    }

    /// <summary>
    /// Of a writer that died between its swap and its mark nothing is written: zeros up to the next record, hole or the end. The intent of
    /// another that lost the race for the same start does not end there if it is shorter, for it ends in zeros that no intent begins
    /// at; if it is longer it may, in the payload of a next record without its head. So the shortest that does is the winner's.
    /// </summary>
    private static bool EndsWhereSomethingBegins(
        uint cpu, ReadOnlySpan<byte> used, int from, int length, ulong start, IReadOnlyList<WriteIntent> intents)
    {
        if (used.Slice(from, length).ContainsAnyExcept((byte)0))
            return false;
        int end = from + length;
        return end == used.Length || used[end] != 0 || intents.Any(other => other.Cpu == cpu && other.Start == start + (ulong)end);
    }
}
