using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// Makes batches of messages for sources whose events are not CTF: the source describes its events by a trace class as if they were, and
/// writes the fields of each, in the order and at the alignment of their classes; so filters and sinks see no difference. One composer
/// serves one data stream, or several in turn; their classes have no event header. Not thread-safe.
/// </summary>
/// <remarks>
/// <code>
/// composer.BeginBatch();
/// var fields = composer.BeginEvent(decoder, clockValue);
/// fields.Align(32);
/// fields.Write(pid, 32);
/// fields.WriteString("name"u8);
/// composer.EndEvent();
/// return composer.EndBatch();
/// </code>
/// </remarks>
public sealed unsafe class EventComposer : IDisposable
{
    private DataStream _stream;
    private readonly BitWriter _fields = new(64 << 10);
    private Message[] _batch = new Message[256];
    private int _count;

    /// <summary>Creates a composer of a stream's events.</summary>
    public EventComposer(DataStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (stream.Decoder.Class.EventHeader is not null)
            throw new ArgumentException("A composed stream's events have no header: the message says what they are and when.", nameof(stream));
        _stream = stream;
    }

    /// <summary>Messages in the batch so far.</summary>
    public int Count => _count;

    /// <summary>Bytes of the batch's events so far.</summary>
    public long LengthBytes => _fields.LengthBytes;

    /// <summary>The packet that the events belong to, or null; see <see cref="CreatePacket"/>.</summary>
    public Packet? Packet { get; set; }

    /// <summary>
    /// The stream of the messages that come next, with its packet: a source that gives the messages of several in order of time goes from one
    /// to another.
    /// </summary>
    public void SwitchTo(DataStream stream, Packet? packet)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _stream = stream;
        Packet = packet;
    }

    /// <summary>Begins a batch. The one before is no longer valid.</summary>
    public void BeginBatch()
    {
        _count = 0;
        _fields.Clear();
    }

    /// <summary>A packet whose context has these bytes, as the stream class's packet context lays them out.</summary>
    public Packet CreatePacket(ReadOnlySpan<byte> context) => new() { Stream = _stream, HeaderAndContext = context.ToArray() };

    /// <summary>Begins an event; its fields are to be written next, then <see cref="EndEvent"/> is called.</summary>
    /// <param name="decoder">The event's class.</param>
    /// <param name="clockValue">The clock's value in cycles.</param>
    public BitWriter BeginEvent(EventDecoder decoder, ulong clockValue)
    {
        // The largest alignment that a field of the schema needs; so positions in the batch are positions in a packet.
        _fields.Align(64);
        ref var message = ref Add(MessageKind.Event);
        message.Packet = Packet;
        message.Record = EventRecord.Create(decoder, _fields.PositionBits, _fields.PositionBits, 0, clockValue);
        if (_stream.Clock is not null)
            message.SetTime(clockValue);
        return _fields;
    }

    /// <summary>Ends the event that was begun last.</summary>
    public void EndEvent()
    {
        ref var message = ref _batch[_count - 1];
        message.Record = EventRecord.Create(message.Record.Decoder, message.Record.StartBits, message.Record.FieldsBits, _fields.PositionBits, message.Record.ClockValue);
    }

    /// <summary>Takes back the event that was begun last.</summary>
    public void DropEvent() => _fields.CutTo(_batch[--_count].Record.StartBits);

    /// <summary>Adds a message that is no event.</summary>
    /// <param name="kind">What it says.</param>
    /// <param name="clockValue">When, in cycles; null when unknown.</param>
    public ref Message AddOther(MessageKind kind, ulong? clockValue = null)
    {
        ref var message = ref Add(kind);
        if (kind is MessageKind.PacketBeginning or MessageKind.PacketEnd)
            message.Packet = Packet;
        if (clockValue is { } value && _stream.Clock is not null)
            message.SetTime(value);
        return ref message;
    }

    /// <summary>Adds the loss of events.</summary>
    /// <param name="count">How many; null when unknown.</param>
    /// <param name="beginClockValue">Clock value before which none is missing, or null.</param>
    /// <param name="endClockValue">Clock value after which none is missing, or null.</param>
    public void AddDiscardedEvents(ulong? count, ulong? beginClockValue, ulong? endClockValue)
    {
        ref var message = ref Add(MessageKind.DiscardedEvents);
        message.Count = count;
        if (beginClockValue is { } begin && endClockValue is { } end && _stream.Clock is not null)
            message.SetTime(begin, end);
    }

    /// <summary>The batch; valid until the next is begun.</summary>
    public ArraySegment<Message> EndBatch()
    {
        // Only now does the memory move no more.
        for (int i = 0; i < _count; i++)
            _batch[i].PacketStart = _fields.Start;
        return new ArraySegment<Message>(_batch, 0, _count);
    }

    /// <inheritdoc/>
    public void Dispose() => _fields.Dispose();

    private ref Message Add(MessageKind kind)
    {
        if (_count == _batch.Length)
            Array.Resize(ref _batch, _count * 2);
        ref var message = ref _batch[_count++];
        message = default;
        message.Kind = kind;
        message.Stream = _stream;
        return ref message;
    }
}
