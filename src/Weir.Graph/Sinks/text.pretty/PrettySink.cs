using System.Text;
using Weir.Clock;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// <c>sink.text.pretty</c>: one line for each event, byte for byte as babeltrace2 2.1 prints it. Losses go to standard error. The
/// constant parts of a line are made once for each event class, a packet's context once for each packet.
/// </summary>
public sealed class PrettySink : MessageSink
{
    /// <summary>Longest packet header and context whose text is kept for the packet's other events.</summary>
    private const int MaxKeptContextBytes = 16 << 10;

    private const int RecentPlans = 64;

    private readonly Stream _output;
    private readonly bool _leaveOpen;
    private readonly TextWriter _errors;
    private readonly PrettyOptions _options;
    private readonly PrettyColors _colors;
    private readonly Literal _beforeTime;
    private readonly Literal _afterTime;
    private readonly Literal _beforeDelta;
    private readonly Literal _afterDelta;
    private readonly PrettyClock _clock;
    private readonly PrettyHead? _head;
    private readonly OrderCheck? _order;
    private readonly TextBuffer _text;
    private readonly Dictionary<EventDecoder, EventPlan> _plans = [];
    private readonly Dictionary<TraceDecoder, FieldWalker> _walkers = [];
    private readonly Dictionary<StreamDecoder, PrettyPlan> _contextPlans = [];
    private readonly EventPlan?[] _recentPlans = new EventPlan?[RecentPlans];
    private readonly TextBuffer _contextText = new();

    /// <summary>Offers it.</summary>
    public static SinkClass Class { get; } = new("text", "pretty", "Print a line of text for each event.", PrettyParameters.Create) { Help = PrettyParameters.Help };

    /// <summary>Creates a sink.</summary>
    /// <param name="output">Takes the text.</param>
    /// <param name="errors">Takes warnings.</param>
    /// <param name="options">What to show.</param>
    /// <param name="clocks">What is known about clocks, where the options need it.</param>
    /// <param name="leaveOpen">Whether the output is only flushed in the end, not closed.</param>
    public PrettySink(Stream output, TextWriter errors, PrettyOptions options, ClockTable? clocks = null, bool leaveOpen = true)
    {
        _output = output;
        _leaveOpen = leaveOpen;
        _text = new TextBuffer(output);
        _errors = errors;
        _options = options;
        _colors = PrettyColors.Of(options);
        _beforeTime = new Literal([.. Encoding.UTF8.GetBytes(options.NameHeader ? _colors.Named("timestamp") : "["), .. _colors.Time]);
        _afterTime = new Literal([.. _colors.End, .. options.NameHeader ? ""u8 : "] "u8]);
        _beforeDelta = new Literal(Encoding.UTF8.GetBytes(options.NameHeader ? $", {_colors.Named("delta")}" : "("));
        _afterDelta = new Literal(options.NameHeader ? ""u8 : ") "u8);
        _clock = new PrettyClock(options, errors, clocks);
        if (options is { ShowDelta: true, ShowOrder: false, Times: PrettyTimes.ClockClass, ClockCycles: false, ClockSeconds: false, IsInterpreted: false })
            _head = new PrettyHead(_clock, _beforeTime, [.. _afterTime.Text, .. _beforeDelta.Text]);
        if (options.ShowOrder)
            _order = new OrderCheck(clocks ?? throw new ArgumentNullException(nameof(clocks)));
    }

    /// <summary>Creates a sink that renders on several cores where the options allow it; the text is the same.</summary>
    /// <param name="output">Takes the text.</param>
    /// <param name="errors">Takes warnings.</param>
    /// <param name="options">What to show.</param>
    /// <param name="clocks">What is known about clocks, where the options need it.</param>
    /// <param name="leaveOpen">Whether the output is only flushed in the end, not closed.</param>
    /// <param name="jobs">How many cores to use.</param>
    public static MessageSink Create(Stream output, TextWriter errors, PrettyOptions options, ClockTable? clocks, bool leaveOpen, int jobs)
    {
        // What is shown of an event may then depend on more than the event before it.
        bool isSequential = options.ShowOrder || options.Times != PrettyTimes.ClockClass;
        return jobs <= 1 || isSequential
            ? new PrettySink(output, errors, options, clocks, leaveOpen)
            : new ParallelPrettySink(output, leaveOpen, errors, (text, warnings) => new PrettySink(text, warnings, options), options, jobs);
    }

