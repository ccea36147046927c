namespace Weir.Graph;

/// <summary>How <c>source.ctf.fs</c> reads clocks.</summary>
public sealed record CtfFsOptions
{
    /// <summary>Seconds to add to each clock's offset.</summary>
    public long ClockOffsetSeconds { get; init; }

    /// <summary>Nanoseconds to add to each clock's offset.</summary>
    public long ClockOffsetNanoseconds { get; init; }

    /// <summary>Whether to take each clock's origin for the Epoch.</summary>
    public bool ForceClockAbsolute { get; init; }

    /// <summary>Whether to give only the time that all streams of a trace have in common.</summary>
    public bool IsIntersection { get; init; }

    /// <summary>What a trace's name says after its host; null for the path from the directory that was asked for.</summary>
    public string? TraceName { get; init; }
}
