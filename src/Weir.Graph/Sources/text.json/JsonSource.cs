using System.Text.Json;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// <c>source.text.json</c>: lines of JSON, one object for each event, as <c>sink.text.json</c> writes them. The file is gone through twice:
/// first for the kinds of events and the types of their fields, then for the events. Memory is that of the kinds, and of one line.
/// </summary>
public sealed class JsonSource : Source
{
    private readonly List<string> _paths;

    private readonly ClockAdjustment _clocks;

    private JsonSource(List<string> paths, ClockAdjustment clocks) => (_paths, _clocks) = (paths, clocks);

    /// <summary>Offers it.</summary>
    public static SourceClass Class { get; } = new("text", "json", "Read lines of JSON, an event each.", Create)
    {
        Help = $"""
            inputs=[PATH, ...]                        files, as sink.text.json writes them
            {ClockAdjustment.Help}
            """,
        Recognize = Recognize,
        AdjustsClocks = true,
    };

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => [.. _paths.Select((_, i) => $"out{i}")];

    /// <inheritdoc/>
    public override MessageIterator CreateIterator(int output) => new JsonIterator(_paths[output], _clocks);

    private static JsonSource Create(ComponentContext context)
    {
        var parameters = new ParameterReader(context.Parameters);
        var inputs = parameters.Paths("inputs", "files");
        var clocks = ClockAdjustment.Read(parameters);
        parameters.RejectOthers();
        return new JsonSource([.. inputs], clocks);
    }

    /// <summary>A file whose first line begins as an object does and whose name ends as one of JSON lines, or that begins as the sink's. The name alone is a guess.</summary>
    private static double Recognize(string input)
    {
        var head = RegularFile.ReadHead(input, stackalloc byte[16]);
        if (head.StartsWith("{\"time\":"u8) || head.StartsWith("{\"name\":"u8) || head.StartsWith("{\"kind\":"u8))
            return 0.75;
        return head.StartsWith("{"u8) && Path.GetExtension(input) is ".jsonl" or ".ndjson" ? SourceDiscovery.Guess : 0;
    }
}

/// <summary>Gives the events of a file of JSON. A batch is a run of lines of one stream.</summary>
internal sealed class JsonIterator(string path, ClockAdjustment clocks) : MessageIterator
{
    private const int BatchEvents = 256;

    /// <summary>Against files in which each line is another kind of event.</summary>
    private const int MaxClasses = 1 << 16;

    /// <summary>The same of streams, each of which has memory of its own.</summary>
    private const int MaxStreams = 1 << 10;

    private static readonly JsonDocumentOptions s_options = new() { AllowDuplicateProperties = false };

    private readonly Dictionary<(string Origin, string Shape), JsonStream> _streams = [];
    private readonly Dictionary<string, JsonStream> _byOrigin = [];
    private LineReader? _lines;
    private JsonDocument? _document;
    private long _lastGoodLine;
    private long _lastNs = long.MinValue;
    private TraceReadException? _failure;

    public override ArraySegment<Message> Next()
    {
        if (_lines is null)
        {
            Survey();
            _lines = LineReader.Open(path);
            Advance();
        }
        if (_document is null)
            return _failure is { } failure ? throw failure : ArraySegment<Message>.Empty;
        JsonStream? stream = null;
        try
        {
            while (_document is not null)
            {
                var line = JsonLine.Read(_document, _lines);
                var next = FindStream(line) ?? throw Changed();
                stream ??= Begin(next);
                if (next != stream || stream.Composer.Count >= BatchEvents)
                    break;
                Add(stream, line);
                Advance();
            }
        }
        catch (Exception e) when (e is TraceReadException or InvalidOperationException)
        {
            _failure = e as TraceReadException ?? _lines.Error("this has text that is no Unicode", e);
            _document = null;
        }
        return stream is null || stream.Composer.Count == 0 ? Next() : stream.Composer.EndBatch();
    }

    protected override void Dispose(bool disposing)
    {
        _lines?.Dispose();
        _document?.Dispose();
        foreach (var stream in _streams.Values)
            stream.Dispose();
        base.Dispose(disposing);
    }

    private static JsonStream Begin(JsonStream stream)
    {
        stream.Composer.BeginBatch();
        return stream;
    }

    /// <summary>Finds out what there is, up to the first bad line: the events before it are given first.</summary>
    private void Survey()
    {
        RegularFile.Check(path);
        using var lines = LineReader.Open(path);
        try
        {
            int classCount = 0;
            while (TryRead(lines, out var document))
            {
                using (document)
                    classCount += Learn(document!, lines);
                if (classCount > MaxClasses || _streams.Count > MaxStreams)
                    throw lines.Error($"the lines are of more than {MaxClasses} kinds or of more than {MaxStreams} streams");
                _lastGoodLine = lines.Number;
            }
        }
        catch (TraceReadException e)
        {
            _failure = e;
        }
        var absolute = new ClockClass { Name = "json", IsAbsolute = true };
        var relative = new ClockClass { Name = "json" };
        foreach (var stream in _streams.Values)
            stream.CreateClasses(path, absolute, relative, clocks);
    }

    private int Learn(JsonDocument document, LineReader lines)
    {
        try
        {
            return Learn(JsonLine.Read(document, lines));
        }
        catch (InvalidOperationException e)
        {
            throw lines.Error("this has text that is no Unicode", e);
        }
    }

    private int Learn(JsonLine line)
    {
        string origin = line.OriginKey();
        var key = (origin, JsonStream.KeyOf(line));
        if (line.Name is null && _byOrigin.ContainsKey(origin))
            return 0;
        if (!_streams.TryGetValue(key, out var stream))
        {
            _streams.Add(key, stream = new JsonStream(line));
            _byOrigin.TryAdd(origin, stream);
        }
        int before = stream.ClassCount;
        stream.Learn(line);
        return stream.ClassCount - before;
    }

    private JsonStream? FindStream(JsonLine line) => line.Name is null
        ? _byOrigin.GetValueOrDefault(line.OriginKey())
        : _streams.GetValueOrDefault((line.OriginKey(), JsonStream.KeyOf(line)));

    private void Add(JsonStream stream, JsonLine line)
    {
        if (line.TimeNs is { } time)
        {
            if (time < _lastNs)
                throw _lines!.Error("this line's time is before that of the line above: expected lines in the order of time");
            _lastNs = time;
        }
        if (line.Name is null)
            stream.AddLoss(line);
        else if (!stream.TryAdd(line))
            throw Changed();
    }

    private TraceReadException Changed() => _failure ?? new TraceReadException(path, -1, "the file has changed while it was read");

    private void Advance()
    {
        _document?.Dispose();
        _document = null;
        if (!TryRead(_lines!, out var document))
            return;
        if (_lines!.Number <= _lastGoodLine)
            _document = document;
        else
            document!.Dispose();
    }

    /// <summary>The next line that is not empty.</summary>
    private static bool TryRead(LineReader lines, out JsonDocument? document)
    {
        document = null;
        while (lines.TryRead(out var line))
        {
            if (LineReader.IsBlank(line))
                continue;
            try
            {
                document = JsonDocument.Parse(line.ToArray(), s_options);
                return true;
            }
            catch (JsonException e)
            {
                throw lines.Error($"this is no JSON object: {e.Message}", e);
            }
        }
        return false;
    }
}
