using System.Buffers.Binary;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>The samples of a perf.data in order of time, and what the kernel lost.</summary>
internal sealed unsafe class PerfDataIterator : MessageIterator
{
    private const int BatchMessages = 512;
    private const int Loss = -1;

    private readonly PerfTrace _trace;
    private readonly PerfRecordReader _records;
    private readonly PerfRecordQueue _queue = new();
    private readonly EventComposer _composer;
    private readonly Dictionary<ulong, int> _attributes = [];
    private readonly Dictionary<int, ulong> _lastTimes = [];
    private readonly bool _isBigEndian;
    private readonly int _idOffset = -1;
    private int _cpu = int.MinValue;
    private EventDecoder?[] _decoders = [];
    private bool _hasEnded;
    private bool _isClosed;
    private TraceReadException? _failure;
    private ulong _time;

    public PerfDataIterator(PerfTrace trace)
    {
        _trace = trace;
        _isBigEndian = trace.File.ByteOrder == ByteOrder.BigEndian;
        _records = new PerfRecordReader(trace.File);
        _composer = new EventComposer(trace.FindStream(-1).Stream);
        for (int i = 0; i < trace.File.Attributes.Count; i++)
        {
            foreach (ulong id in trace.File.Attributes[i].Ids)
                _attributes.TryAdd(id, i);
        }
        // Samples say which event they are of at a place that all events have in common.
        if (trace.File.Attributes.Count > 1)
            _idOffset = trace.Samples[0].IdOffset;
    }

    public override ArraySegment<Message> Next()
    {
        _composer.BeginBatch();
        while (_composer.Count < BatchMessages && !_isClosed)
        {
            try
            {
                if (_queue.TryTake(out var record))
                    Compose(in record);
                else if (_hasEnded)
                    Close();
                else
                    ReadRound();
            }
            catch (TraceReadException e)
            {
                // What waits comes before what is wrong.
                _failure ??= e;
                _hasEnded = true;
                _queue.EndAll();
            }
        }
        if (_composer.Count == 0 && _failure is { } failure)
            throw failure;
        return _composer.EndBatch();
    }

