using System.Text.Json.Nodes;
using Weir.Ctf;
using Weir.Graph;

namespace Weir.Cli.Verbs;

/// <summary>One run of <c>weir convert</c>, all options known.</summary>
internal sealed class ConvertRun
{
    private readonly List<IDisposable> _open = [];
    private SourceClass? _inputClass;
    private SinkClass _outputClass = PrettySink.Class;
    private JsonObject _parameters = [];
    private int _errorCount;

    public required string[] Inputs { get; init; }

    public required CtfFsOptions Clock { get; init; }

    public bool IsVerbose { get; init; }

    public bool IsUtc { get; init; }

    public int Jobs { get; init; } = 1;

    public bool KeepsGoing { get; init; }

    public bool IsIntersection { get; init; }

    /// <summary>What the options for text say.</summary>
    public JsonObject PrettyParameters { get; } = [];

    public TimeBound? Begin { get; private set; }

    public TimeBound? End { get; private set; }

    /// <summary>Sets the time range; returns what is wrong with it, or null.</summary>
    public string? SetRange(string? begin, string? end, string? range)
    {
        if (range is not null)
        {
            if (begin is not null || end is not null)
                return "--timerange stands for --begin and --end: expected one or the other";
            string inner = range.StartsWith('[') && range.EndsWith(']') ? range[1..^1] : range;
            if (inner.Split(',') is not [var first, var last])
                return $"--timerange: '{range}' is no range: expected BEGIN,END";
            (begin, end) = (first, last);
        }
        Begin = ParseBound(begin, out bool isBeginValid);
        End = ParseBound(end, out bool isEndValid);
        if (isBeginValid && isEndValid)
            return null;
        return $"'{(isBeginValid ? end : begin)}' is no time: expected [YYYY-MM-DD] [hh:mm[:ss[.ns]]] or s[.ns]";
    }

    /// <summary>Chooses classes by their short names; returns what is wrong, or null.</summary>
    public string? SetFormats(string? inputFormat, string outputFormat)
    {
        if (inputFormat is not null && !Components.InputFormats.TryGetValue(inputFormat, out _inputClass))
            return $"--input-format: '{inputFormat}' is not known: expected {string.Join(", ", Components.InputFormats.Keys)}";
        if (!OutputFormats.TryFind(outputFormat, out var outputClass))
            return $"--output-format: '{outputFormat}' is not known: expected {string.Join(", ", OutputFormats.Names)}";
        _outputClass = outputClass;
        return null;
    }

    /// <summary>Puts the output's parameters together: what the options say, then <c>--params</c>. Returns what is wrong, or null.</summary>
    public string? SetParameters((string Name, bool IsSet)[] flags, string? path, string? ctfVersion, string[]? lists)
    {
        if (ReferenceEquals(_outputClass, PrettySink.Class))
            _parameters = TextParameters(flags);
        if (path is not null)
            _parameters["path"] = path;
        if (ctfVersion is not null)
            _parameters["ctf-version"] = ctfVersion;
        try
        {
            foreach (string list in lists ?? [])
            {
                foreach (var (name, value) in ParameterText.Parse(list))
                    _parameters[name] = value?.DeepClone();
            }
            return null;
        }
        catch (ComponentParameterException e)
        {
            return $"--params: {e.Message}";
        }
    }

    public int Execute()
    {
        MessageSink? sink = null;
        try
        {
            var sources = CreateSources();
            if (sources is null)
                return 1;
            using var output = new StandardOutput();
            sink = _outputClass.Create(new ComponentContext { Name = _outputClass.Name, Parameters = _parameters, Output = output, Jobs = Jobs });
            _open.Add(sink);
            Pump(sources, sink);
            if (IsVerbose && sink is DummySink dummy)
                Console.Error.WriteLine($"{dummy.EventCount} events");
            return _errorCount > 0 ? 1 : 0;
        }
        catch (IOException e) when (IsBrokenPipe(e))
        {
            return 0;
        }
        catch (Exception e) when (e is CtfException or ComponentParameterException or IOException or UnauthorizedAccessException)
        {
            Report(e);
            return 1;
        }
        finally
        {
            for (int i = _open.Count - 1; i >= 0; i--)
                _open[i].Dispose();
        }
    }

    private static TimeBound? ParseBound(string? text, out bool isValid)
    {
        var bound = default(TimeBound);
        isValid = text is null || TimeBound.TryParse(text, out bound);
        return text is null ? null : bound;
    }

