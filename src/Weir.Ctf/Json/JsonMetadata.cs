using System.Text.Json.Nodes;

namespace Weir.Ctf;

/// <summary>
/// Reads the metadata of CTF 2 (CTF2-SPEC-2.0, section 5): JSON objects, the fragments, each behind a byte 0x1E. What one refers to
/// stands before it, so they are read once, in order.
/// </summary>
internal sealed class JsonMetadata
{
    public const byte RecordSeparator = 0x1e;

    /// <summary>The namespace of what babeltrace2 notes on classes that it translates from CTF 1.8.</summary>
    private const string BabeltraceNamespace = "babeltrace.org,2020";

    /// <summary>Names of the log levels, by LTTng's numbers.</summary>
    internal static IReadOnlyList<string> LogLevels => s_logLevels;

    private static readonly string[] s_logLevels =
    [
        "emergency", "alert", "critical", "error", "warning", "notice", "info", "debug:system", "debug:program", "debug:process",
        "debug:module", "debug:unit", "debug:function", "debug:line", "debug",
    ];

    private readonly JsonLowering _lowering = new();
    private readonly Dictionary<string, ClockClass> _clocks = new(StringComparer.Ordinal);
    private Guid? _uuid;
    private TraceClass? _trace;

    /// <summary>Reads metadata.</summary>
    /// <exception cref="CtfMetadataException">It is not what the specification says.</exception>
    public static TraceClass Parse(byte[] text)
    {
        var metadata = new JsonMetadata();
        int number = 0;
        for (int start = 0; start < text.Length;)
        {
            if (text[start] == RecordSeparator)
            {
                start++;
                continue;
            }
            int length = text.AsSpan(start).IndexOf(RecordSeparator);
            int end = length < 0 ? text.Length : start + length;
            var fragment = JsonFragment.Read(text, start, end, ++number);
            metadata.Add(fragment, number);
            start = end;
        }
        return metadata._trace is { DataStreamClasses.Count: > 0 } trace
            ? trace
            : throw new CtfMetadataException(0, 0, "the metadata has no fragment 'data-stream-class'");
    }

    private void Add(JsonFragment fragment, int number)
    {
        if (number == 1 != (fragment.Type == "preamble"))
            throw fragment.Error(fragment.Root, number == 1 ? "expected the preamble as the first fragment" : "only the first fragment is a preamble");
        switch (fragment.Type)
        {
            case "preamble":
                AddPreamble(fragment);
                break;
            case "field-class-alias":
                _lowering.AddAlias(fragment);
                break;
            case "trace-class":
                AddTrace(fragment);
                break;
            case "clock-class":
                AddClock(fragment);
                break;
            case "data-stream-class":
                AddStream(fragment);
                break;
            case "event-record-class":
                AddEvent(fragment);
                break;
            default:
                throw fragment.Error(fragment.Root, "there are no fragments of this type");
        }
        // What is wrong with attributes would else be found only where something holds them.
        fragment.FindAttributes(fragment.Root);
    }

    private void AddPreamble(JsonFragment fragment)
    {
        fragment.CheckProperties(fragment.Root, hasType: true, "version", "uuid");
        var version = fragment.Require(fragment.Root, "version");
        if (version is not { Kind: MetadataJsonKind.Integer, IsNegative: false, Bits: 2 })
            throw fragment.Error(version, "this version of CTF is not known: expected 2");
        if (fragment.Root.Find("uuid") is not { } uuid)
            return;
        fragment.RequireKind(uuid, MetadataJsonKind.Array, "an array of 16 bytes");
        if (uuid.Items.Count != 16)
            throw fragment.Error(uuid, $"expected an array of 16 bytes, found {uuid.Items.Count} elements");
        Span<byte> bytes = stackalloc byte[16];
        for (int i = 0; i < 16; i++)
        {
            ulong value = fragment.RequireUnsigned(uuid.Items[i]);
            bytes[i] = value <= 255 ? (byte)value : throw fragment.Error(uuid.Items[i], "expected a byte, 0 to 255");
        }
        _uuid = new Guid(bytes, bigEndian: true);
        _lowering.HasUuid = true;
    }

    private void AddTrace(JsonFragment fragment)
    {
        fragment.CheckProperties(fragment.Root, hasType: true, "namespace", "name", "uid", "environment", "packet-header-field-class");
        if (_trace is not null)
            throw fragment.Error(fragment.Root, "there is one trace class at most, and it stands before data stream classes");
        var header = _lowering.LowerRoot(fragment, "packet-header-field-class", FieldScope.PacketHeader, null);
        CheckMagic(fragment, header);
        _trace = CreateTrace(fragment, header);
        if (fragment.Root.Find("environment") is not { } environment)
            return;
        fragment.RequireKind(environment, MetadataJsonKind.Object, "an object");
        foreach (var entry in environment.Items)
        {
            if (entry.Kind is not (MetadataJsonKind.Text or MetadataJsonKind.Integer))
                throw fragment.Error(entry, "expected a text or an integer");
            _trace.Add(entry.Kind == MetadataJsonKind.Text
                ? new EnvironmentEntry(entry.Name, entry.Text)
                : new EnvironmentEntry(entry.Name, (long)entry.Bits));
        }
    }

