using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// <c>filter.utils.muxer</c>: merges streams by time. A batch is a run of one stream's messages that all come before what the other
/// streams have next; so nothing is copied, and the work is done for each run rather than for each message. A stream that is bad before its
/// first event or time comes last: nobody can say where among the others it belongs.
/// </summary>
public sealed class Muxer : MessageIterator
{
    private readonly List<Upstream> _heap = [];
    private readonly List<MessageIterator> _all;
    private Upstream? _given;
    private bool _hasBegun;
    private TraceReadException? _failure;

    /// <summary>Offers it.</summary>
    public static FilterClass Class { get; } = new("utils", "muxer", "Merge streams by time.", MuxerFilter.Create)
    {
        Help = "Any number of inputs, one output. There are no parameters.",
    };

    /// <summary>Merges <paramref name="upstreams"/>, which belong to the muxer from now on.</summary>
    public Muxer(List<MessageIterator> upstreams)
    {
        ArgumentNullException.ThrowIfNull(upstreams);
        _all = upstreams;
    }

    /// <inheritdoc/>
    public override ArraySegment<Message> Next()
    {
        if (!_hasBegun)
            Begin();
        if (_given is { } given)
        {
            _given = null;
            // The batch that was given may be reused only now.
            if (given.Next == given.End && !Refill(given))
                RemoveTop();
            else
                SiftDown(0);
        }
        if (_heap.Count == 0)
        {
            ThrowIfBad();
            return ArraySegment<Message>.Empty;
        }
        var top = _heap[0];
        int from = top.Next;
        int to = top.End;
        if (_heap.Count > 1)
        {
            var rival = _heap.Count > 2 && _heap[2].ComesBefore(_heap[1]) ? _heap[2] : _heap[1];
            to = from + 1;
            ref readonly var theirs = ref rival.Current;
            while (to < top.End && MessageOrder.Compare(in top.Messages[to], in theirs) < 0)
                to++;
        }
        top.Next = to;
        _given = top;
        return new ArraySegment<Message>(top.Messages, from, to - from);
    }

    /// <inheritdoc/>
    public override void ThrowIfBad()
    {
        if (_failure is { } failure)
            throw failure;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        foreach (var upstream in _all)
            upstream.Dispose();
        base.Dispose(disposing);
    }

    private bool Refill(Upstream upstream)
    {
        try
        {
            return upstream.Refill();
        }
        catch (TraceReadException e) when (!upstream.HasPlace)
        {
            _failure ??= e;
            return false;
        }
    }

    private void Begin()
    {
        _hasBegun = true;
        DataStream? first = null;
        foreach (var iterator in _all)
        {
            var upstream = new Upstream(iterator);
            if (!Refill(upstream))
                continue;
            first ??= upstream.Current.Stream;
            CheckClock(first, upstream.Current.Stream);
            _heap.Add(upstream);
        }
        for (int i = (_heap.Count / 2) - 1; i >= 0; i--)
            SiftDown(i);
    }

    /// <summary>Times of two streams can be compared when their clocks count from one origin.</summary>
    private static void CheckClock(DataStream first, DataStream other)
    {
        bool isSame = (first.Clock, other.Clock) switch
        {
            (null, null) => true,
            (null, _) or (_, null) => false,
            _ when first.IsClockAbsolute || other.IsClockAbsolute => first.IsClockAbsolute == other.IsClockAbsolute,
            ({ Uuid: { } left }, { Uuid: { } right }) => left == right,
            var (left, right) => ReferenceEquals(left, right),
        };
        if (!isSame)
            throw new TraceReadException(other.Name, -1, $"the clock of this stream cannot be compared with that of {first.Name}: expected clocks with one origin (--clock-force-correlate takes it for granted)");
    }

    private void RemoveTop()
    {
        _heap[0] = _heap[^1];
        _heap.RemoveAt(_heap.Count - 1);
        if (_heap.Count > 0)
            SiftDown(0);
    }

    private void SiftDown(int index)
    {
        while (true)
        {
            int child = (2 * index) + 1;
            if (child >= _heap.Count)
                return;
            if (child + 1 < _heap.Count && _heap[child + 1].ComesBefore(_heap[child]))
                child++;
            if (!_heap[child].ComesBefore(_heap[index]))
                return;
            (_heap[index], _heap[child]) = (_heap[child], _heap[index]);
            index = child;
        }
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

        public bool ComesBefore(Upstream other) => MessageOrder.Compare(in Current, in other.Current) < 0;

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
        new ParameterReader(context.Parameters).RejectOthers();
        return new MuxerFilter();
    }

    public override int MaxInputs => int.MaxValue;

    public override MessageIterator CreateIterator(int output, IReadOnlyList<MessageIterator> inputs) => new Muxer([.. inputs]);
}
