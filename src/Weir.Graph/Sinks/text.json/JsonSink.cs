using System.Globalization;
using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// <c>sink.text.json</c>: a line with a JSON object for each event and each loss; <c>docs/graph.md</c> has the layout. What is constant in
/// a line is made once: for each event class, each stream, each packet.
/// </summary>
public sealed class JsonSink : MessageSink
{
    /// <summary>Longest packet header and context whose text is kept for the packet's other events.</summary>
    private const int MaxKeptContextBytes = 16 << 10;

    private static readonly string[] s_cpu = ["cpu_id"];
    private static readonly string[] s_packetPrefix = [",\"packet\":"];
    private static readonly string[] s_rootPrefixes = [",\"context\":", ",\"specific_context\":", ",\"fields\":"];

    private readonly SinkOutput _output;
    private readonly TextBuffer _text;
    private readonly DateText _date = new();
    private readonly Dictionary<EventDecoder, EventPlan> _events = [];
    private readonly Dictionary<StreamDecoder, PacketPlan> _packets = [];
    private readonly Dictionary<DataStream, byte[]> _streams = [];
    private readonly Dictionary<TraceDecoder, FieldWalker> _walkers = [];
    private EventPlan? _lastEvent;
    private (DataStream Stream, byte[] Text)? _lastStream;

    private JsonSink(SinkOutput output)
    {
        _output = output;
        _text = new TextBuffer(output.Stream);
    }

    /// <summary>Offers it.</summary>
    public static SinkClass Class { get; } = new("text", "json", "Write a line of JSON for each event.", Create)
    {
        Help = "path=PATH   write to this file instead of standard output",
    };

    /// <inheritdoc/>
    public override void Consume(ReadOnlySpan<Message> batch)
    {
        foreach (ref readonly var message in batch)
        {
            if (message.Kind == MessageKind.Event)
                AppendEvent(in message);
            else if (message.Kind is MessageKind.DiscardedEvents or MessageKind.DiscardedPackets)
                AppendLoss(in message);
        }
        if (_text.IsFairlyFull)
            _text.WriteOut();
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        _text.WriteOut();
        _output.Stream.Flush();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _output.Dispose();
        base.Dispose(disposing);
    }

    private static JsonSink Create(ComponentContext context)
    {
        var parameters = new ParameterReader(context.Parameters);
        string? path = parameters.Path("path");
        parameters.RejectOthers();
        return new JsonSink(SinkOutput.Open(path, context));
    }

    private unsafe void AppendEvent(in Message message)
    {
        var plan = FindPlan(in message);
        _text.Append((byte)'{');
        if (message.HasTime)
        {
            AppendTime("\"time\":"u8, "\"date\":\""u8, message.Stream, message.TimeNs);
            _text.Append((byte)',');
        }
        _text.Append(plan.Name);
        _text.Append(FindStreamText(message.Stream));
        if (plan.Packet is { } packet && message.Packet is not null)
            AppendPacket(plan, packet, message.Packet);
        var visitor = new JsonVisitor(_text, plan.Fields.Steps);
        plan.Walker.WalkEvent(in message.Record, message.PacketStart, message.Slots, ref visitor);
        _text.Append("}\n"u8);
    }

    private void AppendTime(ReadOnlySpan<byte> timePrefix, ReadOnlySpan<byte> datePrefix, DataStream stream, long timeNs)
    {
        _text.Append(timePrefix);
        _text.AppendSigned(timeNs);
        if (!stream.IsClockAbsolute)
            return;
        _text.Append((byte)',');
        _text.Append(datePrefix);
        _date.Append(_text, timeNs);
        _text.Append((byte)'"');
    }

    private EventPlan FindPlan(in Message message)
    {
        var decoder = message.Record.Decoder;
        if (_lastEvent is { } last && last.Decoder == decoder)
            return last;
        if (!_events.TryGetValue(decoder, out var plan))
            _events.Add(decoder, plan = CreatePlan(decoder));
        return _lastEvent = plan;
    }

    private EventPlan CreatePlan(EventDecoder decoder)
    {
        var trace = decoder.Stream.TraceDecoder;
        if (!_walkers.TryGetValue(trace, out var walker))
            _walkers.Add(trace, walker = new FieldWalker(trace));
        if (!_packets.TryGetValue(decoder.Stream, out var packet))
            _packets.Add(decoder.Stream, packet = CreatePacketPlan(decoder.Stream.PacketContext));
        var name = new TextBuffer();
        AppendText(name, "\"name\":", decoder.Class.Name ?? "");
        if (decoder.Class.LogLevel is { } level)
            AppendNumber(name, ",\"log_level\":", level);
        if (decoder.Class.EmfUri is { } uri)
            AppendText(name, ",\"emf_uri\":", uri);
        return new EventPlan
        {
            Decoder = decoder,
            Name = name.Written.ToArray(),
            Walker = walker,
            Packet = packet.Cpu.Found != 0 || packet.Json.ShowsAnything ? packet : null,
            Fields = JsonPlan.Create(decoder.Fields, s_rootPrefixes),
        };
    }

