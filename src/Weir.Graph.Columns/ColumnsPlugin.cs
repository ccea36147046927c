namespace Weir.Graph.Columns;

/// <summary>
/// The sinks that write columns. They stand apart from the other components because of the packages that they need: who writes a plug-in
/// for the graph need not have these, and nothing of them is loaded before one of these sinks is created.
/// </summary>
public sealed class ColumnsPlugin : IPlugin
{
    private const string Help = """
        path=PATH   the directory for the files, one for each event class; it must be empty or not exist yet
        """;

    /// <summary>Parquet files.</summary>
    public static SinkClass Parquet { get; } = new("columns", "parquet", "Write a Parquet file for each event class.", context => ParquetTable.CreateSink(context))
    {
        Help = Help + "\ncompression=zstd|snappy|none",
    };

    /// <summary>Arrow files.</summary>
    public static SinkClass Arrow { get; } = new("columns", "arrow", "Write an Arrow (IPC) file for each event class.", context => ArrowTable.CreateSink(context)) { Help = Help };

    /// <summary>The sinks by their short names, for <c>--output-format</c>.</summary>
    public static IReadOnlyDictionary<string, SinkClass> OutputFormats { get; } = new Dictionary<string, SinkClass> { ["parquet"] = Parquet, ["arrow"] = Arrow };

    /// <inheritdoc/>
    public string Name => "columns";

    /// <inheritdoc/>
    public string Description => "Files of columns, for queries";

    /// <inheritdoc/>
    public IReadOnlyList<ComponentClass> Components => [Parquet, Arrow];
}