    /// <inheritdoc/>
    public override void Consume(ReadOnlySpan<Message> batch)
    {
        foreach (ref readonly var message in batch)
        {
            switch (message.Kind)
            {
                case MessageKind.Event:
                    AppendEvent(in message);
                    break;
                case MessageKind.DiscardedEvents or MessageKind.DiscardedPackets:
                    WriteLoss(in message);
                    break;
            }
        }
        if (_text.IsFairlyFull)
            _text.WriteOut();
    }

    /// <summary>Goes on where another sink has stopped; see <see cref="PrettyClock.GoOnBehind"/>.</summary>
    internal void GoOnBehind(in Message last, bool hasLast, bool hasWarned) => _clock.GoOnBehind(in last, hasLast, hasWarned);

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

    private void AppendEvent(in Message message)
    {
        var plan = FindPlan(in message);
        if (_head is { } head && head.TryAppend(_text, in message, plan.AfterDelta))
        {
            AppendRest(plan, in message);
            return;
        }
        if (message.HasTime)
        {
            _text.Append(_beforeTime);
            _clock.AppendTime(_text, in message);
            _text.Append(_afterTime);
            if (_options.ShowDelta)
            {
                _text.Append(_beforeDelta);
                _clock.AppendDelta(_text);
                _text.Append(_afterDelta);
            }
        }
        if (_order != null)
            AppendOrder(_order.Decide(in message));
        _text.Append(plan.Header);
        AppendRest(plan, in message);
    }

    private unsafe void AppendRest(EventPlan plan, in Message message)
    {
        if (plan.HasContext)
            AppendContext(plan, message.Packet!);
        if (plan.Program is { } program)
        {
            program.Append(_text, in message.Record, message.PacketStart);
        }
        else if (_colors.IsColored)
        {
            var colored = new ColoredPrettyVisitor(_text, plan.Fields.Steps, _colors);
            plan.Walker.WalkEvent(in message.Record, message.PacketStart, message.Slots, ref colored);
        }
        else
        {
            var visitor = new PrettyVisitor(_text, plan.Fields.Steps, _colors);
            plan.Walker.WalkEvent(in message.Record, message.PacketStart, message.Slots, ref visitor);
        }
        _text.Append((byte)'\n');
    }

    /// <summary>
    /// Nothing where it is certain that this event follows the one before; else what is known: <c>(?57ns)</c>, they can be told apart from
    /// 57 ns on; <c>(?)</c>, no bound is known; <c>(&lt;)</c>, this one came first.
    /// </summary>
    private void AppendOrder(OrderDecision decision)
    {
        if (decision.Order == EventOrder.Before)
            return;
        string mark = decision.Order == EventOrder.After ? "<" : decision.Bound is { } bound ? $"?{bound}ns" : "?";
        _text.Append(_options.NameHeader ? $", order = {mark}" : $"({mark}) ");
    }

    private EventPlan FindPlan(in Message message)
    {
        var decoder = message.Record.Decoder;
        // Events of several kinds come in turn; most find their plan without a look into the dictionary.
        ref var recent = ref _recentPlans[decoder.Number % RecentPlans];
        if (recent is { } known && known.Decoder == decoder)
            return known;
        if (!_plans.TryGetValue(decoder, out var plan))
            _plans.Add(decoder, plan = CreatePlan(message.Stream, decoder));
        return recent = plan;
    }

