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
        if (source != "tsc")
            Assert.False(CpuCounter.IsTrusted);
        Assert.Equal(CpuCounter.IsTrusted, CpuCounter.Verdict == "the kernel keeps time by it");
        if (!CpuCounter.IsTrusted && source != "tsc")
            Assert.Contains($"'{source}'", CpuCounter.Verdict, StringComparison.Ordinal);
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
