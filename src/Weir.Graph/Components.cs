namespace Weir.Graph;

/// <summary>
/// The components of this room: the table of contents. Beside each class that has one stands its short name: of a source for
/// <c>--input-format</c>, of a sink for <c>--output-format</c>.
/// </summary>
public static class Components
{
    private static readonly (ComponentClass Class, string? Format)[] s_table =
    [
        (CtfFsSource.Class, "ctf"),
        (FtraceDatSource.Class, "trace-cmd"),
        (PerfDataSource.Class, "perf"),
        (NettraceSource.Class, "nettrace"),
        (DmesgSource.Class, null),
        (JsonSource.Class, "json"),
        (LttngLiveSource.Class, "lttng-live"),
        (Muxer.Class, null),
        (Trimmer.Class, null),
        (WhereFilter.Class, null),
        (DebugInfoFilter.Class, null),
        (PrettySink.Class, "text"),
        (DetailsSink.Class, "details"),
        (CtfFsSink.Class, "ctf"),
        (DummySink.Class, "dummy"),
        (CounterSink.Class, "counter"),
        (JsonSink.Class, "json"),
        (ChromeSink.Class, "chrome"),
        (PerfettoSink.Class, "perfetto"),
    ];

    /// <summary>The classes, in the order in which they are asked whether they know an input.</summary>
    public static IReadOnlyList<ComponentClass> All { get; } = ListClasses();

    /// <summary>Names of the classes.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(item => item.ToString())];

    /// <summary>Short names of the sources, for <c>--input-format</c>.</summary>
    public static IReadOnlyDictionary<string, SourceClass> InputFormats { get; } = Formats<SourceClass>();

    /// <summary>Short names of the sinks, for <c>--output-format</c>.</summary>
    public static IReadOnlyDictionary<string, SinkClass> OutputFormats { get; } = Formats<SinkClass>();

    // Loops, because queries of pairs are compiled anew at each start.
    private static List<ComponentClass> ListClasses()
    {
        var classes = new List<ComponentClass>();
        foreach (var (componentClass, _) in s_table)
            classes.Add(componentClass);
        return classes;
    }

    private static Dictionary<string, T> Formats<T>()
        where T : ComponentClass
    {
        var formats = new Dictionary<string, T>();
        foreach (var (componentClass, format) in s_table)
        {
            if (componentClass is T && format is not null)
                formats.Add(format, (T)componentClass);
        }
        return formats;
    }
}
