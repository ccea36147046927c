namespace Weir.Kernel;

/// <summary>The counters of the kernel and of the processor, as samples with call stacks: <c>perf:cpu-clock@99hz</c>, <c>perf:page-faults@1000</c>.</summary>
internal sealed class PerfKind : InstrumentationKind
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> Prefixes => ["perf"];

    /// <inheritdoc/>
    public override string Help => "perf:COUNTER[@COUNT|@Nhz]   samples of a counter with call stacks, each so many counts or so often a second";

    /// <inheritdoc/>
    public override Instrumentation Prepare(KernelRule rule, InstrumentationContext context)
    {
        if (rule.Filter is not null)
            throw new KernelException($"kernel rule '{rule.Text}': samples of counters cannot be filtered while they are recorded; 'weir convert --where' can");
        if (!PerfRequest.TryParse(rule.Target, out var request, out string? wrong))
            throw new KernelException($"kernel rule '{rule.Text}': {wrong}");
        try
        {
            PerfEventFile.Try(request);
        }
        catch (KernelException e)
        {
            throw new KernelException($"kernel rule '{rule.Text}': {e.Message}", e);
        }
        // All counters of a CPU write into one buffer, and the stacks of all of them are named at the end.
        var sampling = context.Share(() => new PerfSampling(context), out bool isNew);
        sampling.Add(request);
        return isNew ? sampling : new PartOfSampling();
    }

    private sealed class PartOfSampling : Instrumentation;
}
