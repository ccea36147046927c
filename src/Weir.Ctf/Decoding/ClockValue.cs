using System.Runtime.CompilerServices;

namespace Weir.Ctf;

/// <summary>Arithmetic of clock values.</summary>
public static class ClockValue
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>
    /// The running value after a field that holds the low <paramref name="sizeBits"/> bits of the clock. Where the field is lower
    /// than the running value's low bits, these went round once (CTF 1.8, section 8).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Extend(ulong running, ulong low, int sizeBits)
    {
        if (sizeBits >= 64)
            return low;
        ulong mask = (1UL << sizeBits) - 1;
        low &= mask;
        ulong next = (running & ~mask) | low;
        return low < (running & mask) ? next + mask + 1 : next;
    }

    /// <summary>
    /// Cycles as nanoseconds: exact at 1 GHz, else through <see cref="double"/> and cut, exactly as babeltrace2 computes it so that
    /// the same trace shows the same times. 2^64 - 1 when the result has no 64 bits.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ToNanoseconds(ulong cycles, ulong frequencyHz)
    {
        if (frequencyHz == NanosecondsPerSecond)
            return cycles;
        double nanoseconds = 1e9 * cycles / frequencyHz;
        return nanoseconds >= ulong.MaxValue ? ulong.MaxValue : (ulong)nanoseconds;
    }

    /// <summary>Nanoseconds as cycles, cut; see <see cref="ToNanoseconds"/>.</summary>
    public static ulong FromNanoseconds(ulong nanoseconds, ulong frequencyHz) =>
        frequencyHz == NanosecondsPerSecond ? nanoseconds : (ulong)((double)nanoseconds * frequencyHz / 1e9);

    /// <summary>
    /// Nanoseconds from the clock's origin to its zero. False when the result has no 64 bits.
    /// </summary>
    /// <param name="clock">The clock.</param>
    /// <param name="addSeconds">Seconds to add to the clock's own offset.</param>
    /// <param name="addNanoseconds">Nanoseconds to add; may be negative.</param>
    /// <param name="offsetNanoseconds">The result.</param>
    public static bool TryGetOffset(ClockClass clock, long addSeconds, long addNanoseconds, out long offsetNanoseconds)
    {
        ArgumentNullException.ThrowIfNull(clock);
        offsetNanoseconds = 0;
        var (seconds, cycles) = Normalize(clock.OffsetSeconds, clock.OffsetCycles, clock.FrequencyHz);
        if (addSeconds != 0 || addNanoseconds != 0)
        {
            // A negative rest takes one second more, even where it is a whole number of seconds.
            long extraSeconds = addNanoseconds < 0 ? -((-addNanoseconds / NanosecondsPerSecond) + 1) : addNanoseconds / NanosecondsPerSecond;
            ulong rest = (ulong)(addNanoseconds - (extraSeconds * NanosecondsPerSecond));
            (seconds, cycles) = Normalize(unchecked(seconds + addSeconds + extraSeconds), cycles + FromNanoseconds(rest, clock.FrequencyHz), clock.FrequencyHz);
        }
        if (seconds <= (long.MinValue / NanosecondsPerSecond) - 1 || seconds >= (long.MaxValue / NanosecondsPerSecond) - 1)
            return false;
        offsetNanoseconds = (seconds * NanosecondsPerSecond) + (long)ToNanoseconds(cycles, clock.FrequencyHz);
        return true;
    }

    private static (long Seconds, ulong Cycles) Normalize(long seconds, ulong cycles, ulong frequencyHz) =>
        (unchecked(seconds + (long)(cycles / frequencyHz)), cycles % frequencyHz);
}
