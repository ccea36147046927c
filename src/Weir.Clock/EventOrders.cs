namespace Weir.Clock;

/// <summary>Which of two events came first.</summary>
public enum EventOrder
{
    /// <summary>Nobody can tell.</summary>
    Unknown,

    /// <summary>The first of the two.</summary>
    Before,

    /// <summary>The second of the two.</summary>
    After,
}

/// <summary>An answer and what it rests on.</summary>
/// <param name="Order">Which came first.</param>
/// <param name="Bound">
/// The distance in time from which on the two could be told apart, in the unit of the times: 0 where nothing is in doubt, null where
/// no bound is known.
/// </param>
public readonly record struct OrderDecision(EventOrder Order, ulong? Bound);

/// <summary>An event, as far as its order is concerned.</summary>
/// <param name="Cycles">Its time on the trace's clock.</param>
/// <param name="Cpu">The CPU whose counter that is; negative where it is not known.</param>
/// <param name="Stream">What tells its stream from others.</param>
/// <param name="Position">Its place in its stream.</param>
/// <param name="Thread">What tells its thread from others; null where it is not known.</param>
public readonly record struct EventPoint(ulong Cycles, int Cpu, object? Stream = null, long Position = 0, object? Thread = null);

/// <summary>Decides the order of two events, and says so where it cannot be decided. Needs nothing but what it is given.</summary>
public static class EventOrders
{
    /// <summary>
    /// Compares events that have one clock.
    /// <list type="bullet">
    /// <item>Of one stream: they were written in their order.</item>
    /// <item>Of one CPU: one counter, which rises.</item>
    /// <item>Of one thread: a thread that changes its CPU takes far longer than any skew that leaves the counter trusted.</item>
    /// <item>Else by the skew's bounds. Without a measured skew (the clock is the kernel's, or the trace does not tell) the clock is taken
    /// at its word, and only equal times are in doubt.</item>
    /// </list>
    /// </summary>
    public static OrderDecision Decide(in EventPoint first, in EventPoint second, CounterSkew? skew)
    {
        if (first.Stream != null && Equals(first.Stream, second.Stream))
            return Certain(first.Cycles == second.Cycles ? first.Position.CompareTo(second.Position) : first.Cycles.CompareTo(second.Cycles));
        bool isOneCounter = first.Cpu >= 0 && first.Cpu == second.Cpu;
        bool isOneThread = first.Thread != null && Equals(first.Thread, second.Thread);
        if (isOneCounter || isOneThread || skew == null)
            return Certain(first.Cycles.CompareTo(second.Cycles));
        if (!skew.TryBound(first.Cpu, second.Cpu, out long least, out long most))
            return new OrderDecision(EventOrder.Unknown, null);
        // The second CPU is ahead by least to most; so the second event is later by its time less that.
        Int128 distance = (Int128)second.Cycles - first.Cycles;
        return Between(distance - most, distance - least, distance < 0 ? -(Int128)least : most);
    }

    /// <summary>Compares times that may be wrong by their uncertainties: of two clocks, both converted to one.</summary>
    public static OrderDecision Decide(ConvertedTime first, ConvertedTime second)
    {
        Int128 distance = (Int128)second.Ns - first.Ns;
        Int128 uncertainty = (Int128)first.UncertaintyNs + second.UncertaintyNs;
        return Between(distance - uncertainty, distance + uncertainty, uncertainty);
    }

    /// <summary>
    /// Compares events of two clocks that were compared by an exchange; the bound is in cycles of the second's.
    /// </summary>
    /// <param name="first">The first event's time on the clock of who asked.</param>
    /// <param name="second">The second event's time on the clock of who answered.</param>
    /// <param name="relation">What the exchange brought.</param>
    public static OrderDecision Decide(ulong first, ulong second, ClockRelation relation)
    {
        ArgumentNullException.ThrowIfNull(relation);
        // What the second clock said when the first event happened.
        var (earliest, latest) = relation.Bound(first);
        return Between((Int128)second - latest, (Int128)second - earliest, (Int128)latest - earliest);
    }

    /// <summary>The second event is later than the first by least to most.</summary>
    private static OrderDecision Between(Int128 least, Int128 most, Int128 bound)
    {
        ulong rounded = (ulong)Int128.Clamp(bound, 0, ulong.MaxValue);
        if (least > 0)
            return new OrderDecision(EventOrder.Before, rounded);
        return new OrderDecision(most < 0 ? EventOrder.After : EventOrder.Unknown, rounded);
    }

    private static OrderDecision Certain(int order) =>
        new(order < 0 ? EventOrder.Before : order > 0 ? EventOrder.After : EventOrder.Unknown, 0);
}
