using System.CommandLine;
using System.Globalization;
using Weir.Graph;

namespace Weir.Cli.Verbs;

/// <summary>An input with the parameters that were typed after it.</summary>
internal sealed record ConvertInput(string Path)
{
    public List<string> Parameters { get; } = [];

    public (LogLevel Level, string Text)? Level { get; set; }
}

/// <summary>
/// What the options of <c>weir convert</c> say, and the graph that comes of it: sources, muxer, trimmer, where, debug-info, the filters that
/// were named, the sink. Names and order are babeltrace2's, so that its <c>--run-args</c> and ours are the same.
/// </summary>
internal sealed class ConvertChoices(ConvertOptions options)
{
    private readonly List<PlannedComponent> _explicit = [];
    private readonly List<string> _outputParameters = [];
    private readonly List<string> _textFlags = [];
    private readonly List<string> _textValues = [];
    private readonly List<string> _sourceFlags = [];
    private readonly List<string> _debugFlags = [];
    private readonly List<string> _debugValues = [];
    private readonly List<string> _outputValues = [];
    private readonly GraphPlan _names = new();
    private ConvertInput? _currentInput;
    private PlannedComponent? _current;
    private bool _hasDebugInfo;
    private bool _isUtc;
    private bool _isIntersection;

    private bool _printsArguments;
    private string? _begin;
    private string? _end;
    private string? _where;
    private string _outputFormat = "text";

    public List<ConvertInput> Inputs { get; } = [];

    public string? InputFormat { get; private set; }

    public string? OutputPath { get; private set; }

    /// <summary>Whether the sessions of a relay daemon are to be listed, because none is named.</summary>
    public bool WantsSessions => InputFormat is not null && ReferenceEquals(Components.InputFormats[InputFormat], LttngLiveSource.Class)
        && Inputs is [var input] && LttngLiveSource.IsDaemonOnly(input.Path);

    public bool WantsMetadata => _outputFormat == "ctf-metadata" && !OutputFormats.TryFind(_outputFormat, out _);

    /// <summary>Whether a component that is a source was named.</summary>
    public bool HasSource => _explicit.Exists(component => component.Kind == ComponentKind.Source);

    private PlannedComponent? Sink => _explicit.Find(component => component.Kind == ComponentKind.Sink);

    /// <summary>An option that is not known is parsed as an input; returns what is wrong, or null.</summary>
    public static string? FindUnknownOption(string[] inputs)
    {
        foreach (string input in inputs)
        {
            if (input.Length > 1 && input[0] == '-')
                return $"the option '{input}' is not known (a directory of this name is './{input}')";
        }
        return null;
    }

    /// <summary>Takes the arguments in their order; returns what is wrong, or null.</summary>
    public string? Read(ParseResult parsed)
    {
        _isIntersection = parsed.GetValue(options.Intersection);
        _printsArguments = parsed.GetValue(options.RunArgs) || parsed.GetValue(options.RunArgs0);
        foreach (var (option, value) in OrderedArguments.Read(parsed))
        {
            string? wrong = option is null ? AddInput(value) : TakeGraph(option, value) ?? TakeText(option, value) ?? TakeOther(option, value);
            if (wrong is not null)
                return wrong;
        }
        return SetRange(parsed) ?? CheckTogether();
    }

    /// <summary>Puts the graph together.</summary>
    public GraphPlan CreatePlan(List<DiscoveredSource> discovered, ComponentCatalogue catalogue)
    {
        var plan = _names;
        var sources = _explicit.Where(component => component.Kind == ComponentKind.Source).ToList();
        foreach (var source in discovered)
            sources.Add(plan.Add(PlanSource(source)));
        var sink = Sink ?? plan.Add(PlanSink());
        var chain = PlanChain(plan);
        chain.AddRange(_explicit.Where(component => component.Kind == ComponentKind.Filter));
        // What is printed is to be babeltrace2's as well, whose sinks all want an order.
        bool needsNoOrder = !_printsArguments && chain.Count == 1 && catalogue.Find(sink.ClassName) is SinkClass sinkClass && TakesAnyOrder(sinkClass, sink);
        if (needsNoOrder)
        {
            plan.Components.Remove(chain[0]);
            chain.Clear();
        }
        chain.Add(sink);
        foreach (var source in sources)
            plan.Connect(source, chain[0]);
        for (int i = 1; i < chain.Count; i++)
            plan.Connect(chain[i - 1], chain[i]);
        return plan;
    }

