using Weir.Ctf;
using Weir.Graph;

namespace Weir.Kernel;

/// <summary>The kernel's tracepoints, system calls among them: <c>sched:sched_switch</c>, <c>syscalls:*</c>, <c>syscalls:openat</c> for its entry and exit.</summary>
internal sealed class TracepointKind : InstrumentationKind
{
    private const string SystemCalls = "syscalls";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Prefixes => [];

    /// <inheritdoc/>
    public override string Help => "SYSTEM:EVENT [if FILTER]   tracepoints, with * and ?; syscalls:openat is its entry and its exit";

    /// <inheritdoc/>
    public override Instrumentation Prepare(KernelRule rule, InstrumentationContext context)
    {
        var events = context.Catalogue.Match(rule.Kind, rule.Target);
        if (events.Count == 0 && rule.Kind == SystemCalls)
            events = context.Catalogue.Match(SystemCalls, "sys_*_" + WithoutLead(rule.Target));
        if (events.Count == 0)
            throw new KernelException($"kernel rule '{rule.Text}': this kernel has no such event{Suggest(rule, context.Catalogue)}");
        if (rule.Filter is null)
            return new Tracepoints([.. events.Select(item => new RecordedEvent(item))]);

        // Of a pattern those events are recorded that have the filter's fields; of a name it must have them.
        var recorded = new List<RecordedEvent>();
        KernelException? first = null;
        foreach (var item in events)
        {
            try
            {
                var format = EventFormats.Read(context.Instance, item);
                recorded.Add(new RecordedEvent(item) { Filter = KernelFilter.Write(rule.Filter, format, item.System) });
            }
            catch (KernelException e)
            {
                first ??= e;
            }
        }
        if (recorded.Count == 0)
            throw new KernelException($"kernel rule '{rule.Text}': {first!.Message}", first);
        return new Tracepoints(recorded);
    }

    /// <summary>People write sys_enter_openat, syscall_entry_openat and openat.</summary>
    private static string WithoutLead(string name)
    {
        foreach (string lead in (ReadOnlySpan<string>)["syscall_entry_", "syscall_exit_", "sys_"])
        {
            if (name.StartsWith(lead, StringComparison.Ordinal))
                return name[lead.Length..];
        }
        return name;
    }

    private static string Suggest(KernelRule rule, EventCatalogue catalogue)
    {
        var nearest = catalogue.Nearest(rule.Kind, rule.Target);
        if (nearest.Count > 0)
            return $"; the nearest are {string.Join(", ", nearest)}";
        return catalogue.Events.Any(item => item.System == rule.Kind)
            ? $"; 'weir list' shows those of {rule.Kind}"
            : $", nor a system '{rule.Kind}'; 'weir list' shows what it has";
    }

    private sealed class Tracepoints(IReadOnlyList<RecordedEvent> events) : Instrumentation
    {
        public override IReadOnlyList<RecordedEvent> Events => events;
    }
}