    private EventPlan CreatePlan(DataStream stream, EventDecoder decoder)
    {
        _clock.Check(stream);
        var context = decoder.Stream.PacketContext;
        bool hasContext = context.RootStarts[0] >= 0 && !context.Steps[context.RootStarts[0]].IsHidden;
        if (!_walkers.TryGetValue(stream.Trace.Decoder, out var walker))
            _walkers.Add(stream.Trace.Decoder, walker = new FieldWalker(stream.Trace.Decoder));
        if (hasContext && !_contextPlans.ContainsKey(decoder.Stream))
            _contextPlans.Add(decoder.Stream, PrettyPlan.Create(context, ["stream.packet.context"], [_options.NameContext], _options, _colors, isFirst: true));
        byte[] header = PrettyHeader.Create(stream, decoder.Class, _options, _colors);
        var fields = PrettyPlan.Create(
            decoder.Fields, ["stream.event.context", "event.context", "event.fields"],
            [_options.NameContext, _options.NameContext, _options.NamePayload], _options, _colors, isFirst: !hasContext);
        return new EventPlan
        {
            Decoder = decoder,
            Header = new Literal(header),
            AfterDelta = new Literal([.. _afterDelta.Text, .. header]),
            HasContext = hasContext,
            Walker = walker,
            Fields = fields,
            Program = _options.IsInterpreted ? null : PrintProgram.TryCreate(decoder.Fields, fields, _colors),
        };
    }

    private void AppendContext(EventPlan plan, Packet packet)
    {
        if (packet.Rendered is Literal kept)
        {
            _text.Append(kept);
            return;
        }
        if (packet.HeaderAndContext.Length > MaxKeptContextBytes)
        {
            WriteContext(plan, packet, _text);
            return;
        }
        _contextText.Clear();
        WriteContext(plan, packet, _contextText);
        var rendered = new Literal(_contextText.Written);
        packet.Rendered = rendered;
        _text.Append(rendered);
    }

    private unsafe void WriteContext(EventPlan plan, Packet packet, TextBuffer text)
    {
        // Once for each packet, so plain text may be asked for colours here.
        var visitor = new ColoredPrettyVisitor(text, _contextPlans[plan.Decoder.Stream].Steps, _colors);
        fixed (byte* start = packet.HeaderAndContext)
            plan.Walker.WalkContext(plan.Decoder.Stream, start, packet.HeaderAndContext.Length * 8L, ref visitor);
    }

    private void WriteLoss(in Message message)
    {
        var stream = message.Stream;
        string element = message.Kind == MessageKind.DiscardedEvents ? "event" : "packet";
        var text = new TextBuffer();
        text.Append(_options.HasColoredWarnings ? "\e[33m\e[1mWARNING\e[0m\e[33m: "u8 : "WARNING: "u8);
        if (message.Count is { } count)
            text.Append($"Tracer discarded {count} {element}{(count == 1 ? "" : "s")} ");
        else
            text.Append($"Tracer may have discarded {element}s ");
        if (message.HasTime)
        {
            text.Append("between ["u8);
            _clock.AppendWall(text, message.TimeNs);
            text.Append("] and ["u8);
            _clock.AppendWall(text, message.EndTimeNs);
            text.Append("]"u8);
        }
        else
        {
            text.Append("(unknown time range)"u8);
        }
        text.Append($" in trace \"{stream.Trace.Name}\" ");
        text.Append(stream.Trace.Class.Uid is { } uid ? $"(UID: {uid}) " : "(no UID) ");
        text.Append($"within stream \"{stream.Name}\" (stream class ID: {stream.Decoder.Class.Id}, stream ID: {stream.Id}).{(_options.HasColoredWarnings ? TerminalColors.Reset : "")}\n");
        _errors.Write(Encoding.UTF8.GetString(text.Written));
        _errors.Flush();
    }

    private sealed class EventPlan
    {
        public required EventDecoder Decoder { get; init; }

        public required Literal Header { get; init; }

        /// <summary>The header with what stands between it and the delta.</summary>
        public required Literal AfterDelta { get; init; }

        public required bool HasContext { get; init; }

        public required FieldWalker Walker { get; init; }

        public required PrettyPlan Fields { get; init; }

        /// <summary>The fields compiled further, where they allow it.</summary>
        public required PrintProgram? Program { get; init; }
    }
}