    /// <summary>What is wrong with the graph as a command line, or null.</summary>
    public string? CheckPlan(GraphPlan plan)
    {
        if (_isIntersection && plan.Components.Find(component => component.Kind == ComponentKind.Source && !component.IsOf(CtfFsSource.Class)) is { } other)
            return $"--stream-intersection: {other.ClassName} does not say when its streams begin and end: expected CTF traces";
        return plan.Check() is { } problem ? $"--params: {problem}" : null;
    }

    /// <summary>Parameters that are bad want an order: what is wrong with them is said later.</summary>
    private static bool TakesAnyOrder(SinkClass sinkClass, PlannedComponent sink)
    {
        try
        {
            return sinkClass.MakesTheSameOfAnyOrder(sink.Parameters());
        }
        catch (ComponentParameterException)
        {
            return false;
        }
    }

    private string? AddInput(string path)
    {
        Inputs.Add(_currentInput = new ConvertInput(path));
        return null;
    }

    private string? TakeGraph(Option option, string value)
    {
        if (option == options.Component)
        {
            if (OrderedArguments.ParseComponent(value) is not { } component)
                return $"--component: '{value}' names no class of components: expected [NAME:]source.PLUGIN.CLASS, filter... or sink...";
            component = new PlannedComponent(_names.FreeName(component.Name), component.ClassName);
            _explicit.Add(_names.Add(component));
            (_current, _currentInput) = (component, null);
        }
        else if (option == options.Parameters)
        {
            TakeParameters(value);
        }
        else if (option == options.Level)
        {
            if (OrderedArguments.ParseLogLevel(value) is not { } level)
                return $"--log-level: '{value}' is not known: expected N, F, E, W, I, D or T";
            if (_currentInput is { } input)
                input.Level = (level, value);
            else
                _current?.Say(level, value);
        }
        return null;
    }

    private void TakeParameters(string value)
    {
        if (_current is null)
            _outputParameters.Add(value);
        else if (_currentInput is { } input)
            input.Parameters.Add(value);
        else
            _current.Add(value);
    }

    private string? TakeText(Option option, string value)
    {
        foreach (var (flag, parameter) in options.TextFlags)
        {
            if (option != flag)
                continue;
            _isUtc |= parameter == "clock-gmt";
            _textFlags.Add($"{parameter}=yes");
        }
        if (option == options.Names)
            return TakeList("name", value, ["payload", "context", "scope", "header"]);
        if (option == options.Fields)
            return TakeList("field", value, ["trace", "trace:hostname", "trace:domain", "trace:procname", "trace:vpid", "loglevel", "emf", "callsite"]);
        if (option == options.Color)
        {
            if (value is not ("never" or "auto" or "always"))
                return $"--color: '{value}' is not known: expected never, auto or always";
            _textValues.Add($"color=\"{value}\"");
        }
        return null;
    }

    /// <summary>Names of one list: what is not named is hidden, except where all are named.</summary>
    private string? TakeList(string kind, string list, string[] known)
    {
        bool isAll = false;
        bool isNone = false;
        var shown = new List<string>();
        foreach (string name in list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            string plain = (kind, name) switch
            {
                ("name", "args" or "arg") => "payload",
                ("name", "ctx") => "context",
                _ => name,
            };
            if (plain == "all")
                isAll = true;
            else if (plain == "none" && kind == "name")
                isNone = true;
            else if (known.Contains(plain))
                shown.Add($"{kind}-{plain}=yes");
            else
                return $"--{kind}s: '{name}' is not known: expected {string.Join(", ", known)}{(kind == "name" ? ", all or none" : " or all")}";
        }
        if (isNone)
            shown = [];
        if (isAll)
            shown.Insert(0, $"{kind}-default=show");
        else
            shown.Add($"{kind}-default=hide");
        _textFlags.AddRange(shown);
        return null;
    }

