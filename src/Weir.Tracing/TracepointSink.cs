using System.Runtime.CompilerServices;
using Weir.Ring;

namespace Weir.Tracing;

/// <summary>Where the records of one tracepoint go in one session. Immutable, so writers use it without a lock.</summary>
internal sealed unsafe class TracepointSink(RingBuffer ring, uint id, EventFilter? filter)
{
    private readonly RingBuffer _ring = ring;
    private readonly uint _id = id;
    private readonly EventFilter? _filter = filter;

    public RingControl Control => _ring.Control;

    /// <summary>Writes a record if the filter lets it through; false where it is not in the stream then.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Write(WriterThread* thread, byte* payload, int lengthBytes) =>
        (_filter == null || _filter.Matches(new ReadOnlySpan<byte>(payload, lengthBytes)))
        && _ring.Write(thread, _id, payload, lengthBytes) <= CommitResult.CommittedInNewPacket;
}
