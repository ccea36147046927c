using System.Diagnostics.CodeAnalysis;
using Weir.Clock;
using Weir.Tracing;

namespace Weir.Sessions;

/// <summary>
/// Drains a session into a trace directory laid out as LTTng's: <c>ust/pid/NAME-PID-TIME/</c> for each process. One thread of its own
/// looks at the buffers; what it finds complete it moves to disk. Start it, let the session run, stop the session, then
/// <see cref="Finish"/>.
/// </summary>
public sealed class Consumer : IDisposable
{
    /// <summary>Longest sleep: new processes announce themselves by a packet, but one that never fills a packet must be found too.</summary>
    private const int PollMs = 100;

    /// <summary>
    /// The same while there are processes of other users, who could do harm with the word that the consumer sleeps on, and so cannot wake it.
    /// </summary>
    private const int ForeignPollMs = 10;

    private const int ReapMs = 1000;

    /// <summary>Entries of the buffers that are looked at, and those of them that are remembered as none of a program.</summary>
    private const int MaxEntries = 100_000;
    private const int MaxPassedOver = 1000;

    private readonly Session _session;
    private readonly string _output;
    private readonly Dictionary<string, ProcessDrain> _live = [];
    private readonly List<ProcessDrain> _finished = [];
    private readonly List<string> _problems = [];

    // Of processes that were finished: a directory that could not be removed is not begun again.
    private readonly HashSet<string> _seen = [];
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _stop = new();
    private readonly DirectoryChange _buffersWatch;
    private readonly Dictionary<uint, UserQuota> _quotas = [];
    private readonly HashSet<string> _passedOver = [];
    private long _nextReapMs;

    /// <summary>Begins to drain.</summary>
    /// <param name="session">The session.</param>
    /// <param name="outputDirectory">The trace's directory, which exists.</param>
    public Consumer(Session session, string outputDirectory)
    {
        _session = session;
        _output = outputDirectory;
        _buffersWatch = new DirectoryChange(session.BuffersDirectory);
        _thread = new Thread(Run) { IsBackground = true, Name = "Weir consumer" };
        _thread.Start();
    }

    /// <summary>The traces, once finished.</summary>
    public IReadOnlyList<string> TraceDirectories => [.. _finished.Where(process => process.HasTrace).Select(process => process.TraceDirectory)];

    /// <summary>What was lost, once finished.</summary>
    public LossCounts Losses => _finished.Aggregate(default(LossCounts), (sum, process) => sum + process.Losses);

    /// <summary>Processes of other users that could not be recorded, once finished.</summary>
    public long RefusedCount { get; private set; }

    /// <summary>The clock as measured over the whole session, once finished.</summary>
    public ClockCorrelation FinalClock { get; private set; }

    /// <summary>What went wrong, each thing once; a sentence each.</summary>
    public IReadOnlyList<string> Problems => [.. _problems.Concat(_finished.SelectMany(process => process.Problems)).Distinct()];

    /// <summary>Drains what is committed now, and closes the traces with the clock as measured until now.</summary>
    public void Finish()
    {
        StopThread();
        AddProcesses();
        if (!Directory.Exists(_session.BuffersDirectory))
            _problems.Add($"{_session.BuffersDirectory}: was removed while recording; programs that started since then are not recorded");
        if (_passedOver.Count > 0)
        {
            bool areMore = _passedOver.Count == MaxPassedOver;
            _problems.Add($"{_session.BuffersDirectory}: {_passedOver.Count}{(areMore ? " or more" : "")} things that no traced program makes were passed over");
        }
        foreach (string name in _live.Keys.ToList())
            FinishProcess(name);
        var description = _session.Description;
        FinalClock = _session.MeasureClock();
        string before = TraceMetadata.ClockText(description);
        string after = TraceMetadata.ClockText(description with { Correlation = FinalClock });
        foreach (var process in _finished)
            process.ReplaceClock(before, after);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        StopThread();
        foreach (var process in _live.Values.Concat(_finished))
            process.Dispose();
        _stop.Dispose();
    }

    private void StopThread()
    {
        _stop.Set();
        _session.Wake.Ring();
        _thread.Join();
    }

