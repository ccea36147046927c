using System.CommandLine;
using Weir.Ctf;
using Weir.Graph;

namespace Weir.Cli.Verbs;

/// <summary><c>weir convert</c>: any trace to text, with babeltrace2's options.</summary>
internal static class ConvertVerb
{
    public static Command Create()
    {
        var inputs = new Argument<string[]>("INPUT") { Description = "Directories or files with traces.", Arity = ArgumentArity.OneOrMore };
        var clockSeconds = new Option<bool>("--clock-seconds") { Description = "Print times in seconds." };
        var clockGmt = new Option<bool>("--clock-gmt") { Description = "Print times in UTC, and read --begin and --end so." };
        var clockDate = new Option<bool>("--clock-date") { Description = "Print dates with the times." };
        var clockCycles = new Option<bool>("--clock-cycles") { Description = "Print times in clock cycles." };
        var clockOffset = new Option<long>("--clock-offset") { Description = "Add this many seconds to each clock.", HelpName = "SEC" };
        var clockOffsetNs = new Option<long>("--clock-offset-ns") { Description = "Add this many nanoseconds to each clock.", HelpName = "NS" };
        var clockForce = new Option<bool>("--clock-force-correlate") { Description = "Take it that all clocks count from the Epoch." };
        var clockMonotonic = new Option<bool>("--clock-monotonic") { Description = "Print CLOCK_MONOTONIC in seconds, by the clock samples that Weir has stored." };
        var clockRealtime = new Option<bool>("--clock-realtime") { Description = "Print CLOCK_REALTIME as it was, steps included, by the clock samples that Weir has stored." };
        var ordering = new Option<bool>("--ordering") { Description = "Mark events whose order to the event before cannot be told: (?57ns) from 57 ns on it can, (?) no bound is known, (<) it came first." };
        var begin = new Option<string>("--begin", "-b") { Description = "Print nothing before this time: [YYYY-MM-DD] [hh:mm[:ss[.ns]]] or s[.ns].", HelpName = "TIME" };
        var end = new Option<string>("--end", "-e") { Description = "Print nothing after this time.", HelpName = "TIME" };
        var timerange = new Option<string>("--timerange") { Description = "Both: BEGIN,END or [BEGIN,END].", HelpName = "RANGE" };
        var intersection = new Option<bool>("--stream-intersection") { Description = "Print only the time that all streams of a trace have in common." };
        var noDelta = new Option<bool>("--no-delta") { Description = "Print no time since the event before." };
        var names = new Option<string[]>("--names", "-n") { Description = "Names to print: payload, context, scope, header, all, none.", HelpName = "NAME,..." };
        var fields = new Option<string[]>("--fields", "-f") { Description = "Fields to print: trace, trace:hostname, trace:domain, trace:procname, trace:vpid, loglevel, emf, callsite, all.", HelpName = "FIELD,..." };
        var outputFormat = new Option<string>("--output-format", "-o") { Description = $"{Or(OutputFormats.Names)} (default: text).", HelpName = "FMT" };
        var output = new Option<string>("--output", "-w") { Description = "Write to this file instead of standard output.", HelpName = "PATH" };
        var parameters = new Option<string[]>("--params", "-p") { Description = "Parameters of the output: NAME=VALUE,...", HelpName = "PARAMS" };
        var ctfVersion = new Option<string>("--ctf-version") { Description = "Version of a CTF output: 1.8 or 2.", HelpName = "VERSION" };
        var inputFormat = new Option<string>("--input-format", "-i") { Description = $"{Or(Components.InputFormats.Keys)} (default: whichever knows the input).", HelpName = "FMT" };
        var jobs = new Option<int>("--jobs", "-j") { Description = "Use so many cores (default: all). The output is the same.", HelpName = "N", DefaultValueFactory = _ => Environment.ProcessorCount };
        var keepGoing = new Option<bool>("--keep-going") { Description = "Go on behind what is bad: with the other streams, and with the next packet where it is known where that begins." };
        var verbose = new Option<bool>("--verbose", "-v") { Description = "Say on standard error what is done." };
        var command = new Command("convert", "Convert traces to text.")
        {
            inputs, clockSeconds, clockGmt, clockDate, clockCycles, clockOffset, clockOffsetNs, clockForce, clockMonotonic, clockRealtime, ordering, begin, end, timerange, intersection,
            noDelta, names, fields,
            outputFormat, output, parameters, ctfVersion, inputFormat, jobs, keepGoing, verbose,
        };
        command.SetAction(parsed =>
        {
            var flags = new (string Name, bool IsSet)[]
            {
                ("clock-seconds", parsed.GetValue(clockSeconds)), ("clock-gmt", parsed.GetValue(clockGmt)), ("clock-date", parsed.GetValue(clockDate)),
                ("clock-cycles", parsed.GetValue(clockCycles)), ("no-delta", parsed.GetValue(noDelta)), ("clock-monotonic", parsed.GetValue(clockMonotonic)),
                ("clock-realtime", parsed.GetValue(clockRealtime)), ("ordering", parsed.GetValue(ordering)),
            };
            var run = new ConvertRun
            {
                Inputs = parsed.GetValue(inputs) ?? [],
                Clock = new CtfFsOptions
                {
                    ClockOffsetSeconds = parsed.GetValue(clockOffset),
                    ClockOffsetNanoseconds = parsed.GetValue(clockOffsetNs),
                    ForceClockAbsolute = parsed.GetValue(clockForce),
                },
                Jobs = parsed.GetValue(jobs),
                KeepsGoing = parsed.GetValue(keepGoing),
                IsVerbose = parsed.GetValue(verbose),
                IsUtc = parsed.GetValue(clockGmt),
                IsIntersection = parsed.GetValue(intersection),
            };
            string? wrong = ConvertChoices.FindUnknownOption(run.Inputs)
                ?? ConvertChoices.CheckTimes(parsed.GetValue(clockMonotonic), parsed.GetValue(clockRealtime), parsed.GetValue(clockCycles))
                ?? run.SetRange(parsed.GetValue(begin), parsed.GetValue(end), parsed.GetValue(timerange))
                ?? (run.Jobs >= 1 ? null : $"--jobs: '{run.Jobs}' is no number of cores: expected 1 or more")
                ?? run.SetFormats(parsed.GetValue(inputFormat), parsed.GetValue(outputFormat) ?? "text")
                ?? ConvertChoices.ApplyNames(run.PrettyParameters, parsed.GetValue(names))
                ?? ConvertChoices.ApplyFields(run.PrettyParameters, parsed.GetValue(fields))
                ?? run.SetParameters(flags, parsed.GetValue(output), parsed.GetValue(ctfVersion), parsed.GetValue(parameters));
            if (wrong is null)
                return run.Execute();
            Console.Error.WriteLine($"weir convert: {wrong}");
            return 2;
        });
        return command;
    }

    private static string Or(IEnumerable<string> names) => string.Join(", ", names);
}
