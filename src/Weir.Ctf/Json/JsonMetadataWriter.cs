using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weir.Ctf;

/// <summary>
/// Writes a trace class as the metadata of CTF 2 (CTF2-SPEC-2.0, section 5): JSON objects, the fragments, each behind a byte 0x1E and
/// before a line feed. Parts may be written one after the other, so an event record class that appears late is appended. Not thread-safe.
/// </summary>
/// <param name="trace">The trace class.</param>
/// <param name="output">Takes the metadata.</param>
public sealed class JsonMetadataWriter(TraceClass trace, IBufferWriter<byte> output) : IDisposable
{
    /// <summary>Where babeltrace2 notes what CTF 2 has no word for.</summary>
    private const string BabeltraceNamespace = "babeltrace.org,2020";

    private readonly Utf8JsonWriter _json = new(output, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>The whole metadata of <paramref name="trace"/>.</summary>
    public static byte[] Write(TraceClass trace)
    {
        ArgumentNullException.ThrowIfNull(trace);
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new JsonMetadataWriter(trace, buffer);
        writer.WriteTrace();
        foreach (var clock in trace.ClockClasses)
            writer.WriteClock(clock);
        foreach (var stream in trace.DataStreamClasses)
            writer.WriteStream(stream);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Writes the preamble and the trace class, but no clocks and streams.</summary>
    public void WriteTrace()
    {
        BeginFragment("preamble");
        _json.WriteNumber("version", 2);
        if (trace.Uuid is { } uuid)
        {
            Span<byte> bytes = stackalloc byte[16];
            uuid.TryWriteBytes(bytes, bigEndian: true, out _);
            _json.WriteStartArray("uuid");
            foreach (byte b in bytes)
                _json.WriteNumberValue(b);
            _json.WriteEndArray();
        }
        EndFragment();
        BeginFragment("trace-class");
        WriteIdentity(trace.Namespace, trace.Name, trace.Uid, trace.Attributes);
        if (trace.Environment.Count > 0)
        {
            _json.WriteStartObject("environment");
            foreach (var entry in trace.Environment)
            {
                if (entry.Text is { } text)
                    _json.WriteString(entry.Name, text);
                else
                    _json.WriteNumber(entry.Name, entry.Number.GetValueOrDefault());
            }
            _json.WriteEndObject();
        }
        WriteRoot("packet-header-field-class", trace.PacketHeader);
        EndFragment();
    }

    /// <summary>Writes a clock class; before the stream that has it.</summary>
    public void WriteClock(ClockClass clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        BeginFragment("clock-class");
        _json.WriteString("id", clock.Id ?? clock.Name);
        WriteIdentity(clock.Namespace, clock.Name.Length == 0 ? null : clock.Name, clock.Uid ?? clock.Uuid?.ToString("D"), clock.Attributes);
        if (clock.Description is { } description)
            _json.WriteString("description", description);
        _json.WriteNumber("frequency", clock.FrequencyHz);
        if (clock.PrecisionCycles is { } precision)
            _json.WriteNumber("precision", precision);
        if (clock.AccuracyCycles is { } accuracy)
            _json.WriteNumber("accuracy", accuracy);
        if (clock.IsAbsolute)
            _json.WriteString("origin", "unix-epoch");
        else if (clock.Origin is { } origin)
            WriteOrigin(origin);
        // CTF 2 has less than a second in cycles.
        _json.WriteStartObject("offset-from-origin");
        _json.WriteNumber("seconds", unchecked(clock.OffsetSeconds + (long)(clock.OffsetCycles / clock.FrequencyHz)));
        _json.WriteNumber("cycles", clock.OffsetCycles % clock.FrequencyHz);
        _json.WriteEndObject();
        EndFragment();
    }

    /// <summary>Writes a data stream class and its event record classes.</summary>
    public void WriteStream(DataStreamClass stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        BeginFragment("data-stream-class");
        _json.WriteNumber("id", stream.Id);
        WriteIdentity(stream.Namespace, stream.Name, stream.Uid, stream.Attributes);
        if (stream.DefaultClock is { } clock)
            _json.WriteString("default-clock-class-id", clock.Id ?? clock.Name);
        WriteRoot("packet-context-field-class", stream.PacketContext);
        WriteRoot("event-record-header-field-class", stream.EventHeader);
        WriteRoot("event-record-common-context-field-class", stream.EventCommonContext);
        EndFragment();
        foreach (var eventRecordClass in stream.EventRecordClasses)
            WriteEvent(stream, eventRecordClass);
    }

    /// <summary>Writes an event record class of <paramref name="stream"/>.</summary>
    public void WriteEvent(DataStreamClass stream, EventRecordClass eventRecordClass)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(eventRecordClass);
        BeginFragment("event-record-class");
        _json.WriteNumber("id", eventRecordClass.Id);
        _json.WriteNumber("data-stream-class-id", stream.Id);
        WriteIdentity(eventRecordClass.Namespace, eventRecordClass.Name, eventRecordClass.Uid, AttributesOf(eventRecordClass));
        WriteRoot("specific-context-field-class", eventRecordClass.SpecificContext);
        WriteRoot("payload-field-class", eventRecordClass.Payload);
        EndFragment();
    }

    /// <inheritdoc/>
    public void Dispose() => _json.Dispose();

    /// <summary>The class's attributes, and the log level and the model's URI where babeltrace2 notes and looks for them.</summary>
    private static JsonObject? AttributesOf(EventRecordClass eventRecordClass)
    {
        if (eventRecordClass is { LogLevel: null, EmfUri: null })
            return eventRecordClass.Attributes;
        var attributes = eventRecordClass.Attributes?.DeepClone().AsObject() ?? [];
        if (attributes[BabeltraceNamespace] is not JsonObject notes)
            attributes[BabeltraceNamespace] = notes = [];
        if (eventRecordClass.LogLevel is { } level && level < JsonMetadata.LogLevels.Count)
            notes["log-level"] = JsonMetadata.LogLevels[level];
        if (eventRecordClass.EmfUri is { } uri)
            notes["emf-uri"] = uri;
        return attributes;
    }

    private void WriteOrigin(ClockOrigin origin)
    {
        _json.WriteStartObject("origin");
        if (origin.Namespace is { } space)
            _json.WriteString("namespace", space);
        _json.WriteString("name", origin.Name);
        _json.WriteString("uid", origin.Uid);
        _json.WriteEndObject();
    }

    private void WriteIdentity(string? space, string? name, string? uid, JsonObject? attributes)
    {
        if (space is not null)
            _json.WriteString("namespace", space);
        if (name is not null)
            _json.WriteString("name", name);
        if (uid is not null)
            _json.WriteString("uid", uid);
        JsonFieldClassWriter.WriteAttributes(_json, attributes);
    }

    private void WriteRoot(string property, StructureFieldClass? root)
    {
        if (root is null)
            return;
        _json.WritePropertyName(property);
        new JsonFieldClassWriter(_json).Write(root);
    }

    private void BeginFragment(string type)
    {
        output.Write([JsonMetadata.RecordSeparator]);
        _json.Reset();
        _json.WriteStartObject();
        _json.WriteString("type", type);
    }

    private void EndFragment()
    {
        _json.WriteEndObject();
        _json.Flush();
        output.Write("\n"u8);
    }
}