    private void Run()
    {
        // As long as rounds move something nobody needs to wake us. Then we say that we are about to sleep, look once more, and sleep until
        // a packet is complete.
        while (!_stop.IsSet)
        {
            ReapDead();
            if (MoveComplete())
                continue;
            _session.Wake.Prepare();
            if (!MoveComplete() && !_stop.IsSet)
                _session.Wake.Sleep(TimeSpan.FromMilliseconds(_live.Values.Any(process => process.IsForeign) ? ForeignPollMs : PollMs));
        }
    }

    private bool MoveComplete()
    {
        if (_buffersWatch.HasChanged())
            AddProcesses();
        int moved = 0;
        foreach (var process in _live.Values)
            moved += process.MoveComplete();
        return moved > 0;
    }

    private void AddProcesses()
    {
        foreach (string name in EnumerateProcesses())
        {
            if (!_live.ContainsKey(name) && !_seen.Contains(name) && !_passedOver.Contains(name))
                AddProcess(name);
        }
    }

    private void AddProcess(string name)
    {
        var buffers = ProcessBuffers.TryOpen(_session.BuffersDirectory, name);
        if (buffers == null || (buffers.IsForeign && !IsAcceptable(name)))
        {
            // Also what is gone by now, and never had a name that a program gives.
            if (_passedOver.Count < MaxPassedOver && (buffers != null || !ProcessDirectory.IsName(name)))
                _passedOver.Add(name);
            buffers?.Dispose();
            return;
        }
        UserQuota? quota = null;
        bool isRefused = name.EndsWith(RefusedProcesses.MarkSuffix, StringComparison.Ordinal);
        if (buffers.IsForeign && (!TryGetQuota(buffers.User, out quota) || quota.IsUsedUp || !quota.TryBegin()))
        {
            isRefused = quota is not { IsUsedUp: true };
            AddProblem($"user {buffers.User} has more processes than are recorded of another user: {UserQuota.MaxProcesses} at a time");
        }
        else if (!isRefused)
        {
            _live.Add(name, new ProcessDrain(buffers, Path.Combine(_output, "ust", "pid", name), _session.Description, quota));
            return;
        }
        else
            quota?.End(0);
        buffers.Dispose();
        if (!isRefused)
            return;
        RefusedCount++;
        _seen.Add(name);
    }

    private static bool IsAcceptable(string name) => ProcessDirectory.IsName(
        name.EndsWith(RefusedProcesses.MarkSuffix, StringComparison.Ordinal) ? name[..^RefusedProcesses.MarkSuffix.Length] : name);

    private bool TryGetQuota(uint user, [NotNullWhen(true)] out UserQuota? quota)
    {
        if (!_quotas.TryGetValue(user, out quota) && _quotas.Count < UserQuota.MaxUsers)
            _quotas.Add(user, quota = new UserQuota());
        return quota != null;
    }

    private void AddProblem(string problem)
    {
        if (!_problems.Contains(problem))
            _problems.Add(problem);
    }

    private string[] EnumerateProcesses()
    {
        try
        {
            using var directory = DirectoryEntries.Open(_session.BuffersDirectory);
            return DirectoryEntries.Names(directory, MaxEntries);
        }
        catch (IOException)
        {
            return [];
        }
    }

    private void FinishProcess(string name)
    {
        if (!_live.Remove(name, out var process))
            return;
        process.Finish(TraceClock.Read(_session.Description.Clock));
        _finished.Add(process);
        _seen.Add(name);
    }

    /// <summary>Finishes processes that have ended and gives their buffers back, so that a long session does not collect them.</summary>
    private void ReapDead()
    {
        long now = Environment.TickCount64;
        if (now < _nextReapMs)
            return;
        _nextReapMs = now + ReapMs;
        foreach (var (name, process) in _live.ToList())
        {
            // First the end, then the last look: what was committed before the end is seen.
            if (process.IsAlive())
                continue;
            FinishProcess(name);
            // What cannot be removed goes with the session.
            DirectoryRemoval.TryRemove(Path.Combine(_session.BuffersDirectory, name));
        }
    }
}
