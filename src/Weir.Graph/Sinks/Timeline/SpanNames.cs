using Weir.Ctf;

namespace Weir.Graph;

/// <summary>What an event is in a pair of events that begin and end something.</summary>
internal enum SpanRole : byte
{
    /// <summary>It stands alone.</summary>
    None,

    /// <summary>It begins something.</summary>
    Begin,

    /// <summary>It ends what another has begun.</summary>
    End,
}

/// <summary>
/// Tells by their names which events begin and end something: <c>syscall_entry_read</c> and <c>syscall_exit_read</c>, <c>GC/Start</c> and
/// <c>GC/Stop</c>. Both have to be declared in the trace; a name like <c>sched_process_exit</c> is otherwise no end.
/// </summary>
internal static class SpanNames
{
    private static readonly (string Begin, string End)[] s_endings =
    [
        ("_entry", "_exit"), ("_enter", "_exit"), ("_enter", "_leave"), ("_begin", "_end"), ("_start", "_stop"), ("_start", "_end"), ("_start", "_done"),
        ("/Start", "/Stop"), ("/Begin", "/End"), ("Start", "Stop"), ("Start", "End"), ("Begin", "End"), ("Enter", "Exit"), ("Enter", "Leave"),
    ];

    private static readonly (string Begin, string End)[] s_beginnings =
    [
        ("syscall_entry_", "syscall_exit_"), ("compat_syscall_entry_", "compat_syscall_exit_"), ("sys_enter_", "sys_exit_"),
    ];

    /// <summary>What an event is by its name.</summary>
    /// <param name="name">The name, mostly <c>provider:event</c>.</param>
    /// <param name="isDeclared">Whether the trace has events of a name.</param>
    /// <param name="subject">What begins or ends: the name without the words that say so.</param>
    public static SpanRole Find(string name, Func<string, bool> isDeclared, out string subject)
    {
        int start = name.LastIndexOf(':') + 1;
        foreach (var (begin, end) in s_beginnings)
        {
            if (IsPart(begin, end, isBegin: true) || IsPart(begin, end, isBegin: false))
            {
                bool isBegin = name.AsSpan(start).StartsWith(begin, StringComparison.Ordinal);
                subject = name[(start + (isBegin ? begin : end).Length)..];
                return isBegin ? SpanRole.Begin : SpanRole.End;
            }
        }
        foreach (var (begin, end) in s_endings)
        {
            if (HasEnding(name, begin, start) && isDeclared(name[..^begin.Length] + end))
            {
                subject = name[..^begin.Length];
                return SpanRole.Begin;
            }
            if (HasEnding(name, end, start) && isDeclared(name[..^end.Length] + begin))
            {
                subject = name[..^end.Length];
                return SpanRole.End;
            }
        }
        subject = name;
        return SpanRole.None;

        bool IsPart(string begin, string end, bool isBegin)
        {
            (string own, string other) = isBegin ? (begin, end) : (end, begin);
            return name.AsSpan(start).StartsWith(own, StringComparison.Ordinal)
                && isDeclared(string.Concat(name.AsSpan(0, start), other, name.AsSpan(start + own.Length)));
        }
    }

    /// <summary>Names that a trace declares. A trace of another format than CTF may declare more as it goes, so there every name counts.</summary>
    public static Func<string, bool> DeclaredIn(TraceClass trace)
    {
        if (trace.CtfVersion == 0)
            return _ => true;
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var stream in trace.DataStreamClasses)
        {
            foreach (var eventRecordClass in stream.EventRecordClasses)
                names.Add(eventRecordClass.Name ?? "");
        }
        return names.Contains;
    }

    private static bool HasEnding(string name, string ending, int start) =>
        name.Length - start > ending.Length && name.EndsWith(ending, StringComparison.Ordinal);
}
