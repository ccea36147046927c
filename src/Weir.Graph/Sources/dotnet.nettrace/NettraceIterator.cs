using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// Gives the events of a file in the order of time. The file orders them only within what one thread wrote at a time, so they are held back
/// until the file says that nothing earlier can come: at an event marked as sorted, up to its time, and at a sequence point, all of them.
/// Events of one time stay in the file's order.
/// </summary>
internal sealed class NettraceIterator(string path, NettraceFile file, NettraceBlocks blocks, DataStream stream, int pointerBytes) : MessageIterator, INettraceConsumer
{
    private const int BatchEvents = 256;

    /// <summary>Against files that never say where they are sorted.</summary>
    private const int MaxHeldEvents = 1 << 20;

    private readonly EventComposer _composer = new(stream);
    private readonly PriorityQueue<NettraceEvent, (ulong Time, long Place)> _held = new();
    private readonly int _version = file.Version;
    private long _place;
    private ulong? _sortedTime;
    private ulong? _lastTime;
    private (ulong Count, ulong Time)? _lostAtPoint;
    private TraceReadException? _failure;
    private State _state;

    private enum State : byte
    {
        Begin,
        Read,
        Drain,
        Ended,
    }

    public override ArraySegment<Message> Next()
    {
        _composer.BeginBatch();
        if (_state == State.Begin)
        {
            _state = State.Read;
            _composer.AddOther(MessageKind.StreamBeginning);
        }
        while (_composer.Count < BatchEvents && _state != State.Ended)
        {
            if (_held.TryPeek(out _, out var next) && (_state == State.Drain || next.Time <= _sortedTime))
                Compose(_held.Dequeue());
            else if (_lostAtPoint is { } lost)
                AddLossAtPoint(lost.Count, lost.Time);
            else if (_state == State.Read)
                ReadBlock();
            else if (_failure is null || _composer.Count == 0)
                End();
            else
                break;
        }
        return _composer.EndBatch();
    }

    public void Event(in NettraceEvent item, bool isSorted)
    {
        if (isSorted)
            _sortedTime = Math.Max(_sortedTime ?? 0, item.Time);
        if (_held.Count >= MaxHeldEvents)
            throw new TraceReadException(path, item.FileOffset, $"{MaxHeldEvents} events follow each other without a mark that they are sorted: there is no memory to sort more");
        _held.Enqueue(item, (item.Time, _place++));
    }

    public void SequencePoint(ulong time, ulong lost)
    {
        _sortedTime = ulong.MaxValue;
        if (lost > 0)
            _lostAtPoint = (lost, Math.Max(time, _lastTime ?? 0));
    }

    protected override void Dispose(bool disposing)
    {
        _composer.Dispose();
        file.Dispose();
        base.Dispose(disposing);
    }

    private void ReadBlock()
    {
        // What a block shows is over: times of later blocks are compared with marks of their own.
        if (_held.Count == 0)
            _sortedTime = null;
        try
        {
            if (!blocks.Next(this))
                _state = State.Drain;
        }
        catch (TraceReadException e)
        {
            _failure = e;
            _state = State.Drain;
        }
    }

    private void End()
    {
        _state = State.Ended;
        if (_failure is { } failure)
            throw failure;
        _composer.AddOther(MessageKind.StreamEnd);
    }

    private void Compose(in NettraceEvent item)
    {
        if (item.Lost != 0)
            AddLoss(item.Lost, item.Time);
        _lastTime = Math.Max(_lastTime ?? 0, item.Time);
        var shape = item.Shape;
        var definition = item.Definition;
        var payload = item.Payload.Span;
        if (definition.FindDecoder(shape, stream.Decoder) is { } decoder)
        {
            var fields = _composer.BeginEvent(decoder, item.Time);
            NettraceContext.Write(in item, shape, _version, pointerBytes, fields);
            if ((!definition.HasNoFields || payload.Length == 0) && definition.Payload.TryWrite(payload, fields))
            {
                _composer.EndEvent();
                return;
            }
            _composer.DropEvent();
        }
        var raw = definition.FindDecoder(shape | NettraceShape.Raw, stream.Decoder)
            ?? throw new TraceReadException(path, item.FileOffset, "the file has changed while it was read");
        var bytes = _composer.BeginEvent(raw, item.Time);
        NettraceContext.Write(in item, shape, _version, pointerBytes, bytes);
        NettracePayload.WriteRaw(payload, bytes);
        _composer.EndEvent();
    }

    private void AddLossAtPoint(ulong count, ulong time)
    {
        _lostAtPoint = null;
        AddLoss(count, time);
    }

    /// <summary>A loss, between the event that was given last and the time at which it showed.</summary>
    private void AddLoss(ulong? count, ulong time)
    {
        _composer.AddDiscardedEvents(count, Math.Min(_lastTime ?? time, time), time);
    }
}
