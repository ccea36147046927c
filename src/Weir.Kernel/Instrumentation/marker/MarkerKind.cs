namespace Weir.Kernel;

/// <summary>
/// What programs write to the file <c>trace_marker</c>, as events <c>print</c>, and to <c>trace_marker_raw</c>, as events <c>raw_data</c>: of
/// the instance, and where the kernel can copy it of all others' too. Source: linux, Documentation/trace/ftrace.rst.
/// </summary>
internal sealed class MarkerKind : InstrumentationKind
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> Prefixes => ["marker"];

    /// <inheritdoc/>
    public override string Help => "marker:*   what programs write to trace_marker";

    /// <inheritdoc/>
    public override Instrumentation Prepare(KernelRule rule, InstrumentationContext context)
    {
        if (rule.Target != "*")
            throw new KernelException($"kernel rule '{rule.Text}': markers have no names; marker:* records them all");
        if (rule.Filter is not null)
            throw new KernelException($"kernel rule '{rule.Text}': the kernel filters no markers; marker:* records them all");
        context.Instance.TryWrite("options/markers", "1");
        if (!context.Instance.TryWrite("options/copy_trace_marker", "1"))
            context.Problems.Add($"this kernel copies no markers (Linux 6.16 does): those that were written to {context.Instance.PathOf("trace_marker")} are recorded, no others");
        return new Markers();
    }

    private sealed class Markers : Instrumentation
    {
        public override IReadOnlyList<RecordedEvent> Events { get; } =
        [
            new(new KernelEventName("ftrace", "print")) { IsSwitched = false },
            new(new KernelEventName("ftrace", "raw_data")) { IsSwitched = false },
        ];
    }
}
