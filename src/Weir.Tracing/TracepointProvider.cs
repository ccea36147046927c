namespace Weir.Tracing;

/// <summary>The tracepoints of one provider class. Made by generated code, once for each class. Thread-safe after <see cref="Register"/>.</summary>
public sealed class TracepointProvider(string name)
{
    private readonly List<Tracepoint> _tracepoints = [];

    /// <summary>The provider's name.</summary>
    public string Name { get; } = name;

    /// <summary>The provider's tracepoints, in declaration order.</summary>
    public IReadOnlyList<Tracepoint> Tracepoints => _tracepoints;

    /// <summary>Adds a tracepoint. Not allowed after <see cref="Register"/>.</summary>
    public Tracepoint Add(string eventName, TracepointLevel level, params TracepointField[] fields)
    {
        var tracepoint = new Tracepoint(this, eventName, level, fields);
        _tracepoints.Add(tracepoint);
        return tracepoint;
    }

    /// <summary>
    /// Makes the provider known to sessions: those that exist now are attached before this returns, later ones within 100 ms.
    /// Never throws: a program does not fail because it is traced.
    /// </summary>
    public void Register() => SessionAgent.Register(this);
}
