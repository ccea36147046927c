using System.CommandLine;
using Weir.Ctf;
using Weir.Graph;

namespace Weir.Cli.Verbs;

/// <summary><c>weir convert</c>: any trace to text, with babeltrace2's options.</summary>
internal static class ConvertVerb
{
    public static Command Create()
    {
        var inputs = new Argument<string[]>("INPUT") { Description = "Directories with traces.", Arity = ArgumentArity.OneOrMore };
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
        var outputFormat = new Option<string>("--output-format", "-o") { Description = "text (default) or dummy.", HelpName = "FMT" };
        var output = new Option<string>("--output", "-w") { Description = "Write to this file instead of standard output.", HelpName = "PATH" };
        var inputFormat = new Option<string>("--input-format", "-i") { Description = "ctf.", HelpName = "FMT" };
        var jobs = new Option<int>("--jobs", "-j") { Description = "Use so many cores (default: all). The output is the same.", HelpName = "N", DefaultValueFactory = _ => Environment.ProcessorCount };
        var keepGoing = new Option<bool>("--keep-going") { Description = "Go on behind what is bad: with the other streams, and with the next packet where it is known where that begins." };
        var verbose = new Option<bool>("--verbose", "-v") { Description = "Say on standard error what is done." };
        var command = new Command("convert", "Convert traces to text.")
        {
            inputs, clockSeconds, clockGmt, clockDate, clockCycles, clockOffset, clockOffsetNs, clockForce, clockMonotonic, clockRealtime, ordering, begin, end, timerange, intersection,
            noDelta, names, fields,
            outputFormat, output, inputFormat, jobs, keepGoing, verbose,
        };
        command.SetAction(parsed =>
        {
            var options = new PrettyOptions
            {
                ClockSeconds = parsed.GetValue(clockSeconds),
                ClockGmt = parsed.GetValue(clockGmt),
                ClockDate = parsed.GetValue(clockDate),
                ClockCycles = parsed.GetValue(clockCycles),
                ShowDelta = !parsed.GetValue(noDelta),
                ShowOrder = parsed.GetValue(ordering),
            };
            var run = new ConvertRun
            {
                Inputs = parsed.GetValue(inputs) ?? [],
                Pretty = options,
                Clock = new CtfFsOptions
                {
                    ClockOffsetSeconds = parsed.GetValue(clockOffset),
                    ClockOffsetNanoseconds = parsed.GetValue(clockOffsetNs),
                    ForceClockAbsolute = parsed.GetValue(clockForce),
                    KeepGoing = parsed.GetValue(keepGoing),
                    IndexCacheDirectory = CtfFsOptions.DefaultIndexCacheDirectory,
                    Warn = warning => Console.Error.WriteLine($"weir convert: {warning}"),
                },
                Jobs = parsed.GetValue(jobs),
                OutputFormat = parsed.GetValue(outputFormat) ?? "text",
                OutputPath = parsed.GetValue(output),
                IsVerbose = parsed.GetValue(verbose),
                IsIntersection = parsed.GetValue(intersection),
            };
            string? wrong = ConvertChoices.FindUnknownOption(run.Inputs)
                ?? ConvertChoices.ApplyTimes(options, parsed.GetValue(clockMonotonic), parsed.GetValue(clockRealtime)) ?? ConvertChoices.ApplyNames(options, parsed.GetValue(names))
                ?? ConvertChoices.ApplyFields(options, parsed.GetValue(fields))
                ?? run.SetRange(parsed.GetValue(begin), parsed.GetValue(end), parsed.GetValue(timerange))
                ?? (run.OutputFormat is "text" or "dummy" ? null : $"--output-format: '{run.OutputFormat}' is not known: expected text or dummy")
                ?? (run.Jobs >= 1 ? null : $"--jobs: '{run.Jobs}' is no number of cores: expected 1 or more")
                ?? (parsed.GetValue(inputFormat) is null or "ctf" ? null : $"--input-format: '{parsed.GetValue(inputFormat)}' is not known: expected ctf");
            if (wrong is null)
                return run.Execute();
            Console.Error.WriteLine($"weir convert: {wrong}");
            return 2;
        });
        return command;
    }
}

