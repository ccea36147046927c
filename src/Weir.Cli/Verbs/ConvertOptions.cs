using System.CommandLine;
using Weir.Graph;
using Weir.Graph.Columns;

namespace Weir.Cli.Verbs;

/// <summary>The options of <c>weir convert</c>: babeltrace2's, under their names, and Weir's own.</summary>
internal sealed class ConvertOptions
{
    public Argument<string[]> Inputs { get; } = new("INPUT") { Description = "Directories or files with traces, or addresses.", Arity = ArgumentArity.ZeroOrMore };

    // What is read.
    public Option InputFormat { get; } = Value("--input-format", "-i", "FMT", $"{string.Join(", ", Components.InputFormats.Keys)} (default: whichever knows the input).");

    public Option ClockOffset { get; } = new Option<long>("--clock-offset") { Description = "Add this many seconds to each clock.", HelpName = "SEC" };

    public Option ClockOffsetNs { get; } = new Option<long>("--clock-offset-ns") { Description = "Add this many nanoseconds to each clock.", HelpName = "NS" };

    public Option ClockForce { get; } = Flag("--clock-force-correlate", "Take it that all clocks count from the Epoch.");

    public Option<bool> Intersection { get; } = Flag("--stream-intersection", "Print only the time that all streams of a trace have in common.");

    // Which of it.
    public Option<string> Begin { get; } = Value("--begin", "-b", "TIME", "Nothing before this time: [YYYY-MM-DD] [hh:mm[:ss[.ns]]] or s[.ns].");

    public Option<string> End { get; } = Value("--end", "-e", "TIME", "Nothing after this time.");

    public Option<string> TimeRange { get; } = Value("--timerange", "-t", "RANGE", "Both: BEGIN,END or [BEGIN,END].");

    public Option<string> Where { get; } = Value("--where", null, "EXPR", "Only events of which this is true: 'quantity > 10 && $name == \"shop:*\"' (weir help filter.utils.where).");

    // Text.
    public IReadOnlyList<TextFlag> TextFlags { get; } =
    [
        new(Flag("--clock-seconds", "Print times in seconds."), "clock-seconds"),
        new(Flag("--clock-gmt", "Print times in UTC, and read --begin and --end so."), "clock-gmt"),
        new(Flag("--clock-date", "Print dates with the times."), "clock-date"),
        new(Flag("--clock-cycles", "Print times in clock cycles."), "clock-cycles"),
        new(Flag("--no-delta", "Print no time since the event before."), "no-delta"),
        new(Flag("--clock-monotonic", "Print CLOCK_MONOTONIC in seconds, by the clock samples that Weir has stored."), "clock-monotonic"),
        new(Flag("--clock-realtime", "Print CLOCK_REALTIME as it was, steps included, by the clock samples that Weir has stored."), "clock-realtime"),
        new(Flag("--ordering", "Mark events whose order to the event before cannot be told: (?57ns) from 57 ns on it can, (?) no bound is known, (<) it came first."), "ordering"),
    ];

    public Option Names { get; } = new Option<string[]>("--names", "-n") { Description = "Names to print: payload, context, scope, header, all, none.", HelpName = "NAME,..." };

    public Option Fields { get; } = new Option<string[]>("--fields", "-f") { Description = "Fields to print: trace, trace:hostname, trace:domain, trace:procname, trace:vpid, loglevel, emf, callsite, all.", HelpName = "FIELD,..." };

    public Option Color { get; } = Value("--color", null, "WHEN", "never, auto (default) or always.");

    // What comes of it.
    public Option OutputFormat { get; } = Value("--output-format", "-o", "FMT", $"{string.Join(", ", OutputFormats.Names.Append("ctf-metadata").Distinct())} (default: text).");

    public Option Output { get; } = Value("--output", "-w", "PATH", "Write there instead of to standard output.");

    public Option CtfVersion { get; } = Value("--ctf-version", null, "VERSION", "Version of a CTF output: 1.8 or 2.");

    // Debugging information.
    public Option DebugInfo { get; } = Flag("--debug-info", "Add to events where in the program they happened, by its debugging information.");

    public Option DebugInfoFullPath { get; } = Flag("--debug-info-full-path", "Say so with full paths.");

