using System.Runtime.InteropServices;
using Weir.Clock;
using Xunit;

namespace Weir.Tests.Clock;

public sealed class CounterTrustTests
{
    private const string CpuInfo = "processor\t: 0\nflags\t\t: fpu tsc constant_tsc nonstop_tsc hypervisor\nbugs\t: none\n";

    private static CounterTrust Judge(string cpuInfo = CpuInfo, string? refusal = null, CounterSkew? skew = null, Architecture architecture = Architecture.X64) =>
        CounterTrust.Judge(architecture, cpuInfo, "tsc", refusal, skew);

    [Fact]
    public void An_invariant_counter_that_the_kernel_uses_is_trusted()
    {
        var trust = Judge();
        Assert.True(trust.IsTrusted);
        Assert.Equal(["constant_tsc", "nonstop_tsc", "hypervisor"], trust.Flags);
        Assert.Equal("the kernel keeps time by it (tsc), and the processor calls it invariant", trust.Reason);
    }

    [Theory]
    [InlineData("flags : constant_tsc", "no nonstop_tsc in")]
    [InlineData("flags : nonstop_tsc", "no constant_tsc in")]
    [InlineData("flags : nonstop_tsc_and_more", "no constant_tsc and no nonstop_tsc in")]
    [InlineData("", "no constant_tsc and no nonstop_tsc in")]
    public void A_counter_that_is_not_invariant_is_not_trusted(string cpuInfo, string reason)
    {
        var trust = Judge(cpuInfo);
        Assert.False(trust.IsTrusted);
        Assert.Contains(reason, trust.Reason, StringComparison.Ordinal);
        Assert.True(Judge("", architecture: Architecture.Arm64).IsTrusted);
    }

    [Fact]
    public void What_the_kernel_does_not_trust_is_not_trusted() =>
        Assert.Equal("its clock source is 'hpet'", Judge(refusal: "its clock source is 'hpet'").Reason);

    [Theory]
    [InlineData(-20, 30, null)]
    [InlineData(0, 30, null)]
    [InlineData(5, 30, "CPU 3's is at least 5 cycles ahead of CPU 0's")]
    [InlineData(-30, -7, "CPU 3's is at least 7 cycles behind CPU 0's")]
    public void A_counter_that_was_seen_going_back_is_not_trusted(long least, long most, string? reason)
    {
        var trust = Judge(skew: CounterSkew.Of(0, [new CpuOffset(3, least, most, 100)]));
        Assert.Equal(reason, trust.Refusal);
    }

    [Fact]
    public void This_machine_is_judged_as_its_clock_is_chosen()
    {
        var trust = CounterTrust.Examine();
        Assert.Equal(trust.IsTrusted ? ClockKind.Counter : ClockKind.Monotonic, TraceClock.Choose(null, out string reason));
        Assert.Equal(trust.Reason, reason);
        if (trust.IsTrusted)
            Assert.True(CpuCounter.IsTrusted);
    }
}
