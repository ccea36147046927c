using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// The messages of one data stream. Packets are found one by the other as they are read, through a window that slides over the file;
/// the events of a batch lie in one window.
/// </summary>
internal sealed unsafe class CtfFsStreamIterator : MessageIterator
{
    private const int BatchMessages = 512;

    private readonly CtfFsStreamGroup _group;
    private readonly CtfFsOptions _options;
    private readonly TimeRange? _range;
    private readonly PacketCursor _cursor;
    private readonly TracerQuirks _quirks;
    private readonly ulong _largestClockValue;
    private readonly Message[] _batch = new Message[BatchMessages];
    private readonly CtfFsWindow _window = new();
    private readonly PacketLosses _losses = new();
    private Queue<CtfFsExtent>? _extents;
    private CtfFsExtent _extent;
    private long _nextPacketBytes;
    private long _nextPacketNumber;
    private int _count;
    private int _eventCount;
    private bool _isNextKnown;
    private bool _inPacket;
    private bool _isLeft;
    private bool _hasEnded;
    private Func<DataStream, bool>? _takesRuns;
    private bool? _givesRuns;
    private CtfFsPacketHead _head;
    private Packet? _packet;
    private TraceReadException? _failure;

    /// <summary>Creates an iterator; nothing is read before it is asked.</summary>
    /// <param name="group">The stream and its files.</param>
    /// <param name="options">Whether to go on behind what is bad.</param>
    /// <param name="range">What is wanted; packets outside may be left out.</param>
    public CtfFsStreamIterator(CtfFsStreamGroup group, CtfFsOptions options, TimeRange? range)
    {
        _group = group;
        _options = options;
        _range = range;
        _cursor = new PacketCursor(group.Stream.Trace.Decoder);
        _quirks = TracerQuirks.Of(group.Stream.Trace.Class);
        _largestClockValue = group.Stream.Clock is null ? ulong.MaxValue : group.Stream.FindLargestClockValue();
    }

    /// <summary>What to read; null for all that the range needs.</summary>
    public IReadOnlyList<CtfFsExtent>? Extents { get; init; }

    public override void AllowRuns(Func<DataStream, bool> takes) => _takesRuns = takes;

    public override ArraySegment<Message> Next()
    {
        _count = 0;
        _eventCount = 0;
        if (_extents is null)
            Add(MessageKind.StreamBeginning);
        if (_isLeft)
            AddPacketMessage(MessageKind.PacketEnd, _head.Properties.EndTime);
        _isLeft = false;
        try
        {
            _extents ??= new Queue<CtfFsExtent>(Extents ?? _group.FindExtents(_range, _options));
            while (_count <= BatchMessages - 4 && _failure is null && !_hasEnded && (_inPacket ? ReadEvents() : BeginPacket()))
            {
            }
        }
        catch (TraceReadException e)
        {
            _extents ??= [];
            _failure = e;
        }
        if (_count == 0 && _failure is { } failure)
        {
            if (_options.KeepGoing)
                LeavePacket();
            throw failure;
        }
        return new ArraySegment<Message>(_batch, 0, _count);
    }

    protected override void Dispose(bool disposing)
    {
        _window.Dispose();
        base.Dispose(disposing);
    }

    private ref Message Add(MessageKind kind)
    {
        ref var message = ref _batch[_count++];
        message = default;
        message.Kind = kind;
        message.Stream = _group.Stream;
        return ref message;
    }

    /// <summary>Begins the next packet, or ends the stream. False when the batch must be given first, for its events lie in the window.</summary>
    private bool BeginPacket()
    {
        while (_window.Path is null || _nextPacketBytes >= Math.Min(_extent.ToBytes, _window.FileBytes))
        {
            if (_extents!.Count == 0)
            {
                _hasEnded = true;
                Add(MessageKind.StreamEnd);
                return true;
            }
            if (_eventCount > 0 && _extents.Peek().Path != _window.Path)
                return false;
            _extent = _extents.Dequeue();
            _nextPacketBytes = _extent.FromBytes;
            _nextPacketNumber = _extent.FirstNumber;
            _window.Open(_extent.Path);
        }
        if (_quirks.HasEventsBeforePackets)
        {
            // The first event is looked at before the packet begins, so it has to be in the window.
            if (_eventCount > 0)
                return false;
            if (_window.OffsetBytes != _nextPacketBytes && _window.EndBytes < _window.FileBytes)
                _window.Fill(_nextPacketBytes);
        }
        if (!ReadHead())
            return false;
        var begin = _quirks.HasEventsBeforePackets ? FindBeginning() : _cursor.Properties.BeginTime;
        CheckTime(begin);
        int losses = _losses.Take(_cursor.Properties, _group.Stream, _batch.AsSpan(_count));
        if (losses > 0)
            CheckTime(_cursor.Properties.EndTime);
        _count += losses;
        AddPacketMessage(MessageKind.PacketBeginning, begin);
        _inPacket = true;
        return true;
    }

