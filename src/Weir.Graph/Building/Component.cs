using System.Text.Json.Nodes;

namespace Weir.Graph;

/// <summary>What a component does in a graph.</summary>
public enum ComponentKind
{
    /// <summary>Gives messages.</summary>
    Source,

    /// <summary>Takes messages and gives others.</summary>
    Filter,

    /// <summary>Takes messages and makes something of them.</summary>
    Sink,
}

/// <summary>How much a component says about its work, least first.</summary>
public enum LogLevel
{
    /// <summary>Each message.</summary>
    Trace,

    /// <summary>Details for whoever looks for a fault.</summary>
    Debug,

    /// <summary>What is being done.</summary>
    Info,

    /// <summary>What may be wrong; the default.</summary>
    Warning,

    /// <summary>What is wrong.</summary>
    Error,

    /// <summary>What ends the program.</summary>
    Fatal,

    /// <summary>Nothing.</summary>
    None,
}

/// <summary>What a component is told when it is created.</summary>
public sealed class ComponentContext
{
    /// <summary>The component's name in its graph.</summary>
    public required string Name { get; init; }

    /// <summary>Its parameters, as <c>--params</c> gave them: null, true, false, integers, reals, strings, arrays and maps.</summary>
    public JsonObject Parameters { get; init; } = [];

    /// <summary>What is to be said.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Warning;

    /// <summary>How many cores the component may use. What it makes does not depend on it.</summary>
    public int Jobs { get; init; } = 1;

    /// <summary>Called by a source that is about to wait for what comes next, so that sinks hand on what they hold. Null where nobody wants to know.</summary>
    public Action? BeforeWait { get; init; }

    /// <summary>Where a sink writes that is told no path; standard output where null.</summary>
    public Stream? Output { get; init; }

    /// <summary>Takes what is said, a line each.</summary>
    public TextWriter Log { get; init; } = Console.Error;
}

/// <summary>
/// A source: it has outputs, each of which gives the messages of one data stream or several (in order of time) to one iterator.
/// </summary>
public abstract class Source : IDisposable
{
    /// <summary>Names of the outputs, unique in the source; they stay as they are.</summary>
    public abstract IReadOnlyList<string> Outputs { get; }

    /// <summary>Begins to give the messages of an output; to be called at most once for each.</summary>
    /// <exception cref="TraceReadException">There is nothing to be read there.</exception>
    public abstract MessageIterator CreateIterator(int output);

    /// <summary>Time of the first message, which gives bounds of time without a date their day before anything is read; null where it is not known.</summary>
    public virtual long? FindFirstTime() => null;

    /// <summary>
    /// Says, before iterators are created, what is wanted. A source may then leave out what lies outside, or not: a <see cref="Trimmer"/> has to
    /// follow in any case.
    /// </summary>
    public virtual void SetRange(TimeRange range)
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives files and memory back.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>A filter: it has inputs and outputs.</summary>
public abstract class Filter : IDisposable
{
    /// <summary>Names of the outputs.</summary>
    public virtual IReadOnlyList<string> Outputs => ["out"];

    /// <summary>How many inputs can be connected: one, unless a filter says more.</summary>
    public virtual int MaxInputs => 1;

    /// <summary>Begins to give the messages of an output, made of those of all inputs (which belong to the iterator from then on).</summary>
    public abstract MessageIterator CreateIterator(int output, IReadOnlyList<MessageIterator> inputs);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives files and memory back.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>A parameter that a component cannot make sense of.</summary>
/// <param name="message">Which, why, and what was expected.</param>
public sealed class ComponentParameterException(string message) : Exception(message);

/// <summary>Something that graphs can be built of, as a plug-in offers it: <c>KIND.PLUGIN.NAME</c>.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Plugin">The plug-in's name.</param>
/// <param name="Name">Its name in the plug-in.</param>
/// <param name="Description">What it is for, in one line.</param>
public abstract record ComponentClass(ComponentKind Kind, string Plugin, string Name, string Description)
{
    /// <summary>Its parameters and what it does with them, for <c>weir help</c>.</summary>
    public string Help { get; init; } = "";

    /// <summary>Answers a query about an object, or null where it answers none; throws <see cref="ComponentParameterException"/> for an object that it does not know.</summary>
    public Func<string, JsonObject, JsonNode?>? Query { get; init; }

    /// <inheritdoc/>
    public sealed override string ToString() => $"{(Kind switch { ComponentKind.Source => "source", ComponentKind.Filter => "filter", _ => "sink" })}.{Plugin}.{Name}";
}

/// <summary>A class of sources.</summary>
/// <param name="Plugin">The plug-in's name.</param>
/// <param name="Name">Its name in the plug-in.</param>
/// <param name="Description">What it is for, in one line.</param>
/// <param name="Create">Creates one.</param>
public sealed record SourceClass(string Plugin, string Name, string Description, Func<ComponentContext, Source> Create)
    : ComponentClass(ComponentKind.Source, Plugin, Name, Description)
{
    /// <summary>
    /// How sure the class is, 0 (it cannot be) to 1, that an input (a path or a text) is for it; a directory is asked for as a whole and then,
    /// if nobody takes it, for what lies in it. Null for a class that has to be named.
    /// </summary>
    public Func<string, double>? Recognize { get; init; }

    /// <summary>Whether the class takes the parameters of <see cref="ClockAdjustment"/>, which is where <c>--clock-offset</c> and its like go.</summary>
    public bool AdjustsClocks { get; init; }

    /// <summary>Says what an input that the class takes belongs to (a trace's UUID): inputs of one such text are given to one source. Null, or null from it: to nothing.</summary>
    public Func<string, string?>? Group { get; init; }
}

/// <summary>A class of filters.</summary>
/// <param name="Plugin">The plug-in's name.</param>
/// <param name="Name">Its name in the plug-in.</param>
/// <param name="Description">What it is for, in one line.</param>
/// <param name="Create">Creates one.</param>
public sealed record FilterClass(string Plugin, string Name, string Description, Func<ComponentContext, Filter> Create)
    : ComponentClass(ComponentKind.Filter, Plugin, Name, Description);

/// <summary>A class of sinks.</summary>
/// <param name="Plugin">The plug-in's name.</param>
/// <param name="Name">Its name in the plug-in.</param>
/// <param name="Description">What it is for, in one line.</param>
/// <param name="Create">Creates one.</param>
public sealed record SinkClass(string Plugin, string Name, string Description, Func<ComponentContext, MessageSink> Create)
    : ComponentClass(ComponentKind.Sink, Plugin, Name, Description)
{
    /// <summary>Whether the sink makes the same of messages in any order, so that streams need not be merged by time.</summary>
    public bool TakesAnyOrder { get; init; }

    /// <summary>Whether it does with certain parameters, where it does not with others; null where they make no difference.</summary>
    public Func<JsonObject, bool>? TakesAnyOrderWith { get; init; }

    /// <summary>Whether a sink with these parameters makes the same of messages in any order.</summary>
    public bool MakesTheSameOfAnyOrder(JsonObject parameters) => TakesAnyOrderWith?.Invoke(parameters) ?? TakesAnyOrder;
}

/// <summary>
/// A plug-in: what an assembly offers. <c>--plugin-path</c> loads assemblies and creates each public class that implements this, by its
/// constructor without parameters.
/// </summary>
public interface IPlugin
{
    /// <summary>The plug-in's name.</summary>
    string Name { get; }

    /// <summary>What it is for, in one line.</summary>
    string Description { get; }

    /// <summary>Its classes.</summary>
    IReadOnlyList<ComponentClass> Components { get; }
}
