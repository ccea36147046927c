namespace Weir.Ring;

/// <summary>What kind of memory a ring lives in.</summary>
public enum BackingKind
{
    /// <summary>Files in a directory: in memory where that is a tmpfs, and they then survive the process; on a DAX file system, the kernel.</summary>
    Files,

    /// <summary>
    /// Files in memory without a name. Nobody can cut them short. Other processes get at a stream by descriptor
    /// (<see cref="StreamReader.File"/>, <c>/proc/PID/fd/N</c>) where the restartable sequence writes it; on the atomic path they would need the
    /// ring's control too, which they cannot reach.
    /// </summary>
    MemoryFiles,

    /// <summary>Memory of this process only.</summary>
    Anonymous,
}

/// <summary>Where a ring's memory comes from.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Directory">For <see cref="BackingKind.Files"/>: an existing directory of the ring's own.</param>
public sealed record RingBacking(BackingKind Kind, string? Directory = null)
{
    /// <summary>Memory files.</summary>
    public static RingBacking MemoryFiles { get; } = new(BackingKind.MemoryFiles);

    /// <summary>Anonymous memory.</summary>
    public static RingBacking Anonymous { get; } = new(BackingKind.Anonymous);

    /// <summary>
    /// Whether pages are there from the start, so that no record pays for a page's first touch; else a stream takes memory as it fills.
    /// Files have their room allocated in either case, for a page that a full disk cannot provide would end the program.
    /// </summary>
    public bool IsTouchedUpFront { get; init; } = true;

    /// <summary>Whether to ask for huge pages: fewer misses of the TLB with large rings. Advice; <see cref="RingBuffer.DescribeMemory"/> says what came of it.</summary>
    public bool HugePages { get; init; }

    /// <summary>Whether a CPU's stream is to lie in the memory of its own node, where there are several.</summary>
    public bool NodeLocal { get; init; }

    /// <summary>Files in a directory.</summary>
    public static RingBacking Files(string directory) => new(BackingKind.Files, directory);
}
