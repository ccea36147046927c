namespace Weir.Graph;

/// <summary>A component in a graph.</summary>
public sealed class GraphComponent
{
    private readonly Source? _source;
    private readonly Filter? _filter;
    private readonly GraphComponent?[] _downstreams;
    private bool _isPulled;

    internal GraphComponent(string name, string className, IDisposable part, bool takesAnyOrder, bool isTrusted)
    {
        Name = name;
        ClassName = className;
        Part = part;
        IsTrusted = isTrusted;
        (_source, _filter, Sink) = (part as Source, part as Filter, part as MessageSink);
        TakesAnyOrder = takesAnyOrder;
        Outputs = _source?.Outputs ?? _filter?.Outputs ?? [];
        _downstreams = new GraphComponent?[Outputs.Count];
    }

    /// <summary>Its name, unique in the graph.</summary>
    public string Name { get; }

    /// <summary>Its class, <c>KIND.PLUGIN.NAME</c>, or the type of an object that was added.</summary>
    public string ClassName { get; }

    /// <summary>Names of its outputs.</summary>
    public IReadOnlyList<string> Outputs { get; }

    /// <summary>What gives to its inputs, in the order of the inputs.</summary>
    public IReadOnlyList<(GraphComponent Upstream, int Output)> Inputs => InputList;

    /// <summary>The source, filter or sink.</summary>
    public IDisposable Part { get; }

    internal MessageSink? Sink { get; }

    /// <summary>Whether its errors tell enough; else each call is watched, to name it.</summary>
    internal bool IsTrusted { get; }

    internal List<(GraphComponent Upstream, int Output)> InputList { get; } = [];

    private int MaxInputs => Sink is not null ? (TakesAnyOrder ? int.MaxValue : 1) : _filter?.MaxInputs ?? 0;

    /// <summary>Name of the next input that can be connected; null where there is none.</summary>
    internal string? FreeInput => InputList.Count >= MaxInputs ? null : MaxInputs == 1 ? "in" : $"in{InputList.Count}";

    /// <summary>Whether something was connected to it, if only a source of nothing.</summary>
    internal bool IsConnected { get; set; }

    /// <summary>Whether it is a sink that takes messages in any order.</summary>
    internal bool TakesAnyOrder { get; }

    /// <summary>
    /// A trimmer's range is told to the sources above it before they are read, where all that they give goes there, by way of muxers at most.
    /// </summary>
    internal void TellRange()
    {
        if (_filter is not TrimmerFilter trimmer)
            return;
        var sources = new List<Source>();
        if (FindSources(this, sources) && trimmer.FindRange(() => FindFirstTime(sources)) is { } range)
            sources.ForEach(source => source.SetRange(range));
    }

    private bool FindSources(GraphComponent trimmer, List<Source> sources)
    {
        foreach (var (upstream, _) in InputList)
        {
            if (!Array.TrueForAll(upstream._downstreams, downstream => downstream is not null && trimmer.IsBelow(downstream)))
                return false;
            if (upstream._source is { } source)
            {
                if (!sources.Contains(source))
                    sources.Add(source);
            }
            else if (upstream._filter is not MuxerFilter || !upstream.FindSources(trimmer, sources))
            {
                return false;
            }
        }
        return true;
    }

    private static long? FindFirstTime(List<Source> sources)
    {
        long? first = null;
        foreach (var source in sources)
        {
            if (source.FindFirstTime() is not { } time)
                return null;
            first = Math.Min(first ?? time, time);
        }
        return first;
    }

    internal bool IsOutputConnected(int output) => _downstreams[output] is not null;

    /// <summary>Whether messages of <paramref name="other"/> reach this component.</summary>
    internal bool IsBelow(GraphComponent other) => ReferenceEquals(this, other) || InputList.Exists(input => input.Upstream.IsBelow(other));

    internal void ConnectTo(int output, GraphComponent downstream)
    {
        _downstreams[output] = downstream;
        downstream.InputList.Add((this, output));
    }

    /// <summary>Begins to give what comes out of an output, all that is above included.</summary>
    /// <param name="output">Which output.</param>
    /// <param name="blamed">Takes errors and who made them.</param>
    internal MessageIterator CreateIterator(int output, Dictionary<Exception, GraphComponent> blamed)
    {
        if (_filter is { } filter && _isPulled && filter.Outputs.Count > 1)
            throw new GraphException($"{Name} ({ClassName}): a filter is read by one output at a time: expected one connection from it");
        _isPulled = true;
        if (_filter is not null && !IsConnected)
            throw new GraphException($"{Name} ({ClassName}): nothing is connected to this filter");
        var inputs = new List<MessageIterator>();
        try
        {
            foreach (var (upstream, upstreamOutput) in InputList)
                inputs.Add(upstream.CreateIterator(upstreamOutput, blamed));
            var iterator = _source is { } source ? source.CreateIterator(output) : _filter!.CreateIterator(output, inputs);
            return IsTrusted ? iterator : new WatchedIterator(iterator, error => Blame(blamed, error));
        }
        catch (Exception e)
        {
            foreach (var input in inputs)
                input.Dispose();
            throw e as GraphException ?? new GraphException(Name, ClassName, e);
        }
    }

    /// <summary>Says whose an error is, and whether it is this component's own. Streams may be read by several threads.</summary>
    private bool Blame(Dictionary<Exception, GraphComponent> blamed, Exception error)
    {
        lock (blamed)
        {
            blamed.TryAdd(error, this);
            return blamed[error] == this;
        }
    }

    /// <summary>
    /// Says of what it throws whose it is. The error stays what it is: a muxer waits with some of them. An iterator that cannot go on behind an
    /// error says the same again when it is asked again: that is its end.
    /// </summary>
    private sealed class WatchedIterator(MessageIterator inner, Func<Exception, bool> blame) : MessageIterator
    {
        private string? _lastProblem;

        public override ArraySegment<Message> Next()
        {
            try
            {
                var batch = inner.Next();
                _lastProblem = null;
                return batch;
            }
            catch (Exception e)
            {
                if (blame(e) && e is TraceReadException)
                {
                    if (e.Message == _lastProblem)
                        return ArraySegment<Message>.Empty;
                    _lastProblem = e.Message;
                }
                throw;
            }
        }

        public override void ThrowIfBad() => inner.ThrowIfBad();

        public override void AllowRuns(Func<DataStream, bool> takes) => inner.AllowRuns(takes);

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