    private static PacketPlan CreatePacketPlan(DecodeProgram context) => new(context, new FieldPicker(context, s_cpu));

    private byte[] FindStreamText(DataStream stream)
    {
        if (_lastStream is { } last && last.Stream == stream)
            return last.Text;
        if (!_streams.TryGetValue(stream, out byte[]? text))
            _streams.Add(stream, text = CreateStreamText(stream));
        _lastStream = (stream, text);
        return text;
    }

    private static byte[] CreateStreamText(DataStream stream)
    {
        var trace = stream.Trace.Class;
        var text = new TextBuffer();
        AppendText(text, ",\"trace\":", stream.Trace.Name);
        foreach (string name in (ReadOnlySpan<string>)["hostname", "procname", "vpid"])
        {
            if (trace.FindEnvironment(name) is not { } entry)
                continue;
            if (entry.Number is { } number)
                AppendNumber(text, $",\"{name}\":", number);
            else
                AppendText(text, $",\"{name}\":", entry.Text!);
        }
        if (trace.DataStreamClasses.Count > 1)
            text.Append(string.Create(CultureInfo.InvariantCulture, $",\"stream_class\":{stream.Decoder.Class.Id}"));
        text.Append(string.Create(CultureInfo.InvariantCulture, $",\"stream\":{stream.Id}"));
        return text.Written.ToArray();
    }

    private static void AppendText(TextBuffer text, string prefix, string value)
    {
        text.Append(prefix);
        text.AppendJsonString(Encoding.UTF8.GetBytes(value));
    }

    private static void AppendNumber(TextBuffer text, string prefix, long value)
    {
        text.Append(prefix);
        text.AppendSigned(value);
    }

    private void AppendPacket(EventPlan plan, PacketPlan packetPlan, Packet packet)
    {
        if (packet.Rendered is byte[] kept)
        {
            _text.Append(kept);
            return;
        }
        if (packet.HeaderAndContext.Length > MaxKeptContextBytes)
        {
            WritePacket(plan, packetPlan, packet, _text);
            return;
        }
        var text = new TextBuffer();
        WritePacket(plan, packetPlan, packet, text);
        byte[] rendered = text.Written.ToArray();
        packet.Rendered = rendered;
        _text.Append(rendered);
    }

    private static unsafe void WritePacket(EventPlan plan, PacketPlan packetPlan, Packet packet, TextBuffer text)
    {
        fixed (byte* start = packet.HeaderAndContext)
        {
            long lengthBits = packet.HeaderAndContext.Length * 8L;
            if (packetPlan.Cpu.Found != 0)
            {
                var cpu = packetPlan.Cpu.CreateVisitor();
                plan.Walker.WalkContext(plan.Decoder.Stream, start, lengthBits, ref cpu);
                AppendNumber(text, ",\"cpu\":", (long)packetPlan.Cpu.Values[0]);
            }
            var visitor = new JsonVisitor(text, packetPlan.Json.Steps);
            plan.Walker.WalkContext(plan.Decoder.Stream, start, lengthBits, ref visitor);
        }
    }

    private void AppendLoss(in Message message)
    {
        _text.Append(message.Kind == MessageKind.DiscardedEvents ? "{\"kind\":\"discarded_events\""u8 : "{\"kind\":\"discarded_packets\""u8);
        if (message.HasTime)
        {
            AppendTime(",\"time\":"u8, "\"date\":\""u8, message.Stream, message.TimeNs);
            AppendTime(",\"end_time\":"u8, "\"end_date\":\""u8, message.Stream, message.EndTimeNs);
        }
        if (message.Count is { } count)
        {
            _text.Append(",\"count\":"u8);
            _text.AppendUnsigned(count);
        }
        _text.Append(FindStreamText(message.Stream));
        _text.Append("}\n"u8);
    }

    /// <summary>What is written of a packet's context: the CPU, then the rest.</summary>
    private sealed class PacketPlan(DecodeProgram context, FieldPicker cpu)
    {
        public FieldPicker Cpu => cpu;

        public JsonPlan Json { get; } = JsonPlan.Create(context, s_packetPrefix, leftOut: cpu.Found != 0 ? s_cpu[0] : null);
    }

    private sealed class EventPlan
    {
        public required EventDecoder Decoder { get; init; }

        /// <summary>Name, level and URI.</summary>
        public required byte[] Name { get; init; }

        public required FieldWalker Walker { get; init; }

        public required PacketPlan? Packet { get; init; }

        public required JsonPlan Fields { get; init; }
    }
}
