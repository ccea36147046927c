namespace Weir.Kernel;

/// <summary>
/// The function tracer: each call of the functions that are chosen, with the place that they are called from. Source: linux,
/// Documentation/trace/ftrace.rst.
/// </summary>
internal sealed class FunctionKind : InstrumentationKind
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> Prefixes => [FunctionTracer.Function];

    /// <inheritdoc/>
    public override string Help => "function:PATTERN   calls of the kernel's functions, with * and ?";

    /// <inheritdoc/>
    public override string? Refusal(TracefsMount tracefs) => FunctionTracer.Refusal(tracefs, FunctionTracer.Function);

    /// <inheritdoc/>
    public override Instrumentation Prepare(KernelRule rule, InstrumentationContext context)
    {
        Require(rule, context);
        // The instance's own list: nobody else's tracing knows of it.
        return FunctionTracer.Prepare(rule, context, pattern => context.Instance.Append("set_ftrace_filter", pattern), takeBack: () => { },
        [
            new RecordedEvent(new KernelEventName("ftrace", "function")) { IsSwitched = false, AddressFields = ["ip", "parent_ip"] },
        ]);
    }
}
