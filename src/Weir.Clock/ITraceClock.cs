using System.Runtime.CompilerServices;

namespace Weir.Clock;

/// <summary>A source of time for records, as a struct so that code generic over it reads it without a call. Thread-safe.</summary>
public interface ITraceClock
{
    /// <summary>The clock's kind, as session files name it.</summary>
    static abstract ClockKind Kind { get; }

    /// <summary>The time now, in the clock's own cycles; never goes back on one CPU.</summary>
    static abstract ulong Read();

    /// <summary>
    /// The time now, read after every load that precedes it in the program. The plain reading of the counter may be executed before
    /// them; a writer that must not reserve with a time older than the position it saw needs this one.
    /// </summary>
    static abstract ulong ReadOrdered();
}

/// <summary>The clocks that a session may run on.</summary>
public enum ClockKind
{
    /// <summary>The CPU's counter, see <see cref="CpuCounter"/>.</summary>
    Counter,

    /// <summary>The kernel's CLOCK_MONOTONIC, in nanoseconds.</summary>
    Monotonic,
}

/// <summary>The CPU's counter as a clock.</summary>
public readonly struct CounterClock : ITraceClock
{
    /// <inheritdoc/>
    public static ClockKind Kind => ClockKind.Counter;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Read() => CpuCounter.Read();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ReadOrdered() => CpuCounter.ReadOrdered();
}

/// <summary>CLOCK_MONOTONIC as a clock: twice the cost of the counter, and there on every machine.</summary>
public readonly struct MonotonicClock : ITraceClock
{
    /// <inheritdoc/>
    public static ClockKind Kind => ClockKind.Monotonic;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Read() => (ulong)LibC.NowNs(LibC.ClockMonotonic);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ReadOrdered() => Read(); // The kernel orders its own reading of the counter.
}
