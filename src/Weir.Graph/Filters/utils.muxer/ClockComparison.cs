namespace Weir.Graph;

/// <summary>Whether times of two streams can be compared: when their clocks count from one origin.</summary>
internal static class ClockComparison
{
    /// <summary>Compares a stream's clock with that of the first stream.</summary>
    /// <exception cref="TraceReadException">Their times cannot be compared.</exception>
    public static void Check(DataStream first, DataStream other)
    {
        bool isSame = (first.Clock, other.Clock) switch
        {
            (null, null) => true,
            (null, _) or (_, null) => false,
            _ when first.IsClockAbsolute || other.IsClockAbsolute => first.IsClockAbsolute == other.IsClockAbsolute,
            ({ Uuid: { } left }, { Uuid: { } right }) => left == right,
            var (left, right) => ReferenceEquals(left, right),
        };
        if (!isSame)
            throw new TraceReadException(other.Name, -1, $"the clock of this stream cannot be compared with that of {first.Name}: expected clocks with one origin (--clock-force-correlate takes it for granted)");
    }
}