    private TraceClass CreateTrace(JsonFragment? fragment, StructureFieldClass? header)
    {
        var trace = new TraceClass
        {
            CtfVersion = 2,
            Uuid = _uuid,
            Namespace = fragment?.FindText(fragment.Root, "namespace"),
            Name = fragment?.FindText(fragment.Root, "name"),
            Uid = fragment?.FindText(fragment.Root, "uid"),
            PacketHeader = header,
            Attributes = fragment?.FindAttributes(fragment.Root),
        };
        foreach (var clock in _clocks.Values)
            trace.Add(clock);
        return trace;
    }

    /// <summary>The magic number is the first member, has 32 bits and is no other's role.</summary>
    private static void CheckMagic(JsonFragment fragment, StructureFieldClass? header)
    {
        if (header is null)
            return;
        int count = CountMagic(header);
        bool isFirst = header.Members is [{ Class: IntegerFieldClass { Role: FieldRole.PacketMagicNumber, IsVariableLength: false, SizeBits: 32 } }, ..];
        if (count > 1 || (count == 1 && !isFirst))
            throw fragment.Error(fragment.Root, $"expected the role '{JsonRoles.MagicNumber}' on nothing but the packet header's first member, an integer of 32 bits");
    }

    private static int CountMagic(FieldClass fieldClass)
    {
        int count = 0;
        switch (fieldClass)
        {
            case IntegerFieldClass integer:
                return integer.Role == FieldRole.PacketMagicNumber || integer.OtherRoles.Contains(FieldRole.PacketMagicNumber) ? 1 : 0;
            case StructureFieldClass structure:
                foreach (var member in structure.Members)
                    count += CountMagic(member.Class);
                break;
            case VariantFieldClass variant:
                foreach (var option in variant.Options)
                    count += CountMagic(option.Class);
                break;
            case OptionalFieldClass optional:
                return CountMagic(optional.Content);
            case StaticArrayFieldClass array:
                return CountMagic(array.Element);
            case DynamicArrayFieldClass array:
                return CountMagic(array.Element);
        }
        return count;
    }

    private void AddClock(JsonFragment fragment)
    {
        var root = fragment.Root;
        fragment.CheckProperties(
            root, hasType: true, "id", "namespace", "name", "uid", "frequency", "origin", "offset-from-origin", "precision", "accuracy", "description");
        var frequency = fragment.Require(root, "frequency");
        ulong frequencyHz = fragment.RequireUnsigned(frequency);
        if (frequencyHz is 0 or ulong.MaxValue)
            throw fragment.Error(frequency, "expected a frequency in Hz, at least 1");
        var (offsetSeconds, offsetCycles) = ReadOffset(fragment, frequencyHz);
        var (isAbsolute, origin) = ReadOrigin(fragment);
        string id = fragment.RequireText(fragment.Require(root, "id"));
        string? uid = fragment.FindText(root, "uid");
        var clock = new ClockClass
        {
            Id = id,
            Namespace = fragment.FindText(root, "namespace"),
            Name = fragment.FindText(root, "name") ?? "",
            Uid = uid,
            Uuid = Guid.TryParseExact(uid, "D", out var uuid) ? uuid : null,
            Description = fragment.FindText(root, "description"),
            FrequencyHz = frequencyHz,
            PrecisionCycles = fragment.FindUnsigned(root, "precision"),
            AccuracyCycles = fragment.FindUnsigned(root, "accuracy"),
            OffsetSeconds = offsetSeconds,
            OffsetCycles = offsetCycles,
            IsAbsolute = isAbsolute,
            Origin = origin,
            Attributes = fragment.FindAttributes(root),
        };
        if (!_clocks.TryAdd(id, clock))
            throw fragment.Error(root.Find("id")!, $"the clock class '{id}' is declared twice");
        _trace?.Add(clock);
    }

    private static (long Seconds, ulong Cycles) ReadOffset(JsonFragment fragment, ulong frequencyHz)
    {
        if (fragment.Root.Find("offset-from-origin") is not { } offset)
            return default;
        fragment.RequireKind(offset, MetadataJsonKind.Object, "an object");
        long seconds = 0;
        ulong cycles = 0;
        foreach (var property in offset.Items)
        {
            switch (property.Name)
            {
                case "seconds":
                    fragment.RequireKind(property, MetadataJsonKind.Integer, "an integer");
                    if (!property.IsNegative && property.Bits > long.MaxValue)
                        throw fragment.Error(property, "this integer does not fit into 64 bits with a sign");
                    seconds = (long)property.Bits;
                    break;
                case "cycles":
                    cycles = fragment.RequireUnsigned(property);
                    if (cycles >= frequencyHz)
                        throw fragment.Error(property, $"expected less than a second, that is {frequencyHz} cycles");
                    break;
                default:
                    throw fragment.Error(property, "this property is not known here");
            }
        }
        return (seconds, cycles);
    }

