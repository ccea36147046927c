namespace Weir.Clock;

/// <summary>One reading of the trace's clock together with the kernel's clocks, at the same moment but for the uncertainty.</summary>
/// <param name="Cycles">The trace's clock.</param>
/// <param name="MonotonicNs">CLOCK_MONOTONIC.</param>
/// <param name="RealtimeNs">CLOCK_REALTIME, since 1970.</param>
/// <param name="UncertaintyCycles">Width of the bracket of two readings of the trace's clock around the kernel's.</param>
public readonly record struct ClockSample(ulong Cycles, long MonotonicNs, long RealtimeNs, ulong UncertaintyCycles)
{
    private const int Tries = 32;

    /// <summary>
    /// Takes the narrowest of some brackets (counter, kernel's clock, counter): a preemption inside one widens it, so it loses.
    /// Takes a few microseconds.
    /// </summary>
    public static ClockSample Take(ClockKind kind)
    {
        var best = new ClockSample(0, 0, 0, ulong.MaxValue);
        for (int i = 0; i < Tries; i++)
        {
            ulong before = TraceClock.Read(kind);
            long realtime = LibC.NowNs(LibC.ClockRealtime);
            long monotonic = LibC.NowNs(LibC.ClockMonotonic);
            ulong after = TraceClock.Read(kind);
            if (after - before < best.UncertaintyCycles)
                best = new ClockSample(before + ((after - before) / 2), monotonic, realtime, after - before);
        }
        return best;
    }
}
