using System.Text.Json;

namespace Weir.Graph;

/// <summary>
/// <c>filter.utils.trimmer</c>: passes on what lies between two times, both included. A loss that reaches beyond them is cut there, and
/// then nobody knows how many were lost inside.
/// </summary>
public sealed class Trimmer : MessageIterator
{
    private readonly MessageIterator _upstream;
    private readonly bool _isUtc;
    private readonly TimeBound? _beginBound;
    private readonly TimeBound? _endBound;
    private readonly bool _endsEarly;
    private Message[] _kept = new Message[16];
    private bool _isResolved;
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
        _endsEarly = true;
    }

    /// <summary>Trims the messages of one stream to a range in nanoseconds since its clock's origin.</summary>
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
            if (batch.Count == 0)
                break;
            int count = Keep(batch);
            if (count > 0)
                return new ArraySegment<Message>(_kept, 0, count);
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

    private int Keep(ReadOnlySpan<Message> batch)
    {
        if (_kept.Length < batch.Length)
            _kept = new Message[batch.Length];
        int count = 0;
        foreach (ref readonly var message in batch)
        {
            if (!message.HasTime)
            {
                if (message.Stream.Clock is null)
                    throw new TraceReadException(message.Stream.Name, -1, "this stream has no clock, so no time range can be cut from it");
                _kept[count++] = message;
                continue;
            }
            if (!_isResolved)
                Resolve(in message);
            bool isLoss = message.Kind is MessageKind.DiscardedEvents or MessageKind.DiscardedPackets;
            if (message.TimeNs > _endNs)
            {
                _hasEnded = _endsEarly;
                if (_hasEnded)
                    break;
                continue;
            }
            if (message.TimeNs < _beginNs && !(isLoss && message.EndTimeNs >= _beginNs))
                continue;
            _kept[count] = message;
            if (isLoss)
                CutLoss(ref _kept[count]);
            count++;
        }
        return count;
    }

    private void CutLoss(ref Message loss)
    {
        if (loss.TimeNs >= _beginNs && loss.EndTimeNs <= _endNs)
            return;
        loss.TimeNs = Math.Max(loss.TimeNs, _beginNs);
        loss.EndTimeNs = Math.Min(loss.EndTimeNs, _endNs);
        loss.Count = null;
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
