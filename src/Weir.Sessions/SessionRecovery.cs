using Weir.Clock;
using Weir.Tracing;

namespace Weir.Sessions;

/// <summary>What a recovery has brought.</summary>
public sealed record SessionRecoveryResult
{
    /// <summary>The processes' traces.</summary>
    public required IReadOnlyList<string> TraceDirectories { get; init; }

    /// <summary>What they hold.</summary>
    public required TraceStatistics Statistics { get; init; }

    /// <summary>What they do not hold.</summary>
    public required LossCounts Losses { get; init; }

    /// <summary>What went wrong; a sentence each.</summary>
    public required IReadOnlyList<string> Problems { get; init; }
}

/// <summary>
/// Makes a trace of what the buffers of a session still hold whose recorder was killed: what it had taken out by then is in its own trace. The
/// next recording removes such a session, so recover first.
/// </summary>
public static class SessionRecovery
{
    /// <summary>Takes what a session's buffers hold.</summary>
    /// <param name="sessionDirectory">The session's directory.</param>
    /// <param name="outputDirectory">The trace's directory, which exists.</param>
    /// <exception cref="SessionException">It is no session, or its recorder lives.</exception>
    public static SessionRecoveryResult Recover(string sessionDirectory, string outputDirectory)
    {
        ArgumentNullException.ThrowIfNull(sessionDirectory);
        if (!SessionDescription.TryRead(sessionDirectory, out var session, out string? error))
            throw new SessionException(error);
        if (session.OwnerProcessId != 0 && session.IsOwnerAlive(sessionDirectory))
            throw new SessionException($"{sessionDirectory}: its recorder, process {session.OwnerProcessId}, is at work: what is in the buffers comes into its trace");
        var processes = new List<ProcessDrain>();
        try
        {
            var finder = new ProcessFinder(Buffers(sessionDirectory), outputDirectory, session);
            foreach (var (_, process) in finder.FindNew().OrderBy(item => item.Name, StringComparer.Ordinal))
            {
                processes.Add(process);
                // Of a dead process the last record ends the trace; after another boot the time now has nothing to do with it.
                process.Finish(process.IsAlive() ? TraceClock.Read(session.Clock) : 0);
            }
            string[] traces = [.. processes.Where(process => process.HasTrace).Select(process => process.TraceDirectory)];
            var statistics = TraceStatistics.Of(traces);
            return new SessionRecoveryResult
            {
                TraceDirectories = traces,
                Statistics = statistics,
                Losses = processes.Aggregate(default(LossCounts), (sum, process) => sum + process.Losses),
                Problems = [.. processes.SelectMany(process => process.Problems).Concat(finder.Problems).Concat(statistics.Problems).Distinct()],
            };
        }
        finally
        {
            foreach (var process in processes)
                process.Dispose();
        }
    }

    private static string Buffers(string sessionDirectory)
    {
        string buffers = Path.Combine(sessionDirectory, SessionDescription.BuffersName);
        try
        {
            using var directory = DirectoryEntries.Open(buffers);
            return buffers;
        }
        catch (IOException e)
        {
            throw new SessionException($"{buffers}: the session's buffers cannot be read: {e.Message}", e);
        }
    }
}
