using Apache.Arrow;
using ParquetSharp;
using FileWriter = ParquetSharp.Arrow.FileWriter;

namespace Weir.Graph.Columns;

/// <summary><c>sink.columns.parquet</c>'s file: Parquet, a row group for each part that is written.</summary>
internal sealed class ParquetTable : EventTable
{
    private readonly FileWriter _writer;

    private ParquetTable(string path, IReadOnlyList<Column> columns, Column[] all, Compression compression)
        : base(path, columns, all)
    {
        using var builder = new WriterPropertiesBuilder();
        using var properties = builder.Compression(compression).CreatedBy("weir").Build();
        _writer = Try(() => new FileWriter(File, Schema, properties, null, leaveOpen: true));
    }

    public static MessageSink CreateSink(ComponentContext context)
    {
        var parameters = new ParameterReader(context.Parameters);
        string? path = parameters.Path("path");
        var compression = parameters.OneOf("compression", "zstd", "snappy", "none") switch
        {
            "zstd" => Compression.Zstd,
            "snappy" => Compression.Snappy,
            _ => Compression.Uncompressed,
        };
        parameters.RejectOthers();
        return new ColumnSink(ColumnSink.CreateDirectory(path), ".parquet", context.Log, (file, columns, all) => new ParquetTable(file, columns, all, compression));
    }

    protected override void Write(RecordBatch batch) => Try(() =>
    {
        _writer.WriteRecordBatch(batch);
        return true;
    });

    protected override void WriteEnd() => Try(() =>
    {
        _writer.Close();
        return true;
    });

    protected override void Dispose(bool disposing)
    {
        _writer.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>The package has an exception of its own for a disk that is full.</summary>
    private static T Try<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (ParquetException e)
        {
            throw new IOException(e.Message, e);
        }
    }
}
