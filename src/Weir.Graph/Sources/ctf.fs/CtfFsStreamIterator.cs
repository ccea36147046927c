using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// The messages of one data stream. Packets are read with pread through a window that slides over the file: a file that is cut under
/// us is an error, not a signal, and a packet may be larger than memory.
/// </summary>
internal sealed unsafe class CtfFsStreamIterator : MessageIterator
{
    private const int FirstWindowBytes = 64 << 10;
    private const int BatchMessages = 512;

    /// <summary>Longest event record; a window is never larger, and only as large as the file has bytes.</summary>
    private const int MaxWindowBytes = 128 << 20;

    private readonly CtfFsStreamGroup _group;
    private readonly PacketCursor _cursor;
    private readonly TracerQuirks _quirks;
    private readonly Message[] _batch = new Message[BatchMessages];
    private SafeFileHandle? _file;
    private string? _filePath;
    private byte* _window;
    private int _windowCapacity;
    private long _windowOffset;
    private int _windowBytes;
    private int _next;
    private int _count;
    private bool _inPacket;
    private bool _hasBegun;
    private bool _hasEnded;
    private CtfFsPacketEntry? _entry;
    private Packet? _packet;
    private PacketProperties? _previous;
    private TraceReadException? _failure;

    public CtfFsStreamIterator(CtfFsStreamGroup group)
    {
        _group = group;
        _cursor = new PacketCursor(group.Stream.Trace.Decoder);
        _quirks = TracerQuirks.Of(group.Stream.Trace.Class);
    }

    /// <summary>The stream and its packets.</summary>
    public CtfFsStreamGroup Group => _group;

    public override ArraySegment<Message> Next()
    {
        _count = 0;
        if (!_hasBegun)
        {
            _hasBegun = true;
            Add(MessageKind.StreamBeginning);
        }
        while (_count <= BatchMessages - 4 && _failure is null && !_hasEnded)
        {
            try
            {
                if (_inPacket)
                {
                    if (!ReadEvents())
                        break;
                }
                else
                {
                    // The next packet takes the window, in which the bytes of these events lie.
                    if (HasEvents())
                        break;
                    BeginPacket();
                }
            }
            catch (TraceReadException e)
            {
                _failure = e;
            }
        }
        if (_count == 0 && _failure is { } failure)
            throw failure;
        return new ArraySegment<Message>(_batch, 0, _count);
    }

    protected override void Dispose(bool disposing)
    {
        _file?.Dispose();
        NativeMemory.Free(_window);
        _window = null;
        base.Dispose(disposing);
    }

    ~CtfFsStreamIterator() => Dispose(false);

    private ref Message Add(MessageKind kind)
    {
        ref var message = ref _batch[_count++];
        message = default;
        message.Kind = kind;
        message.Stream = _group.Stream;
        return ref message;
    }

    private void BeginPacket()
    {
        if (_next == _group.Packets.Count)
        {
            _hasEnded = true;
            Add(MessageKind.StreamEnd);
            return;
        }
        var entry = _group.Packets[_next++];
        if (entry.AvailableBytes == 0)
            throw entry.Failure!;
        if (entry.Stream != _group.Stream.Decoder)
            throw entry.Failure!;
        OpenFile(entry.Path);
        _entry = entry;
        _windowOffset = 0;
        _windowBytes = 0;
        FillWindow(0);
        DecodeStatus status;
        string? problem;
        while ((status = _cursor.BeginPacket(_window, (long)_windowBytes * 8, out problem)) == DecodeStatus.OutOfBytes && FillWindow(0))
        {
        }
        if (status != DecodeStatus.Done)
            throw new TraceReadException(entry.Path, entry.OffsetBytes, problem!);
        _cursor.ContentBits = entry.ContentBits;
        _packet = new Packet
        {
            Stream = _group.Stream,
            HeaderAndContext = new ReadOnlySpan<byte>(_window, (int)((_cursor.PositionBits + 7) >> 3)).ToArray(),
        };
        AddLosses();
        AddPacketMessage(MessageKind.PacketBeginning, _quirks.HasEventsBeforePackets ? FindBeginning() : _cursor.Properties.BeginTime);
        _inPacket = true;
    }

    /// <summary>When the packet begins, or its first event where that is earlier; without events it is the end that may be earlier.</summary>
    private ulong? FindBeginning()
    {
        var (begin, end) = (_cursor.Properties.BeginTime, _cursor.Properties.EndTime);
        var ahead = new PacketCursor(_group.Stream.Trace.Decoder);
        var first = default(EventRecord);
        long bits = (long)_windowBytes * 8;
        if (ahead.BeginPacket(_window, bits, out _) != DecodeStatus.Done)
            return begin;
        ahead.ContentBits = _cursor.ContentBits;
        ulong? other = ahead.MoveNext(_window, bits, ref first) == DecodeStatus.Done ? first.ClockValue : end;
        return begin is null || other < begin ? other : begin;
    }

    private void AddPacketMessage(MessageKind kind, ulong? time)
    {
        ref var message = ref Add(kind);
        message.Packet = _packet;
        if (time is { } clockValue && _group.Stream.Clock is not null)
            message.SetTime(clockValue);
    }

