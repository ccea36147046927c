using System.Globalization;

namespace Weir.Kernel;

/// <summary>
/// Probes of functions of programs and libraries: <c>uprobe:/bin/bash:readline</c> where one is called,
/// <c>uretprobe:/bin/bash:readline(ret:string)</c> where it returns. Source: linux, Documentation/trace/uprobetracer.rst.
/// </summary>
internal sealed class UprobeKind : InstrumentationKind
{
    private const string FileName = "uprobe_events";
    private const string Return = "uretprobe";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Prefixes => ["uprobe", Return];

    /// <inheritdoc/>
    public override string Help => "uprobe:FILE:FUNCTION[+OFFSET][(ARGUMENTS)], uretprobe:FILE:FUNCTION[(ret:TYPE)]   functions of programs and libraries";

    /// <inheritdoc/>
    public override string? Refusal(TracefsMount tracefs) => DynamicEvents.Refusal(tracefs, FileName, "CONFIG_UPROBE_EVENTS");

    /// <inheritdoc/>
    public override Instrumentation Prepare(KernelRule rule, InstrumentationContext context)
    {
        Require(rule, context);
        var target = ProbeTarget.Parse(rule, hasFile: true);
        bool isReturn = rule.Kind == Return;
        return Probes.Create(rule, context, FileName, events =>
        {
            using var file = ProbedFile.Open(target.File);
            if (isReturn && target.Offset != 0 && target.Symbol.Length > 0)
                throw new KernelException("a function returns to its caller; there is no return behind an offset");
            string arguments = isReturn ? ReturnProbe.Write(target.Arguments) : ProbeArgument.Write(target.Arguments ?? [], position => (PlaceOf(file, target, position), ProbeArgument.DefaultType));
            foreach (var (symbol, offsets) in file.Find(target))
            {
                string name = target.Name ?? (isReturn ? ReturnProbe.NameOf(symbol) : symbol);
                events.Define(isReturn ? 'r' : 'p', name, [.. offsets.Select(offset => string.Create(CultureInfo.InvariantCulture, $"{file.KernelPath}:0x{offset:x}{arguments}"))]);
            }
        });
    }

    private static string PlaceOf(ProbedFile file, ProbeTarget target, int position)
    {
        if (target.Offset != 0 && target.Symbol.Length > 0)
            throw new KernelException("the arguments' registers are known where a function begins; behind it, name them: size=%di:u64");
        return file.Reading(() => CallingConvention.PlaceOf(file.Elf, position));
    }
}
