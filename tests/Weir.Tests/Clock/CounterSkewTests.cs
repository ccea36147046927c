using Weir.Clock;
using Weir.Ring;
using Xunit;

namespace Weir.Tests.Clock;

/// <summary>Measures on threads that are bound to CPUs: not beside tests that keep them busy.</summary>
[Collection(nameof(Alone))]
public sealed class CounterSkewTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(5);

    private static int[] TwoCpus()
    {
        int[] cpus = [.. Cpus.Allowed().Take(2)];
        Assert.SkipUnless(cpus.Length == 2, "this process may use one CPU only");
        Assert.SkipUnless(CpuCounter.IsTrusted, CpuCounter.Verdict);
        return cpus;
    }

    [Fact]
    public void A_trusted_counters_skew_is_bounded_and_has_no_warp()
    {
        int[] cpus = TwoCpus();
        var skew = CounterSkew.Measure(cpus, s_limit);
        var offset = Assert.Single(skew.Offsets);
        Assert.Empty(skew.Unmeasured);
        Assert.Equal((cpus[0], cpus[1]), (skew.ReferenceCpu, offset.Cpu));
        Assert.True(offset.LeastCycles <= 0 && offset.MostCycles >= 0 && offset.LeastCycles < offset.MostCycles, $"{offset}");
        Assert.Null(skew.Warp);
    }

    /// <summary>A counter that is ahead on one CPU is found ahead by exactly that, within the bounds.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1_000_000)]
    [InlineData(-1_000_000)]
    [InlineData(1L << 40)]
    public void A_skew_lies_within_its_bounds(long ahead)
    {
        int[] cpus = TwoCpus();
        var skew = CounterSkew.Measure(cpus, s_limit, cpu => CpuCounter.ReadOrdered() + (ulong)(cpu == cpus[1] ? ahead : 0));
        var offset = Assert.Single(skew.Offsets);
        Assert.InRange(ahead, offset.LeastCycles, offset.MostCycles);
        if (ahead != 0)
            Assert.Contains(ahead > 0 ? "ahead of" : "behind", skew.Warp, StringComparison.Ordinal);
    }

    [Fact]
    public void Bounds_of_two_CPUs_are_those_of_both_against_the_reference()
    {
        var skew = CounterSkew.Of(0, [new CpuOffset(1, -10, 20, 5), new CpuOffset(2, 100, 130, 5)]);
        Assert.True(skew.TryBound(0, 1, out long least, out long most));
        Assert.Equal((-10, 20), (least, most));
        Assert.True(skew.TryBound(1, 0, out least, out most));
        Assert.Equal((-20, 10), (least, most));
        Assert.True(skew.TryBound(1, 2, out least, out most));
        Assert.Equal((80, 140), (least, most));
        Assert.True(skew.TryBound(7, 7, out least, out most));
        Assert.Equal((0, 0), (least, most));
        Assert.False(skew.TryBound(0, 7, out _, out _));
    }

    [Fact]
    public void What_cannot_be_measured_is_told_and_never_waited_for()
    {
        Assert.SkipUnless(CpuCounter.IsTrusted, CpuCounter.Verdict);
        int cpu = Cpus.Allowed()[0];
        const int None = 8000;
        var skew = CounterSkew.Measure([cpu, None], s_limit);
        Assert.Empty(skew.Offsets);
        Assert.Contains($"cannot be bound to CPU {None}", Assert.Single(skew.Unmeasured).Reason, StringComparison.Ordinal);
        Assert.Contains("cannot be bound", Assert.Single(CounterSkew.Measure([None, cpu], s_limit).Unmeasured).Reason, StringComparison.Ordinal);
        Assert.Equal("no time was left", Assert.Single(CounterSkew.Measure([cpu, None], TimeSpan.Zero).Unmeasured).Reason);
        Assert.Empty(CounterSkew.Measure([cpu], s_limit).Unmeasured);
        Assert.Empty(CounterSkew.Measure([], s_limit).Offsets);
    }

    /// <summary>Both on one CPU: the two take turns only as the scheduler lets them, and the bounds hold all the same.</summary>
    [Fact]
    public void Two_threads_that_share_a_CPU_give_wide_bounds_or_none()
    {
        Assert.SkipUnless(CpuCounter.IsTrusted, CpuCounter.Verdict);
        int cpu = Cpus.Allowed()[0];
        var skew = CounterSkew.Measure([cpu, cpu], TimeSpan.FromMilliseconds(100));
        Assert.Equal(1, skew.Offsets.Count + skew.Unmeasured.Count);
        Assert.All(skew.Offsets, offset => Assert.InRange(0, offset.LeastCycles, offset.MostCycles));
    }
}
