namespace Weir.Graph;

/// <summary>Moves messages into one sink, from one output after the other.</summary>
internal sealed class SinkPump(GraphComponent component, bool countsLosses) : IDisposable
{
    private readonly List<MessageIterator> _iterators = [];
    private int _next;
    private long _lossCount;

    public void Begin(Dictionary<Exception, GraphComponent> blamed)
    {
        foreach (var (upstream, output) in component.InputList)
            _iterators.Add(upstream.CreateIterator(output, blamed));
    }

    /// <summary>Moves a batch; false at the end.</summary>
    public bool Move()
    {
        while (_next < _iterators.Count)
        {
            var batch = _iterators[_next].Next();
            if (batch.Count > 0)
            {
                Guard(batch);
                return true;
            }
            _next++;
        }
        return false;
    }

    /// <summary>Messages so far that told of a loss, where they are to be counted.</summary>
    public long LossCount => _lossCount;

    /// <summary>Moves all batches, as long as nobody cancels: of a merge of streams each is but an event or two.</summary>
    public void MoveAll(CancellationToken cancellation)
    {
        for (; _next < _iterators.Count; _next++)
        {
            var iterator = _iterators[_next];
            for (var batch = iterator.Next(); batch.Count > 0; batch = iterator.Next())
            {
                Guard(batch);
                if (cancellation.IsCancellationRequested)
                    return;
            }
        }
    }

    /// <summary>Whether the streams need not be merged, so that several can be read at a time.</summary>
    public bool CanPool => component.TakesAnyOrder;

    /// <summary>Moves everything, several streams at a time.</summary>
    public void Pool(int jobs, Action<TraceReadException>? report)
    {
        _next = _iterators.Count;
        foreach (var iterator in _iterators)
            iterator.AllowRuns(TakesRuns);
        StreamPool.Run(_iterators, Guard, component.Sink!.TakesStreamsAtOnce, jobs, report);
    }

    /// <summary>Lets the sink hand on what it holds.</summary>
    public void Flush() => component.Sink!.Flush();

    public void ThrowIfBad()
    {
        foreach (var iterator in _iterators)
            iterator.ThrowIfBad();
    }

    /// <summary>Ends the sink's output.</summary>
    public void Finish()
    {
        try
        {
            component.Sink!.Finish();
        }
        catch (Exception e)
        {
            throw new GraphException(component.Name, component.ClassName, e);
        }
    }

    public void Dispose()
    {
        foreach (var iterator in _iterators)
            iterator.Dispose();
    }

    private void Guard(ArraySegment<Message> batch)
    {
        if (countsLosses)
            CountLosses(batch);
        try
        {
            component.Sink!.Consume(batch);
        }
        catch (Exception e)
        {
            throw new GraphException(component.Name, component.ClassName, e);
        }
    }

    private bool TakesRuns(DataStream stream)
    {
        try
        {
            return component.Sink!.TakesRuns(stream);
        }
        catch (Exception e)
        {
            throw new GraphException(component.Name, component.ClassName, e);
        }
    }

    private void CountLosses(ReadOnlySpan<Message> batch)
    {
        foreach (ref readonly var message in batch)
        {
            if (message.Kind is MessageKind.DiscardedEvents or MessageKind.DiscardedPackets)
                Interlocked.Increment(ref _lossCount);
        }
    }
}
