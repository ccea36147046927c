using System.Runtime.ExceptionServices;
using System.Text.Json.Nodes;

namespace Weir.Graph;

/// <summary>
/// A graph of components: add sources, filters and sinks, connect outputs to inputs, run. What is connected first comes first, so the same
/// calls give the same result every time. Not thread-safe; the components that were added belong to it.
/// </summary>
/// <example>
/// <code>
/// using var graph = new TraceGraph();
/// var traces = graph.Add("traces", CtfFsSource.Class, ParameterText.Parse("inputs=[\"/tmp/trace\"]"));
/// var muxer = graph.Add("muxer", Muxer.Class);
/// var text = graph.Add("text", PrettySink.Class);
/// graph.Connect(traces, muxer);
/// graph.Connect(muxer, text);
/// graph.Run();
/// </code>
/// </example>
public sealed class TraceGraph : IDisposable
{
    private readonly List<GraphComponent> _components = [];
    private bool _hasRun;

    /// <summary>Where sinks write that are told no path; standard output where null.</summary>
    public Stream? Output { get; init; }

    /// <summary>Takes what components say, a line each.</summary>
    public TextWriter Log { get; init; } = Console.Error;

    /// <summary>How many cores the components may use. What comes of it does not depend on it.</summary>
    public int Jobs { get; init; } = 1;

    /// <summary>
    /// Takes what is wrong with traces, once sinks have handed on what came before; the graph goes on then, with what its sources and muxers were
    /// told to keep going with. Null: the first error ends the run.
    /// </summary>
    public Action<Exception>? ReportError { get; init; }

    /// <summary>Whether messages that tell of a loss are counted on their way into the sinks.</summary>
    public bool CountsLosses { get; init; }

    /// <summary>How many of them came, after a run that counts them; where there are several sinks, the most that came to one.</summary>
    public long LossCount { get; private set; }

    /// <summary>The components, in the order in which they were added.</summary>
    public IReadOnlyList<GraphComponent> Components => _components;

    /// <summary>Adds a component of a class.</summary>
    /// <param name="name">Its name, unique in the graph.</param>
    /// <param name="componentClass">Its class.</param>
    /// <param name="parameters">Its parameters; none where null.</param>
    /// <param name="logLevel">How much it says.</param>
    /// <exception cref="GraphException">The name is taken, or the component cannot be created; the cause says why.</exception>
    public GraphComponent Add(string name, ComponentClass componentClass, JsonObject? parameters = null, LogLevel logLevel = LogLevel.Warning)
    {
        ArgumentNullException.ThrowIfNull(componentClass);
        CheckName(name);
        var context = new ComponentContext { Name = name, Parameters = parameters ?? [], LogLevel = logLevel, Output = Output, Log = Log, Jobs = Jobs, BeforeWait = FlushSinks };
        try
        {
            IDisposable part = componentClass switch
            {
                SourceClass source => source.Create(context),
                FilterClass filter => filter.Create(context),
                SinkClass sink => sink.Create(context),
                _ => throw new ArgumentException($"{componentClass} is no class of sources, filters or sinks", nameof(componentClass)),
            };
            return Add(name, componentClass.ToString(), part, componentClass is SinkClass sinkClass && sinkClass.MakesTheSameOfAnyOrder(context.Parameters));
        }
        catch (Exception e) when (e is not GraphException)
        {
            throw new GraphException(name, componentClass.ToString(), e);
        }
    }

    /// <summary>Adds a source.</summary>
    /// <exception cref="GraphException">The name is taken.</exception>
    public GraphComponent Add(string name, Source source) => AddObject(name, source, takesAnyOrder: false);

    /// <summary>Adds a filter.</summary>
    /// <exception cref="GraphException">The name is taken.</exception>
    public GraphComponent Add(string name, Filter filter) => AddObject(name, filter, takesAnyOrder: false);

    /// <summary>Adds a sink.</summary>
    /// <param name="name">Its name, unique in the graph.</param>
    /// <param name="sink">The sink.</param>
    /// <param name="takesAnyOrder">Whether it makes the same of messages in any order; then any number of outputs can be connected to it.</param>
    /// <exception cref="GraphException">The name is taken.</exception>
    public GraphComponent Add(string name, MessageSink sink, bool takesAnyOrder = false) => AddObject(name, sink, takesAnyOrder);

