using System.IO.Enumeration;

namespace Weir.Kernel;

/// <summary>An event of the kernel's.</summary>
/// <param name="System">The system that it belongs to, such as <c>sched</c>.</param>
/// <param name="Name">Its name, such as <c>sched_switch</c>.</param>
public readonly record struct KernelEventName(string System, string Name)
{
    /// <inheritdoc/>
    public override string ToString() => $"{System}:{Name}";
}

/// <summary>The events that this kernel has, by the file <c>available_events</c>. Immutable.</summary>
public sealed class EventCatalogue
{
    private const int MaxNearest = 5;

    private EventCatalogue(IReadOnlyList<KernelEventName> events) => Events = events;

    /// <summary>All events, in the kernel's order.</summary>
    public IReadOnlyList<KernelEventName> Events { get; }

    /// <summary>Reads what the kernel has now.</summary>
    /// <exception cref="KernelException">The file cannot be read.</exception>
    public static EventCatalogue Read(TracefsMount tracefs)
    {
        ArgumentNullException.ThrowIfNull(tracefs);
        return Parse(tracefs.ReadText("available_events"));
    }

    /// <summary>Makes a catalogue of lines <c>system:event</c>.</summary>
    public static EventCatalogue Parse(string lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var events = new List<KernelEventName>();
        foreach (string line in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0)
                events.Add(new KernelEventName(line[..colon], line[(colon + 1)..]));
        }
        return new EventCatalogue(events);
    }

    /// <summary>The events that two patterns choose, <c>*</c> and <c>?</c> as in every rule.</summary>
    public IReadOnlyList<KernelEventName> Match(string system, string name) =>
    [
        .. Events.Where(item => FileSystemName.MatchesSimpleExpression(system, item.System, ignoreCase: false)
            && FileSystemName.MatchesSimpleExpression(name, item.Name, ignoreCase: false)),
    ];

    /// <summary>The events whose names are nearest to one that is not there, the nearest first; none where nothing is near.</summary>
    public IReadOnlyList<string> Nearest(string system, string name) =>
        NearestNames.Find($"{system}:{name}", Events.Select(item => item.ToString()), MaxNearest);
}
