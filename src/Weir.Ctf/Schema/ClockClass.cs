using System.Text.Json.Nodes;

namespace Weir.Ctf;

/// <summary>What the origin of a clock is, when it is not the Epoch: clocks of the same origin can be compared.</summary>
/// <param name="Namespace">Whose names these are, or null.</param>
/// <param name="Name">The origin's name.</param>
/// <param name="Uid">What tells this origin from others of its name.</param>
public sealed record ClockOrigin(string? Namespace, string Name, string Uid);

/// <summary>A clock: a counter of cycles with a frequency and an offset from its origin.</summary>
public sealed class ClockClass
{
    /// <summary>
    /// The clock's name; in TSDL also what refers to it, a C identifier. In CTF 2 it may be missing (empty), see <see cref="Id"/>.
    /// </summary>
    public required string Name { get; init; }

    /// <summary>By what CTF 2 metadata refers to the clock; null where that is its name.</summary>
    public string? Id { get; init; }

    /// <summary>Whose names these are (CTF 2), or null.</summary>
    public string? Namespace { get; init; }

    /// <summary>What tells this clock from others of its name (CTF 2), or null; in CTF 1.8 the UUID.</summary>
    public string? Uid { get; init; }

    /// <summary>What tells this clock from others that are not absolute.</summary>
    public Guid? Uuid { get; init; }

    /// <summary>Words for people, or null.</summary>
    public string? Description { get; init; }

    /// <summary>Cycles in one second.</summary>
    public ulong FrequencyHz { get; init; } = 1_000_000_000;

    /// <summary>Possible error of a value, in cycles; null when unknown.</summary>
    public ulong? PrecisionCycles { get; init; }

    /// <summary>Possible systematic error of all values, in cycles; null when unknown.</summary>
    public ulong? AccuracyCycles { get; init; }

    /// <summary>Seconds from the origin to the counter's zero, beside <see cref="OffsetCycles"/>.</summary>
    public long OffsetSeconds { get; init; }

    /// <summary>Cycles from the origin to the counter's zero, beside <see cref="OffsetSeconds"/>.</summary>
    public ulong OffsetCycles { get; init; }

    /// <summary>Whether the origin is the Epoch, so that the clock may be compared with every other such clock (TSDL's <c>absolute</c>).</summary>
    public bool IsAbsolute { get; init; }

    /// <summary>The origin that is not the Epoch (CTF 2), or null where none is named.</summary>
    public ClockOrigin? Origin { get; init; }

    /// <summary>What the producer has noted on the clock, or null.</summary>
    public JsonObject? Attributes { get; init; }
}
