using System.Runtime.CompilerServices;

namespace Weir.Tracing;

/// <summary>
/// One event that a program can emit: its schema, and whether any session wants it. Made and used by generated code.
/// Thread-safe.
/// </summary>
public sealed unsafe class Tracepoint
{
    // Replaced as a whole; a writer works on the array that it loaded.
    private volatile TracepointSink[] _sinks = [];
    private volatile bool _isEnabled;

    internal Tracepoint(TracepointProvider provider, string name, TracepointLevel level, TracepointField[] fields)
    {
        Provider = provider;
        Name = name;
        Level = level;
        Fields = fields;
    }

    /// <summary>The provider that the tracepoint belongs to.</summary>
    public TracepointProvider Provider { get; }

    /// <summary>The event's name without its provider.</summary>
    public string Name { get; }

    /// <summary>The event's importance.</summary>
    public TracepointLevel Level { get; }

    /// <summary>The event's fields, in the order in which they are written.</summary>
    public IReadOnlyList<TracepointField> Fields { get; }

    /// <summary>Whether at least one session records this event. One load; a change is seen at once, but not by emits under way.</summary>
    public bool IsEnabled
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _isEnabled;
    }

    /// <summary>Commits a staged record to every session that wants it. Never throws, never waits, allocates nothing.</summary>
    /// <param name="record">The record, with every field of this tracepoint written in order.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Commit(in RecordWriter record)
    {
        var sinks = _sinks;
        for (int i = 0; i < sinks.Length; i++)
        {
            if (sinks[i].Write(record.Thread, record.Payload, record.PayloadBytes) && record.FieldsCut != 0)
                sinks[i].Control.CountFieldsCut(record.FieldsCut);
        }
    }

    internal void SetSinks(TracepointSink[] sinks)
    {
        _sinks = sinks;
        _isEnabled = sinks.Length > 0;
    }
}
