using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Weir.Clock;
using Weir.Ring;
using Weir.Tracing;

namespace Weir.Sessions;

/// <summary>What is to be recorded, for how long, and where to.</summary>
public sealed record RecordingOptions
{
    /// <summary>The trace's directory: missing or empty.</summary>
    public required string OutputDirectory { get; init; }

    /// <summary>What is recorded.</summary>
    public required IReadOnlyList<EventRule> Rules { get; init; }

    /// <summary>The command and its arguments; empty to record until the end of <see cref="Duration"/> or of a request to stop.</summary>
    public IReadOnlyList<string> Command { get; init; } = [];

    /// <summary>Whether every process that matches is recorded, and not only the command and its descendants.</summary>
    public bool IsWholeMachine { get; init; }

    /// <summary>After this the recording ends, though the command may go on; null for no limit.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>What is recorded beside the programs, or null; the recorder does not dispose of it.</summary>
    public IRecordingPart? Part { get; init; }

    /// <summary>Bytes of a packet.</summary>
    public int PacketBytes { get; init; } = SessionOptions.DefaultPacketBytes;

    /// <summary>Packets of each CPU.</summary>
    public int PacketCount { get; init; } = SessionOptions.DefaultPacketCount;
}

/// <summary>What a recording has brought.</summary>
public sealed record RecordingResult
{
    /// <summary>The trace's directory.</summary>
    public required string OutputDirectory { get; init; }

    /// <summary>Directories of the processes' traces.</summary>
    public required IReadOnlyList<string> TraceDirectories { get; init; }

    /// <summary>Directory of the trace of what was recorded beside the programs, or null.</summary>
    public string? PartDirectory { get; init; }

    /// <summary>What the traces hold.</summary>
    public required TraceStatistics Statistics { get; init; }

    /// <summary>What they do not hold.</summary>
    public required LossCounts Losses { get; init; }

    /// <summary>Processes that could not be recorded at all.</summary>
    public required long ProcessesRefused { get; init; }

    /// <summary>How long the session ran.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>The command's exit status, 128 + n for a signal; null without a command, or while it goes on.</summary>
    public int? ExitStatus { get; init; }

    /// <summary>The command, where it goes on after the recording's end; the caller disposes of it.</summary>
    public Process? StillRunning { get; init; }

    /// <summary>The clock of the records.</summary>
    public required ClockKind Clock { get; init; }

    /// <summary>Why it is that clock, as a sentence's end.</summary>
    public required string ClockReason { get; init; }

    /// <summary>How records were committed, as this process would.</summary>
    public required SequenceKind Sequence { get; init; }

    /// <summary>What an event costs the program, in ns: measured after the recording with a payload of the recording's mean size; null where it could not be.</summary>
    public double? EmitNs { get; init; }

    /// <summary>CPU time that the recorder used meanwhile.</summary>
    public TimeSpan RecorderCpu { get; init; }

    /// <summary>What went wrong without ending the recording.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    /// <summary>Mean bytes of a payload.</summary>
    public int MeanPayloadBytes { get; init; }
}

/// <summary>Records a command, or the machine, into a trace: one session from beginning to end.</summary>
public static class Recorder
{
    /// <summary>Requests after which nobody waits for the command any longer.</summary>
    private const int LastRequest = 3;

    private const int RequestPollMs = 20;

    /// <summary>For all CPUs together: milliseconds each, so that a recording begins at once also on a large machine.</summary>
    private static readonly TimeSpan s_skewLimit = TimeSpan.FromMilliseconds(50);

    /// <summary>Runs a recording to its end.</summary>
    /// <param name="options">What to record.</param>
    /// <param name="stopped">Ends the recording: the command is sent the signal, and what is recorded is kept.</param>
    /// <exception cref="SessionException">Something that is needed cannot be had; nothing was started.</exception>
    public static RecordingResult Record(RecordingOptions options, StopRequest stopped)
    {
        bool isNew = PrepareOutput(options.OutputDirectory);
        try
        {
            return RecordInto(options, stopped);
        }
        catch (SessionException) when (isNew)
        {
            RemoveIfEmpty(options.OutputDirectory);
            throw;
        }
    }

