using Weir.Clock;

namespace Weir.Kernel;

/// <summary>
/// A kind of instrumentation: tracepoints, probes, counters. All kinds stand in <see cref="InstrumentationRegistry"/>; a new one is a folder
/// beside this file and a line there.
/// </summary>
/// <remarks>
/// For each rule of a session <see cref="Prepare"/> makes one <see cref="Instrumentation"/>, which holds what the kind needs to know of the
/// session. What can be refused is refused then, before anything is recorded.
/// <code>
///  Prepare ──► Start ──► Stop ──► Finish ──► Dispose
///     └──────────────────────────────────────────▲     a refusal, of this rule or another
/// </code>
/// </remarks>
internal abstract class InstrumentationKind
{
    /// <summary>What rules of this kind begin with; empty for the kind that takes all others.</summary>
    public abstract IReadOnlyList<string> Prefixes { get; }

    /// <summary>A rule of this kind and what it records, in one line for the help.</summary>
    public abstract string Help { get; }

    /// <summary>Why this kernel has nothing of this kind, as a sentence; null where it has.</summary>
    public virtual string? Refusal(TracefsMount tracefs) => null;

    /// <summary>Makes ready what a rule asks for.</summary>
    /// <exception cref="KernelException">It cannot be had here; says why, and what could be meant.</exception>
    public abstract Instrumentation Prepare(KernelRule rule, InstrumentationContext context);

    /// <summary>Says why this kernel has nothing of this kind.</summary>
    /// <exception cref="KernelException">It has not.</exception>
    protected void Require(KernelRule rule, InstrumentationContext context)
    {
        if (Refusal(context.Tracefs) is { } refusal)
            throw new KernelException($"kernel rule '{rule.Text}': {refusal}");
    }
}

/// <summary>What one rule has made in a session.</summary>
internal abstract class Instrumentation : IDisposable
{
    /// <summary>The events of the instance that come of it, to be enabled and described in the trace.</summary>
    public virtual IReadOnlyList<RecordedEvent> Events => [];

    /// <summary>What the instrumentation's own streams hold, once it has finished; null where it has none.</summary>
    public virtual OwnStreamsResult? Result => null;

    /// <summary>Begins to record; the instance's events are on by then.</summary>
    public virtual void Start()
    {
    }

    /// <summary>Called on the thread that is about to start the command, where nothing but the command is recorded.</summary>
    /// <exception cref="KernelException">The kernel refuses it.</exception>
    public virtual void BeginCommandStart()
    {
    }

    /// <summary>Called on the same thread when the command was started.</summary>
    public virtual void EndCommandStart()
    {
    }

    /// <summary>Stops recording.</summary>
    public virtual void Stop()
    {
    }

    /// <summary>Writes what is still to be written; all streams are closed after it.</summary>
    public virtual void Finish()
    {
    }

    /// <summary>Takes back what was made in the kernel. The instance has no events enabled any more.</summary>
    public virtual void Dispose()
    {
    }
}

/// <summary>An event that an instance records.</summary>
/// <param name="Event">The kernel's name of it.</param>
internal sealed record RecordedEvent(KernelEventName Event)
{
    /// <summary>The filter in the kernel's words, or null.</summary>
    public string? Filter { get; init; }

    /// <summary>The name in the trace, or null for that which a tracepoint of this name has.</summary>
    public string? Name { get; init; }

    /// <summary>Whether the event has a file <c>enable</c>; what the kernel writes for a tracer or a marker has none.</summary>
    public bool IsSwitched { get; init; } = true;

    /// <summary>The fields of 8 bytes that hold the kernel's addresses.</summary>
    public IReadOnlyList<string> AddressFields { get; init; } = [];

    /// <summary>Takes the addresses that occur in <see cref="AddressFields"/>; null where nobody wants them.</summary>
    public KernelAddresses? Addresses { get; init; }
}

/// <summary>The session that instrumentation is prepared for.</summary>
internal sealed class InstrumentationContext
{
    private readonly Dictionary<Type, object> _shared = [];

    /// <summary>The kernel's tracing files.</summary>
    public required TracefsMount Tracefs { get; init; }

    /// <summary>The session's instance.</summary>
    public required TracefsInstance Instance { get; init; }

    /// <summary>The events that the kernel has.</summary>
    public required EventCatalogue Catalogue { get; init; }

    /// <summary>The trace, for kinds that write streams of their own.</summary>
    public required KernelTrace Trace { get; init; }

    /// <summary>The clock of the trace, which every event has its time by.</summary>
    public required ClockKind Clock { get; init; }

    /// <summary>What is to be recorded.</summary>
    public required KernelRecordingOptions Options { get; init; }

    /// <summary>A name that belongs to this session alone, for groups of dynamic events.</summary>
    public required string OwnName { get; init; }

    /// <summary>What went wrong without ending the recording; a sentence each.</summary>
    public required List<string> Problems { get; init; }

    /// <summary>What all rules of a kind have in common in this session, made for the first of them.</summary>
    public T Share<T>(Func<T> make, out bool isNew)
        where T : class
    {
        isNew = !_shared.TryGetValue(typeof(T), out object? shared);
        if (isNew)
            _shared.Add(typeof(T), shared = make());
        return (T)shared!;
    }
}
