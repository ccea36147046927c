using CsCheck;
using Weir.Clock;
using Xunit;

namespace Weir.Tests.Clock;

public sealed class ClockCorrelationTests
{
    private const long Second = 1_000_000_000;

    [Fact]
    public void Known_samples_give_known_numbers()
    {
        // 2.5 GHz; the clock's zero is 10.2 s before the first sample's real time of 1000.7 s.
        var first = new ClockSample(25_500_000_000, 5 * Second, (1000 * Second) + 700_000_000, 40);
        var second = new ClockSample(28_000_000_000, 6 * Second, (1001 * Second) + 700_000_000, 40);
        var correlation = ClockCorrelation.Between(ClockKind.Counter, first, second);
        Assert.Equal(new ClockCorrelation(2_500_000_000, 990, 1_250_000_000), correlation);
        Assert.Equal(first.RealtimeNs, correlation.ToRealtimeNs(first.Cycles));
        Assert.Equal(second.RealtimeNs, correlation.ToRealtimeNs(second.Cycles));
        Assert.Equal((990 * Second) + 500_000_000, correlation.ToRealtimeNs(0));
    }

    [Fact]
    public void An_offset_before_1970_is_rounded_to_the_second_below()
    {
        // The real-time clock was never set: 3.25 s after 1970, 10 s after the counter's zero.
        var first = new ClockSample(10_000_000_000, 10 * Second, (3 * Second) + 250_000_000, 0);
        var second = new ClockSample(11_000_000_000, 11 * Second, (4 * Second) + 250_000_000, 0);
        var correlation = ClockCorrelation.Between(ClockKind.Counter, first, second);
        Assert.Equal(new ClockCorrelation(1_000_000_000, -7, 250_000_000), correlation);
        Assert.Equal(first.RealtimeNs, correlation.ToRealtimeNs(first.Cycles));
    }

    [Fact]
    public void The_monotonic_clock_has_nanoseconds_whatever_was_measured()
    {
        var first = new ClockSample(7 * Second, 7 * Second, 107 * Second, 0);
        var second = new ClockSample((8 * Second) + 3, 8 * Second, 108 * Second, 0);
        Assert.Equal(new ClockCorrelation((ulong)Second, 100, 0), ClockCorrelation.Between(ClockKind.Monotonic, first, second));
    }

    [Theory]
    [InlineData(100, 100)]
    [InlineData(99, 200)]
    [InlineData(200, 99)]
    [InlineData(200, 100)]
    [InlineData(100, 200)]
    public void Samples_that_do_not_follow_each_other_are_refused(ulong cycles, long monotonicNs) =>
        Assert.Throws<ArgumentException>(() => ClockCorrelation.Between(
            ClockKind.Counter, new ClockSample(100, 100, 0, 0), new ClockSample(cycles, monotonicNs, 0, 0)));

    [Fact]
    public void A_clock_of_less_than_a_cycle_in_a_second_is_refused() =>
        Assert.Throws<ArgumentException>(() => ClockCorrelation.Between(
            ClockKind.Counter, new ClockSample(100, 0, 0, 0), new ClockSample(101, 10 * Second, 0, 0)));

    /// <summary>Uptimes to 10 years, 1 MHz to 10 GHz, real times from 1900 to 2200.</summary>
    [Fact]
    public void Each_sample_is_converted_to_its_own_time()
    {
        var samples =
            from frequency in Gen.ULong[1_000_000, 10_000_000_000]
            from uptimeNs in Gen.Long[1, 10L * 366 * 86_400 * Second]
            from realtimeNs in Gen.Long[-70L * 366 * 86_400 * Second, 230L * 366 * 86_400 * Second]
            from gapNs in Gen.Long[Second / 100, 100 * Second]
            select (frequency, uptimeNs, realtimeNs, gapNs);
        samples.Sample(s =>
        {
            var first = new ClockSample(Cycles(s.uptimeNs, s.frequency), s.uptimeNs, s.realtimeNs, 0);
            var second = new ClockSample(Cycles(s.uptimeNs + s.gapNs, s.frequency), s.uptimeNs + s.gapNs, s.realtimeNs + s.gapNs, 0);
            var correlation = ClockCorrelation.Between(ClockKind.Counter, first, second);
            Assert.InRange(correlation.OffsetCycles, 0UL, correlation.FrequencyHz - 1);
            // A cycle of the slowest clock is 1 us.
            Assert.InRange(correlation.ToRealtimeNs(first.Cycles) - first.RealtimeNs, -1000, 1000);
        });

        static ulong Cycles(long ns, ulong frequency) => (ulong)((UInt128)(ulong)ns * frequency / (ulong)Second);
    }

    [Fact]
    public void This_machines_clock_is_converted_to_its_own_time()
    {
        var kind = TraceClock.Choose(out _);
        var first = ClockSample.Take(kind);
        Thread.Sleep(50);
        var second = ClockSample.Take(kind);
        var correlation = ClockCorrelation.Between(kind, first, second);
        Assert.InRange(correlation.ToRealtimeNs(first.Cycles) - first.RealtimeNs, -1000, 1000);
        // 50 ms away the rate's error is that of the two samples; a preemption may have widened them all.
        long uncertaintyNs = (long)((first.UncertaintyCycles + second.UncertaintyCycles) * (ulong)Second / correlation.FrequencyHz);
        Assert.InRange(Math.Abs(correlation.ToRealtimeNs(second.Cycles) - second.RealtimeNs), 0, uncertaintyNs + 50_000);
    }
}
