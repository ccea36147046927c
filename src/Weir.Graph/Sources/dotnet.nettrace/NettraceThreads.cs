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

    private const int MaxDescribed = 1 << 20;

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
            Add(id, new Entry(processId, id) { Last = sequenceNumber });
            return 0;
        }
        uint gap = unchecked(sequenceNumber - entry.Last - 1);
        entry.Last = sequenceNumber;
        // A count that begins anew is that of another thread, which has got the same ID.
        if (version < 6 && sequenceNumber <= 1)
            return 0;
        return gap > int.MaxValue ? null : gap;
    }

    /// <summary>What a thread had counted at least when the file was there: how many events were lost since its last.</summary>
    public ulong CountLostUntil(ulong id, uint sequenceNumber)
    {
        if (!_threads.TryGetValue(id, out var entry))
        {
            Add(id, new Entry(processId, id) { Last = sequenceNumber });
            return 0;
        }
        // It is a lower bound: one below the last event's number says nothing.
        uint gap = unchecked(sequenceNumber - entry.Last);
        if (gap > int.MaxValue)
            return 0;
        entry.Last = sequenceNumber;
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
            if (_threads.Count > MaxDescribed)
                throw row.Error($"there are more than {MaxDescribed} threads");
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

        /// <summary>The last number; a thread's first event has 1.</summary>
        public uint Last { get; set; }
    }
}
