namespace Weir.Ring;

/// <summary>What a recovery needs to know besides the packet's bytes.</summary>
/// <param name="SequenceNumber">The packet's number in its stream.</param>
/// <param name="PositionWord">The stream's <see cref="StreamReader.PositionWord"/>, read before the intents and the packet's bytes.</param>
/// <param name="PreviousEnd">The end that stands in the packet before it, recovered if need be; this one does not end earlier. 0 where it is not known.</param>
/// <param name="PreviousDiscarded">The losses that stand in the packet before it.</param>
/// <param name="EndTime">The end that an open packet is given, unless a writer has read a later time: the stream's last time, read after its position.</param>
/// <param name="Discarded">Events lost on the stream until now.</param>
/// <param name="IsLive">Whether writers may still be at work: then the counts tell of another moment than the intents, and are not compared.</param>
public readonly record struct RecoveryContext(
    ulong SequenceNumber, ulong PositionWord, ulong PreviousEnd, ulong PreviousDiscarded, ulong EndTime, ulong Discarded, bool IsLive);

/// <summary>
/// Makes a valid packet of one that its writers had not finished: a packet still open at a session's end or at a snapshot, or what a
/// killed process left. Recovery is reading: nothing in the stream is changed, and nothing needs to be known of the records.
/// </summary>
public static class PacketRecovery
{
    /// <summary>Recovers a packet in place.</summary>
    /// <param name="stream">The stream that it comes from.</param>
    /// <param name="packet">The sub-buffer's bytes; afterwards the valid packet is its beginning.</param>
    /// <param name="context">See there.</param>
    /// <param name="intents">The writers' intents; only used for the atomic sequence.</param>
    /// <param name="isCut">Whether the packet's records had to be given up, because a writer without an intent died among them.</param>
    /// <returns>Bytes of the valid packet.</returns>
    public static int Recover(StreamReader stream, Span<byte> packet, in RecoveryContext context, IReadOnlyList<WriteIntent> intents, out bool isCut)
    {
        isCut = false;
        var shape = PacketShape.Of(stream.Format);
        ulong start = context.SequenceNumber * (ulong)stream.PacketBytes;
        ulong position = stream.PositionOf(context.PositionWord);
        bool isOpen = position - start < (ulong)stream.PacketBytes;
        int openLimit = isOpen ? Math.Max((int)(position - start), stream.PacketHeadBytes) : stream.PacketBytes;
        if (stream.Sequence == SequenceKind.Rseq)
        {
            if (isOpen)
                shape?.Close(packet, openLimit, context.SequenceNumber, context.EndTime, context.Discarded);
            return openLimit;
        }

        var holes = new PacketHoles(intents, stream.Cpu, context.PositionWord, start, stream.PacketBytes);
        int limit = openLimit;
        if (!isOpen)
        {
            if (holes.ClosedAt is { } closedAt)
                limit = Math.Clamp((int)(closedAt - start), stream.PacketHeadBytes, stream.PacketBytes);
            else if (holes.Holes.Count == 0 && (context.IsLive || stream.CountedBytes(start) == (ulong)stream.PacketBytes))
                return stream.PacketBytes;
            else
                limit = (int)Math.Clamp(shape?.ContentBytes(packet) ?? stream.PacketBytes, stream.PacketHeadBytes, stream.PacketBytes);
        }
        isCut = !context.IsLive && !DoesCountComeOut(stream, start, openLimit, limit, holes);
        bool hasHead = holes.Holes.Count == 0 || holes.Holes[0].Start != start;
        // What closing writes is there without the rest of the head: it is left to whoever closes.
        ulong end = isOpen ? Math.Max(context.EndTime, holes.LastTime)
            : holes.ClosedAt != null ? holes.ClosedTime
            : shape?.EndTime(packet) ?? 0;
        ulong discarded = isOpen ? context.Discarded
            : holes.ClosedAt == null ? shape?.Discarded(packet) ?? 0
            : context.PreviousDiscarded;
        if (!hasHead)
        {
            // Whoever took the packet died before it wrote its head, or is about to write it: with the time at which it closed the packet
            // before, and which its intent tells. Others' records in the packet are later, and their compact times count from it too.
            shape?.Open(packet, stream, context.SequenceNumber, holes.Holes[0].Time);
        }
        limit = isCut ? stream.PacketHeadBytes : Compact(packet, start, stream.PacketHeadBytes, limit, holes);
        shape?.Close(packet, limit, context.SequenceNumber, Math.Max(end, context.PreviousEnd), Math.Max(discarded, context.PreviousDiscarded));
        return limit;
    }

    /// <summary>Moves what lies between the holes together; returns where it ends.</summary>
    private static int Compact(Span<byte> packet, ulong start, int headBytes, int limit, PacketHoles holes)
    {
        int from = headBytes;
        int to = headBytes;
        foreach (var hole in holes.Holes)
        {
            int holeStart = (int)(hole.Start - start);
            int holeEnd = (int)(hole.End - start);
            if (holeEnd <= from || holeStart >= limit)
                continue;
            int length = Math.Max(0, holeStart - from);
            packet.Slice(from, length).CopyTo(packet[to..]);
            to += length;
            from = Math.Min(holeEnd, limit);
        }
        packet[from..limit].CopyTo(packet[to..]);
        return to + (limit - from);
    }

    /// <summary>
    /// Whether what is not counted in a packet is what the intents account for: its holes; the last records of threads that may have died
    /// between writing and counting; and the unused rest, if whoever closes the packet may have died before it counted that.
    /// </summary>
    private static bool DoesCountComeOut(StreamReader stream, ulong start, int reserved, int limit, PacketHoles holes)
    {
        ulong uncounted = (ulong)reserved - stream.CountedBytes(start);
        ulong known = 0;
        foreach (var hole in holes.Holes)
            known += hole.SizeBytes;
        ulong rest = holes.ClosedAt != null ? (ulong)(stream.PacketBytes - limit) : 0;
        return uncounted >= known && uncounted <= known + holes.DoneBytes + rest;
    }
}
