using System.Runtime.InteropServices;
using Weir.Clock;

namespace Weir.Bench.Clock;

/// <summary>
/// One question to clock_gettime between two readings of the counter: nobody can say where between them the kernel's clock was read, so
/// half of the bracket is what the comparison itself may be wrong by.
/// </summary>
internal readonly record struct Check(ulong Cycles, ulong WidthCycles, long Ns)
{
    public const int Realtime = 0;
    public const int Monotonic = 1;

    private const int Tries = 5;

    /// <summary>The narrowest of a few brackets, so that a preemption inside one is not taken for an error of the conversion.</summary>
    public static Check Take(int clock)
    {
        var best = new Check(0, ulong.MaxValue, 0);
        for (int i = 0; i < Tries; i++)
        {
            ulong before = TraceClock.ReadOrdered(ClockKind.Counter);
            long ns = LibC.NowNs(clock);
            ulong after = TraceClock.ReadOrdered(ClockKind.Counter);
            if (after - before < best.WidthCycles)
                best = new Check(before + ((after - before) / 2), after - before, ns);
        }
        return best;
    }
}

internal static unsafe partial class LibC
{
    [SuppressGCTransition]
    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, long* secondsAndNanoseconds);

    public static long NowNs(int clock)
    {
        long* time = stackalloc long[2];
        return GetTime(clock, time) == 0 ? (time[0] * 1_000_000_000) + time[1] : throw new InvalidOperationException("clock_gettime");
    }
}