    /// <summary>Events or packets that the tracer lost between the packet before and this one.</summary>
    private void AddLosses()
    {
        var now = _cursor.Properties;
        var before = _previous;
        _previous = now;
        if (now.DiscardedEvents is { } discarded)
        {
            ulong? earlier = before?.DiscardedEvents;
            if (discarded > earlier.GetValueOrDefault())
            {
                ulong? count = earlier is { } value ? discarded - value : null;
                AddLoss(MessageKind.DiscardedEvents, count, earlier is null ? now.BeginTime : before?.EndTime, now.EndTime);
            }
        }
        if (now.SequenceNumber is { } number && before?.SequenceNumber is { } last && number > last && number - last > 1)
            AddLoss(MessageKind.DiscardedPackets, number - last - 1, before?.EndTime, now.BeginTime);
    }

    private void AddLoss(MessageKind kind, ulong? count, ulong? begin, ulong? end)
    {
        ref var message = ref Add(kind);
        message.Count = count;
        if (begin is { } from && end is { } to && _group.Stream.Clock is not null)
            message.SetTime(from, to);
    }

    /// <summary>Reads events until the batch is full or the packet ends. False when the batch must be given before the window slides.</summary>
    private bool ReadEvents()
    {
        var stream = _group.Stream;
        bool hasClock = stream.Clock is not null;
        bool hasOuterSlots = stream.Decoder.HasOuterSlots;
        long offsetNs = stream.ClockOffsetNs;
        ulong frequencyHz = stream.FrequencyHz;
        byte* packet = _window - _windowOffset;
        long available = (_windowOffset + _windowBytes) * 8;
        while (_count < BatchMessages - 3)
        {
            ref var message = ref _batch[_count];
            var status = _cursor.MoveNext(packet, available, ref message.Record);
            if (status == DecodeStatus.Done)
            {
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
            if (status == DecodeStatus.OutOfBytes && _windowOffset + _windowBytes < _entry!.AvailableBytes
                && _cursor.PositionBits < _cursor.ContentBits)
            {
                if (HasEvents())
                    return false;
                if (!FillWindow(_cursor.PositionBits >> 3))
                    throw Fail(status);
                return true;
            }
            if (status != DecodeStatus.EndOfPacket)
                throw Fail(status);
            EndPacket();
            return true;
        }
        return true;
    }

    private bool HasEvents()
    {
        for (int i = _count - 1; i >= 0; i--)
        {
            if (_batch[i].Kind == MessageKind.Event)
                return true;
        }
        return false;
    }

    private void EndPacket()
    {
        _inPacket = false;
        var properties = _cursor.Properties;
        AddPacketMessage(MessageKind.PacketEnd, _quirks.EndOf(properties.BeginTime, properties.EndTime, _cursor.ClockValue));
        if (_entry!.Failure is { } failure)
            throw failure;
    }

    private TraceReadException Fail(DecodeStatus status)
    {
        if (status == DecodeStatus.OutOfBytes && _entry!.Failure is { } cut)
            return cut;
        return new TraceReadException(_entry!.Path, _entry.OffsetBytes + (_cursor.PositionBits >> 3), _cursor.Explain(status, "the event record", _window - _windowOffset, (_windowOffset + _windowBytes) * 8));
    }

    private void OpenFile(string path)
    {
        if (_filePath == path)
            return;
        _file?.Dispose();
        _file = CtfFsFile.Open(path);
        _filePath = path;
    }

    /// <summary>
    /// Makes the window begin at <paramref name="fromByte"/> of the packet and have more bytes behind it than now. False when there are
    /// no more, or more than a window may hold.
    /// </summary>
    private bool FillWindow(long fromByte)
    {
        int kept = (int)(_windowOffset + _windowBytes - fromByte);
        if (kept >= _windowCapacity && !GrowWindow())
            return false;
        Buffer.MemoryCopy(_window + (fromByte - _windowOffset), _window, _windowCapacity, kept);
        _windowOffset = fromByte;
        int wanted = (int)Math.Min(_windowCapacity - kept, _entry!.AvailableBytes - fromByte - kept);
        int read = CtfFsFile.Read(_file!, _entry.Path, new Span<byte>(_window + kept, wanted), _entry.OffsetBytes + fromByte + kept);
        _windowBytes = kept + read;
        if (read < wanted)
            throw new TraceReadException(_entry.Path, _entry.OffsetBytes + fromByte + kept + read, "the file became shorter while it was read");
        return read > 0;
    }

    private bool GrowWindow()
    {
        int capacity = _windowCapacity == 0 ? FirstWindowBytes : _windowCapacity * 2;
        if (capacity > MaxWindowBytes)
            throw new TraceReadException(_entry!.Path, _entry.OffsetBytes + (_cursor.PositionBits >> 3), $"one event record is longer than {MaxWindowBytes >> 20} MiB");
        _window = (byte*)NativeMemory.Realloc(_window, (nuint)capacity);
        _windowCapacity = capacity;
        return true;
    }
}
