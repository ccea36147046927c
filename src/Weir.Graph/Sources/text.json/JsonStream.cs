using System.Text;
using System.Text.Json;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>A kind of event that a file of JSON has in one of its streams.</summary>
internal sealed class JsonEventClass(string name, long? logLevel, string? emfUri, JsonShape? specificContext, JsonShape? fields)
{
    public JsonShape? SpecificContext => specificContext;

    public JsonShape? Fields => fields;

    public EventDecoder? Decoder { get; private set; }

    public EventRecordClass CreateClass(ulong id) => new()
    {
        Id = id,
        Name = name,
        LogLevel = logLevel is >= 0 and <= 14 ? (int)logLevel : null,
        EmfUri = emfUri,
        SpecificContext = specificContext is null ? null : JsonFields.CreateClass(specificContext, FieldScope.EventSpecificContext),
        Payload = fields is null ? null : JsonFields.CreateClass(fields, FieldScope.EventPayload),
    };

    public void Bind(EventDecoder decoder) => Decoder = decoder;
}

/// <summary>A stream of a file of JSON: lines of one origin whose packets and contexts have one shape.</summary>
internal sealed class JsonStream : IDisposable
{
    private readonly Dictionary<string, JsonEventClass> _classes = [];
    private readonly List<JsonEventClass> _order = [];
    private readonly JsonShape? _packet;
    private readonly JsonShape? _context;
    private readonly bool _hasCpu;
    private readonly BitWriter _packetBytes = new(256);
    private readonly StringBuilder _signature = new();
    private Packet? _current;

    /// <summary>Creates a stream for lines as this one.</summary>
    public JsonStream(JsonLine line)
    {
        _hasCpu = line.FindInteger("cpu") is not null;
        _packet = line.FindObject("packet") is { } packet ? JsonShape.Create(packet) : null;
        _context = line.FindObject("context") is { } context ? JsonShape.Create(context) : null;
        Origin = line.Root.Clone();
    }

    /// <summary>A line of the stream, which says what it belongs to.</summary>
    private JsonElement Origin { get; }

    public int ClassCount => _order.Count;

    /// <summary>Composes its events; once the classes are known.</summary>
    public EventComposer Composer { get; private set; } = null!;

    private bool HasTime { get; set; }

    private bool IsAbsolute { get; set; } = true;

    /// <summary>Text that lines of this stream have in common beside their origin.</summary>
    public static string KeyOf(JsonLine line)
    {
        var text = new StringBuilder(line.FindInteger("cpu") is null ? "-" : "c");
        AppendShape(text, line, "packet");
        AppendShape(text, line, "context");
        return text.ToString();
    }

    /// <summary>Learns of a line of this stream.</summary>
    public void Learn(JsonLine line)
    {
        HasTime |= line.TimeNs is not null;
        IsAbsolute &= line.IsAbsolute;
        if (line.FindObject("packet") is { } packet)
            _packet?.Learn(packet);
        if (line.FindObject("context") is { } context)
            _context?.Learn(context);
        if (line.Name is not { } name)
            return;
        string key = EventKey(line);
        if (!_classes.TryGetValue(key, out var found))
        {
            found = new JsonEventClass(name, line.FindInteger("log_level"), line.FindText("emf_uri"), ShapeOf(line, "specific_context"), ShapeOf(line, "fields"));
            _classes.Add(key, found);
            _order.Add(found);
        }
        if (line.FindObject("specific_context") is { } specific)
            found.SpecificContext!.Learn(specific);
        if (line.FindObject("fields") is { } fields)
            found.Fields!.Learn(fields);
    }