    protected override void Dispose(bool disposing)
    {
        _composer.Dispose();
        _records.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Ends the streams, unless the trace is bad: nobody knows what would come.</summary>
    private void Close()
    {
        _isClosed = true;
        if (_failure is not null)
            return;
        foreach (int cpu in _lastTimes.Keys)
        {
            SwitchTo(cpu);
            _composer.AddOther(MessageKind.PacketEnd);
            _composer.AddOther(MessageKind.StreamEnd);
        }
    }

    private void ReadRound()
    {
        while (_records.TryRead(out var type, out var record))
        {
            switch (type)
            {
                case PerfRecordType.Sample:
                    AddSample(record);
                    break;
                case PerfRecordType.Lost when record.Length >= 24:
                    AddLoss(record, 24);
                    break;
                case PerfRecordType.LostSamples when record.Length >= 16:
                    AddLoss(record, 16);
                    break;
                case PerfRecordType.FinishedRound:
                    _queue.EndRound();
                    return;
            }
            if (_queue.IsFull)
            {
                _queue.EndHalf();
                return;
            }
        }
        _hasEnded = true;
        _queue.EndAll();
    }

    private void AddSample(ReadOnlySpan<byte> record)
    {
        int attribute = 0;
        if (_idOffset >= 0)
        {
            if (record.Length < _idOffset + 8)
                throw Fail(_records.Offset, $"a sample of {record.Length} bytes is too short for its ID");
            ulong id = Read64(record[_idOffset..]);
            // What perf itself made has no ID and is of the first event.
            if (!_attributes.TryGetValue(id, out attribute) && id != 0 && _attributes.Count > 0)
                throw Fail(_records.Offset, $"a sample has the ID {id}, and no event has it");
        }
        var sample = _trace.Samples[attribute];
        if (record.Length < sample.FixedBytes)
            throw Fail(_records.Offset, $"a sample of '{sample.EventClass.Name}' has {record.Length} bytes: expected at least {sample.FixedBytes}");
        _queue.Add(
            new PerfQueuedRecord
            {
                Time = sample.TimeOffset >= 0 ? Read64(record[sample.TimeOffset..]) : _time,
                Attribute = attribute,
                Cpu = sample.CpuOffset >= 0 ? (int)Math.Min(Read32(record[sample.CpuOffset..]), int.MaxValue) : -1,
                FileOffset = _records.Offset,
            },
            record);
    }

    /// <summary>Behind what was lost stands, as behind all that is no sample, what a sample would begin with: thread, time, ID, stream, CPU, identifier.</summary>
    private void AddLoss(ReadOnlySpan<byte> record, int at)
    {
        var attribute = _trace.File.Attributes[0];
        ulong time = _time;
        int cpu = -1;
        if (attribute.HasSampleIds)
        {
            at += Has(PerfSampleFields.Thread);
            if (Has(PerfSampleFields.Time) > 0 && record.Length >= at + 8)
                time = Read64(record[at..]);
            at += Has(PerfSampleFields.Time) + Has(PerfSampleFields.Id) + Has(PerfSampleFields.StreamId);
            if (Has(PerfSampleFields.Cpu) > 0 && record.Length >= at + 8)
                cpu = (int)Math.Min(Read32(record[at..]), int.MaxValue);
        }
        _queue.Add(new PerfQueuedRecord { Time = time, Attribute = Loss, Cpu = cpu, FileOffset = _records.Offset }, record);

        int Has(PerfSampleFields field) => (attribute.Fields & field) != 0 ? 8 : 0;
    }

    private void Compose(in PerfQueuedRecord record)
    {
        _time = record.Time;
        SwitchTo(record.Cpu);
        var bytes = _queue.Bytes.AsSpan(record.Offset, record.LengthBytes);
        if (record.Attribute == Loss)
        {
            ulong count = Read64(bytes[((PerfRecordType)Read32(bytes) == PerfRecordType.Lost ? 16 : 8)..]);
            _composer.AddDiscardedEvents(count, Math.Min(_lastTimes[record.Cpu], record.Time), record.Time);
        }
        else
        {
            var sample = _trace.Samples[record.Attribute];
            var decoder = _decoders[record.Attribute] ??= _trace.FindStream(record.Cpu).Stream.Decoder.FindEvent((ulong)record.Attribute)!;
            var fields = _composer.BeginEvent(decoder, record.Time);
            bool isGood;
            fixed (byte* start = bytes)
                isGood = sample.TryCopy(start, bytes.Length, fields);
            if (!isGood)
            {
                _composer.DropEvent();
                throw Fail(record.FileOffset, $"the fields of a sample of '{sample.EventClass.Name}' do not fit into its {bytes.Length} bytes");
            }
            _composer.EndEvent();
        }
        _lastTimes[record.Cpu] = record.Time;
    }

    private void SwitchTo(int cpu)
    {
        if (cpu == _cpu)
            return;
        // Streams of CPUs share their decoders; the one of samples without a CPU has its own.
        if (_decoders.Length == 0 || cpu < 0 != _cpu < 0)
            _decoders = new EventDecoder?[_trace.Samples.Count];
        _cpu = cpu;
        var (stream, packet) = _trace.FindStream(cpu);
        _composer.SwitchTo(stream, packet);
        if (!_lastTimes.TryAdd(cpu, _time))
            return;
        _composer.AddOther(MessageKind.StreamBeginning);
        _composer.AddOther(MessageKind.PacketBeginning);
    }

    private uint Read32(ReadOnlySpan<byte> at) => _isBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(at) : BinaryPrimitives.ReadUInt32LittleEndian(at);

    private ulong Read64(ReadOnlySpan<byte> at) => _isBigEndian ? BinaryPrimitives.ReadUInt64BigEndian(at) : BinaryPrimitives.ReadUInt64LittleEndian(at);

    private TraceReadException Fail(long offset, string message) => new(_trace.File.Path, offset, message);
}
