namespace Weir.Kernel;

/// <summary>Enables a session's events, each once whatever the number of rules that ask for it.</summary>
internal static class RecordedEvents
{
    /// <summary>Each event once, with the filters of all that ask for it: one of them is enough, and where one asks without, there is none.</summary>
    public static IReadOnlyList<RecordedEvent> Unite(IEnumerable<RecordedEvent> events) =>
    [
        .. events.GroupBy(item => item.Event, (_, items) =>
        {
            var all = items.ToList();
            bool isFiltered = all.TrueForAll(item => item.Filter is not null);
            var filters = all.Select(item => item.Filter).Distinct().ToList();
            return all[0] with { Filter = !isFiltered ? null : filters.Count == 1 ? filters[0] : string.Join(" || ", filters.Select(filter => $"({filter})")) };
        }),
    ];

    /// <summary>Sets the filters, then switches on; the instance does not record yet.</summary>
    /// <exception cref="KernelException">The kernel refuses it; with what its log says.</exception>
    public static void Enable(TracefsInstance instance, IReadOnlyList<RecordedEvent> events)
    {
        foreach (var (name, filter) in events.Where(item => item.IsSwitched && item.Filter is not null).Select(item => (item.Event, item.Filter!)))
        {
            try
            {
                instance.Write($"events/{name.System}/{name.Name}/filter", filter);
            }
            catch (KernelException e)
            {
                string log = instance.LastError();
                throw new KernelException($"event '{name}': the kernel refuses the filter '{filter}'{(log.Length > 0 ? $": {log}" : "")}", e);
            }
        }
        foreach (var item in events.Where(item => item.IsSwitched))
            instance.Write($"events/{item.Event.System}/{item.Event.Name}/enable", "1");
    }
}
