using System.IO.Enumeration;
using Weir.Clock;

namespace Weir.Kernel;

/// <summary>
/// A tracer of the instance's, which writes events for functions of the kernel. An instance has one; rules for the same add functions to it.
/// The functions are chosen before it is switched on: without that it would be every function. Their names are in the trace as
/// <see cref="KernelSymbolStream"/> writes them.
/// </summary>
internal sealed class FunctionTracer : Instrumentation
{
    /// <summary>The kernel's name of the one.</summary>
    public const string Function = "function";

    /// <summary>The kernel's name of the other.</summary>
    public const string FunctionGraph = "function_graph";

    private const string FunctionsFile = "available_filter_functions";
    private const string TracersFile = "available_tracers";
    private const int MaxNearest = 5;

    private readonly InstrumentationContext _context;
    private readonly Action _takeBack;
    private readonly KernelAddresses _addresses = new();
    private ulong _begin;

    private FunctionTracer(InstrumentationContext context, Action takeBack, IReadOnlyList<RecordedEvent> events)
    {
        _context = context;
        _takeBack = takeBack;
        Events = [.. events.Select(item => item with { Addresses = _addresses })];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<RecordedEvent> Events { get; }

    /// <summary>Why this kernel has no such tracer; null where it has.</summary>
    public static string? Refusal(TracefsMount tracefs, string tracer)
    {
        string path = Path.Combine(tracefs.Path, TracersFile);
        if (!Tracers(path).Contains(tracer))
            return $"{path}: this kernel has no tracer {tracer} (it was built without CONFIG_{tracer.ToUpperInvariant()}_TRACER)";
        // A kernel may have the tracer and let nobody use it; its functions cannot be read then, either.
        string functions = Path.Combine(tracefs.Path, FunctionsFile);
        try
        {
            using var file = new FileStream(functions, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            return file.ReadByte() >= 0 ? null : $"{functions}: the kernel has no functions to trace";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{functions}: the kernel lets nobody trace its functions here: {e.Message}";
        }
    }

    /// <summary>Chooses the functions of a rule, and switches the tracer on where no rule before has; the instance does not record yet.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="context">The session.</param>
    /// <param name="choose">Chooses functions by a pattern.</param>
    /// <param name="takeBack">Takes back what was chosen; the instance is gone by then.</param>
    /// <param name="events">The events that the tracer writes.</param>
    /// <exception cref="KernelException">The kernel has no such functions, or refuses the tracer.</exception>
    public static FunctionTracer Prepare(KernelRule rule, InstrumentationContext context, Action<string> choose, Action takeBack, IReadOnlyList<RecordedEvent> events)
    {
        string lead = $"kernel rule '{rule.Text}': ";
        if (rule.Filter is not null)
            throw new KernelException($"{lead}the kernel filters no calls of functions by their fields; a pattern or kprobe:{rule.Target} chooses fewer");
        if (!Tracers(context.Instance.PathOf(TracersFile)).Contains(rule.Kind))
            throw new KernelException($"{lead}this kernel has {rule.Kind} only in the one buffer for all, which is not ours to use (Linux 6.11 or later has it in instances)");
        string current = context.Instance.ReadText("current_tracer").Trim();
        if (current != "nop" && current != rule.Kind)
            throw new KernelException($"{lead}an instance of the kernel's has one tracer, and another rule of this recording asks for {current}");
        CheckPattern(rule, context);
        try
        {
            choose(rule.Target);
            if (current != rule.Kind)
                Switch(rule.Kind, context);
        }
        catch (KernelException e)
        {
            // What a rule before this one has chosen is its own to take back.
            if (current != rule.Kind)
                takeBack();
            throw new KernelException(lead + e.Message, e);
        }
        return new FunctionTracer(context, takeBack, events);
    }

    /// <inheritdoc/>
    public override void Start() => _begin = TraceClock.ReadOrdered(_context.Trace.ClockKind);

    /// <inheritdoc/>
    public override void BeginCommandStart()
    {
        _context.Instance.Append("set_ftrace_pid", ThisThread);
        _context.Instance.Write("set_ftrace_notrace_pid", "");
    }

    /// <inheritdoc/>
    public override void EndCommandStart() => _context.Instance.TryWrite("set_ftrace_notrace_pid", ThisThread);

    /// <inheritdoc/>
    public override void Finish()
    {
        // Of several rules for one tracer the first's events are those that are recorded.
        if (_addresses.All.Count == 0)
            return;
        var symbols = KernelFunctions.Read();
        if (symbols.Count == 0)
            _context.Problems.Add("/proc/kallsyms shows no addresses (kernel.kptr_restrict): the functions stay without names");
        KernelSymbolStream.Write(_context.Trace, _addresses, symbols, _begin, _context.Options.PacketBytes);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _takeBack();
    }

    private static string ThisThread => LibC.GetThreadId().ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static void Switch(string tracer, InstrumentationContext context)
    {
        if (!context.Options.IsWholeMachine)
        {
            // As the instance's events follow the command and its descendants.
            context.Instance.Write("options/function-fork", "1");
            context.Instance.Write("set_ftrace_notrace_pid", ThisThread);
            context.Instance.Write("set_ftrace_pid", ThisThread);
        }
        context.Instance.Write("current_tracer", tracer);
    }

    private static void CheckPattern(KernelRule rule, InstrumentationContext context)
    {
        // Lines such as "tcp_ack" and "ext4_sync_fs [ext4]".
        var functions = context.Tracefs.ReadText(FunctionsFile).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split([' ', '\t'])[0]);
        if (functions.Any(name => FileSystemName.MatchesSimpleExpression(rule.Target, name, ignoreCase: false)))
            return;
        var nearest = NearestNames.Find(rule.Target, functions, MaxNearest);
        throw new KernelException($"kernel rule '{rule.Text}': the kernel has no such function to trace{(nearest.Count > 0 ? $"; the nearest are {string.Join(", ", nearest)}" : "")}");
    }

    private static string[] Tracers(string path)
    {
        try
        {
            return File.ReadAllText(path).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
