using System.Text.Json;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// <c>filter.utils.trimmer</c>: passes on what lies between two times, both included. Streams and packets that begin before or end after
/// begin and end at these times instead. A loss that reaches beyond them is cut there, and then nobody knows how many were lost inside.
/// </summary>
public sealed class Trimmer : MessageIterator
{
    private readonly MessageIterator _upstream;
    private readonly bool _isUtc;
    private readonly TimeBound? _beginBound;
    private readonly TimeBound? _endBound;
    private readonly List<OpenStream> _streams = [];
    private DataStream? _followed;
    private Message[] _kept = new Message[16];
    private int _count;
    private bool _isResolved;
    private bool _hasBegun;
    private bool _hasEnded;
    private long _beginNs = long.MinValue;
    private long _endNs = long.MaxValue;

    /// <summary>Offers it.</summary>
    public static FilterClass Class { get; } = new("utils", "trimmer", "Pass on what lies between two times.", TrimmerFilter.Create)
    {
        Help = """
            begin=TIME  nothing before this: "[YYYY-MM-DD] [hh:mm[:ss[.ns]]]", "s[.ns]", or a number of seconds
            end=TIME    nothing after this
            gmt=yes     the times are in UTC, not in the local time zone
            """,
    };

    /// <summary>Trims messages that are sorted by time.</summary>
    /// <param name="upstream">Where the messages come from; belongs to the trimmer from now on.</param>
    /// <param name="begin">First time that is passed on, or null.</param>
    /// <param name="end">Last time that is passed on, or null.</param>
    /// <param name="isUtc">Whether dates and times are in UTC; else in the local zone.</param>
    public Trimmer(MessageIterator upstream, TimeBound? begin, TimeBound? end, bool isUtc)
    {
        _upstream = upstream;
        _beginBound = begin;
        _endBound = end;
        _isUtc = isUtc;
        _hasBegun = begin is null;
    }

    /// <summary>Trims messages that are sorted by time to a range in nanoseconds since the clocks' origin.</summary>
    public Trimmer(MessageIterator upstream, long beginNs, long endNs)
    {
        _upstream = upstream;
        _beginNs = beginNs;
        _endNs = endNs;
        _isResolved = true;
    }

    /// <inheritdoc/>
    public override ArraySegment<Message> Next()
    {
        while (!_hasEnded)
        {
            var batch = _upstream.Next();
            _count = 0;
            if (batch.Count == 0)
                End();
            else
                Take(batch);
            if (_count > 0)
                return new ArraySegment<Message>(_kept, 0, _count);
        }
        return ArraySegment<Message>.Empty;
    }

    /// <inheritdoc/>
    public override void ThrowIfBad() => _upstream.ThrowIfBad();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _upstream.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>The clock's value at a bound, cut as babeltrace2's trimmer cuts it; 0 for what was before the clock began.</summary>
    private static ulong ToClockValue(DataStream stream, long timeNs) =>
        timeNs <= stream.ClockOffsetNs ? 0 : ClockValue.FromNanoseconds(unchecked((ulong)timeNs - (ulong)stream.ClockOffsetNs), stream.FrequencyHz);

    private static bool IsLoss(in Message message) => message.Kind is MessageKind.DiscardedEvents or MessageKind.DiscardedPackets;

    private void Take(ReadOnlySpan<Message> batch)
    {
        foreach (ref readonly var message in batch)
        {
            if (message.Stream.Clock is null)
                throw new TraceReadException(message.Stream.Name, -1, "this stream has no clock, so no time range can be cut from it");
            if (message.HasTime)
            {
                if (!_isResolved)
                    Resolve(in message);
                if (!_hasBegun && (message.TimeNs >= _beginNs || (IsLoss(in message) && message.EndTimeNs >= _beginNs)))
                    Begin();
                if (message.TimeNs > _endNs)
                {
                    End();
                    return;
                }
            }
            if (message.Kind != MessageKind.Event || message.Stream != _followed)
                Follow(in message);
            if (_hasBegun)
                Keep(in message);
        }
    }

    /// <summary>Keeps track of what has begun and not ended.</summary>
    private void Follow(in Message message)
    {
        if (message.Kind == MessageKind.StreamBeginning)
            _streams.Add(new OpenStream(message.Stream));
        int index = IndexOf(message.Stream);
        if (index < 0)
            return;
        _followed = message.Stream;
        if (message.Kind == MessageKind.StreamEnd)
        {
            _streams.RemoveAt(index);
            return;
        }
        var stream = _streams[index];
        stream.HasTime |= message.HasTime;
        if (message.Kind is MessageKind.PacketBeginning or MessageKind.PacketEnd)
            stream.Packet = message.Kind == MessageKind.PacketBeginning ? message.Packet : null;
    }

