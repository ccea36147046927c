using System.Diagnostics;
using Weir.Clock;
using Weir.Ctf;
using Weir.Graph;

namespace Weir.Kernel;

/// <summary>Where the parts of a state dump write to: each event gets the time at which it is written. It ends at a limit. Not thread-safe.</summary>
internal sealed class StateDumpOutput : IDisposable
{
    /// <summary>Most bytes of a dump: some million descriptors.</summary>
    internal const long MaxBytes = 64 << 20;

    private const int PacketBytes = 64 << 10;

    private readonly KernelTrace _trace;
    private readonly DataStreamClass _class;
    private readonly KernelStream _stream;
    private readonly ClockKind _clock;
    private readonly List<WrittenEvent> _kinds = [];
    private readonly long _maxBytes;
    private long _deadline = long.MaxValue;

    /// <exception cref="TraceWriteException">The files cannot be made.</exception>
    public StateDumpOutput(KernelTrace trace, ClockKind clock, long maxBytes = MaxBytes)
    {
        _maxBytes = maxBytes;
        _trace = trace;
        _clock = clock;
        // Its kinds of events take more than the 31 IDs of the small header.
        _class = trace.AddStreamClass(commonContext: null, LttngEventHeader.Large);
        _stream = trace.OpenStream(_class, "statedump", cpu: 0, instance: 0, PacketBytes);
    }

    /// <summary>Whether a limit is reached: what is still to come is left out.</summary>
    public bool IsOver => _stream.FileBytes > _maxBytes || (Volatile.Read(ref _deadline) is var deadline and < long.MaxValue && Stopwatch.GetTimestamp() > deadline);

    /// <summary>Why not everything could be written; null where it could.</summary>
    public string? Problem => _stream.Problem;

    /// <summary>The events by kind.</summary>
    public OwnStreamsResult Result => OwnStreamsResult.Of(_kinds, [_stream]);

    /// <summary>Sets a limit to the time from now on. Thread-safe.</summary>
    public void LimitTime(TimeSpan time) =>
        Volatile.Write(ref _deadline, Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency));

    /// <summary>Declares a kind of event.</summary>
    public WrittenEvent Declare(string name, params ReadOnlySpan<StructureMember> fields)
    {
        var kind = WrittenEvent.Declare(_trace, _class, name, fields);
        _kinds.Add(kind);
        return kind;
    }

    /// <summary>Begins an event; its fields are written next, then <see cref="End"/> is called.</summary>
    public BitWriter Begin(WrittenEvent kind) => _stream.BeginEvent(kind, TraceClock.Read(_clock));

    /// <summary>Ends the event that was begun.</summary>
    public void End() => _stream.EndEvent();

    /// <summary>Writes what is not yet written.</summary>
    public void Flush() => _stream.Flush(TraceClock.Read(_clock));

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();
}
