using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// Whether times of two streams can be compared, as babeltrace2 2.1 decides it: their clocks count from one origin that is known, or they
/// are the same clock.
/// </summary>
internal static class ClockComparison
{
    /// <summary>Compares a stream's clock with that of the first stream.</summary>
    /// <exception cref="TraceReadException">Their times cannot be compared.</exception>
    public static void Check(DataStream first, DataStream other)
    {
        if (!CanCompare(first, other))
            throw new TraceReadException(other.Name, -1, $"the clock of this stream cannot be compared with that of {first.Name}: expected clocks with one origin (--clock-force-correlate takes it for granted)");
    }

    private static bool CanCompare(DataStream first, DataStream other)
    {
        if (first.Clock is not { } left || other.Clock is not { } right)
            return first.Clock is null && other.Clock is null;
        if (HasOrigin(first) || HasOrigin(other))
            return HasOrigin(first) && HasOrigin(other) && OriginOf(first) == OriginOf(other);
        return ReferenceEquals(left, right) || (IdentityOf(left) is { } identity && identity == IdentityOf(right));
    }

    private static bool HasOrigin(DataStream stream) => stream.IsClockAbsolute || stream.Clock!.Origin is not null;

    /// <summary>Null for the Epoch.</summary>
    private static ClockOrigin? OriginOf(DataStream stream) => stream.IsClockAbsolute ? null : stream.Clock!.Origin;

    /// <summary>What a clock is known by anywhere; null where that is not enough.</summary>
    public static (string? Namespace, string Name, string Uid)? IdentityOf(ClockClass clock) =>
        clock is { Name: { Length: > 0 } name } && (clock.Uid ?? clock.Uuid?.ToString("D")) is { } uid ? (clock.Namespace, name, uid) : null;
}