    public Option DebugInfoDir { get; } = Value("--debug-info-dir", null, "DIR", "Look for debugging information there instead of in /usr/lib/debug.");

    public Option DebugInfoPrefix { get; } = Value("--debug-info-target-prefix", null, "DIR", "Look for programs under this directory.");

    // The graph.
    public Option Component { get; } = new Option<string[]>("--component", "-c") { Description = "Add a component to the graph, and name it.", HelpName = "[NAME:]KIND.PLUGIN.CLASS" };

    public Option Parameters { get; } = new Option<string[]>("--params", "-p") { Description = "Parameters of the component before, NAME=VALUE,...; before any -c of the output.", HelpName = "PARAMS" };

    public Option Level { get; } = new Option<string[]>("--log-level", "-l") { Description = "How much the component before says: N, F, E, W, I, D or T.", HelpName = "LEVEL" };

    public Option<bool> RunArgs { get; } = Flag("--run-args", "Print the arguments with which 'weir run' does the same, for a shell.");

    public Option<bool> RunArgs0 { get; } = Flag("--run-args-0", "The same for 'xargs -0'.");

    public RunOptions Run { get; } = new();

    public GeneralOptions General { get; } = new();

    public void AddTo(Command command)
    {
        command.Add(Inputs);
        Option[] options =
        [
            InputFormat, ClockOffset, ClockOffsetNs, ClockForce, Intersection, Begin, End, TimeRange, Where, .. TextFlags.Select(flag => flag.Option), Names, Fields, Color,
            OutputFormat, Output, CtfVersion, DebugInfo, DebugInfoFullPath, DebugInfoDir, DebugInfoPrefix, Component, Parameters, Level, RunArgs, RunArgs0,
        ];
        foreach (var option in options)
            command.Add(option);
        Run.AddTo(command);
        General.AddTo(command);
    }

    private static Option<string> Value(string name, string? alias, string value, string description) =>
        new(name, alias is null ? [] : [alias]) { Description = description, HelpName = value };

    private static Option<bool> Flag(string name, string description) => new(name) { Description = description };
}

/// <summary>An option that is a parameter of the text's sink.</summary>
internal sealed record TextFlag(Option<bool> Option, string Parameter);

/// <summary>The options that all verbs of graphs take, as babeltrace2 takes them before its commands.</summary>
internal sealed class GeneralOptions
{
    private readonly Option<string[]> _pluginPath = new("--plugin-path") { Description = "Load plug-ins: assemblies, or directories of them.", HelpName = "PATH[:PATH]..." };
    private readonly Option<bool> _verbose = new("--verbose", "-v") { Description = "Say on standard error what is done." };
    private readonly Option<bool> _debug = new("--debug", "-d") { Description = "Say all of it." };
    private readonly Option<string> _mipVersions = new("--allowed-mip-versions", "-m") { Description = "Accepted for babeltrace2's sake, like the next two.", HelpName = "VER" };
    private readonly Option<bool> _omitHome = new("--omit-home-plugin-path") { Description = "Weir looks for no plug-ins by itself." };
    private readonly Option<bool> _omitSystem = new("--omit-system-plugin-path") { Description = "Weir looks for no plug-ins by itself." };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _pluginPath, _verbose, _debug, _mipVersions, _omitHome, _omitSystem })
            command.Add(option);
    }

    /// <summary>What can be used, with the plug-ins that were named.</summary>
    /// <exception cref="PluginException">One of them cannot be used.</exception>
    public ComponentCatalogue LoadCatalogue(ParseResult parsed)
    {
        var catalogue = new ComponentCatalogue();
        catalogue.Add(new ColumnsPlugin());
        foreach (string path in parsed.GetValue(_pluginPath) ?? [])
            catalogue.Load(path);
        return catalogue;
    }

    /// <summary>What components say that were told nothing else.</summary>
    public LogLevel LevelOf(ParseResult parsed) => parsed.GetValue(_debug) ? LogLevel.Trace : parsed.GetValue(_verbose) ? LogLevel.Info : LogLevel.Warning;

    /// <summary>What is wrong with them, or null.</summary>
    public string? Check(ParseResult parsed) =>
        parsed.GetValue(_mipVersions) is null or "0" or "1" ? null : $"--allowed-mip-versions: '{parsed.GetValue(_mipVersions)}' is not known: expected 0 or 1";
}
