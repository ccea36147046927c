using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// <c>source.perf.data</c>: samples and tracepoints that perf recorded. One output for each file, which gives the data streams of all CPUs in
/// order of time.
/// </summary>
public sealed class PerfDataSource : Source
{
    private const string Help = $"""
        inputs=[PATH, ...]                        files that perf record has written, to a file or to a pipe
        tod=yes                                   times of day, where the file says how its clock stood to them (perf record -k)
        labels=yes                                show the labels of tracepoints' values beside them, where the kernel lists them
        {ClockAdjustment.Help}
        """;

    private readonly List<PerfTrace> _traces = [];

    private PerfDataSource()
    {
    }

    /// <summary>Offers it.</summary>
    public static SourceClass Class { get; } = new("perf", "data", "Read samples and tracepoints in files of perf's (perf.data).", Create)
    {
        Help = Help,
        Recognize = PerfDataFile.Recognize,
        AdjustsClocks = true,
    };

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => [.. _traces.Select(trace => trace.File.Path)];

    /// <inheritdoc/>
    public override MessageIterator CreateIterator(int output) => new PerfDataIterator(_traces[output]);

    /// <summary>Opens files.</summary>
    /// <param name="paths">The files.</param>
    /// <param name="hasLabels">Whether tracepoints' fields with labels become enumerations.</param>
    /// <param name="isTimeOfDay">Whether times are counted from the Epoch.</param>
    /// <param name="clocks">What is added to clocks; null for nothing.</param>
    /// <exception cref="TraceReadException">One is no perf.data, or says nothing of the time of day, or is bad before its records.</exception>
    public static PerfDataSource Open(IEnumerable<string> paths, bool hasLabels = false, bool isTimeOfDay = false, ClockAdjustment? clocks = null)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var source = new PerfDataSource();
        try
        {
            foreach (string path in paths)
                source._traces.Add(PerfTrace.Create(PerfDataFile.Read(path), hasLabels, isTimeOfDay, clocks ?? ClockAdjustment.None));
            return source;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        foreach (var trace in _traces)
            trace.File.Dispose();
        base.Dispose(disposing);
    }

    private static PerfDataSource Create(ComponentContext context)
    {
        var parameters = new ParameterReader(context.Parameters);
        var inputs = parameters.Paths("inputs", "files");
        bool hasLabels = parameters.Flag("labels");
        bool isTimeOfDay = parameters.Flag("tod");
        var clocks = ClockAdjustment.Read(parameters);
        parameters.RejectOthers();
        return Open(inputs, hasLabels, isTimeOfDay, clocks);
    }
}