    private string? TakeOther(Option option, string value)
    {
        if (option == options.ClockOffset)
            _sourceFlags.Add($"clock-class-offset-s={value}");
        else if (option == options.ClockOffsetNs)
            _sourceFlags.Add($"clock-class-offset-ns={value}");
        else if (option == options.ClockForce)
            _sourceFlags.Add("force-clock-class-origin-unix-epoch=yes");
        else if (option == options.Output)
            OutputPath = value;
        else if (option == options.CtfVersion)
            _outputValues.Add($"ctf-version={GraphPlan.Quote(value)}");
        else if (option == options.Where)
            return TakeWhere(value);
        else if (option == options.InputFormat)
            return TakeInputFormat(value);
        else if (option == options.OutputFormat)
            return TakeOutputFormat(value);
        else
            TakeDebugInfo(option, value);
        return null;
    }

    private string? TakeWhere(string value)
    {
        _where = value;
        try
        {
            using var filter = WhereFilter.Parse(value);
            return null;
        }
        catch (ComponentParameterException e)
        {
            return $"--where: {e.Message}";
        }
    }

    private void TakeDebugInfo(Option option, string value)
    {
        bool isOurs = true;
        if (option == options.DebugInfoFullPath)
            _debugFlags.Add("full-path=yes");
        else if (option == options.DebugInfoDir)
            _debugValues.Add($"debug-info-dir={GraphPlan.Quote(value)}");
        else if (option == options.DebugInfoPrefix)
            _debugValues.Add($"target-prefix={GraphPlan.Quote(value)}");
        else
            isOurs = option == options.DebugInfo;
        _hasDebugInfo |= isOurs;
    }

    private string? TakeInputFormat(string value)
    {
        InputFormat = value;
        return Components.InputFormats.ContainsKey(value) ? null : $"--input-format: '{value}' is not known: expected {string.Join(", ", Components.InputFormats.Keys)}";
    }

    private string? TakeOutputFormat(string value)
    {
        _outputFormat = value;
        return WantsMetadata || OutputFormats.TryFind(value, out _)
            ? null
            : $"--output-format: '{value}' is not known: expected {string.Join(", ", OutputFormats.Names.Append("ctf-metadata"))}";
    }

    private string? SetRange(ParseResult parsed)
    {
        (_begin, _end) = (parsed.GetValue(options.Begin), parsed.GetValue(options.End));
        if (parsed.GetValue(options.TimeRange) is { } range)
        {
            if (_begin is not null || _end is not null)
                return "--timerange stands for --begin and --end: expected one or the other";
            string inner = range.StartsWith('[') && range.EndsWith(']') ? range[1..^1] : range;
            if (inner.Split(',') is not [var first, var last])
                return $"--timerange: '{range}' is no range: expected BEGIN,END";
            (_begin, _end) = (first, last);
        }
        foreach (string? bound in new[] { _begin, _end })
        {
            if (bound is not null && !TimeBound.TryParse(bound, out _))
                return $"'{bound}' is no time: expected [YYYY-MM-DD] [hh:mm[:ss[.ns]]] or s[.ns]";
        }
        return null;
    }

    private string? CheckTogether()
    {
        bool isMonotonic = _textFlags.Contains("clock-monotonic=yes");
        bool isRealtime = _textFlags.Contains("clock-realtime=yes");
        if (isMonotonic && isRealtime)
            return "--clock-monotonic and --clock-realtime are two clocks: expected one of them";
        if (_textFlags.Contains("clock-cycles=yes") && (isMonotonic || isRealtime))
            return $"--clock-cycles prints no clock of the kernel: expected it or {(isMonotonic ? "--clock-monotonic" : "--clock-realtime")}";
        if (Inputs.Count == 0 && !HasSource)
            return "there is nothing to convert: expected directories or files with traces (weir convert --help)";
        if (_explicit.Count(component => component.Kind == ComponentKind.Sink) > 1)
            return "two sinks were named: expected one (weir run builds any graph)";
        if (Sink is { } sink && (_outputFormat != "text" || _textFlags.Exists(flag => flag != "clock-gmt=yes") || _textValues.Count + _outputValues.Count > 0 || OutputPath is not null))
            return $"the output is {sink.ClassName}, so options for another cannot be used: expected its --params";
        if (OutputPath is not null && _outputFormat == "dummy")
            return "--output: the format 'dummy' writes nothing: expected no place for it, or another --output-format";
        if (OutputPath is "")
            return "--output: the path is empty: expected that of a file or a directory";
        if (_isIntersection && _printsArguments)
            return "--stream-intersection cannot be said in the arguments of 'weir run': expected it or --run-args";
        return null;
    }

