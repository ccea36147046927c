namespace Weir.Ring;

/// <summary>
/// Copies what a stream holds at this moment, while it is written: in overwrite mode the newest packets, in discard mode those that were not
/// given back. Any number of readers may do so, in any process; no writer notices. What comes out is a suffix of the stream: whole
/// records, each once, no gap between its first and its last but what the packets' own numbers and loss counts tell.
/// </summary>
/// <remarks>
/// <para>A packet's bytes are copied, and only then the floor is read: if it still lies at or below the packet's begin, no writer had begun
/// to overwrite it, for writers raise the floor first. (Partners: the store of the floor before a sub-buffer's first byte in
/// <c>RseqPacketWriter</c> and <c>AtomicPacketWriter</c>.)</para>
/// <para>The newest packet is copied first. Writers take away the oldest first, so when one is found gone, so are all before it, and what
/// has been copied is a suffix.</para>
/// <para>The end is the position at the beginning of the call: what is committed meanwhile belongs to the next snapshot.</para>
/// </remarks>
public sealed class StreamSnapshot
{
    private const int MaxTries = 8;

    private readonly List<ReadOnlyMemory<byte>> _packets = [];

    private StreamSnapshot(ulong firstPacket) => FirstPacket = firstPacket;

    /// <summary>The packets, oldest first: those that were complete with their padding, others as long as their content.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Packets => _packets;

    /// <summary>The number of the first of them in the stream: as many packets before it are gone, or were given back.</summary>
    public ulong FirstPacket { get; private set; }

    /// <summary>Packets that the stream held when the call began and that were overwritten before they could be copied.</summary>
    public int OverwrittenMeanwhile { get; private set; }

    /// <summary>Whether records of a dead process could not be told from a hole, and were left out; see <see cref="PacketRecovery"/>.</summary>
    public bool IsCut { get; private set; }

    /// <summary>Takes a snapshot of a stream whose process may be running.</summary>
    /// <param name="stream">The stream; one that has packets.</param>
    /// <param name="endTime">The time now by the ring's clock, which ends the open packet; 0 to end it with its last record.</param>
    /// <exception cref="InvalidDataException">The stream or its ring hold what no writer leaves there.</exception>
    /// <exception cref="IOException">They cannot be read.</exception>
    public static StreamSnapshot Take(StreamReader stream, ulong endTime = 0)
    {
        var snapshot = Take(stream, endTime, 0, isLive: true);
        // Writers that came all the way round while the newest packet was copied have left nothing of what there was, such as when this
        // method was compiled in between: what they have written since is there.
        for (int tries = 1; tries < MaxTries && snapshot is { Packets.Count: 0, OverwrittenMeanwhile: > 0 }; tries++)
            snapshot = Take(stream, endTime, 0, isLive: true);
        return snapshot;
    }

    /// <summary>Takes what a process that is gone has left in a stream.</summary>
    /// <param name="stream">The stream; one that has packets.</param>
    /// <param name="previousDiscarded">The losses that stand in the last packet that was given back, if there was one: none here tells fewer.</param>
    /// <exception cref="InvalidDataException">The stream or its ring hold what no writer leaves there.</exception>
    /// <exception cref="IOException">They cannot be read.</exception>
    public static StreamSnapshot Recover(StreamReader stream, ulong previousDiscarded = 0) => Take(stream, 0, previousDiscarded, isLive: false);

    private static StreamSnapshot Take(StreamReader stream, ulong endTime, ulong previousDiscarded, bool isLive)
    {
        if (stream.PacketHeadBytes == 0)
            throw new InvalidOperationException("A snapshot is made of packets, and this ring has none.");
        // In this order: the position, then what is read of the records up to it.
        ulong consumed, word;
        do
        {
            consumed = stream.IsOverwrite ? 0 : stream.Consumed;
            word = stream.PositionWord;
        }
        // A consumer gave packets back in between, and writers may have filled them: then the two are not of one moment.
        while (!stream.IsOverwrite && stream.Consumed != consumed);
        ulong position = stream.CheckedPosition(word, consumed);
        endTime = Math.Max(endTime, stream.LastTime);
        ulong discarded = stream.LostFull + stream.LostTooLarge;
        IReadOnlyList<WriteIntent> intents = [];
        if (stream.Sequence == SequenceKind.Atomic)
        {
            var ring = stream.ReadRing();
            intents = ring.Intents;
            endTime = Math.Max(endTime, ring.LastTime);
        }

        ulong packetBytes = (ulong)stream.PacketBytes;
        ulong open = position / packetBytes;
        ulong oldest = stream.IsOverwrite ? OldestOf(stream, open) : consumed / packetBytes;
        var copies = new Stack<byte[]>();
        ulong number = open + 1;
        while (number > oldest)
        {
            var bytes = new byte[stream.PacketBytes];
            stream.Copy(number - 1, bytes);
            // The copy before the floor. Partner: see above.
            Interlocked.MemoryBarrier();
            ulong bound = stream.IsOverwrite ? stream.Floor : stream.Consumed;
            if (bound > (number - 1) * packetBytes)
                break;
            copies.Push(bytes);
            number--;
        }

        var snapshot = new StreamSnapshot(number) { OverwrittenMeanwhile = stream.IsOverwrite ? (int)(number - oldest) : 0 };
        ulong previousEnd = 0;
        var shape = PacketShape.Of(stream.Format);
        foreach (byte[] bytes in copies)
        {
            var context = new RecoveryContext(number++, word, previousEnd, previousDiscarded, endTime, discarded, isLive);
            int length = PacketRecovery.Recover(stream, bytes, context, intents, out bool isCut);
            snapshot.IsCut |= isCut;
            previousEnd = shape?.EndTime(bytes) ?? 0;
            previousDiscarded = shape?.Discarded(bytes) ?? 0;
            snapshot._packets.Add(bytes.AsMemory(0, length));
        }
        return snapshot;
    }

    /// <summary>The first packet that is not overwritten, and one that the ring can hold: the floor is another process's word.</summary>
    private static ulong OldestOf(StreamReader stream, ulong open)
    {
        ulong packetBytes = (ulong)stream.PacketBytes;
        ulong held = (ulong)stream.PacketCount;
        ulong first = open + 1 > held ? open + 1 - held : 0;
        ulong floor = (stream.Floor / packetBytes) + (stream.Floor % packetBytes == 0 ? 0UL : 1);
        return Math.Min(Math.Max(first, floor), open + 1);
    }
}
