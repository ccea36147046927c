using Weir.Clock;

namespace Weir.Kernel;

/// <summary>How the kernel's own clock of its counters is made of the CPU's counter: ns = zero + cycles * mult / 2^shift, in integers.</summary>
internal readonly record struct PerfTimeScale(ulong Zero, uint Multiplier, ushort Shift)
{
    /// <summary>The cycles of a time; the first of those that have this nanosecond, and so exact but for one nanosecond.</summary>
    public ulong ToCycles(ulong timeNs)
    {
        ulong time = timeNs - Zero;
        ulong quotient = time / Multiplier;
        ulong rest = time % Multiplier;
        return (quotient << Shift) + ((rest << Shift) / Multiplier);
    }
}

/// <summary>
/// Gives the records of the kernel's counters the trace's time. Where that is CLOCK_MONOTONIC, the kernel stamps the records with it. Where it
/// is the CPU's counter, the kernel tells how its own clock follows it; or else, as in many virtual machines, the records have
/// CLOCK_MONOTONIC_RAW, whose rate nobody changes, and times between two readings of both clocks lie on the line between them.
/// Not thread-safe.
/// </summary>
internal sealed unsafe class PerfClock
{
    private const int Tries = 16;

    private readonly PerfTimeScale? _scale;
    private readonly bool _isCounter;
    private Reading _before;
    private Reading _after;

    /// <summary>Chooses.</summary>
    /// <param name="clock">The trace's clock.</param>
    /// <param name="scale">What the kernel tells of its own clock.</param>
    public PerfClock(ClockKind clock, PerfTimeScale? scale)
    {
        _isCounter = clock == ClockKind.Counter;
        _scale = _isCounter && scale is { Multiplier: > 0, Shift: < 64 } ? scale : null;
        _before = _after = Read();
    }

    /// <summary>The clock that the kernel has to stamp records with.</summary>
    public int RecordClock => !_isCounter ? PerfEventFile.MonotonicClock : _scale is null ? PerfEventFile.RawClock : PerfEventFile.OwnClock;

    /// <summary>By how much times may be wrong, either way, in cycles; at most that of the widest reading.</summary>
    public ulong UncertaintyCycles { get; private set; }

    /// <summary>Reads both clocks; called after the records were written whose times are asked for next.</summary>
    public void Advance()
    {
        if (RecordClock != PerfEventFile.RawClock)
            return;
        _before = _after;
        _after = Read();
    }

    /// <summary>The trace's time of a record's.</summary>
    public ulong ToCycles(ulong time) => _scale is { } scale ? scale.ToCycles(time) : _isCounter ? Interpolate(_before, _after, time) : time;

    /// <summary>On the line through two readings; with one of them, or two of one time, that reading.</summary>
    internal static ulong Interpolate(Reading before, Reading after, ulong timeNs)
    {
        long width = after.TimeNs - before.TimeNs;
        if (width <= 0)
            return after.Cycles;
        // The differences have some 40 bits each.
        var cycles = (Int128)((long)timeNs - before.TimeNs) * (long)(after.Cycles - before.Cycles) / width;
        return before.Cycles + (ulong)(long)cycles;
    }

    /// <summary>The narrowest of some brackets, as <see cref="ClockSample"/> takes them.</summary>
    private Reading Read()
    {
        if (!_isCounter)
            return default;
        var best = default(Reading);
        ulong width = ulong.MaxValue;
        long* time = stackalloc long[2];
        for (int i = 0; i < Tries; i++)
        {
            ulong before = CounterClock.ReadOrdered();
            _ = LibC.GetTime(PerfEventFile.RawClock, time);
            ulong after = CounterClock.ReadOrdered();
            if (after - before >= width)
                continue;
            width = after - before;
            best = new Reading(before + (width / 2), (time[0] * 1_000_000_000) + time[1]);
        }
        UncertaintyCycles = Math.Max(UncertaintyCycles, (width + 1) / 2);
        return best;
    }

    /// <summary>Both clocks at one moment.</summary>
    internal readonly record struct Reading(ulong Cycles, long TimeNs);
}
