using Weir.Ctf;

namespace Weir.Graph;

/// <summary>What an event has beside its payload, and whether its fields are known: each combination that occurs is an event record class.</summary>
[Flags]
internal enum NettraceShape : byte
{
    None = 0,
    Activity = 1,
    RelatedActivity = 2,
    Stack = 4,
    Labels = 8,

    /// <summary>The payload is given as bytes: it has fields that nobody knows, or not those that it should have.</summary>
    Raw = 16,
    Processor = 32,
}

/// <summary>A kind of event as the file defines it, with the classes that its events have.</summary>
/// <param name="metadata">What the file says.</param>
/// <param name="pointerBytes">Bytes of an address.</param>
internal sealed class NettraceDefinition(NettraceMetadata metadata, int pointerBytes)
{
    /// <summary>The number of the events in which providers send their manifest.</summary>
    public const uint ManifestEventId = 0xfffe;

    private readonly Dictionary<NettraceShape, EventRecordClass> _classes = [];
    private readonly Dictionary<NettraceShape, EventDecoder> _decoders = [];
    private DeclaredEvent? _declared = FindDeclared(metadata);
    private NettracePayload? _payload;

    public NettraceMetadata Metadata => metadata;

    public bool IsManifest => metadata.EventId == ManifestEventId && metadata.Fields.Count == 0;

    /// <summary>The shapes that occur.</summary>
    public SortedSet<NettraceShape> Shapes { get; } = [];

    /// <summary>Whether neither the file nor a table says what the payload holds.</summary>
    public bool HasNoFields => metadata.Fields.Count == 0 && _declared is null;

    /// <summary>What to do with payloads.</summary>
    public NettracePayload Payload => _payload ??= NettracePayload.Create(metadata.Fields.Count > 0 ? metadata.Fields : _declared?.Fields ?? [], pointerBytes);

    /// <summary>Provider, task and opcode, as <c>Microsoft-Windows-DotNETRuntime:GC/Start</c>.</summary>
    public string FullName => $"{metadata.Provider}:{(metadata.Name.Length > 0 ? NameOf(metadata) : _declared?.Name ?? $"EventID({metadata.EventId})")}";

    /// <summary>Takes what a manifest in the trace says, where nothing better is known.</summary>
    public void Declare(DeclaredEvent declared)
    {
        _declared = declared;
        _payload = null;
        // What was taken for a payload of unknown fields may be one of these.
        foreach (var shape in Shapes.Where(shape => shape.HasFlag(NettraceShape.Raw)).ToArray())
            Shapes.Add(shape & ~NettraceShape.Raw);
    }

    /// <summary>Creates the classes of the shapes that occur.</summary>
    public void AddClasses(DataStreamClass stream)
    {
        foreach (var shape in Shapes)
        {
            var created = new EventRecordClass
            {
                Id = (ulong)stream.EventRecordClasses.Count,
                Name = FullName,
                LogLevel = metadata.Level switch { 1 => 2, 2 => 3, 3 => 4, 4 => 6, 5 => 14, _ => null },
                SpecificContext = NettraceContext.CreateClass(shape, pointerBytes),
                Payload = shape.HasFlag(NettraceShape.Raw) ? NettracePayload.RawClass : Payload.Class,
            };
            _classes.Add(shape, created);
            stream.Add(created);
        }
    }

    /// <summary>The programs of a shape, or null for one that did not occur when the classes were created.</summary>
    public EventDecoder? FindDecoder(NettraceShape shape, StreamDecoder stream)
    {
        if (_decoders.TryGetValue(shape, out var decoder))
            return decoder;
        if (!_classes.TryGetValue(shape, out var known) || stream.FindEvent(known.Id) is not { } created)
            return null;
        _decoders.Add(shape, created);
        return created;
    }

    private static DeclaredEvent? FindDeclared(NettraceMetadata metadata)
    {
        if (metadata.Fields.Count > 0)
            return null;
        if (metadata.EventId == ManifestEventId)
            return NettraceManifest.Event;
        return RuntimeEvents.Known.Find(metadata.Provider, metadata.EventId, metadata.Version) ?? FindWellKnown(metadata);
    }

    /// <summary>Events of the class library whose fields version 4 could not express.</summary>
    private static DeclaredEvent? FindWellKnown(NettraceMetadata metadata)
    {
        if (metadata.Provider != "Microsoft-Diagnostics-DiagnosticSource"
            || metadata.Name is not ("Event" or "Activity1Start" or "Activity1Stop" or "Activity2Start" or "Activity2Stop" or "RecursiveActivity1Start" or "RecursiveActivity1Stop"))
            return null;
        var text = new NettraceType(NettraceTypeKind.Text16);
        var pair = new NettraceType(NettraceTypeKind.Object) { Members = [new("Key", text), new("Value", text)] };
        return new DeclaredEvent(
            metadata.Name, [new("SourceName", text), new("EventName", text), new("Arguments", new NettraceType(NettraceTypeKind.Array) { Element = pair })]);
    }

    /// <summary>A name that ends with its opcode is the task's: <c>WorkStart</c> is <c>Work/Start</c>.</summary>
    private static string NameOf(NettraceMetadata metadata)
    {
        string task = metadata.Name;
        byte opcode = metadata.Opcode;
        if (opcode == 0 && task.EndsWith("Start", StringComparison.OrdinalIgnoreCase))
            opcode = 1;
        else if (opcode == 0 && task.EndsWith("Stop", StringComparison.OrdinalIgnoreCase))
            opcode = 2;
        string? name = OpcodeName(opcode);
        if (opcode is 1 or 2 && task.Length > name!.Length && task.EndsWith(name, StringComparison.OrdinalIgnoreCase))
            task = task[..^name.Length];
        return name is null || task.Equals(name, StringComparison.OrdinalIgnoreCase) ? task : $"{task}/{name}";
    }

    private static string? OpcodeName(byte opcode) => opcode switch
    {
        0 => null,
        1 => "Start",
        2 => "Stop",
        3 => "DataCollectionStart",
        4 => "DataCollectionStop",
        5 => "Extension",
        6 => "Reply",
        7 => "Resume",
        8 => "Suspend",
        9 => "Transfer",
        _ => opcode.ToString(System.Globalization.CultureInfo.InvariantCulture),
    };
}
