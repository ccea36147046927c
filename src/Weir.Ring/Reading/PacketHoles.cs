namespace Weir.Ring;

/// <summary>
/// What of a packet on the atomic path is reserved and not written, according to the writers' intents: records that are being written now,
/// or whose writers died. See <see cref="IntentTable"/> for why it is exact.
/// </summary>
internal sealed class PacketHoles
{
    /// <param name="intents">Read after the position's word.</param>
    /// <param name="cpu">The stream.</param>
    /// <param name="positionWord">The stream's position, tag included.</param>
    /// <param name="packetStart">The packet's begin.</param>
    /// <param name="packetBytes">A packet's bytes.</param>
    public PacketHoles(IReadOnlyList<WriteIntent> intents, uint cpu, ulong positionWord, ulong packetStart, int packetBytes)
    {
        ulong packetEnd = packetStart + (ulong)packetBytes;
        foreach (var intent in intents)
        {
            LastTime = Math.Max(LastTime, intent.Time);
            if (intent.Cpu != cpu)
                continue;
            bool isHere = intent.Start >= packetStart && intent.End <= packetEnd && intent.SizeBytes > 0;
            if (!intent.IsHole(positionWord))
            {
                if (isHere && intent.IsDone && !intent.IsCounted)
                    DoneBytes += intent.SizeBytes;
                continue;
            }
            if (isHere)
                Holes.Add(intent);
            else if (intent.Start == packetEnd && intent.Closes >= packetStart && intent.Closes < packetEnd)
                (ClosedAt, ClosedTime) = (intent.Closes, intent.Time);
        }
        Holes.Sort((a, b) => a.Start.CompareTo(b.Start));
    }

    /// <summary>Those of the packet, by their begins.</summary>
    public List<WriteIntent> Holes { get; } = [];

    /// <summary>Where the content ends, if whoever took the next packet may not have closed this one yet.</summary>
    public ulong? ClosedAt { get; }

    /// <summary>The time at which it was closed then.</summary>
    public ulong ClosedTime { get; }

    /// <summary>Bytes of records that are written and may not be counted.</summary>
    public ulong DoneBytes { get; }

    /// <summary>The latest time that any writer has read: no record of the ring is later.</summary>
    public ulong LastTime { get; }
}
