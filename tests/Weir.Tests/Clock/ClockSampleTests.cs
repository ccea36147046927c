using Weir.Clock;
using Xunit;

namespace Weir.Tests.Clock;

public sealed class ClockSampleTests
{
    public static TheoryData<ClockKind> Kinds => CpuCounter.IsTrusted ? [ClockKind.Counter, ClockKind.Monotonic] : [ClockKind.Monotonic];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Samples_rise_and_lie_between_readings(ClockKind kind)
    {
        var last = default(ClockSample);
        for (int i = 0; i < 20; i++)
        {
            ulong before = TraceClock.Read(kind);
            var sample = ClockSample.Take(kind);
            ulong after = TraceClock.Read(kind);
            Assert.InRange(sample.Cycles, before, after);
            Assert.True(sample.UncertaintyCycles <= after - before);
            Assert.True(sample.Cycles > last.Cycles && sample.MonotonicNs > last.MonotonicNs);
            last = sample;
        }
    }

    [Fact]
    public void On_the_monotonic_clock_both_numbers_agree_within_the_uncertainty()
    {
        var sample = ClockSample.Take(ClockKind.Monotonic);
        Assert.InRange(Math.Abs((long)sample.Cycles - sample.MonotonicNs), 0, (long)sample.UncertaintyCycles);
    }

    [Fact]
    public void The_real_time_is_that_of_the_system()
    {
        var before = DateTimeOffset.UtcNow;
        var sample = ClockSample.Take(ClockKind.Monotonic);
        var now = DateTimeOffset.UnixEpoch.AddTicks(sample.RealtimeNs / 100);
        Assert.InRange(now, before.AddSeconds(-1), DateTimeOffset.UtcNow.AddSeconds(1));
    }
}