    private static RecordingResult RecordInto(RecordingOptions options, StopRequest stopped)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"record-{Environment.ProcessId}-{DateTime.Now:yyyyMMdd-HHmmss}");
        var skew = CpuCounter.IsTrusted ? CounterSkew.Measure(Cpus.Allowed(), s_skewLimit) : null;
        using var session = Session.Start(new SessionOptions
        {
            Name = name,
            Rules = options.Rules,
            Scope = options.IsWholeMachine ? SessionScope.All : SessionScope.Descendants,
            PacketBytes = options.PacketBytes,
            PacketCount = options.PacketCount,
            Skew = skew,
            ConstrainClock = options.Part is { } constraining ? constraining.ChooseClock : null,
        });
        using var consumer = new Consumer(session, options.OutputDirectory);
        long begin = Stopwatch.GetTimestamp();
        var cpuBegin = Process.GetCurrentProcess().TotalProcessorTime;
        EmitCost.Prepare(session.Description.Clock);
        options.Part?.Start(session.Description, options.OutputDirectory);
        var command = options.Command.Count > 0 ? StartCommand(options, session) : null;
        using var clock = new ClockRecording(session, Path.Combine(options.OutputDirectory, ClockRecording.DirectoryName), skew);
        if (command == null)
            stopped.Wait(options.Duration ?? Timeout.InfiniteTimeSpan);
        else
            WaitForCommand(command, options.Duration, stopped);

        bool isOver = command is not { HasExited: false };
        options.Part?.Stop();
        session.Stop();
        consumer.Finish();
        clock.Finish(consumer.FinalClock);
        var part = options.Part?.Finish(consumer.FinalClock);
        var elapsed = Stopwatch.GetElapsedTime(begin);
        var cpu = Process.GetCurrentProcess().TotalProcessorTime - cpuBegin;
        return Conclude(options, session, consumer, clock, part, elapsed, cpu) with
        {
            ExitStatus = isOver ? command?.ExitCode : null,
            StillRunning = isOver ? null : command,
        };
    }

    /// <summary>
    /// Waits for the end of a command, and sends requests to stop on to it.
    /// </summary>
    /// <returns>False when the time is over, or when somebody has asked three times: a command may ignore it.</returns>
    public static bool WaitForCommand(Process command, TimeSpan? limit, StopRequest stopped)
    {
        long begin = Stopwatch.GetTimestamp();
        while (true)
        {
            var left = limit is { } time ? time - Stopwatch.GetElapsedTime(begin) : TimeSpan.MaxValue;
            if (command.WaitForExit(TimeSpan.FromMilliseconds(Math.Clamp(left.TotalMilliseconds, 0, RequestPollMs))))
                return true;
            if (left <= TimeSpan.Zero || stopped.Count >= LastRequest)
                return false;
            stopped.Forward(command);
        }
    }

    private static RecordingResult Conclude(
        RecordingOptions options, Session session, Consumer consumer, ClockRecording clock, RecordingPartResult? part, TimeSpan elapsed, TimeSpan cpu)
    {
        var statistics = TraceStatistics.Of(consumer.TraceDirectories);
        int meanPayload = statistics.Count == 0 ? sizeof(ulong) : (int)(statistics.RecordBytes / statistics.Count) - RecordLayout.CompactBytes;
        if (part is not null)
            statistics.Add(part);
        double? emitNs = EmitCost.MeasureNs(session.Description.Clock, Math.Clamp(meanPayload, 0, 4096), out var sequence);
        return new RecordingResult
        {
            OutputDirectory = options.OutputDirectory,
            TraceDirectories = consumer.TraceDirectories,
            Statistics = statistics,
            Losses = consumer.Losses + (part?.Losses ?? default),
            PartDirectory = part?.TraceDirectory,
            ProcessesRefused = session.RefusedCount + consumer.RefusedCount,
            Elapsed = elapsed,
            Clock = session.Description.Clock,
            ClockReason = session.ClockReason,
            Sequence = sequence,
            EmitNs = emitNs,
            RecorderCpu = cpu,
            Problems =
            [
                .. session.Removed.Select(name => $"the session {name}, which a killed recorder had left behind, was removed with what it had not yet written to its trace"),
                .. consumer.Problems,
                .. clock.Problems,
                .. statistics.Problems,
                .. part?.Problems ?? [],
            ],
            MeanPayloadBytes = meanPayload,
        };
    }

    /// <summary>Makes a trace's directory where it is missing, and sees that it can be written; true if it was made.</summary>
    /// <exception cref="SessionException">It cannot be, or something is in it.</exception>
    public static bool PrepareOutput(string directory)
    {
        // Room for a trace that is worth the name; a full disk later on is a counted loss.
        const long LeastFreeBytes = 1 << 20;
        try
        {
            if (File.Exists(directory))
                throw new SessionException($"{directory}: is a file; a trace needs a directory of its own");
            if (Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any())
                throw new SessionException($"{directory}: is not empty; a trace needs a directory of its own");
            bool isNew = !Directory.Exists(directory);
            Directory.CreateDirectory(directory);
            string probe = Path.Combine(directory, ".weir");
            File.WriteAllBytes(probe, [0]);
            File.Delete(probe);
            long free = new DriveInfo(Path.GetFullPath(directory)).AvailableFreeSpace;
            if (free < LeastFreeBytes)
                throw new SessionException($"{directory}: no room for a trace: {free / 1024} KiB are free; -o names another place");
            return isNew;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SessionException($"{directory}: a trace cannot be written here: {e.Message}; -o names another place", e);
        }
    }

    private static void RemoveIfEmpty(string directory)
    {
        try
        {
            Directory.Delete(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Something is in it.
        }
    }

    private static Process StartCommand(RecordingOptions options, Session session)
    {
        var command = options.Command;
        // The runtime would look beside this program and in the working directory first.
        string path = CommandPath.Find(command[0])
            ?? throw new SessionException($"{command[0]}: command not found; is it installed, and in a directory of PATH?");
        var start = new ProcessStartInfo(path) { UseShellExecute = false };
        foreach (string argument in command.Skip(1))
            start.ArgumentList.Add(argument);
        if (session.Description.Scope == SessionScope.Descendants)
        {
            string? outer = Environment.GetEnvironmentVariable(SessionHome.SessionVariable);
            start.Environment[SessionHome.SessionVariable] = string.IsNullOrEmpty(outer) ? session.Directory : $"{outer}:{session.Directory}";
        }
        options.Part?.BeginCommandStart();
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new SessionException($"{path}: cannot be started: {Marshal.GetPInvokeErrorMessage(e.NativeErrorCode)}", e);
        }
        finally
        {
            options.Part?.EndCommandStart();
        }
    }
}
