namespace Weir.Clock;

/// <summary>
/// A run of samples between two settings of CLOCK_REALTIME: what its difference from CLOCK_MONOTONIC can be, by all of their brackets.
/// A sample that has nothing in common with those before begins another run: in between the clock was set.
/// </summary>
internal readonly record struct RealtimeRun(Int128 Least, Int128 Most)
{
    /// <summary>The run that a sample begins.</summary>
    public static RealtimeRun Begin(in ClockSample sample)
    {
        Int128 offset = (Int128)sample.RealtimeNs - sample.MonotonicNs;
        return new RealtimeRun(offset - sample.RealtimeUncertaintyNs, offset + sample.RealtimeUncertaintyNs);
    }

    /// <summary>REALTIME less MONOTONIC.</summary>
    public long OffsetNs => Saturate((Least + Most) / 2);

    /// <summary>By how much <see cref="OffsetNs"/> may be wrong, either way.</summary>
    public long UncertaintyNs => Saturate((Most - Least + 1) / 2);

    /// <summary>The run with one more sample; null where the clock was set before it.</summary>
    public RealtimeRun? With(in ClockSample sample)
    {
        var one = Begin(sample);
        var both = new RealtimeRun(Int128.Max(Least, one.Least), Int128.Min(Most, one.Most));
        return both.Least <= both.Most ? both : null;
    }

    private static long Saturate(Int128 value) => (long)Int128.Clamp(value, long.MinValue, long.MaxValue);
}
