using Weir.Clock;
using Weir.Tracing;

namespace Weir.Sessions;

/// <summary>What a part of a recording has brought beside the programs' events.</summary>
public sealed record RecordingPartResult
{
    /// <summary>The directory of its trace.</summary>
    public required string TraceDirectory { get; init; }

    /// <summary>Its events by name.</summary>
    public required IReadOnlyList<EventStatistics> Events { get; init; }

    /// <summary>Bytes of its stream files.</summary>
    public required long FileBytes { get; init; }

    /// <summary>What its trace does not hold.</summary>
    public required LossCounts Losses { get; init; }

    /// <summary>What went wrong without ending the recording; a sentence each.</summary>
    public required IReadOnlyList<string> Problems { get; init; }
}

/// <summary>
/// Something that is recorded together with the programs' tracepoints, such as the kernel: into the same directory, by the same clock, from
/// before the command begins until after it ends. Called by one thread, in this order.
/// </summary>
public interface IRecordingPart : IDisposable
{
    /// <summary>The clock that every part of the recording must have for this one, if the session would have the given one.</summary>
    /// <exception cref="SessionException">This part cannot be had; nothing was started.</exception>
    ClockKind ChooseClock(ClockKind wanted);

    /// <summary>Makes everything ready and begins.</summary>
    /// <exception cref="SessionException">This part cannot be had; nothing is left behind.</exception>
    void Start(SessionDescription session, string outputDirectory);

    /// <summary>The same thread is about to start the command.</summary>
    void BeginCommandStart();

    /// <summary>It has started it, or failed to.</summary>
    void EndCommandStart();

    /// <summary>Ends.</summary>
    void Stop();

    /// <summary>Closes its trace.</summary>
    /// <param name="clock">The clock as it was measured over the whole recording.</param>
    RecordingPartResult Finish(ClockCorrelation clock);
}
