using Weir.Clock;

namespace Weir.Kernel;

/// <summary>What becomes of the pages of all CPUs together. Not thread-safe, but for the targets, each of which has its thread.</summary>
internal abstract class PageOutput : IDisposable
{
    /// <summary>Says which events the pages will have; called once, before <see cref="Open"/>.</summary>
    /// <exception cref="KernelException">One cannot be described.</exception>
    public abstract void Declare(IReadOnlyList<RecordedEvent> events);

    /// <summary>Where one CPU's pages go; belongs to the output.</summary>
    public abstract PageTarget Open(int cpu);

    /// <summary>Recording begins at a time: what is lost before the first event was lost after it.</summary>
    public virtual void Start(ulong now)
    {
    }

    /// <summary>Ends; no target is used any more.</summary>
    /// <param name="clock">The clock as it was measured over the whole recording.</param>
    /// <param name="endCycles">The time of the end.</param>
    /// <param name="statistics">What the kernel has counted.</param>
    public abstract PageOutputResult Finish(ClockCorrelation clock, ulong endCycles, IReadOnlyList<CpuStatistics> statistics);

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>What the pages have brought.</summary>
internal sealed record PageOutputResult
{
    /// <summary>The events by kind.</summary>
    public required IReadOnlyList<KernelEventCount> Events { get; init; }

    /// <summary>Bytes of the files.</summary>
    public required long FileBytes { get; init; }

    /// <summary>Events that the kernel had no room for.</summary>
    public required ulong Lost { get; init; }

    /// <summary>Events that could not be written.</summary>
    public required ulong NotWritten { get; init; }

    /// <summary>What went wrong; a sentence each.</summary>
    public required IReadOnlyList<string> Problems { get; init; }
}
