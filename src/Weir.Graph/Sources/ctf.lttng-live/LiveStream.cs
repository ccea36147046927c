using System.Runtime.InteropServices;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>Where a live stream stands.</summary>
internal enum LiveState
{
    /// <summary>The daemon has to be asked.</summary>
    Unknown,

    /// <summary>There are messages.</summary>
    Ready,

    /// <summary>Nothing happened up to <see cref="LiveStream.InactiveUntilNs"/>.</summary>
    Inactive,

    /// <summary>Nothing more comes.</summary>
    Ended,
}

/// <summary>One data stream of a live session: asks for its packets one by one, and reads each as it lies in memory.</summary>
internal sealed unsafe class LiveStream(ViewerStream viewer, LiveTrace trace) : IDisposable
{
    private const int BatchMessages = 512;

    /// <summary>Bytes that are asked for at once; memory grows with what has come.</summary>
    private const int StepBytes = 1 << 20;

    private readonly Message[] _batch = new Message[BatchMessages];

    // A viewer may come at any time; what the tracer counted before is not what was lost since.
    private readonly PacketLosses _losses = new();
    private PacketCursor? _cursor;
    private DataStream? _stream;
    private Packet? _packet;
    private ulong _largestClockValue = ulong.MaxValue;
    private ViewerIndex? _pending;
    private byte* _bytes;
    private long _capacityBytes;
    private long _lengthBytes;
    private bool _inPacket;
    private bool _hasClosed;
    private TraceReadException? _failure;

    ~LiveStream() => NativeMemory.Free(_bytes);

    public LiveState State { get; private set; }

    /// <summary>The stream, once its first packet has come.</summary>
    public DataStream? Stream => _stream;

    public LiveTrace Trace => trace;

    public long InactiveUntilNs { get; private set; }

    public Message[] Messages => _batch;

    public int Next { get; set; }

    public int End { get; private set; }

    /// <summary>Asks for what comes next; <see cref="LiveState.Unknown"/> remains where there is nothing yet.</summary>
    /// <returns>What the daemon has to say beside.</returns>
    public ViewerFlags Poll(ViewerConnection connection)
    {
        if (_inPacket)
        {
            ReadBatch();
            return ViewerFlags.None;
        }
        if (_hasClosed)
        {
            State = LiveState.Ended;
            return ViewerFlags.None;
        }
        if (trace.Trace is null && !trace.Refresh(connection))
            return ViewerFlags.None;
        if (_pending is not null)
            return Fetch(connection);
        var index = connection.GetNextIndex(viewer.Id);
        if ((index.Flags & ViewerFlags.NewMetadata) != 0)
            trace.Refresh(connection);
        switch (index.Status)
        {
            case ViewerIndexStatus.Ok:
                _pending = index;
                _lengthBytes = 0;
                return index.Flags | Fetch(connection);
            case ViewerIndexStatus.Inactive:
                InactiveUntilNs = (_stream is { } known ? known.ToNanoseconds(index.EndTime) : trace.ToNanoseconds(index.EndTime)) ?? long.MinValue;
                State = LiveState.Inactive;
                break;
            case ViewerIndexStatus.Closed or ViewerIndexStatus.End:
                Close();
                break;
        }
        return index.Flags;
    }

    /// <summary>Says that the messages, or the time without any, have been given.</summary>
    public void Forget() => State = LiveState.Unknown;

    public void Dispose()
    {
        NativeMemory.Free(_bytes);
        _bytes = null;
        GC.SuppressFinalize(this);
    }

    /// <summary>
    /// Asks for the packet whose index has come. The daemon counts the index as given, so a packet that it does not give at once, because
    /// something else is to be asked for first, stays pending.
    /// </summary>
    private ViewerFlags Fetch(ViewerConnection connection)
    {
        var index = _pending!.Value;
        for (long packetBytes = (long)(index.PacketBits / 8); _lengthBytes < packetBytes;)
        {
            int step = (int)Math.Min(StepBytes, packetBytes - _lengthBytes);
            Reserve(_lengthBytes + step);
            if (!connection.GetPacket(viewer.Id, index.OffsetBytes + (ulong)_lengthBytes, new Span<byte>(_bytes + _lengthBytes, step), out var flags))
            {
                if ((flags & ViewerFlags.NewMetadata) != 0)
                    trace.Refresh(connection);
                return flags;
            }
            _lengthBytes += step;
        }
        _pending = null;
        BeginPacket();
        return ViewerFlags.None;
    }

