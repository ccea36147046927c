using System.Globalization;
using System.Text;

namespace Weir.Kernel;

/// <summary>
/// Events that are defined while the kernel runs, in a group of the session's own, and taken back at the end; what a killed recording
/// leaves of them, <see cref="AbandonedInstances"/> removes. Source: linux, Documentation/trace/uprobetracer.rst and kprobetrace.rst.
/// </summary>
internal sealed class DynamicEvents : IDisposable
{
    /// <summary>What the kernel takes, without the zero.</summary>
    private const int MaxNameLength = 63;

    /// <summary>Room for a number that tells names apart.</summary>
    private const int MaxStemLength = MaxNameLength - 8;

    private readonly InstrumentationContext _context;
    private readonly string _path;
    private readonly List<string> _defined = [];

    /// <param name="context">The session.</param>
    /// <param name="fileName">Where the kernel takes definitions: <c>uprobe_events</c> or <c>kprobe_events</c>.</param>
    public DynamicEvents(InstrumentationContext context, string fileName)
    {
        _context = context;
        _path = Path.Combine(context.Tracefs.Path, fileName);
    }

    /// <summary>What was defined, in that order.</summary>
    public List<RecordedEvent> Events { get; } = [];

    /// <summary>Why this kernel has no such events; null where it has.</summary>
    public static string? Refusal(TracefsMount tracefs, string fileName, string option) =>
        File.Exists(Path.Combine(tracefs.Path, fileName)) ? null : $"this kernel has no {Path.Combine(tracefs.Path, fileName)} (it was built without {option})";

    /// <summary>Defines an event that happens in one place or in several.</summary>
    /// <param name="kind">The kernel's letter: p where the place is reached, r where a function returns.</param>
    /// <param name="name">The wanted name in the trace; a number is appended if it must be.</param>
    /// <param name="definitions">The place and the arguments behind it, as the kernel takes them.</param>
    /// <exception cref="KernelException">The kernel refuses it; what was defined stays so until the end.</exception>
    public void Define(char kind, string name, IReadOnlyList<string> definitions)
    {
        string? current = null;
        foreach (string definition in definitions)
        {
            // Places whose arguments have the same types may be one event (Linux 5.4); of others, each is an event of its own.
            if (current is not null && TryDefine(kind, current, definition) == 0)
                continue;
            (current, string traceName) = Choose(name);
            int error = TryDefine(kind, current, definition);
            if (error != 0)
                throw Refused(definition, error);
            _defined.Add(current);
            Events.Add(new RecordedEvent(new KernelEventName(_context.OwnName, current)) { Name = traceName });
        }
    }

    /// <summary>Gives all events the filter of a rule.</summary>
    /// <exception cref="KernelException">They lack its fields.</exception>
    public void Filter(KernelRule rule)
    {
        if (rule.Filter is null)
            return;
        for (int i = 0; i < Events.Count; i++)
        {
            var format = EventFormats.Read(_context.Instance, Events[i].Event);
            Events[i] = Events[i] with { Filter = KernelFilter.Write(rule.Filter, format with { Name = Events[i].Name! }) };
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (string name in _defined)
            _ = TracefsFile.TryWrite(_path, $"-:{_context.OwnName}/{name}", append: true);
        _defined.Clear();
    }

    private int TryDefine(char kind, string name, string definition) => TracefsFile.TryWrite(_path, $"{kind}:{_context.OwnName}/{name} {definition}", append: true);

    /// <summary>A name that the group has not: letters, digits and underscores.</summary>
    private (string KernelName, string TraceName) Choose(string name)
    {
        var stem = new StringBuilder();
        foreach (char letter in name)
        {
            if (stem.Length < MaxStemLength)
                stem.Append(char.IsAsciiLetterOrDigit(letter) ? letter : '_');
        }
        if (char.IsAsciiDigit(stem[0]))
            stem.Insert(0, '_');
        string first = stem.ToString();
        string group = _context.Instance.PathOf($"events/{_context.OwnName}");
        if (!Directory.Exists(Path.Combine(group, first)))
            return (first, name);
        for (int i = 2; ; i++)
        {
            string number = i.ToString(CultureInfo.InvariantCulture);
            if (!Directory.Exists(Path.Combine(group, $"{first}_{number}")))
                return ($"{first}_{number}", $"{name}_{number}");
        }
    }

    private KernelException Refused(string definition, int error)
    {
        string log = ErrorLog.Last(Path.Combine(_context.Tracefs.Path, "error_log"));
        string why = System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(error);
        return new KernelException($"{_path}: the kernel refuses '{definition}': {why}{(log.Length > 0 ? $" ({log})" : "")}");
    }
}

/// <summary>Instrumentation that is dynamic events and nothing else.</summary>
internal sealed class Probes(DynamicEvents events) : Instrumentation
{
    /// <inheritdoc/>
    public override IReadOnlyList<RecordedEvent> Events => events.Events;

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        events.Dispose();
    }

    /// <summary>Makes dynamic events by a rule; if that fails, none of them stays.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="context">The session.</param>
    /// <param name="fileName">Where the kernel takes definitions.</param>
    /// <param name="define">Defines them.</param>
    /// <exception cref="KernelException">The rule asks for what cannot be had.</exception>
    public static Probes Create(KernelRule rule, InstrumentationContext context, string fileName, Action<DynamicEvents> define)
    {
        var events = new DynamicEvents(context, fileName);
        try
        {
            define(events);
            events.Filter(rule);
            return new Probes(events);
        }
        catch (Exception e)
        {
            events.Dispose();
            if (e is KernelException && !e.Message.StartsWith("kernel rule", StringComparison.Ordinal))
                throw new KernelException($"kernel rule '{rule.Text}': {e.Message}", e);
            throw;
        }
    }
}