    /// <summary>The component of a name, or null.</summary>
    public GraphComponent? Find(string name) => _components.Find(component => component.Name == name);

    /// <summary>Connects outputs to inputs: each free output of the pattern to the first free input of the pattern.</summary>
    /// <param name="upstream">Gives.</param>
    /// <param name="downstream">Takes.</param>
    /// <param name="outputs">Pattern of outputs' names, in which <c>*</c> stands for anything.</param>
    /// <param name="inputs">Pattern of inputs' names: <c>in</c> where there is one, else <c>in0</c>, <c>in1</c>, ...</param>
    /// <exception cref="GraphException">No output is free, or there is no input for one, or messages would run in a circle.</exception>
    public void Connect(GraphComponent upstream, GraphComponent downstream, string outputs = "*", string inputs = "*")
    {
        ArgumentNullException.ThrowIfNull(upstream);
        ArgumentNullException.ThrowIfNull(downstream);
        if (!_components.Contains(upstream) || !_components.Contains(downstream))
            throw new ArgumentException("Both components have to be of this graph.", _components.Contains(upstream) ? nameof(downstream) : nameof(upstream));
        if (upstream.IsBelow(downstream))
            throw new GraphException($"'{upstream.Name}' cannot be connected to '{downstream.Name}': messages would run in a circle");
        downstream.IsConnected = true;
        bool isAny = false;
        for (int i = 0; i < upstream.Outputs.Count; i++)
        {
            if (upstream.IsOutputConnected(i) || !PortPattern.Matches(outputs, upstream.Outputs[i]))
                continue;
            if (downstream.FreeInput is not { } input || !PortPattern.Matches(inputs, input))
            {
                throw new GraphException(
                    $"the output '{upstream.Outputs[i]}' of '{upstream.Name}' cannot be connected to '{downstream.Name}' ({downstream.ClassName}): it has no free input like '{inputs}'"
                    + (isAny ? " (filter.utils.muxer merges several)" : ""));
            }
            upstream.ConnectTo(i, downstream);
            isAny = true;
        }
        // A source of nothing has nothing to connect.
        if (!isAny && (upstream.Outputs.Count > 0 || upstream.Part is not Source))
            throw new GraphException($"'{upstream.Name}' ({upstream.ClassName}) has no free output like '{outputs}'{Having(upstream.Outputs)}");
    }

    /// <summary>Connects by a text, <c>UPSTREAM[.PORT]:DOWNSTREAM[.PORT]</c>.</summary>
    /// <exception cref="GraphException">The text is none, or names what is not there, or cannot be done.</exception>
    public void Connect(string connection)
    {
        var parsed = ConnectionText.Parse(connection);
        Connect(FindOrThrow(parsed.Upstream, connection), FindOrThrow(parsed.Downstream, connection), parsed.UpstreamPort, parsed.DownstreamPort);
    }

