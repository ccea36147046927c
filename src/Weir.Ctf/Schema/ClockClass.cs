namespace Weir.Ctf;

/// <summary>A clock: a counter of cycles with a frequency and an offset from its origin.</summary>
public sealed class ClockClass
{
    /// <summary>The clock's name, by which TSDL refers to it; a C identifier.</summary>
    public required string Name { get; init; }

    /// <summary>What tells this clock from others that are not absolute.</summary>
    public Guid? Uuid { get; init; }

    /// <summary>Words for people, or null.</summary>
    public string? Description { get; init; }

    /// <summary>Cycles in one second.</summary>
    public ulong FrequencyHz { get; init; } = 1_000_000_000;

    /// <summary>Possible error of a value, in cycles.</summary>
    public ulong PrecisionCycles { get; init; }

    /// <summary>Seconds from the origin to the counter's zero, beside <see cref="OffsetCycles"/>.</summary>
    public long OffsetSeconds { get; init; }

    /// <summary>Cycles from the origin to the counter's zero, beside <see cref="OffsetSeconds"/>.</summary>
    public ulong OffsetCycles { get; init; }

    /// <summary>Whether the clock may be compared with every other absolute clock (TSDL's <c>absolute</c>).</summary>
    public bool IsAbsolute { get; init; }
}
