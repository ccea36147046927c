using System.Globalization;

namespace Weir.Kernel;

/// <summary>
/// Probes of the kernel's own functions: <c>kprobe:do_sys_openat2(dfd:s32, filename:ustring)</c> where one is called,
/// <c>kretprobe:do_sys_openat2(ret:s64)</c> where it returns. Source: linux, Documentation/trace/kprobetrace.rst.
/// </summary>
internal sealed class KprobeKind : InstrumentationKind
{
    private const string FileName = "kprobe_events";
    private const string Return = "kretprobe";
    private const int MaxNearest = 5;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Prefixes => ["kprobe", Return];

    /// <inheritdoc/>
    public override string Help => "kprobe:FUNCTION[+OFFSET][(ARGUMENTS)], kretprobe:FUNCTION[(ret:TYPE)]   functions of the kernel";

    /// <inheritdoc/>
    public override string? Refusal(TracefsMount tracefs) => DynamicEvents.Refusal(tracefs, FileName, "CONFIG_KPROBE_EVENTS");

    /// <inheritdoc/>
    public override Instrumentation Prepare(KernelRule rule, InstrumentationContext context)
    {
        Require(rule, context);
        var target = ProbeTarget.Parse(rule, hasFile: false);
        bool isReturn = rule.Kind == Return;
        return Probes.Create(rule, context, FileName, events =>
        {
            string offset = target.Offset == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"+0x{target.Offset:x}");
            if (target.Symbol.Length > 0)
                CheckSymbol(target.Symbol);
            else
                offset = string.Create(CultureInfo.InvariantCulture, $"0x{target.Offset:x}");
            string symbol = target.Symbol + offset;
            string arguments = isReturn
                ? ReturnProbe.Write(target.Arguments)
                : ProbeArgument.Write(target.Arguments ?? [], position => (string.Create(CultureInfo.InvariantCulture, $"$arg{position + 1}"), ProbeArgument.DefaultType));
            string name = target.Name ?? (isReturn ? ReturnProbe.NameOf(target.Symbol) : symbol.Replace('+', '_'));
            events.Define(isReturn ? 'r' : 'p', name, [symbol + arguments]);
        });
    }

    /// <summary>What the kernel would say of a name that it does not have is less than what can be said.</summary>
    private static void CheckSymbol(string name)
    {
        var symbols = KernelFunctions.Read();
        // A module's function may have the module's name before it.
        string bare = name[(name.LastIndexOf(':') + 1)..];
        if (symbols.Count == 0 || symbols.Contains(bare))
            return;
        var nearest = NearestNames.Find(bare, symbols.Names, MaxNearest);
        throw new KernelException($"the kernel has no function '{name}'{(nearest.Count > 0 ? $"; the nearest are {string.Join(", ", nearest)}" : "")}");
    }
}
