using CsCheck;
using Weir.Clock;
using Xunit;

namespace Weir.Tests.Clock;

public sealed class ClockConversionTests
{
    private const long Second = 1_000_000_000;
    private const ulong Hz = 2_500_000_000;
    private const long Epoch = 1_700_000_000 * Second;

    /// <summary>A machine whose kernel steers: ns per second that CLOCK_MONOTONIC is fast, from a time of the counter on.</summary>
    private static double MonotonicAt(double seconds, params (double From, double NsPerSecond)[] rates)
    {
        double ns = seconds * Second;
        for (int i = 0; i < rates.Length; i++)
        {
            double until = i + 1 < rates.Length ? rates[i + 1].From : double.MaxValue;
            ns += Math.Max(0, Math.Min(seconds, until) - rates[i].From) * rates[i].NsPerSecond;
        }
        return ns;
    }

    private static ClockSample At(double seconds, long realtimeOffset = Epoch, params (double From, double NsPerSecond)[] rates)
    {
        long monotonic = (long)MonotonicAt(seconds, rates);
        return new ClockSample((ulong)(seconds * Hz), monotonic, monotonic + realtimeOffset, 50, 20);
    }

    private static ulong Cycles(double seconds) => (ulong)(seconds * Hz);

    [Fact]
    public void Samples_are_converted_to_themselves_and_what_lies_between_to_what_lies_between()
    {
        var conversion = ClockConversion.Create([At(10), At(11), At(13)], Hz);
        foreach (double seconds in new[] { 10, 10.25, 11, 12.999, 13, 9.5, 14 })
        {
            Assert.InRange(conversion.ToMonotonic(Cycles(seconds)).Ns - (seconds * Second), -1, 1);
            Assert.InRange(conversion.ToRealtime(Cycles(seconds)).Ns - (seconds * Second) - Epoch, -1, 1);
        }
        // Half of a bracket of 50 cycles is 10 ns; the other clock's may be 20 ns off, and each number is rounded.
        Assert.InRange(conversion.ToMonotonic(Cycles(10)).UncertaintyNs, 10, 12);
        Assert.InRange(conversion.ToRealtime(Cycles(10)).UncertaintyNs, 30, 33);
        Assert.Empty(conversion.Steps);
    }

    [Fact]
    public void A_rate_that_is_steered_is_followed_also_where_it_changes_inside_a_piece()
    {
        (double, double)[] rates = [(0, 0), (13.3, 10_000), (20.71, -20_000), (26, 500)];
        var conversion = ClockConversion.Create([.. Enumerable.Range(10, 21).Select(second => At(second, Epoch, rates))], Hz);
        for (double seconds = 10; seconds < 30; seconds += 0.0137)
        {
            var converted = conversion.ToMonotonic(Cycles(seconds));
            double wrong = converted.Ns - MonotonicAt(seconds, rates);
            Assert.True(Math.Abs(wrong) < 25, $"{wrong} ns at {seconds} s");
            Assert.True(Math.Abs(wrong) <= converted.UncertaintyNs, $"{wrong} ns at {seconds} s, which claims {converted.UncertaintyNs} ns");
        }
    }

    [Fact]
    public void Outside_of_the_samples_the_uncertainty_grows()
    {
        var conversion = ClockConversion.Create([At(10), At(11)], Hz);
        long at = conversion.ToMonotonic(Cycles(11)).UncertaintyNs;
        long near = conversion.ToMonotonic(Cycles(12)).UncertaintyNs;
        long far = conversion.ToMonotonic(Cycles(111)).UncertaintyNs;
        Assert.True(at < near && near < far);
        // Two brackets of 20 ns over 1 s: 20 ns in each second.
        Assert.InRange(far, 1900, 2100);
        Assert.True(conversion.ToMonotonic(Cycles(1)).UncertaintyNs > conversion.ToMonotonic(Cycles(9)).UncertaintyNs);
    }

    [Fact]
    public void A_short_last_piece_does_not_spoil_the_rate_after_it()
    {
        // 100 us apart, with a bracket's error between them.
        var last = At(12.0001) with { MonotonicNs = At(12.0001).MonotonicNs + 20 };
        var conversion = ClockConversion.Create([At(10), At(11), At(12), last], Hz);
        Assert.InRange(conversion.ToMonotonic(Cycles(20)).Ns - (20 * Second), -200, 200);
    }

    [Fact]
    public void One_sample_and_the_clock_class_are_enough_to_begin_with()
    {
        var conversion = ClockConversion.Create([At(10)], Hz);
        Assert.Equal(11 * Second, conversion.ToMonotonic(Cycles(11)).Ns);
        Assert.Equal((9 * Second) + Epoch, conversion.ToRealtime(Cycles(9)).Ns);
        Assert.InRange(conversion.ToMonotonic(Cycles(11)).UncertaintyNs, 900_000, 1_100_000);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(-1000)]
    [InlineData(3600 * Second)]
    [InlineData(-40L * 365 * 86_400 * Second)]
    public void A_step_of_the_real_time_clock_is_found_and_does_not_touch_the_monotonic_one(long delta)
    {
        var conversion = ClockConversion.Create([At(10), At(11), At(12), At(13, Epoch + delta), At(14, Epoch + delta)], Hz);
        var step = Assert.Single(conversion.Steps);
        Assert.Equal((Cycles(12), Cycles(13)), (step.AfterCycles, step.BeforeCycles));
        Assert.InRange(step.DeltaNs - delta, -1, 1);
        Assert.InRange(conversion.ToMonotonic(Cycles(12.5)).Ns - (12.5 * Second), -1, 1);
        Assert.InRange(conversion.ToMonotonic(Cycles(12.5)).UncertaintyNs, 10, 13);
        Assert.InRange(conversion.ToRealtime(Cycles(11.5)).Ns - (long)(11.5 * Second) - Epoch, -1, 1);
        Assert.InRange(conversion.ToRealtime(Cycles(13.5)).Ns - (long)(13.5 * Second) - Epoch - delta, -1, 1);
        // Between the two samples nobody knows whether it had been set.
        Assert.True(conversion.ToRealtime(Cycles(12.5)).UncertaintyNs >= Math.Abs(delta));
        Assert.InRange(conversion.ToRealtime(Cycles(12)).UncertaintyNs, 30, 33);
        Assert.InRange(conversion.ToRealtime(Cycles(13)).UncertaintyNs, 30, 33);
    }

