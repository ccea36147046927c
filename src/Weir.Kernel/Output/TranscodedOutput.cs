using System.Globalization;
using Weir.Clock;
using Weir.Ctf;
using Weir.Graph;

namespace Weir.Kernel;

/// <summary>Makes of the pages a stream for each CPU of a <see cref="KernelTrace"/>.</summary>
internal sealed class TranscodedOutput(KernelTrace trace, TracefsInstance instance, FtracePageLayout layout, int packetBytes) : PageOutput
{
    private readonly List<PageTranscoder> _cpus = [];
    private DataStreamClass? _stream;
    private KernelEventTable? _table;

    /// <inheritdoc/>
    public override void Declare(IReadOnlyList<RecordedEvent> events)
    {
        _stream = trace.AddStreamClass(PageTranscoder.CommonContext, events.Count < LttngLayout.ExtendedEventId ? LttngEventHeader.Compact : LttngEventHeader.Large);
        _table = new KernelEventTable(trace, _stream, instance);
        foreach (var recorded in events)
            _table.Declare(recorded);
        if (events.Count > 0)
            PageTranscoder.CheckLayout(EventFormats.Read(instance, events[0].Event));
    }

    /// <inheritdoc/>
    public override PageTarget Open(int cpu)
    {
        var stream = trace.OpenStream(_stream!, string.Create(CultureInfo.InvariantCulture, $"stream_{cpu}"), cpu, (ulong)cpu, packetBytes);
        var transcoder = new PageTranscoder(stream, _table!, layout);
        _cpus.Add(transcoder);
        return new TranscodingTarget(transcoder);
    }

    /// <inheritdoc/>
    public override void Start(ulong now)
    {
        foreach (var cpu in _cpus)
            cpu.Stream.BeginAt(now);
    }

    /// <inheritdoc/>
    public override PageOutputResult Finish(ClockCorrelation clock, ulong endCycles, IReadOnlyList<CpuStatistics> statistics)
    {
        ulong lost = 0;
        foreach (var cpu in _cpus)
        {
            var counted = statistics.FirstOrDefault(item => item.Cpu == cpu.Stream.Cpu);
            // A full buffer that keeps the oldest tells of none in its pages, and others not always of all.
            ulong untold = counted is null ? 0 : counted.Dropped + (counted.Overwritten > cpu.Lost ? counted.Overwritten - cpu.Lost : 0);
            lost += cpu.Lost + untold;
            cpu.Stream.Finish(endCycles, untold);
        }
        var problems = _cpus.Select(cpu => cpu.Problem ?? cpu.Stream.Problem).OfType<string>().ToList();
        if (_cpus.Exists(cpu => cpu.HasUncountedLosses))
            problems.Add("the kernel lost events without saying in its pages how many; the trace tells those as one each, and the rest of them at its end");
        return new PageOutputResult
        {
            Events =
            [
                .. _cpus.SelectMany(cpu => cpu.Statistics())
                    .GroupBy(item => item.Class.Name, (name, items) => new KernelEventCount(name, Sum(items, item => item.Count), Sum(items, item => item.Bytes))),
            ],
            FileBytes = _cpus.Sum(cpu => cpu.Stream.FileBytes),
            Lost = lost,
            NotWritten = Sum(_cpus, cpu => cpu.Stream.NotWritten),
            Problems = problems,
        };
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var cpu in _cpus)
            cpu.Stream.Dispose();
    }

    private static ulong Sum<T>(IEnumerable<T> items, Func<T, ulong> value) => items.Aggregate(0UL, (sum, item) => sum + value(item));
}
