using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// <c>sink.text.details</c>: each message with all that it says, and before the first message of a trace its class, byte for byte as
/// babeltrace2 2.1 prints them. The constant parts are made once for each event class.
/// </summary>
public sealed class DetailsSink : MessageSink
{
    private readonly Stream _output;
    private readonly bool _leaveOpen;
    private readonly DetailsOptions _options;
    private readonly DetailsStyle _style;
    private readonly DetailsValueText _values;
    private readonly TextBuffer _text;
    private readonly Dictionary<Trace, TraceText> _traces = [];
    private readonly Dictionary<DataStream, byte[]> _tags = [];
    private readonly Dictionary<EventDecoder, EventText> _events = [];
    private readonly Dictionary<StreamDecoder, DetailsStep[]?> _contexts = [];
    private readonly byte[] _beforeTime;
    private readonly byte[] _betweenTimes;
    private readonly byte[] _afterTime;
    private readonly byte[] _unknownTime;
    private bool _hasPrinted;

    /// <summary>Offers it.</summary>
    public static SinkClass Class { get; } = new("text", "details", "Print messages with details.", DetailsParameters.Create) { Help = DetailsParameters.Help };

    /// <summary>Creates a sink.</summary>
    /// <param name="output">Takes the text.</param>
    /// <param name="options">What to show.</param>
    /// <param name="leaveOpen">Whether the output is only flushed in the end, not closed.</param>
    public DetailsSink(Stream output, DetailsOptions options, bool leaveOpen = true)
    {
        ArgumentNullException.ThrowIfNull(options);
        _output = output;
        _leaveOpen = leaveOpen;
        _options = options;
        _style = new DetailsStyle(options);
        _values = new DetailsValueText(_style);
        _text = new TextBuffer(output);
        string end = options.IsCompact ? "] " : "]\n";
        _beforeTime = Encoding.UTF8.GetBytes($"[{_style.Bold}{_style.BrightBlue}");
        _betweenTimes = Encoding.UTF8.GetBytes($"{_style.Reset}{(options.IsCompact ? "" : " cycles,")} {_style.Bold}{_style.BrightBlue}");
        _afterTime = Encoding.UTF8.GetBytes($"{_style.Reset}{(options.IsCompact ? "" : " ns from origin")}{end}");
        _unknownTime = Encoding.UTF8.GetBytes($"[{_style.Time("Unknown")}{end}");
    }

    /// <inheritdoc/>
    public override void Consume(ReadOnlySpan<Message> batch)
    {
        foreach (ref readonly var message in batch)
        {
            WriteClass(in message);
            if (_options.WithData)
                Write(in message);
            if (_text.IsFairlyFull)
                _text.WriteOut();
        }
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        _text.WriteOut();
        _output.Flush();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!_leaveOpen)
            _output.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Prints the trace class before the first message of its trace.</summary>
    private void WriteClass(in Message message)
    {
        if (_traces.ContainsKey(message.Stream.Trace))
            return;
        var trace = message.Stream.Trace;
        _traces.Add(trace, new TraceText((ulong)_traces.Count));
        if (!_options.WithMetadata)
            return;
        if (_hasPrinted)
            _text.Append((byte)'\n');
        _text.Append(Encoding.UTF8.GetBytes(DetailsMetadata.DescribeClass(trace.Class, _options, _style)));
        _hasPrinted = true;
        // Messages of one line do not separate themselves.
        if (_options.IsCompact && _options.WithData)
            _text.Append((byte)'\n');
    }

    private void Write(in Message message)
    {
        if (_hasPrinted && !_options.IsCompact)
            _text.Append((byte)'\n');
        _hasPrinted = true;
        switch (message.Kind)
        {
            case MessageKind.Event:
                WriteEvent(in message);
                break;
            case MessageKind.StreamBeginning:
                WriteHead(in message, "Stream beginning", isTimeNeeded: true);
                WriteStream(message.Stream);
                break;
            case MessageKind.StreamEnd:
                // The colour ends behind the line in babeltrace2 too.
                WriteHead(in message, "Stream end\n", isTimeNeeded: true);
                break;
            case MessageKind.PacketBeginning:
                WriteHead(in message, "Packet beginning", isTimeNeeded: false);
                WriteContext(in message);
                break;
            case MessageKind.PacketEnd:
                WriteHead(in message, "Packet end", isTimeNeeded: false);
                _text.Append((byte)'\n');
                break;
            case MessageKind.DiscardedEvents:
                WriteLoss(in message, "events");
                break;
            case MessageKind.DiscardedPackets:
                WriteLoss(in message, "packets");
                break;
            case MessageKind.Inactivity:
                WriteHead(in message, "Message iterator inactivity", isTimeNeeded: false);
                _text.Append((byte)'\n');
                break;
        }
    }

    private void WriteHead(in Message message, string name, bool isTimeNeeded)
    {
        if (message.HasTime)
            WriteTime(message.Record.ClockValue, message.TimeNs);
        else if (isTimeNeeded && _options.WithTime && message.Stream.Clock is not null)
            _text.Append(_unknownTime);
        _text.Append(TagOf(message.Stream));
        _text.Append(_style.Object(name));
    }

