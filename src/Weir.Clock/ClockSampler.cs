namespace Weir.Clock;

/// <summary>
/// Samples the clock while anyone traces, by counting references as a device driver does: the first get takes a sample and starts a
/// thread, which takes one each period and one whenever CLOCK_REALTIME is set; the last put takes the final sample and ends the thread.
/// With nobody tracing there is no thread, no timer and no wake-up. Thread-safe.
/// </summary>
public sealed class ClockSampler
{
    /// <summary>
    /// The default period: long enough for brackets of 40 ns to tell the rate to 0.04 ppm, and short enough that hardly ever two changes of
    /// the rate lie between two samples; one is found.
    /// </summary>
    public static readonly TimeSpan DefaultPeriod = TimeSpan.FromSeconds(1);

    private readonly Func<ClockSample> _take;
    private readonly TimeSpan _period;
    private readonly Action<ClockSample> _give;
    private readonly Lock _lock = new();
    private int _references;
    private Action? _stop;

    /// <summary>Makes a sampler, which does nothing yet.</summary>
    /// <param name="take">Takes a sample.</param>
    /// <param name="period">Between two samples.</param>
    /// <param name="give">Receives samples, one at a time, in the order in which they were taken; must not throw.</param>
    public ClockSampler(Func<ClockSample> take, TimeSpan period, Action<ClockSample> give)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(period, TimeSpan.Zero);
        _take = take;
        _period = period;
        _give = give;
    }

    /// <summary>Somebody traces. The first sample has been given when this returns.</summary>
    public void Get()
    {
        lock (_lock)
        {
            if (_references++ > 0)
                return;
            _give(_take());
            _stop = Start();
        }
    }

    /// <summary>Somebody traces no more. After the last the final sample has been given when this returns.</summary>
    /// <exception cref="InvalidOperationException">There was no get.</exception>
    public void Put()
    {
        lock (_lock)
        {
            if (_references == 0)
                throw new InvalidOperationException("The clock was given back more often than it was taken.");
            if (--_references > 0)
                return;
            // The thread takes no lock, so it can be waited for under ours; then the final sample follows all of its samples.
            _stop!();
            _stop = null;
            _give(_take());
        }
    }

    /// <summary>Starts the thread; returns what ends it and waits for its end.</summary>
    private Action Start()
    {
        var watch = new RealtimeWatch();
        var thread = new Thread(() =>
        {
            while (watch.Wait(_period) != WatchResult.Woken)
                _give(_take());
        })
        { IsBackground = true, Name = "Weir clock" };
        thread.Start();
        return () =>
        {
            watch.Wake();
            thread.Join();
            watch.Dispose();
        };
    }
}
