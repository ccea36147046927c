using System.Runtime.InteropServices;

namespace Weir.Graph;

/// <summary>A record that waits for its turn.</summary>
internal struct PerfQueuedRecord
{
    public ulong Time;

    /// <summary>Number of the record in the file, which decides between records of one time.</summary>
    public long Sequence;

    /// <summary>Which event it is a sample of; -1 for a loss.</summary>
    public int Attribute;

    /// <summary>The CPU, or -1.</summary>
    public int Cpu;

    /// <summary>Where the bytes stand in the queue.</summary>
    public int Offset;

    public int LengthBytes;

    /// <summary>Where the record stands in the file.</summary>
    public long FileOffset;
}

/// <summary>
/// Puts records in order of time. perf takes the buffers of all CPUs in rounds, so a record may come behind later ones of another CPU, but
/// only of the same round and the next: at the end of a round everything is certain that is not later than the latest of the round before.
/// </summary>
internal sealed class PerfRecordQueue
{
    /// <summary>More than this is not kept: the earlier half then goes out as it is, as perf does it.</summary>
    private const int MaxBytes = 256 << 20;

    private static readonly Comparison<PerfQueuedRecord> s_byTime = static (left, right) =>
        left.Time != right.Time ? left.Time.CompareTo(right.Time) : left.Sequence.CompareTo(right.Sequence);

    private readonly List<PerfQueuedRecord> _waiting = [];
    private byte[] _bytes = new byte[1 << 20];
    private byte[] _spare = [];
    private int _used;
    private int _ready;
    private int _next;
    private long _sequence;
    private ulong _latest;
    private ulong _certain;

    /// <summary>The bytes in which the records stand.</summary>
    public byte[] Bytes => _bytes;

    /// <summary>Whether so much waits that some of it has to go.</summary>
    public bool IsFull => _used >= MaxBytes;

    /// <summary>Takes a record's bytes.</summary>
    public void Add(PerfQueuedRecord record, ReadOnlySpan<byte> bytes)
    {
        if (_bytes.Length - _used < bytes.Length)
            Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max((long)_bytes.Length * 2, (long)_used + bytes.Length)));
        bytes.CopyTo(_bytes.AsSpan(_used));
        record.Offset = _used;
        record.LengthBytes = bytes.Length;
        record.Sequence = _sequence++;
        _used += bytes.Length;
        _latest = Math.Max(_latest, record.Time);
        _waiting.Add(record);
    }

    /// <summary>A round has ended.</summary>
    public void EndRound()
    {
        Release(_certain);
        _certain = _latest;
    }

    /// <summary>Everything may go.</summary>
    public void EndAll() => Release(ulong.MaxValue);

    /// <summary>The earlier half may go.</summary>
    public void EndHalf()
    {
        Compact();
        _waiting.Sort(s_byTime);
        _ready = Math.Max(1, _waiting.Count / 2);
    }

    /// <summary>The next record whose turn it is. The bytes hold until a record is added.</summary>
    public bool TryTake(out PerfQueuedRecord record)
    {
        record = _next < _ready ? _waiting[_next++] : default;
        return record.LengthBytes > 0;
    }

    private void Release(ulong untilTime)
    {
        Compact();
        _waiting.Sort(s_byTime);
        var waiting = CollectionsMarshal.AsSpan(_waiting);
        while (_ready < waiting.Length && waiting[_ready].Time <= untilTime)
            _ready++;
    }

    /// <summary>Forgets what went out and closes the gaps.</summary>
    private void Compact()
    {
        if (_next == 0)
            return;
        _waiting.RemoveRange(0, _next);
        (_ready, _next) = (0, 0);
        if (_waiting.Count == 0)
        {
            _used = 0;
            return;
        }
        if (_spare.Length < _bytes.Length)
            _spare = new byte[_bytes.Length];
        _used = 0;
        foreach (ref var record in CollectionsMarshal.AsSpan(_waiting))
        {
            _bytes.AsSpan(record.Offset, record.LengthBytes).CopyTo(_spare.AsSpan(_used));
            record.Offset = _used;
            _used += record.LengthBytes;
        }
        (_bytes, _spare) = (_spare, _bytes);
    }
}
