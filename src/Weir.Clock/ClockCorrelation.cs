namespace Weir.Clock;

/// <summary>
/// How the trace's clock relates to real time: the two numbers of a CTF clock class, measured between two samples.
/// </summary>
/// <param name="FrequencyHz">Cycles in one second of CLOCK_MONOTONIC.</param>
/// <param name="OffsetSeconds">Whole seconds since 1970 at the clock's zero; may be negative.</param>
/// <param name="OffsetCycles">What is left of that moment, in cycles, below <paramref name="FrequencyHz"/>.</param>
public readonly record struct ClockCorrelation(ulong FrequencyHz, long OffsetSeconds, ulong OffsetCycles)
{
    private const long NsPerSecond = 1_000_000_000;

    /// <summary>
    /// Relates the clock by two samples: the rate over the time between them, the offset at the first. The error of the rate is the
    /// samples' uncertainty over that time: 40 ns over 1 s are 0.04 ppm.
    /// </summary>
    /// <exception cref="ArgumentException">The second sample is not after the first, or the clock has less than a cycle in a second.</exception>
    public static ClockCorrelation Between(ClockKind kind, in ClockSample first, in ClockSample second)
    {
        if (second.MonotonicNs <= first.MonotonicNs || second.Cycles <= first.Cycles)
            throw new ArgumentException("The second clock sample is not after the first.", nameof(second));
        ulong frequency = kind == ClockKind.Monotonic
            ? NsPerSecond
            : (ulong)((UInt128)(second.Cycles - first.Cycles) * NsPerSecond / (ulong)(second.MonotonicNs - first.MonotonicNs));
        if (frequency == 0)
            throw new ArgumentException("The clock samples are less than one cycle in a second apart.", nameof(second));
        Int128 originNs = first.RealtimeNs - (Int128)((UInt128)first.Cycles * NsPerSecond / frequency);
        var seconds = (long)(originNs / NsPerSecond);
        var restNs = (long)(originNs % NsPerSecond);
        if (restNs < 0)
        {
            seconds--;
            restNs += NsPerSecond;
        }
        return new ClockCorrelation(frequency, seconds, (ulong)((UInt128)(ulong)restNs * frequency / NsPerSecond));
    }

    /// <summary>A reading as nanoseconds since 1970, rounded down.</summary>
    public long ToRealtimeNs(ulong cycles) =>
        (OffsetSeconds * NsPerSecond) + (long)((((UInt128)OffsetCycles + cycles) * NsPerSecond) / FrequencyHz);
}