/// <summary>One run of <c>weir convert</c>, all options known.</summary>
internal sealed class ConvertRun
{
    public required string[] Inputs { get; init; }

    public required PrettyOptions Pretty { get; init; }

    public required CtfFsOptions Clock { get; init; }

    public required string OutputFormat { get; init; }

    public string? OutputPath { get; init; }

    public bool IsVerbose { get; init; }

    public bool IsIntersection { get; init; }

    public required int Jobs { get; init; }

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

    private static TimeBound? ParseBound(string? text, out bool isValid)
    {
        var bound = default(TimeBound);
        isValid = text is null || TimeBound.TryParse(text, out bound);
        return text is null ? null : bound;
    }

    public int Execute()
    {
        MessageSink? sink = null;
        try
        {
            using var output = OpenOutput();
            var source = CtfFsSource.Open(Inputs, Clock);
            var clocks = Pretty.ShowOrder || Pretty.Times != PrettyTimes.ClockClass ? ClockTable.Read(source, Clock) : null;
            sink = OutputFormat == "dummy" ? new DummySink() : PrettySink.Create(output, Console.Error, Pretty, clocks, Jobs);
            bool isTrimmed = Begin is not null || End is not null;
            int errors = OutputFormat == "dummy" && !isTrimmed ? Pool(source, sink) : Merge(source, sink, isTrimmed);
            if (IsVerbose && sink is DummySink dummy)
                Console.Error.WriteLine($"{dummy.EventCount} events");
            return errors > 0 ? 1 : 0;
        }
        catch (CtfException e)
        {
            Report(e);
            return 1;
        }
        catch (IOException e) when (IsBrokenPipe(e))
        {
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Report(e);
            return 1;
        }
        finally
        {
            sink?.Dispose();
        }
    }

    /// <summary>Streams in any order; returns the number of errors that were reported.</summary>
    private int Pool(CtfFsSource source, MessageSink sink)
    {
        var streams = IsIntersection ? source.CreateIntersectingIterators() : source.CreateIterators();
        int errors = 0;
        try
        {
            StreamPool.Run(streams, sink, Jobs, Clock.KeepGoing ? Count : null);
        }
        finally
        {
            streams.ForEach(stream => stream.Dispose());
            sink.Flush();
        }
        return errors;

        void Count(TraceReadException error)
        {
            errors++;
            Report(error);
        }
    }

    /// <summary>Streams in the order of time; returns the number of errors that were reported.</summary>
    private int Merge(CtfFsSource source, MessageSink sink, bool isTrimmed)
    {
        var range = isTrimmed ? TimeBound.ResolveRange(Begin, End, Pretty.ClockGmt, source.FindFirstTime) : null;
        using var merged = new Muxer(IsIntersection ? source.CreateIntersectingIterators() : source.CreateIterators(range: range)) { KeepsGoing = Clock.KeepGoing };
        using MessageIterator messages = isTrimmed ? new Trimmer(merged, Begin, End, Pretty.ClockGmt) : merged;
        int errors = 0;
        try
        {
            while (TryNext(messages, merged, ref errors, out var batch))
                sink.Consume(batch);
        }
        finally
        {
            // What came before an error is printed before the error.
            sink.Flush();
        }
        return errors;

        bool TryNext(MessageIterator messages, Muxer merged, ref int errors, out ArraySegment<Message> batch)
        {
            while (true)
            {
                try
                {
                    batch = messages.Next();
                    if (batch.Count == 0)
                        merged.ThrowIfBad();
                    return batch.Count > 0;
                }
                catch (TraceReadException e) when (Clock.KeepGoing)
                {
                    sink.Flush();
                    Report(e);
                    errors++;
                }
            }
        }
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

    private Stream OpenOutput() => OutputPath is { } path
        ? new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0)
        : new StandardOutput();
}
