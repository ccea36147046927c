using System.Runtime.InteropServices;
using Weir.Clock;
using Weir.Tests.Ring;
using Xunit;

namespace Weir.Tests.Clock;

public sealed class CpuCounterTests
{
    [Fact]
    public void The_verdict_follows_the_kernels_own_clock_source()
    {
        const string Path = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
        Assert.SkipUnless(File.Exists(Path), "no sysfs here");
        string source = File.ReadAllText(Path).Trim();
        string trusted = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arch_sys_counter" : "tsc";
        if (source != trusted)
            Assert.False(CpuCounter.IsTrusted);
        Assert.Equal(CpuCounter.IsTrusted, CpuCounter.Verdict == "the kernel keeps time by it");
        if (!CpuCounter.IsTrusted && source != trusted)
            Assert.Contains($"'{source}'", CpuCounter.Verdict, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Architecture.X64, "lfence", "rdtsc")]
    [InlineData(Architecture.Arm64, "isb", "mrs x0, cntvct_el0")]
    public void Each_instruction_says_what_its_comment_says(Architecture architecture, string first, string behindFirst)
    {
        bool isArm = architecture == Architecture.Arm64;
        var listing = Listing.Read($"CpuCounter.{architecture}.cs", $"{architecture}Listing");
        byte[] code = (isArm ? CpuCounter.Arm64Listing : CpuCounter.X64Listing).ToArray();
        var said = Disassembly.Of(architecture, code, listing.Labels);
        Assert.Empty(listing.Differences(code, said));
        Assert.Equal((0, first), (listing.Labels["ordered"], said[0].Text));
        Assert.Equal((said[1].Offset, behindFirst), (listing.Labels["read"], said[1].Text));
        Assert.Equal(listing.Labels["read"], isArm ? CpuCounter.Arm64ReadOffset : CpuCounter.X64ReadOffset);
    }

    [Fact]
    public void Readings_rise_also_from_CPU_to_CPU()
    {
        Assert.SkipUnless(CpuCounter.IsTrusted, CpuCounter.Verdict);
        int[] cpus = [.. Weir.Ring.Cpus.Allowed()];
        Native.OnPinnedThread(cpus, () =>
        {
            ulong last = 0;
            for (int i = 0; i < 200; i++)
            {
                Native.Pin(cpus[i % cpus.Length]);
                for (int k = 0; k < 100; k++)
                {
                    ulong now = CpuCounter.ReadOrdered();
                    Assert.True(now >= last);
                    last = now;
                }
                Assert.True(CpuCounter.Read() >= last - 1000);
            }
        });
    }

    [Fact]
    public void Both_readings_are_of_one_counter()
    {
        Assert.SkipUnless(CpuCounter.IsTrusted, CpuCounter.Verdict);
        ulong before = CpuCounter.ReadOrdered();
        ulong plain = CpuCounter.Read();
        ulong after = CpuCounter.ReadOrdered();
        Assert.InRange(plain, before - 200, after);
    }
}
