using Weir.Clock;

namespace Weir.Sessions;

/// <summary>
/// Writes the clock's samples beside the traces as long as a recording lasts, from one taken before its first event to one taken after
/// its last. What goes wrong is told and harms nothing else: without it times are converted by the clock class alone.
/// </summary>
internal sealed class ClockRecording : IDisposable
{
    /// <summary>The trace's name in the recording's directory.</summary>
    public const string DirectoryName = "clock";

    private readonly string _directory;
    private readonly List<string> _problems = [];
    private readonly ClockTrace? _trace;
    private readonly ClockSampler? _sampler;
    private RealtimeRun? _run;
    private ulong _lastCycles;
    private bool _isFinished;

    /// <summary>Begins: the session's first sample is the first in the trace.</summary>
    public ClockRecording(Session session, string directory, CounterSkew? skew)
    {
        _directory = directory;
        try
        {
            _trace = new ClockTrace(directory, session.Description);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Tell(e);
            return;
        }
        var kind = session.Description.Clock;
        var first = session.FirstSample;
        if (kind == ClockKind.Counter && skew != null)
            Try(() => AddSkew(first.Cycles, skew));
        Add(first);
        _sampler = new ClockSampler(() => ClockSample.Take(kind), ClockSampler.DefaultPeriod, Add);
        _sampler.Get();
    }

    /// <summary>What went wrong.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Takes the final sample, and closes the trace with the clock as measured over the whole recording.</summary>
    public void Finish(ClockCorrelation correlation)
    {
        Stop();
        if (_trace is { } trace)
            Try(() => trace.WriteMetadata(correlation));
    }

    public void Dispose()
    {
        Stop();
        _trace?.Dispose();
    }

    private void Stop()
    {
        if (!_isFinished)
            _sampler?.Put();
        _isFinished = true;
    }

    private void AddSkew(ulong cycles, CounterSkew skew)
    {
        // The reference too: where it stands alone, a reader knows that the others could not be measured.
        _trace!.AddSkew(cycles, skew.ReferenceCpu, new CpuOffset(skew.ReferenceCpu, 0, 0, 0));
        foreach (var offset in skew.Offsets)
            _trace.AddSkew(cycles, skew.ReferenceCpu, offset);
    }

    private void Add(ClockSample sample) => Try(() =>
    {
        if (sample.Cycles <= _lastCycles)
        {
            // No trace can hold what comes now: its times go back.
            Tell("the clock went back, as after a sleep that stops it; samples are missing from then on");
            return;
        }
        _lastCycles = sample.Cycles;
        if (_run is { } run && run.With(sample) == null)
            _trace!.AddStep(sample.Cycles, RealtimeRun.Begin(sample).OffsetNs - run.OffsetNs);
        _run = _run?.With(sample) ?? RealtimeRun.Begin(sample);
        _trace!.Add(sample);
    });

    private void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Tell(e);
        }
    }

    private void Tell(Exception error) => Tell($"the clock's samples could not be written: {error.Message}");

    private void Tell(string problem)
    {
        string text = $"{_directory}: {problem}";
        if (!_problems.Contains(text))
            _problems.Add(text);
    }
}