    private void WriteTime(ulong clockValue, long timeNs)
    {
        if (!_options.WithTime)
            return;
        _text.Append(_beforeTime);
        DetailsNumber.Append(_text, clockValue, DisplayBase.Decimal);
        _text.Append(_betweenTimes);
        DetailsNumber.Append(_text, timeNs, DisplayBase.Decimal);
        _text.Append(_afterTime);
    }

    private void WriteStream(DataStream stream)
    {
        _text.Append(_options.IsCompact ? "\n"u8 : ":\n"u8);
        if (_options.IsCompact)
            return;
        if (_options.WithStreamName)
            _text.Append($"  {_style.Property("Name")}: {_style.Value(stream.Name)}\n");
        if (_options.WithStreamClassName && stream.Decoder.Class.Name is { } name)
            _text.Append($"  {_style.Property("Class name")}: {_style.Value(name)}\n");
        // The same text for each stream of a trace, unless more have come up.
        var trace = _traces[stream.Trace];
        if (trace.Description is null || trace.StreamCount != stream.Trace.Streams.Count)
        {
            trace.Description = Encoding.UTF8.GetBytes(DetailsMetadata.DescribeTrace(stream.Trace, _options, _style));
            trace.StreamCount = stream.Trace.Streams.Count;
        }
        _text.Append(trace.Description);
    }

    private unsafe void WriteContext(in Message message)
    {
        var decoder = message.Stream.Decoder;
        if (!_contexts.TryGetValue(decoder, out var steps))
        {
            steps = FieldVisibility.IsContextShown(decoder.Class.PacketContext) ? DetailsPlan.Create(decoder.PacketContext, ["Context"], _style) : null;
            _contexts.Add(decoder, steps);
        }
        if (steps is null || _options.IsCompact || message.Packet is not { } packet)
        {
            _text.Append((byte)'\n');
            return;
        }
        _text.Append(":\n"u8);
        var visitor = new DetailsVisitor(_text, steps, _values);
        fixed (byte* start = packet.HeaderAndContext)
            WalkerOf(message.Stream).WalkContext(decoder, start, packet.HeaderAndContext.Length * 8L, ref visitor);
    }

    private void WriteLoss(in Message message, string what)
    {
        if (message.HasTime)
        {
            WriteTime(message.Record.ClockValue, message.TimeNs);
            WriteTime(message.EndClockValue, message.EndTimeNs);
        }
        _text.Append(TagOf(message.Stream));
        _text.Append(_style.Object("Discarded ") + _style.Object(what));
        if (message.Count is { } count)
            _text.Append($" ({_style.Value(count)} {what})");
        _text.Append((byte)'\n');
    }

    private unsafe void WriteEvent(in Message message)
    {
        if (!_events.TryGetValue(message.Record.Decoder, out var plan))
            _events.Add(message.Record.Decoder, plan = CreatePlan(message.Record.Decoder));
        if (message.HasTime)
            WriteTime(message.Record.ClockValue, message.TimeNs);
        _text.Append(TagOf(message.Stream));
        _text.Append(plan.Head);
        if (_options.IsCompact)
            return;
        var visitor = new DetailsVisitor(_text, plan.Fields, _values);
        WalkerOf(message.Stream).WalkEvent(in message.Record, message.PacketStart, message.Slots, ref visitor);
    }

    private EventText CreatePlan(EventDecoder decoder)
    {
        string name = decoder.Class.Name is { } known ? $" {_style.EventName(known)}" : "";
        string head = $"{_style.Object("Event")}{name} ({(_options.IsCompact ? "" : "Class ID ")}{_style.Value(decoder.Class.Id)}){(_options.IsCompact ? "" : ":")}\n";
        return new EventText(Encoding.UTF8.GetBytes(head), DetailsPlan.Create(decoder.Fields, ["Common context", "Specific context", "Payload"], _style));
    }

    private FieldWalker WalkerOf(DataStream stream)
    {
        var trace = _traces[stream.Trace];
        return trace.Walker ??= new FieldWalker(stream.Trace.Decoder);
    }

    /// <summary>What tells a stream from others, by which a reader can follow it.</summary>
    private byte[] TagOf(DataStream stream)
    {
        if (_tags.TryGetValue(stream, out var tag))
            return tag;
        string plain = _style.Reset + _style.Cyan;
        string bold = _style.Bold + _style.BrightCyan;
        ulong number = _traces[stream.Trace].Number;
        ulong classId = stream.Decoder.Class.Id;
        string text = _options.IsCompact
            ? $"{_style.Cyan}{{{bold}{number} {classId} {stream.Id}{plain}}}{_style.Reset} "
            : $"{_style.Cyan}{{Trace {bold}{number}{plain}, Stream class ID {bold}{classId}{plain}, Stream ID {bold}{stream.Id}{plain}}}{_style.Reset}\n";
        tag = Encoding.UTF8.GetBytes(text);
        _tags.Add(stream, tag);
        return tag;
    }

    private sealed record EventText(byte[] Head, DetailsStep[] Fields);

    private sealed class TraceText(ulong number)
    {
        public ulong Number => number;

        public FieldWalker? Walker { get; set; }

        public byte[]? Description { get; set; }

        public int StreamCount { get; set; }
    }
}