    /// <summary>Whoever read our output has gone; there is nothing to say and nobody to say it to.</summary>
    private static bool IsBrokenPipe(IOException e) => e.HResult == StandardOutput.BrokenPipe;

    private static void Report(Exception error)
    {
        Console.Error.WriteLine($"weir convert: {error.Message}");
        for (var cause = error.InnerException; cause is not null; cause = cause.InnerException)
        {
            if (!error.Message.Contains(cause.Message, StringComparison.Ordinal))
                Console.Error.WriteLine($"  because: {cause.Message}");
        }
    }

    private void Pump(List<Source> sources, MessageSink sink)
    {
        bool isTrimmed = Begin is not null || End is not null;
        if (isTrimmed && TimeBound.ResolveRange(Begin, End, IsUtc, () => FindFirstTime(sources)) is { } range)
            sources.ForEach(source => source.SetRange(range));
        var streams = new List<MessageIterator>();
        foreach (var source in sources)
        {
            for (int i = 0; i < source.Outputs.Count; i++)
                streams.Add(source.CreateIterator(i));
        }
        // Without a muxer, streams are the caller's.
        using var merged = new Muxer(streams) { KeepsGoing = KeepsGoing };
        Action<TraceReadException>? report = KeepsGoing ? CountError : null;
        if (_outputClass.TakesAnyOrder && !isTrimmed)
        {
            StreamPool.Run(streams, sink, Jobs, report);
            return;
        }
        using MessageIterator messages = isTrimmed ? new Trimmer(merged, Begin, End, IsUtc) : merged;
        MessagePump.Run(messages, sink, report);
    }

    private void CountError(TraceReadException error)
    {
        _errorCount++;
        Report(error);
    }

    private static long? FindFirstTime(List<Source> sources)
    {
        long? first = long.MaxValue;
        foreach (var source in sources)
            first = source.FindFirstTime() is { } time && first is { } known ? Math.Min(time, known) : null;
        return first;
    }

    private JsonObject TextParameters((string Name, bool IsSet)[] flags)
    {
        foreach (var (name, isSet) in flags)
        {
            if (isSet)
                PrettyParameters[name] = true;
        }
        if (PrettyParameters.ContainsKey("clock-monotonic") || PrettyParameters.ContainsKey("clock-realtime") || PrettyParameters.ContainsKey("ordering"))
        {
            PrettyParameters["clock-inputs"] = new JsonArray([.. Inputs.Select(input => (JsonNode?)JsonValue.Create(input))]);
            PrettyParameters["clock-offset-s"] = Clock.ClockOffsetSeconds;
            PrettyParameters["clock-offset-ns"] = Clock.ClockOffsetNanoseconds;
        }
        return PrettyParameters;
    }

    /// <summary>The sources of the inputs; null where there is none, which has been said.</summary>
    private List<Source>? CreateSources()
    {
        var unknown = new List<string>();
        var found = _inputClass is { } named
            ? [new DiscoveredSource(named, [.. Inputs])]
            : new SourceDiscovery(Components.All).Discover(Inputs, unknown);
        foreach (string input in unknown)
            Console.Error.WriteLine($"weir convert: {input}: no trace is here: {(File.Exists(input) || Directory.Exists(input) ? "nothing that Weir reads was found" : "there is no such file or directory")}");
        if (found.Count == 0)
            return null;
        return [.. found.Select(CreateSource)];
    }

    private Source CreateSource(DiscoveredSource found, int index)
    {
        var parameters = found.CreateParameters();
        if (ReferenceEquals(found.Class, CtfFsSource.Class))
        {
            if (Clock.ClockOffsetSeconds != 0)
                parameters["clock-class-offset-s"] = Clock.ClockOffsetSeconds;
            if (Clock.ClockOffsetNanoseconds != 0)
                parameters["clock-class-offset-ns"] = Clock.ClockOffsetNanoseconds;
            if (Clock.ForceClockAbsolute)
                parameters["force-clock-class-origin-unix-epoch"] = true;
            if (IsIntersection)
                parameters["stream-intersection"] = true;
            if (KeepsGoing)
                parameters["keep-going"] = true;
        }
        var source = found.Class.Create(new ComponentContext { Name = $"{found.Class.Name}-{index}", Parameters = parameters });
        _open.Add(source);
        return source;
    }
}
