using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Weir.Kernel;
using Weir.Sessions;
using Weir.Tracing;

namespace Weir.Cli.Verbs;

/// <summary><c>weir record</c>: records a command, or the machine, into a trace.</summary>
internal static class RecordVerb
{
    private const int FailedStatus = 1;
    private const int UsageStatus = 2;
    private const int LostStatus = 3;
    private const int SignalStatus = 128;

    public static Command Create()
    {
        var output = new Option<string?>("--output", "-o") { Description = "The trace's directory, missing or empty (default: NAME-YYYYMMDD-HHMMSS here)", HelpName = "DIR" };
        var events = new Option<string[]>("--event", "-e")
        {
            Description = "What to record: provider:name with * and ?, then @level and 'if' with a filter (docs/rules.md); may be repeated (default: everything)",
            HelpName = "RULE",
        };
        var kernel = new Option<string[]>("--kernel", "-k")
        {
            Description = "What of the kernel to record: system:event with * and ?, or another kind of instrumentation, then 'if' with a filter (docs/kernel.md); needs root; may be repeated",
            HelpName = "RULE",
        };
        var kernelBuffer = new Option<string?>("--kernel-buffer-size") { Description = "Bytes of the kernel's buffer of each CPU; k, M and G are understood (default: 8M)", HelpName = "SIZE" };
        var overwrite = new Option<bool>("--overwrite") { Description = "A full buffer of the kernel's loses its oldest events: the default; programs' buffers always lose the newest" };
        var discard = new Option<bool>("--discard") { Description = "A full buffer loses the newest events, the kernel's too" };
        var raw = new Option<bool>("--raw") { Description = "Keep the kernel's pages as they are, in kernel/trace.dat, which trace-cmd reads too (docs/kernel.md)" };
        var compress = new Option<bool>("--compress") { Description = "With --raw: pack the pages with zstd when the recording ends; trace-cmd reads it from version 3.0 on" };
        var noStateDump = new Option<bool>("--no-state-dump") { Description = "Do not write into the kernel's trace what processes, files, modules and interfaces there were at its beginning" };
        var all = new Option<bool>("--all", "-a") { Description = "Record every program of this user that matches, and as root of every user, not only the command and its descendants" };
        var duration = new Option<string?>("--duration") { Description = "Stop recording after a time: 500ms, 10s, 5m, 2h, or dd:hh:mm:ss", HelpName = "T" };
        var packetBytes = new Option<string?>("--subbuf-size") { Description = "Bytes of a sub-buffer, a power of two; k, M and G are understood (default: 512k)", HelpName = "SIZE" };
        var packetCount = new Option<int>("--num-subbuf")
        {
            Description = "Sub-buffers of each CPU, a power of two",
            HelpName = "N",
            DefaultValueFactory = _ => SessionOptions.DefaultPacketCount,
        };
        var strict = new Option<bool>("--strict") { Description = "Exit with status 3 when events were lost" };
        var json = new Option<bool>("--json") { Description = "Print the summary as JSON on standard output" };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Print no summary" };
        var command = new Argument<string[]>("command") { Description = "The command to run and record, after --", Arity = ArgumentArity.ZeroOrMore, HelpName = "COMMAND" };
        var verb = new Command("record", "Record a command, or the machine, into a trace")
        {
            output, events, kernel, all, duration, packetBytes, packetCount, kernelBuffer, overwrite, discard, raw, compress, noStateDump, strict, json, quiet, command,
        };
        verb.SetAction(parsed =>
        {
            if (parsed.GetValue(command) is [['-', ..] unknown, ..] && IsBeforeDashes(parsed, unknown))
            {
                Console.Error.WriteLine($"weir: unknown option '{unknown}'; weir record --help lists those there are, and a command follows --");
                return UsageStatus;
            }
            if (!TryBuild(
                parsed.GetValue(output), parsed.GetValue(events) ?? [], parsed.GetValue(all), parsed.GetValue(duration),
                parsed.GetValue(packetBytes), parsed.GetValue(packetCount), parsed.GetValue(command) ?? [], out var options, out string? wrong))
            {
                Console.Error.WriteLine($"weir: {wrong}");
                return UsageStatus;
            }
            var choices = new KernelChoices(
                parsed.GetValue(kernel) ?? [], parsed.GetValue(kernelBuffer), parsed.GetValue(overwrite), parsed.GetValue(discard), parsed.GetValue(raw),
                parsed.GetValue(compress), !parsed.GetValue(noStateDump));
            if (!KernelPart.TryCreate(choices, options!, out var part, out wrong))
            {
                Console.Error.WriteLine($"weir: {wrong}");
                return UsageStatus;
            }
            if (part is not null && KernelRecording.FindRefusal() is { } refusal)
            {
                Console.Error.WriteLine($"weir: warning: the kernel is not recorded: {refusal}");
                part = null;
            }
            using (part)
                return Run(options! with { Part = part }, parsed.GetValue(quiet), parsed.GetValue(json), parsed.GetValue(strict));
        });
        return verb;
    }

