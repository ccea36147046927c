namespace Weir.Graph;

/// <summary>A part of a file that is read from front to back: packets begin at <paramref name="FromBytes"/> and before <paramref name="ToBytes"/>.</summary>
/// <param name="Path">The file.</param>
/// <param name="FromBytes">Where the first packet begins.</param>
/// <param name="ToBytes">No packet that begins here or later is read; <see cref="long.MaxValue"/> for all.</param>
/// <param name="FirstNumber">Which packet of the file the first is, from 0.</param>
internal readonly record struct CtfFsExtent(string Path, long FromBytes, long ToBytes, long FirstNumber);

/// <summary>Packets of one data stream in the order of time: runs of neighbours in their files.</summary>
internal sealed class CtfFsPacketRuns
{
    private readonly List<Run> _runs = [];
    private readonly List<CtfFsExtent> _badEnds = [];

    /// <summary>Joins the files of one stream, each packet once.</summary>
    /// <param name="files">In the order of their names.</param>
    /// <param name="isSame">Whether two packets that begin and end at the same times are the same.</param>
    public static CtfFsPacketRuns Join(List<CtfFsIndex> files, Func<CtfFsIndex, int, CtfFsIndex, int, bool> isSame)
    {
        var joined = new CtfFsPacketRuns();
        foreach (var file in files)
        {
            // Nobody knows when a packet happened that cannot be read: it comes last.
            if (file.EndBytes < file.FileBytes)
                joined._badEnds.Add(new CtfFsExtent(file.Path, file.EndBytes, long.MaxValue, file.Count));
        }
        var used = files.FindAll(file => file.Count > 0);
        var byTime = new List<CtfFsIndex>(used);
        byTime.Sort((left, right) => left[0].BeginTime.CompareTo(right[0].BeginTime));
        bool isApart = byTime.TrueForAll(file => file.IsSorted);
        for (int i = 1; i < byTime.Count && isApart; i++)
            isApart = byTime[i - 1][byTime[i - 1].Count - 1].BeginTime < byTime[i][0].BeginTime;
        if (isApart)
        {
            foreach (var file in byTime)
                joined._runs.Add(new Run(file, 0, file.Count));
        }
        else
        {
            joined.Interleave(used, isSame);
        }
        return joined;
    }

    /// <summary>The last packet and where it lies; null where there is none.</summary>
    public (CtfFsIndexEntry Packet, CtfFsExtent Extent)? Last
    {
        get
        {
            if (_runs is not [.., var last])
                return null;
            int number = last.First + last.Count - 1;
            var packet = last.File[number];
            return (packet, new CtfFsExtent(last.File.Path, packet.OffsetBytes, last.File.EndOf(number), number));
        }
    }

    /// <summary>All packets.</summary>
    public List<CtfFsExtent> ToExtents() => ToExtents(0, long.MaxValue);

    /// <summary>
    /// The packets that have to be read for what lies in a range, and one more on each side: losses reach from one packet to the next, and
    /// whoever reads the last one knows that the range is over.
    /// </summary>
    public List<CtfFsExtent> ToExtents(DataStream stream, TimeRange range)
    {
        long first = 0;
        long position = 0;
        bool hasBegun = false;
        foreach (var run in _runs)
        {
            for (int i = 0; i < run.Count; i++, position++)
            {
                ref readonly var entry = ref run.File[run.First + i];
                if (!hasBegun && (entry.EndTime == CtfFsIndexEntry.NoEnd || stream.ToNanoseconds(entry.EndTime) >= range.BeginNs))
                {
                    hasBegun = true;
                    first = Math.Max(0, position - 1);
                }
                if (hasBegun && stream.ToNanoseconds(entry.BeginTime) > range.EndNs)
                    return ToExtents(first, position + 1);
            }
        }
        return ToExtents(hasBegun ? first : Math.Max(0, position - 1), long.MaxValue);
    }

    /// <summary>The first packet that ends at a time or later, and the one before it; null where there is none.</summary>
    public ((CtfFsIndex File, int Number)? Before, (CtfFsIndex File, int Number)? At) FindEdge(DataStream stream, long timeNs)
    {
        (CtfFsIndex, int)? before = null;
        foreach (var run in _runs)
        {
            for (int number = run.First; number < run.First + run.Count; number++)
            {
                ulong end = run.File[number].EndTime;
                if (end == CtfFsIndexEntry.NoEnd || stream.ToNanoseconds(end) >= timeNs)
                    return (before, (run.File, number));
                before = (run.File, number);
            }
        }
        return (before, null);
    }

    private List<CtfFsExtent> ToExtents(long from, long to)
    {
        var extents = new List<CtfFsExtent>();
        long position = 0;
        foreach (var run in _runs)
        {
            int skipped = (int)Math.Clamp(from - position, 0, run.Count);
            int kept = (int)Math.Clamp(to - position, skipped, run.Count);
            position += run.Count;
            if (kept == skipped)
                continue;
            int first = run.First + skipped;
            extents.Add(new CtfFsExtent(run.File.Path, run.File[first].OffsetBytes, run.File.EndOf(run.First + kept - 1), first));
        }
        if (to == long.MaxValue)
            extents.AddRange(_badEnds);
        return extents;
    }

    /// <summary>
    /// Files that overlap, as snapshots of one buffer do. At the same time the packet of the file that comes later is first, in the first file
    /// the earlier packet: the order in which babeltrace2 has them.
    /// </summary>
    private void Interleave(List<CtfFsIndex> files, Func<CtfFsIndex, int, CtfFsIndex, int, bool> isSame)
    {
        var packets = new List<Place>();
        for (int file = 0; file < files.Count; file++)
        {
            for (int number = 0; number < files[file].Count; number++)
                packets.Add(new Place(files[file][number].BeginTime, file == 0 ? number : -packets.Count, file, number));
        }
        packets.Sort();
        int groupBegin = 0;
        for (int i = 0; i < packets.Count; i++)
        {
            var place = packets[i];
            if (packets[groupBegin].BeginTime != place.BeginTime)
                groupBegin = i;
            bool isDuplicate = false;
            for (int j = Math.Max(groupBegin, i - files.Count); j < i && !isDuplicate; j++)
            {
                var other = packets[j];
                isDuplicate = other.File != place.File && files[other.File][other.Number].EndTime == files[place.File][place.Number].EndTime
                    && isSame(files[other.File], other.Number, files[place.File], place.Number);
            }
            if (isDuplicate)
                continue;
            if (_runs is [.., var last] && last.File == files[place.File] && last.First + last.Count == place.Number)
                _runs[^1] = last with { Count = last.Count + 1 };
            else
                _runs.Add(new Run(files[place.File], place.Number, 1));
        }
    }

    private readonly record struct Run(CtfFsIndex File, int First, int Count);

    private readonly record struct Place(ulong BeginTime, long Tie, int File, int Number) : IComparable<Place>
    {
        public int CompareTo(Place other)
        {
            int byTime = BeginTime.CompareTo(other.BeginTime);
            return byTime != 0 ? byTime : Tie.CompareTo(other.Tie);
        }
    }
}
