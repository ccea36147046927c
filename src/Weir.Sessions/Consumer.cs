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

    private readonly Session _session;
    private readonly ProcessFinder _finder;
    private readonly Dictionary<string, ProcessDrain> _live = [];
    private readonly List<ProcessDrain> _finished = [];
    private readonly List<string> _problems = [];
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _stop = new();
    private readonly DirectoryChange _buffersWatch;
    private long _nextReapMs;

    /// <summary>Begins to drain.</summary>
    /// <param name="session">The session.</param>
    /// <param name="outputDirectory">The trace's directory, which exists.</param>
    public Consumer(Session session, string outputDirectory)
    {
        _session = session;
        _finder = new ProcessFinder(session.BuffersDirectory, outputDirectory, session.Description);
        _buffersWatch = new DirectoryChange(session.BuffersDirectory);
        _thread = new Thread(Run) { IsBackground = true, Name = "Weir consumer" };
        _thread.Start();
    }

    /// <summary>The traces, once finished.</summary>
    public IReadOnlyList<string> TraceDirectories => [.. _finished.Where(process => process.HasTrace).Select(process => process.TraceDirectory)];

    /// <summary>What was lost, once finished.</summary>
    public LossCounts Losses => _finished.Aggregate(default(LossCounts), (sum, process) => sum + process.Losses);

    /// <summary>Processes of other users that could not be recorded, once finished.</summary>
    public long RefusedCount => _finder.RefusedCount;

    /// <summary>The clock as measured over the whole session, once finished.</summary>
    public ClockCorrelation FinalClock { get; private set; }

    /// <summary>What went wrong, each thing once; a sentence each.</summary>
    public IReadOnlyList<string> Problems => [.. _problems.Concat(_finder.Problems).Concat(_finished.SelectMany(process => process.Problems)).Distinct()];

    /// <summary>Drains what is committed now, and closes the traces with the clock as measured until now.</summary>
    public void Finish()
    {
        StopThread();
        AddProcesses();
        if (!Directory.Exists(_session.BuffersDirectory))
            _problems.Add($"{_session.BuffersDirectory}: was removed while recording; programs that started since then are not recorded");
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
        foreach (var (name, process) in _finder.FindNew())
            _live.Add(name, process);
    }

    private void FinishProcess(string name)
    {
        if (!_live.Remove(name, out var process))
            return;
        process.Finish(TraceClock.Read(_session.Description.Clock));
        _finished.Add(process);
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
