namespace Weir.Ring;

/// <summary>Where records go, and how they get there.</summary>
public interface IPlacement
{
    /// <summary>Whether each CPU has a stream of its own.</summary>
    static abstract bool IsPerCpu { get; }

    /// <summary>The sequence; null where it is chosen when the ring is made.</summary>
    static abstract SequenceKind? Sequence { get; }
}

/// <summary>How records are committed to a CPU's stream.</summary>
public interface ISequence
{
    /// <summary>The sequence; null where it is chosen when the ring is made.</summary>
    static abstract SequenceKind? Kind { get; }
}

/// <summary>A stream for each CPU: writers on different CPUs share no cache line.</summary>
public readonly struct PerCpu<TSequence> : IPlacement
    where TSequence : struct, ISequence
{
    /// <inheritdoc/>
    public static bool IsPerCpu => true;

    /// <inheritdoc/>
    public static SequenceKind? Sequence => TSequence.Kind;
}

/// <summary>
/// One stream for all CPUs: one order of all records, at the price of a cache line that travels. Always atomic, because a restartable
/// sequence excludes other writers on its own CPU only.
/// </summary>
public readonly struct Global : IPlacement
{
    /// <inheritdoc/>
    public static bool IsPerCpu => false;

    /// <inheritdoc/>
    public static SequenceKind? Sequence => SequenceKind.Atomic;
}

/// <summary>The restartable sequence; making the ring fails where the process cannot run it.</summary>
public readonly struct Rseq : ISequence
{
    /// <inheritdoc/>
    public static SequenceKind? Kind => SequenceKind.Rseq;
}

/// <summary>The atomic sequence, which runs everywhere.</summary>
public readonly struct Atomic : ISequence
{
    /// <inheritdoc/>
    public static SequenceKind? Kind => SequenceKind.Atomic;
}

/// <summary>The restartable sequence where this process can run it, else the atomic one.</summary>
public readonly struct Available : ISequence
{
    /// <inheritdoc/>
    public static SequenceKind? Kind => null;
}
