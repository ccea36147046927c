using Weir.Ctf;

namespace Weir.Graph;

/// <summary>Where a packet begins and between which clock values its events lie.</summary>
internal readonly record struct CtfFsIndexEntry(long OffsetBytes, ulong BeginTime, ulong EndTime)
{
    /// <summary>A time that the packet does not say: no range leaves the packet out.</summary>
    public const ulong NoEnd = ulong.MaxValue;
}

/// <summary>
/// The packets of one file in the file's order, 24 bytes each. Made only where packets are looked for out of order: to join files, and to
/// read a range of time; whoever reads a file from front to back finds each packet by the one before.
/// </summary>
internal sealed class CtfFsIndex(string path, long fileBytes)
{
    // Small enough to stay off the large object heap, which would be collected late.
    private const int ChunkEntries = 2048;

    private readonly List<CtfFsIndexEntry[]> _chunks = [];

    public string Path => path;

    public long FileBytes => fileBytes;

    public int Count { get; private set; }

    /// <summary>Where the packets that could be read end; what is behind it, if anything, is bad.</summary>
    public long EndBytes { get; set; }

    /// <summary>Whether each packet begins no earlier than the one before.</summary>
    public bool IsSorted { get; private set; } = true;

    public ref readonly CtfFsIndexEntry this[int number] => ref _chunks[number / ChunkEntries][number % ChunkEntries];

    /// <summary>Where the packet after this one begins.</summary>
    public long EndOf(int number) => number + 1 < Count ? this[number + 1].OffsetBytes : EndBytes;

    public void Add(in CtfFsIndexEntry entry)
    {
        if (Count > 0 && entry.BeginTime < this[Count - 1].BeginTime)
            IsSorted = false;
        if (Count % ChunkEntries == 0)
            _chunks.Add(new CtfFsIndexEntry[ChunkEntries]);
        _chunks[^1][Count++ % ChunkEntries] = entry;
    }

    /// <summary>Adds a packet by its head.</summary>
    public void Add(in CtfFsPacketHead head)
    {
        ulong begin = head.Properties.BeginTime.GetValueOrDefault();
        // A recorder that was killed leaves an end of 0.
        ulong end = head.Properties.EndTime is { } known && known >= begin ? known : CtfFsIndexEntry.NoEnd;
        Add(new CtfFsIndexEntry(head.OffsetBytes, begin, end));
        EndBytes = head.OffsetBytes + head.AvailableBytes;
    }

    /// <summary>Reads the heads of all packets from <see cref="EndBytes"/> on, up to the first that is bad.</summary>
    public void Scan(CtfFsHeadReader reader)
    {
        while (EndBytes < fileBytes)
        {
            var head = reader.Read(EndBytes, Count);
            if (head.AvailableBytes == 0)
                break;
            Add(in head);
        }
    }
}