    [Fact]
    public void What_the_brackets_leave_open_is_no_step()
    {
        var wide = At(12, Epoch + 900) with { RealtimeUncertaintyNs = 1000 };
        var conversion = ClockConversion.Create([At(10), At(11), wide, At(13, Epoch + 15)], Hz);
        Assert.Empty(conversion.Steps);
        // 20 ns around 0, and around 15.
        Assert.InRange(conversion.ToRealtime(Cycles(12)).Ns - (12 * Second) - Epoch, 6, 9);
    }

    [Fact]
    public void A_suspension_stops_the_monotonic_clock_only()
    {
        // The machine sleeps from 12.9 s to 72.9 s of the counter.
        static ClockSample Later(double seconds) =>
            At(seconds) with { MonotonicNs = At(seconds).MonotonicNs - (60 * Second) };
        var conversion = ClockConversion.Create([At(10), At(11), At(12), Later(73), Later(74), Later(75)], Hz);
        Assert.Equal(60 * Second, Assert.Single(conversion.Steps).DeltaNs, 2.0);
        Assert.InRange(conversion.ToMonotonic(Cycles(12.8)).Ns - (long)(12.8 * Second), -20, 20);
        Assert.InRange(conversion.ToMonotonic(Cycles(40)).Ns, 12 * Second, 13 * Second);
        Assert.InRange(conversion.ToMonotonic(Cycles(74.5)).Ns - (long)(14.5 * Second), -20, 20);
        Assert.InRange(conversion.ToRealtime(Cycles(74.5)).Ns - (long)(74.5 * Second) - Epoch, -20, 20);
    }

    [Fact]
    public void Samples_that_cannot_be_are_refused()
    {
        Assert.Throws<ArgumentException>(() => ClockConversion.Create([], Hz));
        Assert.Throws<ArgumentException>(() => ClockConversion.Create([At(11), At(10)], Hz));
        Assert.Throws<ArgumentException>(() => ClockConversion.Create([At(10), At(10)], Hz));
        Assert.Throws<ArgumentException>(() => ClockConversion.Create([At(10), At(11) with { MonotonicNs = 5 }], Hz));
        Assert.Throws<ArgumentException>(() => ClockConversion.Create([At(10) with { MonotonicNs = -5 }], Hz));
        Assert.Throws<ArgumentException>(() => ClockConversion.Create([At(10) with { RealtimeUncertaintyNs = -1 }], Hz));
        Assert.Throws<ArgumentOutOfRangeException>(() => ClockConversion.Create([At(10)], 0));
    }

    /// <summary>Whatever a trace says, conversion ends, never fails and never goes back.</summary>
    [Fact]
    public void Any_rising_samples_give_rising_times()
    {
        var sample =
            from cycles in Gen.ULong
            from monotonic in Gen.Long[0, long.MaxValue]
            from realtime in Gen.Long
            from uncertainty in Gen.ULong
            from realtimeUncertainty in Gen.Long[0, long.MaxValue]
            select new ClockSample(cycles, monotonic, realtime, uncertainty, realtimeUncertainty);
        Gen.Select(sample.Array[1, 8], Gen.ULong.Array[1, 20], Gen.ULong[1, ulong.MaxValue]).Sample((samples, readings, hz) =>
        {
            ulong[] cycles = [.. samples.Select(s => s.Cycles).Distinct().Order()];
            long[] times = [.. samples.Select(s => s.MonotonicNs).Distinct().Order()];
            var rising = samples.Take(Math.Min(cycles.Length, times.Length))
                .Select((s, i) => s with { Cycles = cycles[i], MonotonicNs = times[i] }).ToArray();
            var conversion = ClockConversion.Create(rising, hz);
            long last = long.MinValue;
            foreach (ulong reading in readings.Order())
            {
                var converted = conversion.ToMonotonic(reading);
                Assert.True(converted.Ns >= last && converted.UncertaintyNs >= 0);
                last = converted.Ns;
                Assert.True(conversion.ToRealtime(reading).UncertaintyNs >= 0);
            }
        });
    }

    [Fact]
    public void This_machines_samples_convert_what_is_read_between_them()
    {
        var kind = TraceClock.Choose(out _);
        var samples = new List<ClockSample>();
        for (int i = 0; i < 5; i++)
        {
            samples.Add(ClockSample.Take(kind));
            Thread.Sleep(30);
        }
        var check = ClockSample.Take(kind);
        samples.Add(ClockSample.Take(kind));
        var correlation = ClockCorrelation.Between(kind, samples[0], samples[^1]);
        var conversion = ClockConversion.Create(samples, correlation.FrequencyHz);
        var converted = conversion.ToMonotonic(check.Cycles);
        long checkNs = (long)(check.UncertaintyCycles * (ulong)Second / correlation.FrequencyHz);
        Assert.InRange(Math.Abs(converted.Ns - check.MonotonicNs), 0, converted.UncertaintyNs + checkNs + 1);
    }
}
