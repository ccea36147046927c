using Weir.Ctf;

namespace Weir.Graph;

/// <summary>What a source is told about the clocks of what it reads: <c>--clock-offset</c> and what belongs to it. Named as babeltrace2's parameters.</summary>
public sealed record ClockAdjustment
{
    /// <summary>The parameters, for a source's help.</summary>
    public const string Help = """
        clock-class-offset-s=SEC                  add this many seconds to each clock
        clock-class-offset-ns=NS                  add this many nanoseconds to each clock
        force-clock-class-origin-unix-epoch=yes   take it that all clocks count from the Epoch
        """;

    /// <summary>Clocks as they are.</summary>
    public static ClockAdjustment None { get; } = new();

    /// <summary>Seconds to add to each clock's offset.</summary>
    public long OffsetSeconds { get; init; }

    /// <summary>Nanoseconds to add to each clock's offset.</summary>
    public long OffsetNanoseconds { get; init; }

    /// <summary>Whether to take each clock's origin for the Epoch.</summary>
    public bool ForcesEpoch { get; init; }

    /// <summary>Reads the parameters.</summary>
    /// <exception cref="ComponentParameterException">One is not as it should be.</exception>
    public static ClockAdjustment Read(ParameterReader parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        return new ClockAdjustment
        {
            OffsetSeconds = parameters.Integer("clock-class-offset-s"),
            OffsetNanoseconds = parameters.Integer("clock-class-offset-ns"),
            ForcesEpoch = parameters.Flag("force-clock-class-origin-unix-epoch"),
        };
    }

    /// <summary>Nanoseconds from a clock's origin to its zero, for <see cref="DataStream.ClockOffsetNs"/>; 0 without a clock.</summary>
    /// <exception cref="TraceReadException">They have no 64 bits.</exception>
    public long OffsetOf(ClockClass? clock, string path)
    {
        if (clock is null)
            return 0;
        if (ClockValue.TryGetOffset(clock, OffsetSeconds, OffsetNanoseconds, out long offsetNs))
            return offsetNs;
        throw new TraceReadException(path, -1, $"the offset of {(clock.Name.Length > 0 ? $"clock '{clock.Name}'" : "the clock")} has more than 64 bits in nanoseconds");
    }

    /// <summary>Whether a clock counts from the Epoch, for <see cref="DataStream.IsClockAbsolute"/>.</summary>
    public bool IsAbsolute(ClockClass? clock) => ForcesEpoch || clock is { IsAbsolute: true };
}
