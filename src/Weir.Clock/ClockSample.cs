namespace Weir.Clock;

/// <summary>One reading of the trace's clock together with the kernel's clocks, at the same moment but for the uncertainties.</summary>
/// <param name="Cycles">The trace's clock: the middle of the bracket.</param>
/// <param name="MonotonicNs">CLOCK_MONOTONIC.</param>
/// <param name="RealtimeNs">CLOCK_REALTIME, since 1970.</param>
/// <param name="UncertaintyCycles">
/// Width of the bracket of two readings of the trace's clock around CLOCK_MONOTONIC's; <paramref name="Cycles"/> is wrong by half of it at most.
/// </param>
/// <param name="RealtimeUncertaintyNs">
/// By how much <paramref name="RealtimeNs"/> less <paramref name="MonotonicNs"/> may be wrong, either way.
/// </param>
public readonly record struct ClockSample(
    ulong Cycles, long MonotonicNs, long RealtimeNs, ulong UncertaintyCycles, long RealtimeUncertaintyNs = 0)
{
    private const int Tries = 32;

    /// <summary>
    /// Takes the narrowest of some brackets: a preemption inside one widens it, so it loses. The two kernel clocks differ by a number
    /// that is constant until somebody sets the clock, so each has a bracket of its own: (counter, MONOTONIC, counter) and
    /// (MONOTONIC, REALTIME, MONOTONIC). Takes a few microseconds.
    /// </summary>
    public static ClockSample Take(ClockKind kind)
    {
        var (cycles, monotonic, uncertainty) = kind == ClockKind.Counter ? BracketMonotonic() : AtMonotonic();
        long width = long.MaxValue;
        long offset = 0;
        for (int i = 0; i < Tries; i++)
        {
            long before = LibC.NowNs(LibC.ClockMonotonic);
            long realtime = LibC.NowNs(LibC.ClockRealtime);
            long after = LibC.NowNs(LibC.ClockMonotonic);
            if (after - before >= width)
                continue;
            width = after - before;
            offset = realtime - before - (width / 2);
        }
        // One more, because each reading is rounded down to its nanosecond.
        return new ClockSample(cycles, monotonic, monotonic + offset, uncertainty, ((width + 1) / 2) + 1);
    }

    private static (ulong Cycles, long MonotonicNs, ulong UncertaintyCycles) BracketMonotonic()
    {
        ulong cycles = 0;
        long monotonic = 0;
        ulong width = ulong.MaxValue;
        for (int i = 0; i < Tries; i++)
        {
            ulong before = CounterClock.ReadOrdered();
            long now = LibC.NowNs(LibC.ClockMonotonic);
            ulong after = CounterClock.ReadOrdered();
            if (after - before >= width)
                continue;
            width = after - before;
            cycles = before + (width / 2);
            monotonic = now;
        }
        return (cycles, monotonic, width);
    }

    /// <summary>Where the trace's clock is CLOCK_MONOTONIC itself there is nothing between the two.</summary>
    private static (ulong Cycles, long MonotonicNs, ulong UncertaintyCycles) AtMonotonic()
    {
        long now = LibC.NowNs(LibC.ClockMonotonic);
        return ((ulong)now, now, 0);
    }
}
