using Weir.Ctf;

namespace Weir.Graph;

/// <summary>Trace classes with all that is in them, and traces, in words.</summary>
internal sealed class DetailsMetadata
{
    private static readonly string[] s_levels =
    [
        "Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Info", "Debug (system)", "Debug (program)", "Debug (process)",
        "Debug (module)", "Debug (unit)", "Debug (function)", "Debug (line)", "Debug",
    ];

    private readonly DetailsOptions _options;
    private readonly DetailsWriter _writer;
    private readonly DetailsFieldClass _fieldClasses;

    private DetailsMetadata(DetailsOptions options, DetailsStyle style)
    {
        _options = options;
        _writer = new DetailsWriter(style);
        _fieldClasses = new DetailsFieldClass(_writer);
    }

    private DetailsStyle Style => _writer.Style;

    /// <summary>A trace class with its data stream classes and their event record classes.</summary>
    public static string DescribeClass(TraceClass trace, DetailsOptions options, DetailsStyle style)
    {
        var metadata = new DetailsMetadata(options, style);
        metadata.TraceClass(trace);
        return metadata._writer.ToString();
    }

    /// <summary>A trace: its environment and its data streams, indented by two spaces.</summary>
    public static string DescribeTrace(Trace trace, DetailsOptions options, DetailsStyle style)
    {
        var metadata = new DetailsMetadata(options, style);
        metadata._writer.Indent = 2;
        metadata.Trace(trace);
        return metadata._writer.ToString();
    }

    /// <summary>Whether a packet context says when packets begin or end, or what else <paramref name="role"/> stands for.</summary>
    private static bool HasRole(FieldClass? fieldClass, FieldRole role)
    {
        switch (fieldClass)
        {
            case IntegerFieldClass integer:
                return integer.Role == role;
            case StructureFieldClass structure:
                foreach (var member in structure.Members)
                {
                    if (HasRole(member.Class, role))
                        return true;
                }
                return false;
            case StaticArrayFieldClass array:
                return HasRole(array.Element, role);
            case DynamicArrayFieldClass array:
                return HasRole(array.Element, role);
            case OptionalFieldClass optional:
                return HasRole(optional.Content, role);
            case VariantFieldClass variant:
                foreach (var option in variant.Options)
                {
                    if (HasRole(option.Class, role))
                        return true;
                }
                return false;
            default:
                return false;
        }
    }

    private string? Uid(string? uid) => _options.WithUid ? uid : null;

    private void TraceClass(TraceClass trace)
    {
        _writer.BeginLine().Append(Style.Object("Trace class"));
        bool hasStreams = trace.DataStreamClasses.Count > 0;
        _writer.Append(hasStreams ? ":\n" : "");
        _writer.Indent += 2;
        bool hasAttributes = DetailsWriter.HasShown(trace.Attributes);
        _writer.AttributeLines(trace.Attributes);
        foreach (var stream in trace.DataStreamClasses.OrderBy(stream => stream.Id))
            StreamClass(stream, trace.CtfVersion);
        if (!hasStreams && !hasAttributes)
            _writer.EndLine();
        _writer.Indent -= 2;
    }

    private void StreamClass(DataStreamClass stream, int ctfVersion)
    {
        _writer.BeginLine().Append(Style.Object("Stream class"));
        if (_options.WithStreamClassName && stream.Name is { } name)
            _writer.Append($" `{Style.Value(name)}`");
        // Without the namespace there is no UID either, in babeltrace2 2.1 too.
        bool hasNamespace = _options.WithStreamClassNamespace;
        _writer.Identity(hasNamespace ? stream.Namespace : null, hasNamespace ? Uid(stream.Uid) : null, stream.Id).Append(":\n");
        _writer.Indent += 2;
        _writer.AttributeLines(stream.Attributes);
        Support(stream, ctfVersion);
        if (stream.DefaultClock is { } clock)
        {
            _writer.BeginLine().Append($"{Style.Property("Default clock class")}:\n");
            _writer.Indent += 2;
            ClockClass(clock, ctfVersion);
            _writer.Indent -= 2;
        }
        _fieldClasses.Root("Packet context field class", FieldVisibility.IsContextShown(stream.PacketContext) ? stream.PacketContext : null);
        _fieldClasses.Root("Event common context field class", stream.EventCommonContext);
        foreach (var eventRecordClass in stream.EventRecordClasses.OrderBy(eventRecordClass => eventRecordClass.Id))
            EventClass(eventRecordClass);
        _writer.Indent -= 2;
    }