    /// <summary>Creates the classes of what was learnt.</summary>
    public void CreateClasses(string path, ClockClass absolute, ClockClass relative, ClockAdjustment clocks)
    {
        var line = Origin;
        string name = Text(line, "trace") ?? Path.GetFileNameWithoutExtension(path);
        var trace = new TraceClass { Name = name };
        foreach (string key in (ReadOnlySpan<string>)["hostname", "procname"])
        {
            if (Text(line, key) is { } value)
                trace.Add(new EnvironmentEntry(key, value));
        }
        if (Number(line, "vpid") is { } vpid)
            trace.Add(new EnvironmentEntry("vpid", vpid));
        var clock = !HasTime ? null : IsAbsolute ? absolute : relative;
        if (clock is not null)
            trace.Add(clock);
        var stream = new DataStreamClass
        {
            Id = (ulong)(Number(line, "stream_class") ?? 0),
            DefaultClock = clock,
            PacketContext = CreatePacketClass(),
            EventCommonContext = _context is null ? null : JsonFields.CreateClass(_context, FieldScope.EventCommonContext),
        };
        for (int i = 0; i < _order.Count; i++)
            stream.Add(_order[i].CreateClass((ulong)i));
        trace.Add(stream);
        var decoder = new TraceDecoder(trace);
        var streamDecoder = decoder.FindStream(stream.Id)!;
        for (int i = 0; i < _order.Count; i++)
            _order[i].Bind(streamDecoder.FindEvent((ulong)i)!);
        Composer = new EventComposer(new DataStream
        {
            Trace = new Trace(decoder, name),
            Decoder = streamDecoder,
            Id = (ulong)(Number(line, "stream") ?? 0),
            Name = path,
            ClockOffsetNs = clocks.OffsetOf(clock, path),
            IsClockAbsolute = clocks.IsAbsolute(clock),
        });
    }

    /// <summary>Adds an event. False when the file did not have it when its classes were created.</summary>
    public bool TryAdd(JsonLine line)
    {
        if (!_classes.TryGetValue(EventKey(line), out var found))
            return false;
        Composer.Packet = FindPacket(line);
        var fields = Composer.BeginEvent(found.Decoder!, unchecked((ulong)(line.TimeNs ?? 0)));
        if (_context is { } context)
            JsonFields.Write(context, line.FindObject("context")!.Value, fields);
        if (found.SpecificContext is { } specific)
            JsonFields.Write(specific, line.FindObject("specific_context")!.Value, fields);
        if (found.Fields is { } payload)
            JsonFields.Write(payload, line.FindObject("fields")!.Value, fields);
        Composer.EndEvent();
        return true;
    }

    /// <summary>Adds a loss.</summary>
    public void AddLoss(JsonLine line)
    {
        long? begin = line.TimeNs;
        long end = line.EndTimeNs ?? begin ?? 0;
        bool isEvents = line.LossKind == "discarded_events";
        ref var message = ref Composer.AddOther(isEvents ? MessageKind.DiscardedEvents : MessageKind.DiscardedPackets, begin is { } time ? unchecked((ulong)time) : null);
        message.Count = line.FindInteger("count") is >= 0 and { } count ? (ulong)count : null;
        message.EndTimeNs = unchecked(message.Stream.ClockOffsetNs + end);
    }

    public void Dispose()
    {
        _packetBytes.Dispose();
        Composer?.Dispose();
    }

    private static void AppendShape(StringBuilder text, JsonLine line, string key)
    {
        if (line.FindObject(key) is { } value)
            JsonShape.AppendSignature(text, value);
        text.Append(';');
    }

    private static JsonShape? ShapeOf(JsonLine line, string key) => line.FindObject(key) is { } value ? JsonShape.Create(value) : null;

    private static string? Text(JsonElement line, string key) => line.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static long? Number(JsonElement line, string key) =>
        line.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) ? number : null;

    private string EventKey(JsonLine line)
    {
        _signature.Clear();
        _signature.Append(line.Name).Append('\n').Append(line.FindInteger("log_level")).Append('\n').Append(line.FindText("emf_uri")).Append('\n');
        AppendShape(_signature, line, "specific_context");
        AppendShape(_signature, line, "fields");
        return _signature.ToString();
    }

    private StructureFieldClass? CreatePacketClass()
    {
        var members = new List<StructureMember>();
        if (_hasCpu)
            members.Add(new StructureMember("cpu_id", new IntegerFieldClass(64)));
        if (_packet is not null)
            members.AddRange(JsonFields.CreateClass(_packet, FieldScope.PacketContext).Members.Select(member => _hasCpu && member.Name == "cpu_id" ? member with { Name = "packet_cpu_id" } : member));
        return members.Count == 0 ? null : new StructureFieldClass(members, 8);
    }

    /// <summary>The packet of a line: the one before as long as its context is the same.</summary>
    private Packet? FindPacket(JsonLine line)
    {
        if (!_hasCpu && _packet is null)
            return null;
        _packetBytes.Clear();
        if (_hasCpu)
            _packetBytes.Write((ulong)line.FindInteger("cpu")!.Value, 64);
        if (_packet is not null)
            JsonFields.Write(_packet, line.FindObject("packet")!.Value, _packetBytes);
        if (_current is null || !_packetBytes.Written.SequenceEqual(_current.HeaderAndContext))
            _current = Composer.CreatePacket(_packetBytes.Written);
        return _current;
    }
}
