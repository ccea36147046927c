using System.Runtime.InteropServices;
using Weir.Clock;
using Xunit;

namespace Weir.Tests.Clock;

[Collection(nameof(Alone))]
public sealed class RealtimeWatchTests
{
    [Fact]
    public void A_wait_lasts_its_time()
    {
        using var watch = new RealtimeWatch();
        Assert.Equal(WatchResult.TimeIsOver, watch.Wait(TimeSpan.FromMilliseconds(5)));
        Assert.Equal(WatchResult.TimeIsOver, watch.Wait(TimeSpan.Zero));
    }

    [Fact]
    public async Task Waking_ends_the_wait_and_every_later_one()
    {
        using var watch = new RealtimeWatch();
        var waiter = Task.Run(() => watch.Wait(TimeSpan.FromDays(1)));
        Thread.Sleep(10);
        watch.Wake();
        Assert.Equal(WatchResult.Woken, await waiter);
        Assert.Equal(WatchResult.Woken, watch.Wait(TimeSpan.FromDays(1)));
    }

    /// <summary>By 20 us and back, which nobody else on the machine minds.</summary>
    [Fact]
    public async Task Setting_the_clock_ends_the_wait_and_is_seen_in_the_samples()
    {
        using var watch = new RealtimeWatch();
        Assert.Null(watch.Refusal);
        var before = ClockSample.Take(ClockKind.Monotonic);
        var waiter = Task.Run(() => watch.Wait(TimeSpan.FromDays(1)));
        Thread.Sleep(10);
        if (!Realtime.TryStep(20_000))
        {
            watch.Wake();
            Assert.Skip("the clock cannot be set by this user");
        }
        try
        {
            Assert.Equal(WatchResult.ClockWasSet, await waiter);
            var after = ClockSample.Take(ClockKind.Monotonic);
            var conversion = ClockConversion.Create([before, after], 1_000_000_000);
            Assert.InRange(Assert.Single(conversion.Steps).DeltaNs, 19_000, 21_000);
            Assert.Equal(WatchResult.TimeIsOver, watch.Wait(TimeSpan.FromMilliseconds(1)));
        }
        finally
        {
            Realtime.TryStep(-20_000);
        }
    }
}

/// <summary>Moves CLOCK_REALTIME by a given distance, exactly, so that it can be moved back as exactly.</summary>
internal static unsafe partial class Realtime
{
    private const uint SetOffset = 0x100;
    private const uint Nanoseconds = 0x2000;

    /// <summary>False where this user may not.</summary>
    public static bool TryStep(long ns)
    {
        // struct timex: modes first, the time as seconds and nanoseconds at 72 of 208 bytes.
        byte* timex = stackalloc byte[256];
        new Span<byte>(timex, 256).Clear();
        *(uint*)timex = SetOffset | Nanoseconds;
        *(long*)(timex + 72) = Math.DivRem(ns, 1_000_000_000, out long rest) - (rest < 0 ? 1 : 0);
        *(long*)(timex + 80) = rest < 0 ? rest + 1_000_000_000 : rest;
        return Adjust(timex) >= 0;
    }

    [LibraryImport("libc", EntryPoint = "adjtimex", SetLastError = true)]
    private static partial int Adjust(byte* timex);
}
