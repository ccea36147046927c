namespace Weir.Graph;

/// <summary>
/// <c>filter.utils.muxer</c>: merges streams by time. A batch is a run of one stream's messages that all come before what the other
/// streams have next; so nothing is copied, and the work is done for each run rather than for each message. A stream that is bad before its
/// first event or time comes last: nobody can say where among the others it belongs.
/// </summary>
public sealed class Muxer : MessageIterator
{
    private readonly List<MessageIterator> _all;
    private readonly Queue<TraceReadException> _failures = [];
    private Place[] _heap = [];
    private int _heapCount;
    private Upstream? _given;
    private bool _hasBegun;

    /// <summary>Offers it.</summary>
    public static FilterClass Class { get; } = new("utils", "muxer", "Merge streams by time.", MuxerFilter.Create)
    {
        Help = """
            Any number of inputs, one output.

            keep-going=yes   the sources go on behind what is bad, so go on with them
            """,
    };

    /// <summary>Merges <paramref name="upstreams"/>, which belong to the muxer from now on.</summary>
    public Muxer(List<MessageIterator> upstreams)
    {
        ArgumentNullException.ThrowIfNull(upstreams);
        _all = upstreams;
    }

    /// <summary>Whether the upstreams go on when they are asked again after an error; so does the muxer then.</summary>
    public bool KeepsGoing { get; init; }

    /// <inheritdoc/>
    public override ArraySegment<Message> Next()
    {
        if (!_hasBegun)
            Begin();
        if (_given is { } given)
        {
            // The batch that was given may be reused only now. If this throws, the upstream is asked again the next time.
            if (given.Next == given.End && !Refill(given))
            {
                RemoveTop();
            }
            else
            {
                _heap[0] = new Place(given);
                SiftDown(0);
            }
            _given = null;
        }
        if (_heapCount == 0)
        {
            ThrowIfBad();
            return ArraySegment<Message>.Empty;
        }
        var top = _heap[0].Upstream;
        int from = top.Next;
        int to = _heapCount == 1 ? top.End : FindEndOfRun(top, _heapCount > 2 && _heap[2].ComesBefore(in _heap[1]) ? _heap[2] : _heap[1]);
        top.Next = to;
        _given = top;
        return new ArraySegment<Message>(top.Messages, from, to - from);
    }

    /// <inheritdoc/>
    public override void ThrowIfBad()
    {
        if (_failures.TryDequeue(out var failure))
            throw failure;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        foreach (var upstream in _all)
            upstream.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>The first message of <paramref name="top"/>, which is known to come first, and those that follow before the rival's.</summary>
    private static int FindEndOfRun(Upstream top, in Place rival)
    {
        var messages = top.Messages;
        int to = top.Next + 1;
        while (to < top.End)
        {
            ref readonly var message = ref messages[to];
            long time = message.HasTime ? message.TimeNs : long.MinValue;
            if (time >= rival.Time && (time > rival.Time || MessageOrder.Compare(in message, in rival.Upstream.Current) >= 0))
                break;
            to++;
        }
        return to;
    }

    private bool Refill(Upstream upstream)
    {
        while (true)
        {
            try
            {
                return upstream.Refill();
            }
            catch (TraceReadException e) when (!upstream.HasPlace)
            {
                _failures.Enqueue(e);
                if (!KeepsGoing)
                    return false;
            }
        }
    }

    private void Begin()
    {
        _hasBegun = true;
        _heap = new Place[_all.Count];
        DataStream? first = null;
        int count = 0;
        foreach (var iterator in _all)
        {
            var upstream = new Upstream(iterator);
            if (!Refill(upstream))
                continue;
            first ??= upstream.Current.Stream;
            ClockComparison.Check(first, upstream.Current.Stream);
            _heap[count++] = new Place(upstream);
        }
        _heapCount = count;
        for (int i = (count / 2) - 1; i >= 0; i--)
            SiftDown(i);
    }

    private void RemoveTop()
    {
        _heap[0] = _heap[--_heapCount];
        _heap[_heapCount] = default;
        if (_heapCount > 0)
            SiftDown(0);
    }

    private void SiftDown(int index)
    {
        var heap = _heap.AsSpan(0, _heapCount);
        var place = heap[index];
        while (true)
        {
            int child = (2 * index) + 1;
            if (child >= heap.Length)
                break;
            if (child + 1 < heap.Length && heap[child + 1].ComesBefore(in heap[child]))
                child++;
            if (!heap[child].ComesBefore(in place))
                break;
            heap[index] = heap[child];
            index = child;
        }
        heap[index] = place;
    }

    /// <summary>An upstream by the time of its current message, which is compared without going there.</summary>
    private readonly struct Place(Upstream upstream)
    {
        public readonly Upstream Upstream = upstream;

        /// <summary>A message without a time comes first.</summary>
        public readonly long Time = upstream.Current.HasTime ? upstream.Current.TimeNs : long.MinValue;

        public bool ComesBefore(in Place other) =>
            Time != other.Time ? Time < other.Time : MessageOrder.Compare(in Upstream.Current, in other.Upstream.Current) < 0;
    }

    /// <summary>An upstream with its current batch, which its iterator holds still until it is asked again.</summary>
    private sealed class Upstream(MessageIterator iterator)
    {
        public Message[] Messages { get; private set; } = [];

        public int Next { get; set; }

        public int End { get; private set; }

        /// <summary>Whether an event or a time has told where the stream stands among the others.</summary>
        public bool HasPlace { get; private set; }

        public ref readonly Message Current => ref Messages[Next];

        public bool Refill()
        {
            var batch = iterator.Next();
            Messages = batch.Array ?? [];
            Next = batch.Offset;
            End = batch.Offset + batch.Count;
            for (int i = Next; i < End && !HasPlace; i++)
                HasPlace = Messages[i].HasTime || Messages[i].Kind == MessageKind.Event;
            return batch.Count > 0;
        }
    }
}

/// <summary>The muxer as a part of a graph.</summary>
internal sealed class MuxerFilter : Filter
{
    public static MuxerFilter Create(ComponentContext context)
    {
        var parameters = new ParameterReader(context.Parameters);
        var filter = new MuxerFilter { KeepsGoing = parameters.Flag("keep-going") };
        parameters.RejectOthers();
        return filter;
    }

    /// <summary>Whether what gives to it goes on after an error.</summary>
    public bool KeepsGoing { get; init; }

    public override int MaxInputs => int.MaxValue;

    public override MessageIterator CreateIterator(int output, IReadOnlyList<MessageIterator> inputs) => new Muxer([.. inputs]) { KeepsGoing = KeepsGoing };
}