    private PlannedComponent PlanSource(DiscoveredSource found)
    {
        var component = new PlannedComponent(_names.FreeName($"auto-disc-source-{found.Class.Plugin}-{found.Class.Name}"), found.Class.ToString());
        if (found.Class.AdjustsClocks)
            component.Add(string.Join(',', _isIntersection && component.IsOf(CtfFsSource.Class) ? [.. _sourceFlags, "stream-intersection=yes"] : _sourceFlags));
        foreach (int origin in found.Origins)
        {
            component.Add(Inputs[origin].Parameters);
            if (Inputs[origin].Level is var (level, text))
                component.Say(level, text);
        }
        var parameters = found.CreateParameters();
        if (parameters["trace-name"] is { } name)
            component.Add($"trace-name={GraphPlan.Quote(name.GetValue<string>())}");
        return component.Add($"inputs=[{string.Join(", ", found.Inputs.Select(GraphPlan.Quote))}]");
    }

    private PlannedComponent PlanSink()
    {
        OutputFormats.TryFind(_outputFormat, out var sinkClass);
        bool isText = ReferenceEquals(sinkClass, PrettySink.Class);
        string name = isText ? "pretty" : _outputFormat == "ctf" ? "sink-ctf-fs" : _outputFormat;
        var sink = new PlannedComponent(_names.FreeName(name), sinkClass!.ToString());
        if (isText)
        {
            sink.Add(string.Join(',', _textFlags));
            if (_textFlags.Exists(flag => flag is "clock-monotonic=yes" or "clock-realtime=yes" or "ordering=yes"))
                sink.Add($"clock-inputs=[{string.Join(", ", Inputs.Select(input => GraphPlan.Quote(input.Path)))}]", ClockOffsets());
            sink.Add(_textValues);
        }
        if (OutputPath is not null)
            sink.Add($"path={GraphPlan.Quote(OutputPath)}");
        return sink.Add(_outputValues).Add(_outputParameters);
    }

    /// <summary>The sink converts times that it reads itself, so it has to move them alike.</summary>
    private string ClockOffsets() => string.Join(
        ',', _sourceFlags.Where(flag => flag.StartsWith("clock-class-offset-", StringComparison.Ordinal)).Select(flag => flag.Replace("clock-class-offset-", "clock-offset-", false, CultureInfo.InvariantCulture)));

    private List<PlannedComponent> PlanChain(GraphPlan plan)
    {
        var chain = new List<PlannedComponent> { plan.Add(new PlannedComponent(plan.FreeName("muxer"), "filter.utils.muxer")) };
        if (_begin is not null || _end is not null)
        {
            chain.Add(plan.Add(new PlannedComponent(plan.FreeName("trimmer"), "filter.utils.trimmer")).Add(
                _isUtc ? "gmt=yes" : "", _begin is null ? "" : $"begin={GraphPlan.Quote(_begin)}", _end is null ? "" : $"end={GraphPlan.Quote(_end)}"));
        }
        if (_where is not null)
            chain.Add(plan.Add(new PlannedComponent(plan.FreeName("where"), "filter.utils.where")).Add($"expr={GraphPlan.Quote(_where)}"));
        if (_hasDebugInfo)
            chain.Add(plan.Add(new PlannedComponent(plan.FreeName("debug-info"), "filter.lttng-utils.debug-info")).Add(string.Join(',', _debugFlags)).Add(_debugValues));
        return chain;
    }
}