    private void Reserve(long bytes)
    {
        if (bytes <= _capacityBytes)
            return;
        _capacityBytes = Math.Max(bytes, _capacityBytes * 2);
        _bytes = (byte*)NativeMemory.Realloc(_bytes, (nuint)_capacityBytes);
    }

    private ref Message Add(MessageKind kind)
    {
        ref var message = ref _batch[End++];
        message = default;
        message.Kind = kind;
        message.Stream = _stream!;
        return ref message;
    }

    private void BeginPacket()
    {
        (Next, End) = (0, 0);
        _cursor ??= new PacketCursor(trace.Trace!.Decoder);
        var status = _cursor.BeginPacket(_bytes, _lengthBytes * 8, out string? problem);
        if (status != DecodeStatus.Done)
            throw new TraceReadException(viewer.Name, -1, problem!);
        if (_cursor.ContentBits > _lengthBytes * 8)
            _cursor.ContentBits = _cursor.ContentBits == long.MaxValue ? _lengthBytes * 8 : throw new TraceReadException(viewer.Name, -1, $"a packet of {_lengthBytes} bytes says that its content takes {_cursor.ContentBits} bits");
        if (_stream is null)
            BeginStream(_cursor.Stream!);
        _packet = new Packet
        {
            Stream = _stream!,
            HeaderAndContext = new ReadOnlySpan<byte>(_bytes, (int)((_cursor.PositionBits + 7) >> 3)).ToArray(),
        };
        End += _losses.Take(_cursor.Properties, _stream!, _batch.AsSpan(End));
        AddPacketMessage(MessageKind.PacketBeginning, _cursor.Properties.BeginTime);
        _inPacket = true;
        ReadEvents();
    }

    private void BeginStream(StreamDecoder decoder)
    {
        var clock = decoder.Class.DefaultClock;
        _stream = new DataStream
        {
            Trace = trace.Trace!,
            Decoder = decoder,
            Id = _cursor!.Properties.StreamId ?? viewer.Id,
            Name = viewer.Name,
            ClockOffsetNs = trace.Clocks.OffsetOf(clock, viewer.Name),
            FrequencyHz = clock?.FrequencyHz ?? 1_000_000_000,
            IsClockAbsolute = trace.Clocks.IsAbsolute(clock),
        };
        if (clock is not null)
            _largestClockValue = _stream.FindLargestClockValue();
        Add(MessageKind.StreamBeginning);
    }

    private void ReadBatch()
    {
        (Next, End) = (0, 0);
        if (_failure is { } failure)
            throw failure;
        ReadEvents();
    }

    private void ReadEvents()
    {
        State = LiveState.Ready;
        var stream = _stream!;
        while (End < BatchMessages - 2)
        {
            ref var message = ref _batch[End];
            message = default;
            var status = _cursor!.MoveNext(_bytes, _lengthBytes * 8, ref message.Record);
            if (status == DecodeStatus.Done && message.Record.ClockValue <= _largestClockValue)
            {
                message.Kind = MessageKind.Event;
                message.Stream = stream;
                message.Packet = _packet;
                message.PacketStart = _bytes;
                message.HasTime = stream.Clock is not null;
                message.TimeNs = message.HasTime ? stream.ToNanoseconds(message.Record.ClockValue) : 0;
                message.Slots = stream.Decoder.HasOuterSlots ? _cursor.CopySlots() : null;
                End++;
                continue;
            }
            if (status == DecodeStatus.EndOfPacket)
            {
                _inPacket = false;
                AddPacketMessage(MessageKind.PacketEnd, _cursor.Properties.EndTime);
                return;
            }
            _failure = new TraceReadException(viewer.Name, -1, status == DecodeStatus.Done
                ? $"the time of {message.Record.ClockValue} cycles of the clock has more than 64 bits in nanoseconds"
                : _cursor.Explain(status, "the event record", _bytes, _lengthBytes * 8));
            if (End == 0)
                throw _failure;
            return;
        }
    }

    private void AddPacketMessage(MessageKind kind, ulong? time)
    {
        ref var message = ref Add(kind);
        message.Packet = _packet;
        if (time is { } clockValue && _stream!.Clock is not null && clockValue <= _largestClockValue)
            message.SetTime(clockValue);
    }

    private void Close()
    {
        _hasClosed = true;
        (Next, End) = (0, 0);
        if (_stream is null)
        {
            State = LiveState.Ended;
            return;
        }
        Add(MessageKind.StreamEnd);
        State = LiveState.Ready;
    }
}