    /// <summary>Reads the head of the next packet. False when the batch must be given before the window slides.</summary>
    private bool ReadHead()
    {
        long offset = _nextPacketBytes;
        _isNextKnown = false;
        while (true)
        {
            long inWindow = _window.EndBytes - offset;
            if (offset < _window.OffsetBytes || inWindow <= 0)
                inWindow = 0;
            string? problem = null;
            var status = inWindow == 0 ? DecodeStatus.OutOfBytes : _cursor.BeginPacket(_window.At(offset), inWindow * 8, out problem);
            if (status == DecodeStatus.Done)
                break;
            if (status == DecodeStatus.OutOfBytes && inWindow < CtfFsHeadReader.MaxHeadBytes && offset + inWindow < _window.FileBytes)
            {
                if (_eventCount > 0)
                    return false;
                _window.Fill(offset);
                continue;
            }
            throw new TraceReadException(_extent.Path, offset, _nextPacketNumber, 0, problem!);
        }
        _head = CtfFsPacketHead.Check(_extent.Path, _window.FileBytes, offset, _nextPacketNumber, _cursor);
        if (_head.AvailableBytes == 0)
            throw _head.Failure!;
        _nextPacketBytes = offset + _head.AvailableBytes;
        _nextPacketNumber++;
        _isNextKnown = true;
        CheckIds();
        _cursor.ContentBits = _head.ContentBits;
        _packet = new Packet
        {
            Stream = _group.Stream,
            HeaderAndContext = new ReadOnlySpan<byte>(_window.At(offset), (int)((_cursor.PositionBits + 7) >> 3)).ToArray(),
        };
        return true;
    }

    /// <summary>All packets of a stream are of one data stream class, and have one ID.</summary>
    private void CheckIds()
    {
        string? problem = null;
        if (_head.Stream != _group.Stream.Decoder)
            problem = $"this packet is of stream {_head.Stream!.Class.Id}, those before are of stream {_group.Stream.Decoder.Class.Id}";
        else if (_head.Properties.StreamId != _group.First.Properties.StreamId)
            problem = $"this packet has the stream instance ID {_head.Properties.StreamId}, those before have {_group.First.Properties.StreamId}";
        if (problem is not null)
            throw new TraceReadException(_extent.Path, _head.OffsetBytes, _nextPacketNumber - 1, 0, problem);
    }

    /// <summary>After an error: the next packet is where this one says, or where the tracer's index says; else the file is left.</summary>
    private void LeavePacket()
    {
        _failure = null;
        _isLeft = _inPacket;
        _inPacket = false;
        if (_window.Path is null || _isNextKnown)
            return;
        if (_group.FindNextPacket(_extent.Path, _nextPacketBytes, _options) is { } next)
            (_nextPacketBytes, _nextPacketNumber) = next;
        else
            _nextPacketBytes = long.MaxValue;
    }

    /// <summary>When the packet begins, or its first event where that is earlier; without events it is the end that may be earlier.</summary>
    private ulong? FindBeginning()
    {
        var (begin, end) = (_cursor.Properties.BeginTime, _cursor.Properties.EndTime);
        var ahead = new PacketCursor(_group.Stream.Trace.Decoder);
        var first = default(EventRecord);
        byte* packet = _window.At(_head.OffsetBytes);
        long bits = Math.Min(_window.EndBytes - _head.OffsetBytes, _head.AvailableBytes) * 8;
        if (ahead.BeginPacket(packet, bits, out _) != DecodeStatus.Done)
            return begin;
        ahead.ContentBits = _cursor.ContentBits;
        ulong? other = ahead.MoveNext(packet, bits, ref first) == DecodeStatus.Done ? first.ClockValue : end;
        return begin is null || other < begin ? other : begin;
    }