    private int IndexOf(DataStream stream)
    {
        for (int i = 0; i < _streams.Count; i++)
        {
            if (_streams[i].Stream == stream)
                return i;
        }
        return -1;
    }

    private ref Message Add()
    {
        if (_count == _kept.Length)
            Array.Resize(ref _kept, _count * 2);
        return ref _kept[_count++];
    }

    private void Keep(in Message message)
    {
        ref var kept = ref Add();
        kept = message;
        if (IsLoss(in message) && message.HasTime && (message.TimeNs < _beginNs || message.EndTimeNs > _endNs))
        {
            kept.SetTime(
                message.TimeNs < _beginNs ? ToClockValue(message.Stream, _beginNs) : message.Record.ClockValue,
                message.EndTimeNs > _endNs ? ToClockValue(message.Stream, _endNs) : message.EndClockValue);
            kept.Count = null;
        }
    }

    /// <summary>Lets what has begun before begin now.</summary>
    private void Begin()
    {
        _hasBegun = true;
        foreach (var stream in _streams)
        {
            Add(MessageKind.StreamBeginning, stream, _beginNs);
            if (stream.Packet is not null)
                Add(MessageKind.PacketBeginning, stream, _beginNs);
        }
    }

    /// <summary>Lets what has not ended end now.</summary>
    private void End()
    {
        _hasEnded = true;
        if (!_hasBegun || _endNs == long.MaxValue)
            return;
        foreach (var stream in _streams)
        {
            if (stream.Packet is not null)
                Add(MessageKind.PacketEnd, stream, _endNs);
            Add(MessageKind.StreamEnd, stream, _endNs);
        }
    }

    private void Add(MessageKind kind, OpenStream stream, long timeNs)
    {
        ref var message = ref Add();
        message = default;
        message.Kind = kind;
        message.Stream = stream.Stream;
        if (kind is MessageKind.PacketBeginning or MessageKind.PacketEnd)
            message.Packet = stream.Packet;
        // Of a stream without any time nobody knows whether it was there.
        if (stream.HasTime)
            message.SetTime(ToClockValue(stream.Stream, timeNs));
    }

    private void Resolve(in Message first)
    {
        _isResolved = true;
        if (_beginBound is { } begin)
            _beginNs = begin.Resolve(_isUtc, first.TimeNs);
        if (_endBound is { } end)
            _endNs = end.Resolve(_isUtc, first.TimeNs);
        if (_beginNs > _endNs)
            throw new TraceReadException(first.Stream.Name, -1, "the time range ends before it begins");
    }

    /// <summary>A stream that has begun and not ended.</summary>
    private sealed class OpenStream(DataStream stream)
    {
        public DataStream Stream => stream;

        public bool HasTime { get; set; }

        public Packet? Packet { get; set; }
    }
}

/// <summary>The trimmer as a part of a graph.</summary>
internal sealed class TrimmerFilter(TimeBound? begin, TimeBound? end, bool isUtc) : Filter
{
    public static TrimmerFilter Create(ComponentContext context)
    {
        var parameters = new ParameterReader(context.Parameters);
        var filter = new TrimmerFilter(Bound(context, "begin"), Bound(context, "end"), parameters.Flag("gmt"));
        _ = (parameters.Has("begin"), parameters.Has("end"));
        parameters.RejectOthers();
        return filter;
    }

    public override MessageIterator CreateIterator(int output, IReadOnlyList<MessageIterator> inputs) => new Trimmer(inputs[0], begin, end, isUtc);

    /// <summary>The range, where it is known before the first message is read.</summary>
    public TimeRange? FindRange(Func<long?> findFirstTime) => TimeBound.ResolveRange(begin, end, isUtc, findFirstTime);

    private static TimeBound? Bound(ComponentContext context, string name)
    {
        if (context.Parameters[name] is not { } node)
            return null;
        // A number of seconds may stand without quotes.
        string text = node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : node.ToJsonString();
        return TimeBound.TryParse(text, out var bound)
            ? bound
            : throw new ComponentParameterException($"the parameter '{name}' is {text}: expected [YYYY-MM-DD] [hh:mm[:ss[.ns]]] or s[.ns]");
    }
}