    /// <summary>Which messages there may be of streams of a class: what its packets say about themselves. Traces that are not CTF may have any.</summary>
    private void Support(DataStreamClass stream, int ctfVersion)
    {
        bool isCtf = ctfVersion > 0;
        bool hasClock = stream.DefaultClock is not null;
        bool hasPackets = isCtf || stream.PacketContext is not null;
        _writer.Line("Supports packets", hasPackets);
        if (hasPackets)
        {
            _writer.Line("Packets have beginning default clock snapshot", isCtf ? HasRole(stream.PacketContext, FieldRole.PacketBeginTime) : hasClock);
            _writer.Line("Packets have end default clock snapshot", isCtf ? HasRole(stream.PacketContext, FieldRole.PacketEndTime) : hasClock);
        }
        bool hasDiscardedEvents = !isCtf || HasRole(stream.PacketContext, FieldRole.DiscardedEventCount);
        _writer.Line("Supports discarded events", hasDiscardedEvents);
        if (hasDiscardedEvents)
            _writer.Line("Discarded events have default clock snapshots", hasClock);
        bool hasDiscardedPackets = isCtf && HasRole(stream.PacketContext, FieldRole.PacketSequenceNumber);
        _writer.Line("Supports discarded packets", hasDiscardedPackets);
        if (hasDiscardedPackets)
            _writer.Line("Discarded packets have default clock snapshots", hasClock);
    }

    private void ClockClass(ClockClass clock, int ctfVersion)
    {
        _writer.OptionalLine("Namespace", clock.Namespace);
        _writer.OptionalLine("Name", clock.Name.Length == 0 ? null : clock.Name);
        _writer.OptionalLine("UID", Uid(clock.Uid));
        _writer.AttributeLines(clock.Attributes);
        _writer.OptionalLine("Description", clock.Description);
        _writer.Line("Frequency (Hz)", clock.FrequencyHz);
        // In CTF 1.8 a precision that is not given is 0.
        if ((clock.PrecisionCycles ?? (ctfVersion == 1 ? 0 : null)) is { } precision)
            _writer.Line("Precision (cycles)", precision);
        if (clock.AccuracyCycles is { } accuracy)
            _writer.Line("Accuracy (cycles)", accuracy);
        // The cycles are less than a second.
        _writer.Line("Offset from origin (s)", unchecked(clock.OffsetSeconds + (long)(clock.OffsetCycles / clock.FrequencyHz)));
        _writer.Line("Offset from origin (cycles)", clock.OffsetCycles % clock.FrequencyHz);
        if (clock.IsAbsolute)
        {
            _writer.Line("Origin", Style.Value("Unix epoch"));
        }
        else if (clock.Origin is { } origin)
        {
            _writer.BeginLine().Append($"{Style.Property("Origin")}:\n");
            _writer.Indent += 2;
            _writer.OptionalLine("Namespace", origin.Namespace);
            _writer.OptionalLine("Name", origin.Name);
            _writer.OptionalLine("UID", Uid(origin.Uid));
            _writer.Indent -= 2;
        }
    }

    private void EventClass(EventRecordClass eventRecordClass)
    {
        _writer.BeginLine().Append(Style.Object("Event class"));
        if (eventRecordClass.Name is { } name)
            _writer.Append($" {Style.EventName(name)}");
        _writer.Identity(eventRecordClass.Namespace, Uid(eventRecordClass.Uid), eventRecordClass.Id).Append(":\n");
        _writer.Indent += 2;
        _writer.AttributeLines(eventRecordClass.Attributes);
        if (eventRecordClass.LogLevel is { } level && level >= 0 && level < s_levels.Length)
            _writer.Line("Log level", Style.Value(s_levels[level]));
        _writer.OptionalLine("EMF URI", eventRecordClass.EmfUri);
        _fieldClasses.Root("Specific context field class", eventRecordClass.SpecificContext);
        _fieldClasses.Root("Payload field class", eventRecordClass.Payload);
        _writer.Indent -= 2;
    }

    private void Trace(Trace trace)
    {
        _writer.BeginLine().Append(Style.Object("Trace"));
        if (_options.WithTraceName)
            _writer.Append($" `{Style.Value(trace.Name)}`");
        _writer.Identity(trace.Class.Namespace, Uid(trace.Class.Uid), null);
        var environment = trace.Class.Environment;
        _writer.Append(environment.Count + trace.Streams.Count > 0 ? ":\n" : "\n");
        _writer.Indent += 2;
        if (environment.Count > 0)
        {
            _writer.BeginLine().Append(
                $"{Style.Property("Environment")} ({Style.Value((ulong)environment.Count)} entr{(environment.Count == 1 ? "y" : "ies")}):\n");
            _writer.Indent += 2;
            foreach (var entry in environment.OrderBy(entry => entry.Name, StringComparer.Ordinal))
                _writer.BeginLine().Append($"{Style.Member(entry.Name)}: {(entry.Text is { } text ? Style.Value(text) : Style.Value(entry.Number ?? 0))}\n");
            _writer.Indent -= 2;
        }
        foreach (var stream in trace.Streams.OrderBy(stream => stream.Id).ThenBy(stream => stream.Decoder.Class.Id))
            _writer.BeginLine().Append($"{Style.Object("Stream")} (ID {Style.Value(stream.Id)}, Class ID {Style.Value(stream.Decoder.Class.Id)})\n");
        _writer.Indent -= 2;
    }
}