    /// <summary>
    /// Moves all messages, batch by batch, in turns where there are several sinks. Sinks finish what they have taken also where an error
    /// ends the run. Can be called once.
    /// </summary>
    /// <param name="cancellation">Ends the run early, after a batch.</param>
    /// <exception cref="GraphException">A component has failed; the cause says why.</exception>
    /// <exception cref="OperationCanceledException">The run was ended early; sinks have finished what they had taken.</exception>
    public void Run(CancellationToken cancellation = default)
    {
        if (_hasRun)
            throw new InvalidOperationException("A graph runs once.");
        _hasRun = true;
        var blamed = new Dictionary<Exception, GraphComponent>(ReferenceEqualityComparer.Instance);
        var pumps = new List<SinkPump>();
        try
        {
            foreach (var component in _components)
                component.TellRange();
            foreach (var component in _components.Where(component => component.Sink is not null))
            {
                if (!component.IsConnected)
                    throw new GraphException($"{component.Name} ({component.ClassName}): nothing is connected to this sink");
                pumps.Add(new SinkPump(component, CountsLosses));
                pumps[^1].Begin(blamed);
            }
            if (pumps.Count == 0)
                throw new GraphException("the graph has no sink, so nothing would come of it");
            Turn(pumps, blamed, cancellation);
        }
        finally
        {
            foreach (var pump in pumps)
            {
                LossCount = Math.Max(LossCount, pump.LossCount);
                pump.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (int i = _components.Count - 1; i >= 0; i--)
            _components[i].Part.Dispose();
        _components.Clear();
    }

    private static string Having(IReadOnlyList<string> outputs) => outputs.Count == 0 ? "" : $"; it has {string.Join(", ", outputs.Take(8).Select(name => $"'{name}'"))}{(outputs.Count > 8 ? ", ..." : "")}";

    private void Turn(List<SinkPump> pumps, Dictionary<Exception, GraphComponent> blamed, CancellationToken cancellation)
    {
        Exception? failure = null;
        try
        {
            for (bool isMore = true; isMore;)
            {
                isMore = false;
                if (pumps is [{ CanPool: true } only] && cancellation == CancellationToken.None)
                    only.Pool(Jobs, ReportError is null ? null : error => Report(pumps, error, blamed));
                foreach (var pump in pumps)
                    isMore |= Move(pump, pumps, blamed, cancellation);
                cancellation.ThrowIfCancellationRequested();
            }
            foreach (var pump in pumps)
                ThrowIfBad(pump, pumps, blamed);
        }
        catch (Exception e)
        {
            failure = blamed.TryGetValue(e, out var component) ? new GraphException(component.Name, component.ClassName, e) : e;
        }
        // What came before an error is handed on before the error, by all sinks.
        foreach (var pump in pumps)
        {
            try
            {
                pump.Finish();
            }
            catch (GraphException e)
            {
                failure ??= e;
            }
        }
        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>Moves a batch, or all of them where there is but one sink; false at the end.</summary>
    private bool Move(SinkPump pump, List<SinkPump> pumps, Dictionary<Exception, GraphComponent> blamed, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                if (pumps.Count > 1)
                    return pump.Move();
                pump.MoveAll(cancellation);
                return false;
            }
            catch (TraceReadException e) when (ReportError is not null)
            {
                Report(pumps, e, blamed);
            }
        }
    }

    /// <summary>Throws, or reports, what those have kept that were not read to their end.</summary>
    private void ThrowIfBad(SinkPump pump, List<SinkPump> pumps, Dictionary<Exception, GraphComponent> blamed)
    {
        TraceReadException? last = null;
        while (true)
        {
            try
            {
                pump.ThrowIfBad();
                return;
            }
            catch (TraceReadException e) when (ReportError is not null && e.Message != last?.Message)
            {
                last = e;
                Report(pumps, e, blamed);
            }
        }
    }

    private void Report(List<SinkPump> pumps, TraceReadException error, Dictionary<Exception, GraphComponent> blamed)
    {
        foreach (var pump in pumps)
            pump.Flush();
        ReportError!(blamed.TryGetValue(error, out var component) ? new GraphException(component.Name, component.ClassName, error) : error);
    }

    private void FlushSinks()
    {
        foreach (var component in _components)
            component.Sink?.Flush();
    }

    private GraphComponent FindOrThrow(string name, string connection) => Find(name)
        ?? throw new GraphException($"the connection '{connection}' names '{name}': expected a component of the graph{(_components.Count == 0 ? "" : $", {string.Join(", ", _components.Select(item => $"'{item.Name}'"))}")}");

    private GraphComponent AddObject(string name, IDisposable part, bool takesAnyOrder)
    {
        ArgumentNullException.ThrowIfNull(part);
        CheckName(name);
        return Add(name, part.GetType().Name, part, takesAnyOrder);
    }

    private GraphComponent Add(string name, string className, IDisposable part, bool takesAnyOrder)
    {
        // The filters of this room name the stream in their errors; the muxer gives small batches, which a watch would slow down.
        var component = new GraphComponent(name, className, part, takesAnyOrder, isTrusted: part is MuxerFilter or TrimmerFilter);
        _components.Add(component);
        return component;
    }

    private void CheckName(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (Find(name) is { } other)
            throw new GraphException($"two components have the name '{name}': the other is a {other.ClassName}");
    }
}
