namespace Weir.Kernel;

/// <summary>
/// The function graph tracer: entry and exit of the functions that are chosen and of all that they call. Source: linux,
/// Documentation/trace/ftrace.rst.
/// </summary>
internal sealed class FunctionGraphKind : InstrumentationKind
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> Prefixes => [FunctionTracer.FunctionGraph];

    /// <inheritdoc/>
    public override string Help => "function_graph:PATTERN   entry and exit of the kernel's functions and of all that they call";

    /// <inheritdoc/>
    public override string? Refusal(TracefsMount tracefs) => FunctionTracer.Refusal(tracefs, FunctionTracer.FunctionGraph);

    /// <inheritdoc/>
    public override Instrumentation Prepare(KernelRule rule, InstrumentationContext context)
    {
        Require(rule, context);
        FunctionGraphList.CheckFree(rule, context);
        return FunctionTracer.Prepare(
            rule, context, pattern => FunctionGraphList.Add(context.Tracefs, pattern), takeBack: () => FunctionGraphList.Clear(context.Tracefs),
        [
            new RecordedEvent(new KernelEventName("ftrace", "funcgraph_entry")) { IsSwitched = false, AddressFields = ["func"] },
            new RecordedEvent(new KernelEventName("ftrace", "funcgraph_exit")) { IsSwitched = false, AddressFields = ["func"] },
        ]);
    }
}