    private static (bool IsAbsolute, ClockOrigin? Origin) ReadOrigin(JsonFragment fragment)
    {
        if (fragment.Root.Find("origin") is not { } origin)
            return default;
        if (origin.Kind == MetadataJsonKind.Text)
            return (fragment.RequireWord(origin, ("unix-epoch", true)), null);
        fragment.RequireKind(origin, MetadataJsonKind.Object, "'unix-epoch' or an object");
        foreach (var property in origin.Items)
        {
            if (property.Name is not ("namespace" or "name" or "uid"))
                throw fragment.Error(property, "this property is not known here");
        }
        return (false, new ClockOrigin(
            fragment.FindText(origin, "namespace"),
            fragment.RequireText(fragment.Require(origin, "name")),
            fragment.RequireText(fragment.Require(origin, "uid"))));
    }

    private void AddStream(JsonFragment fragment)
    {
        var root = fragment.Root;
        fragment.CheckProperties(
            root, hasType: true, "id", "namespace", "name", "uid", "default-clock-class-id", "packet-context-field-class",
            "event-record-header-field-class", "event-record-common-context-field-class");
        _trace ??= CreateTrace(null, null);
        ulong id = fragment.FindUnsigned(root, "id") ?? 0;
        if (_trace.FindStream(id) is not null)
            throw fragment.Error(root, $"the data stream class {id} is declared twice");
        ClockClass? clock = null;
        if (root.Find("default-clock-class-id") is { } clockId && !_clocks.TryGetValue(fragment.RequireText(clockId), out clock))
            throw fragment.Error(clockId, "no clock class of this ID is declared before");
        _lowering.SetScope(FieldScope.PacketHeader, _trace.PacketHeader);
        _trace.Add(new DataStreamClass
        {
            Id = id,
            Namespace = fragment.FindText(root, "namespace"),
            Name = fragment.FindText(root, "name"),
            Uid = fragment.FindText(root, "uid"),
            DefaultClock = clock,
            PacketContext = _lowering.LowerRoot(fragment, "packet-context-field-class", FieldScope.PacketContext, clock),
            EventHeader = _lowering.LowerRoot(fragment, "event-record-header-field-class", FieldScope.EventHeader, clock),
            EventCommonContext = _lowering.LowerRoot(fragment, "event-record-common-context-field-class", FieldScope.EventCommonContext, clock),
            Attributes = fragment.FindAttributes(root),
        });
    }

    private void AddEvent(JsonFragment fragment)
    {
        var root = fragment.Root;
        fragment.CheckProperties(
            root, hasType: true, "id", "data-stream-class-id", "namespace", "name", "uid", "specific-context-field-class", "payload-field-class");
        ulong streamId = fragment.FindUnsigned(root, "data-stream-class-id") ?? 0;
        var stream = _trace?.FindStream(streamId) ?? throw fragment.Error(root, $"no data stream class {streamId} is declared before");
        ulong id = fragment.FindUnsigned(root, "id") ?? 0;
        if (stream.FindEvent(id) is not null)
            throw fragment.Error(root, $"the event record class {id} of data stream class {streamId} is declared twice");
        _lowering.SetScope(FieldScope.PacketHeader, _trace.PacketHeader);
        _lowering.SetScope(FieldScope.PacketContext, stream.PacketContext);
        _lowering.SetScope(FieldScope.EventHeader, stream.EventHeader);
        _lowering.SetScope(FieldScope.EventCommonContext, stream.EventCommonContext);
        var attributes = fragment.FindAttributes(root);
        stream.Add(new EventRecordClass
        {
            Id = id,
            Namespace = fragment.FindText(root, "namespace"),
            Name = fragment.FindText(root, "name"),
            Uid = fragment.FindText(root, "uid"),
            LogLevel = FindNote(attributes, "log-level") is { } level && Array.IndexOf(s_logLevels, level) is >= 0 and var index ? index : null,
            EmfUri = FindNote(attributes, "emf-uri"),
            SpecificContext = _lowering.LowerRoot(fragment, "specific-context-field-class", FieldScope.EventSpecificContext, stream.DefaultClock),
            Payload = _lowering.LowerRoot(fragment, "payload-field-class", FieldScope.EventPayload, stream.DefaultClock),
            Attributes = attributes,
        });
    }

    /// <summary>What babeltrace2, or else LTTng, has noted under a name.</summary>
    private static string? FindNote(JsonObject? attributes, string name) =>
        TextOf(attributes?[BabeltraceNamespace] as JsonObject, name) ?? TextOf(attributes?[LttngLayout.Namespace] as JsonObject, name);

    private static string? TextOf(JsonObject? notes, string name) =>
        notes?[name] is JsonValue value && value.TryGetValue(out string? text) ? text : null;
}