    private void AddPacketMessage(MessageKind kind, ulong? time)
    {
        ref var message = ref Add(kind);
        message.Packet = _packet;
        if (time is { } clockValue && _group.Stream.Clock is not null && clockValue <= _largestClockValue)
            message.SetTime(clockValue);
    }

    private void CheckTime(ulong? time)
    {
        if (time > _largestClockValue)
            throw Fail($"the time of {time} cycles of the clock has more than 64 bits in nanoseconds");
    }

    /// <summary>Reads events until the batch is full or the packet ends. False when the batch must be given before the window slides.</summary>
    private bool ReadEvents()
    {
        var stream = _group.Stream;
        bool hasClock = stream.Clock is not null;
        bool hasOuterSlots = stream.Decoder.HasOuterSlots;
        long offsetNs = stream.ClockOffsetNs;
        ulong frequencyHz = stream.FrequencyHz;
        byte* packet = _window.At(_head.OffsetBytes);
        long available = Math.Min(_window.EndBytes - _head.OffsetBytes, _head.AvailableBytes) * 8;
        int first = _count;
        bool givesRuns = _givesRuns ??= _takesRuns is not null && _takesRuns(stream);
        while (_count < BatchMessages - 3)
        {
            if (givesRuns && AddRun(packet, available))
                continue;
            ref var message = ref _batch[_count];
            var status = _cursor.MoveNext(packet, available, ref message.Record);
            if (status == DecodeStatus.Done)
            {
                if (message.Record.ClockValue > _largestClockValue)
                    CheckTime(message.Record.ClockValue);
                message.Kind = MessageKind.Event;
                // The slot mostly holds these already, and comparing is cheaper than the collector's write barrier.
                if (message.Stream != stream)
                    message.Stream = stream;
                if (message.Packet != _packet)
                    message.Packet = _packet;
                message.PacketStart = packet;
                message.HasTime = hasClock;
                message.TimeNs = hasClock ? unchecked(offsetNs + (long)ClockValue.ToNanoseconds(message.Record.ClockValue, frequencyHz)) : 0;
                if (hasOuterSlots || message.Slots is not null)
                    message.Slots = hasOuterSlots ? _cursor.CopySlots() : null;
                _count++;
                continue;
            }
            _eventCount += _count - first;
            if (status == DecodeStatus.OutOfBytes && _window.EndBytes < _head.OffsetBytes + _head.AvailableBytes
                && _cursor.PositionBits < _cursor.ContentBits)
            {
                if (_eventCount > 0)
                    return false;
                if (!_window.Fill(_head.OffsetBytes + (_cursor.PositionBits >> 3)))
                    throw Fail($"one event record is longer than {CtfFsWindow.MaxBytes >> 20} MiB");
                return true;
            }
            if (status != DecodeStatus.EndOfPacket)
                throw status == DecodeStatus.OutOfBytes && _head.Failure is { } cut ? cut : Fail(_cursor.Explain(status, "the event record", packet, available));
            EndPacket();
            return true;
        }
        _eventCount += _count - first;
        return true;
    }

    /// <summary>Adds as many events as are common and lie in the window, as one message.</summary>
    private bool AddRun(byte* packet, long available)
    {
        var record = default(EventRecord);
        long count = _cursor.MoveRun(packet, available, _largestClockValue, ref record);
        if (count == 0)
            return false;
        ref var message = ref Add(MessageKind.EventRun);
        message.Packet = _packet;
        message.PacketStart = packet;
        message.Count = (ulong)count;
        if (_group.Stream.Clock is not null)
            message.SetTime(record.ClockValue, _cursor.ClockValue);
        message.Record = record;
        message.EndClockValue = _cursor.ClockValue;
        return true;
    }

    private void EndPacket()
    {
        _inPacket = false;
        var properties = _cursor.Properties;
        var end = _quirks.EndOf(properties.BeginTime, properties.EndTime, _cursor.ClockValue);
        AddPacketMessage(MessageKind.PacketEnd, end);
        CheckTime(end);
        if (_head.Failure is { } failure)
            throw failure;
    }

    private TraceReadException Fail(string problem) =>
        new(_extent.Path, _head.OffsetBytes + (_cursor.PositionBits >> 3), _nextPacketNumber - 1, _cursor.PositionBits, problem);
}
