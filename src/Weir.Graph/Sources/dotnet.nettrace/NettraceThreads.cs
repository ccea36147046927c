namespace Weir.Graph;

/// <summary>
/// The threads that write events: each counts those that it tried to write, which shows the losses. In version 6 the file describes them and
/// refers to them by index; before that it has their IDs.
/// </summary>
/// <param name="version">Version of the file's format.</param>
/// <param name="processId">The only process, where the file has only one.</param>
internal sealed class NettraceThreads(int version, ulong processId)
{
    /// <summary>Threads of old versions never end; this many are remembered.</summary>
    private const int MaxRemembered = 1 << 16;

    private readonly Dictionary<ulong, Entry> _threads = [];

    /// <summary>Process and thread of an ID or an index.</summary>
    public (ulong Process, ulong Thread) Describe(ulong id) => version < 6
        ? (processId, id)
        : _threads.TryGetValue(id, out var entry) ? (entry.Process, entry.Thread) : (processId, id);

    /// <summary>An event of a thread: how many were lost before it, null where that is not known.</summary>
    public ulong? CountLostBefore(ulong id, uint sequenceNumber)
    {
        if (!_threads.TryGetValue(id, out var entry))
        {
            Add(id, new Entry(processId, id) { Last = sequenceNumber, IsCounted = true });
            return 0;
        }
        ulong? lost = 0;
        if (entry.IsCounted)
        {
            uint gap = unchecked(sequenceNumber - entry.Last - 1);
            // A count that begins anew is that of another thread, which has got the same ID.
            bool isOther = version < 6 && sequenceNumber <= 1;
            lost = isOther ? 0 : gap > int.MaxValue ? null : gap;
        }
        (entry.Last, entry.IsCounted) = (sequenceNumber, true);
        return lost;
    }

    /// <summary>What a thread had counted at least when the file was there: how many events were lost since its last.</summary>
    public ulong CountLostUntil(ulong id, uint sequenceNumber)
    {
        if (!_threads.TryGetValue(id, out var entry))
        {
            Add(id, new Entry(processId, id) { Last = sequenceNumber, IsCounted = true });
            return 0;
        }
        // It is a lower bound: one below the last event's number says nothing.
        uint gap = entry.IsCounted ? unchecked(sequenceNumber - entry.Last) : 0;
        if (gap > int.MaxValue)
            gap = 0;
        if (gap > 0 || !entry.IsCounted)
            (entry.Last, entry.IsCounted) = (sequenceNumber, true);
        return gap;
    }

    /// <summary>Reads a thread block of version 6.</summary>
    public void ReadBlock(ref NettraceReader reader)
    {
        while (!reader.IsAtEnd)
        {
            var row = reader.Inner(reader.ReadUInt16());
            ulong index = row.ReadVariable64();
            var entry = new Entry(processId, index);
            while (!row.IsAtEnd)
            {
                byte kind = row.ReadByte();
                if (kind == 1)
                    row.ReadText8();
                else if (kind == 2)
                    entry.Process = row.ReadVariable64();
                else if (kind == 3)
                    entry.Thread = row.ReadVariable64();
                else if (kind == 4)
                    (_, _) = (row.ReadText8(), row.ReadText8());
                else
                    break;
            }
            _threads[index] = entry;
        }
    }

    /// <summary>Forgets a thread.</summary>
    public void Remove(ulong id) => _threads.Remove(id);

    /// <summary>Forgets all threads.</summary>
    public void Clear() => _threads.Clear();

    private void Add(ulong id, Entry entry)
    {
        if (_threads.Count >= MaxRemembered && version < 6)
            _threads.Clear();
        _threads[id] = entry;
    }

    private sealed class Entry(ulong process, ulong thread)
    {
        public ulong Process { get; set; } = process;

        public ulong Thread { get; set; } = thread;

        public uint Last { get; set; }

        /// <summary>Whether the last number is known: a described thread's is not before its first event.</summary>
        public bool IsCounted { get; set; }
    }
}