    /// <summary>Before the -- an option that is not known would be taken for the command.</summary>
    private static bool IsBeforeDashes(ParseResult parsed, string word)
    {
        foreach (var token in parsed.Tokens)
        {
            if (token.Type == TokenType.DoubleDash)
                return false;
            if (token.Value == word)
                return true;
        }
        return false;
    }

    private static int Run(RecordingOptions options, bool isQuiet, bool isJson, bool isStrict)
    {
        try
        {
            using var stopped = new StopRequest();
            var result = Recorder.Record(options, stopped);
            if (isJson)
                RecordingReport.WriteJson(result, Console.Out);
            else if (!isQuiet)
                RecordingReport.Write(result, Console.Error);
            int? status = result.ExitStatus;
            if (result.StillRunning is { } command)
            {
                // The recording is over; the command is not, and its status is still ours to pass on.
                using (command)
                    status = Recorder.WaitForCommand(command, null, stopped) ? command.ExitCode : SignalStatus + stopped.Signal;
            }
            bool isLossy = result.Losses.IsLossy || result.ProcessesRefused > 0;
            return status is null or 0 && isStrict && isLossy ? LostStatus : status ?? 0;
        }
        catch (SessionException e)
        {
            Console.Error.WriteLine($"weir: {e.Message}");
            return FailedStatus;
        }
    }

    private static bool TryBuild(
        string? output, string[] events, bool isWholeMachine, string? duration, string? packetBytes, int packetCount, string[] command,
        out RecordingOptions? options, out string? wrong)
    {
        options = null;
        if (output == "")
        {
            wrong = "--output: the trace's directory has no name";
            return false;
        }
        var rules = new List<EventRule>();
        foreach (string text in events.Length == 0 ? ["*"] : events)
        {
            if (!EventRule.TryParse(text, out var rule, out wrong))
                return false;
            rules.Add(rule);
        }
        if (command.Length == 0 && !isWholeMachine)
        {
            wrong = "nothing to record: give a command after --, or -a for every program on this machine";
            return false;
        }
        TimeSpan? limit = null;
        if (duration != null)
        {
            if (!CommandLineValues.TryParseDuration(duration, out var parsed))
            {
                wrong = $"--duration: '{duration}' is no time; 500ms, 10s, 5m, 2h or dd:hh:mm:ss are";
                return false;
            }
            limit = parsed;
        }
        int bytes = SessionOptions.DefaultPacketBytes;
        if (packetBytes != null && !CommandLineValues.TryParseSize(packetBytes, out bytes))
        {
            wrong = $"--subbuf-size: '{packetBytes}' is no size; 65536, 512k or 4M are";
            return false;
        }
        string name = command.Length == 0 ? "machine" : Path.GetFileNameWithoutExtension(command is ["dotnet", { } dll, ..] ? dll : command[0]);
        options = new RecordingOptions
        {
            OutputDirectory = output ?? string.Create(CultureInfo.InvariantCulture, $"{name}-{DateTime.Now:yyyyMMdd-HHmmss}"),
            Rules = rules,
            Command = command,
            IsWholeMachine = isWholeMachine,
            Duration = limit,
            PacketBytes = bytes,
            PacketCount = packetCount,
        };
        wrong = null;
        return true;
    }
}
