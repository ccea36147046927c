using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Weir.Clock;
using Weir.Ctf;
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

    /// <summary>The command and its arguments; empty to record until the end of <see cref="Duration"/> or of <see cref="CancellationToken"/>.</summary>
    public IReadOnlyList<string> Command { get; init; } = [];

    /// <summary>Whether every process that matches is recorded, and not only the command and its descendants.</summary>
    public bool IsWholeMachine { get; init; }

    /// <summary>After this the recording ends, though the command may go on; null for no limit.</summary>
    public TimeSpan? Duration { get; init; }

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
    /// <summary>Runs a recording to its end.</summary>
    /// <param name="options">What to record.</param>
    /// <param name="stopped">Ends the recording: the command is sent the signal, and what is recorded is kept.</param>
    /// <exception cref="SessionException">Something that is needed cannot be had; nothing was started.</exception>
    public static RecordingResult Record(RecordingOptions options, StopRequest stopped)
    {
        PrepareOutput(options.OutputDirectory);
        string name = string.Create(CultureInfo.InvariantCulture, $"record-{Environment.ProcessId}-{DateTime.Now:yyyyMMdd-HHmmss}");
        using var session = Session.Start(new SessionOptions
        {
            Name = name,
            Rules = options.Rules,
            Scope = options.IsWholeMachine ? SessionScope.All : SessionScope.Descendants,
            PacketBytes = options.PacketBytes,
            PacketCount = options.PacketCount,
        });
        using var consumer = new Consumer(session, options.OutputDirectory);
        long begin = Stopwatch.GetTimestamp();
        var cpuBegin = Process.GetCurrentProcess().TotalProcessorTime;
        var command = options.Command.Count > 0 ? StartCommand(options.Command, session) : null;
        WaitForEnd(command, options.Duration, stopped);

        session.Stop();
        consumer.Finish();
        var elapsed = Stopwatch.GetElapsedTime(begin);
        var cpu = Process.GetCurrentProcess().TotalProcessorTime - cpuBegin;
        return Conclude(options, session, consumer, elapsed, cpu) with
        {
            ExitStatus = command is { HasExited: true } ? command.ExitCode : null,
            StillRunning = command is { HasExited: false } ? command : null,
        };
    }

    private static RecordingResult Conclude(
        RecordingOptions options, Session session, Consumer consumer, TimeSpan elapsed, TimeSpan cpu)
    {
        var problems = new List<string>(consumer.Problems);
        var statistics = new TraceStatistics();
        try
        {
            statistics = TraceStatistics.Of(consumer.TraceDirectories);
        }
        catch (Exception e) when (e is CtfException or IOException)
        {
            problems.Add(e.Message);
        }
        int meanPayload = statistics.Count == 0 ? sizeof(ulong) : (int)(statistics.RecordBytes / statistics.Count) - RecordLayout.CompactBytes;
        double? emitNs = EmitCost.MeasureNs(session.Directory, session.Description.Clock, Math.Clamp(meanPayload, 0, 4096), out var sequence);
        return new RecordingResult
        {
            OutputDirectory = options.OutputDirectory,
            TraceDirectories = consumer.TraceDirectories,
            Statistics = statistics,
            Losses = consumer.Losses,
            ProcessesRefused = session.RefusedCount,
            Elapsed = elapsed,
            Clock = session.Description.Clock,
            Sequence = sequence,
            EmitNs = emitNs,
            RecorderCpu = cpu,
            Problems = problems,
            MeanPayloadBytes = meanPayload,
        };
    }

    private static void PrepareOutput(string directory)
    {
        // Room for a trace that is worth the name; a full disk later on is a counted loss.
        const long LeastFreeBytes = 1 << 20;
        try
        {
            if (File.Exists(directory))
                throw new SessionException($"{directory}: is a file; a trace needs a directory of its own");
            if (Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any())
                throw new SessionException($"{directory}: is not empty; a trace needs a directory of its own");
            Directory.CreateDirectory(directory);
            string probe = Path.Combine(directory, ".weir");
            File.WriteAllBytes(probe, [0]);
            File.Delete(probe);
            long free = new DriveInfo(Path.GetFullPath(directory)).AvailableFreeSpace;
            if (free < LeastFreeBytes)
                throw new SessionException($"{directory}: no room for a trace: {free / 1024} KiB are free");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SessionException($"{directory}: a trace cannot be written here: {e.Message}", e);
        }
    }

    private static Process StartCommand(IReadOnlyList<string> command, Session session)
    {
        var start = new ProcessStartInfo(command[0]) { UseShellExecute = false };
        foreach (string argument in command.Skip(1))
            start.ArgumentList.Add(argument);
        if (session.Description.Scope == SessionScope.Descendants)
        {
            string? outer = Environment.GetEnvironmentVariable(SessionHome.SessionVariable);
            start.Environment[SessionHome.SessionVariable] = string.IsNullOrEmpty(outer) ? session.Directory : $"{outer}:{session.Directory}";
        }
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new SessionException($"{command[0]}: cannot be started: {e.Message}", e);
        }
    }

    /// <summary>Requests after which the recording ends though the command does not: it may ignore them.</summary>
    private const int LastRequest = 3;

    private static void WaitForEnd(Process? command, TimeSpan? duration, StopRequest stopped)
    {
        long begin = Stopwatch.GetTimestamp();
        int forwarded = 0;
        while (true)
        {
            var left = duration is { } limit ? limit - Stopwatch.GetElapsedTime(begin) : Timeout.InfiniteTimeSpan;
            if (duration != null && left <= TimeSpan.Zero)
                return;
            if (command == null)
            {
                if (stopped.Wait(left))
                    return;
                continue;
            }
            // The command's end is what is waited for; requests to stop go to it and come back as its end.
            if (command.WaitForExit(TimeSpan.FromMilliseconds(Math.Clamp(duration == null ? 20 : left.TotalMilliseconds, 0, 20))))
                return;
            if (stopped.Count >= LastRequest)
                return;
            while (forwarded < stopped.Count)
            {
                // A first request in the terminal's words reached the command by itself; a further one means it.
                forwarded++;
                if (stopped.MustForward(forwarded))
                    _ = LibC.Kill(command.Id, stopped.Signal);
            }
        }
    }
}
