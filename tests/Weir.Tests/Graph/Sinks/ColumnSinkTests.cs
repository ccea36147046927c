using System.Text.Json.Nodes;
using Apache.Arrow;
using Apache.Arrow.Ipc;
using DuckDB.NET.Data;
using Weir.Graph;
using Weir.Graph.Columns;
using Xunit;
using FileReader = ParquetSharp.Arrow.FileReader;

namespace Weir.Tests.Graph.Sinks;

public sealed class ColumnSinkTests : IDisposable
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"weir-columns-{Guid.NewGuid():N}");

    public void Dispose()
    {
        if (Directory.Exists(_directory))
            Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData("arrow")]
    [InlineData("parquet")]
    public async Task Every_kind_of_field_is_a_column_of_its_type(string format)
    {
        Write(format);
        var batch = await Read("app_everything." + format);
        Assert.Equal(
            ["time", "event", "trace", "hostname", "stream", "cpu", "packet_color", "ctx_vpid", "ctx_vtid", "ctx_procname", "u64", "s32", "color", "color_label", "flag",
             "real", "single", "text", "inner", "list", "grid", "tag", "choice", "has", "maybe", "blob", "bits"],
            batch.Schema.FieldsList.Select(field => field.Name));
        Assert.Equal(2, batch.Length);
        Assert.Equal([SinkInput.OriginNs + 5, SinkInput.OriginNs + 6], ((TimestampArray)batch.Column("time")).Values.ToArray());
        Assert.Equal(("app:everything", "the trace", "box"), (Text(batch, "event", 0), Text(batch, "trace", 0), Text(batch, "hostname", 0)));
        Assert.Equal((3u, 7UL), (((UInt32Array)batch.Column("cpu")).GetValue(0), ((UInt64Array)batch.Column("stream")).GetValue(1)));
        Assert.Equal((ulong.MaxValue, -5), (((UInt64Array)batch.Column("u64")).GetValue(0), ((Int32Array)batch.Column("s32")).GetValue(1)));
        Assert.Equal(((sbyte)2, "green"), (((Int8Array)batch.Column("color")).GetValue(0), Text(batch, "color_label", 0)));
        Assert.Equal((1.5, 0.1f, true), (((DoubleArray)batch.Column("real")).GetValue(0), ((FloatArray)batch.Column("single")).GetValue(0), ((BooleanArray)batch.Column("flag")).GetValue(0)));
        Assert.Equal(("a", "\uFFFD"), (Text(batch, "text", 0), Text(batch, "text", 1)));
        var inner = (StructArray)batch.Column("inner");
        Assert.Equal("inner", ((StringArray)inner.Fields[1]).GetString(1));
        Assert.Equal([1, 2, 3], ((UInt16Array)((ListArray)batch.Column("list")).GetSlicedValues(1)).Values.ToArray());
        var grid = (ListArray)((ListArray)batch.Column("grid")).GetSlicedValues(0);
        Assert.Equal([7, 8], ((UInt8Array)grid.GetSlicedValues(1)).Values.ToArray());
        Assert.Equal(("{\"number\":42}", "{\"words\":\"chosen\"}"), (Text(batch, "choice", 0), Text(batch, "choice", 1)));
        Assert.Equal(((byte?)77, (byte?)null), (((UInt8Array)batch.Column("maybe")).GetValue(0), ((UInt8Array)batch.Column("maybe")).GetValue(1)));
        Assert.Equal([0, 1, 2], ((BinaryArray)batch.Column("blob")).GetBytes(1).ToArray());
    }

    [Fact]
    public void Another_program_queries_the_files_together()
    {
        Write("parquet");
        Assert.Equal("3:2:9", Query($"SELECT count(*) || ':' || count(DISTINCT event) || ':' || max(packet_color) FROM read_parquet('{_directory}/app_[et]*.parquet', union_by_name=true)"));
        Assert.Equal("18446744073709551615:green:2:inner", Query($"SELECT max(u64) || ':' || min(color_label) || ':' || max(list[2]) || ':' || max(\"inner\".b) FROM '{_directory}/app_everything.parquet'"));
        Assert.Equal((SinkInput.OriginNs + 5).ToString(System.Globalization.CultureInfo.InvariantCulture), Query($"SELECT epoch_ns(min(time)) FROM '{_directory}/app_everything.parquet'"));
        Assert.Equal("3:15", Query($"SELECT count || ':' || (epoch_ns(end_time) - epoch_ns(time)) FROM '{_directory}/_discarded.parquet'"));
    }

    [Fact]
    public async Task A_field_named_like_a_common_column_gets_another_name()
    {
        Write("arrow");
        var batch = await Read("app_time.arrow");
        Assert.Equal(99u, ((UInt32Array)batch.Column("field_time")).GetValue(0));
        Assert.Equal("n", Text(batch, "name", 0));
    }

    [Fact]
    public void The_rows_of_many_batches_are_all_there()
    {
        using (var sink = ColumnsPlugin.Parquet.Create(Context()))
        {
            for (ulong i = 0; i < 300; i++)
            {
                using var input = new SinkInput();
                input.Everything(i, i, new byte[] { 65 }, isPresent: i % 2 == 0, tag: (byte)(i % 2));
                for (ulong j = 0; j < 1000; j++)
                    input.Work(isBegin: true, i, (uint)j);
                sink.Consume(input.Batch());
            }
            sink.Finish();
        }
        // A trace of its own for each batch, and still one file for each event class.
        Assert.Equal(2, Directory.GetFiles(_directory).Length);
        Assert.Equal("300000:149850000:3", Query($"SELECT count(*) || ':' || sum(id) || ':' || (SELECT count(DISTINCT row_group_id) FROM parquet_metadata('{_directory}/app_work_begin.parquet')) FROM '{_directory}/app_work_begin.parquet'"));
        Assert.Equal("150", Query($"SELECT count(maybe) FROM '{_directory}/app_everything.parquet'"));
    }

    [Fact]
    public void A_directory_that_holds_something_is_refused()
    {
        Directory.CreateDirectory(_directory);
        File.WriteAllText(Path.Combine(_directory, "x"), "");
        Assert.Contains("not empty", Assert.Throws<ComponentParameterException>(() => ColumnsPlugin.Parquet.Create(Context())).Message, StringComparison.Ordinal);
        Assert.Contains("'path' is missing", Assert.Throws<ComponentParameterException>(() => ColumnsPlugin.Arrow.Create(new ComponentContext { Name = "out" })).Message, StringComparison.Ordinal);
    }

    private static string Text(RecordBatch batch, string column, int row) => ((StringArray)batch.Column(column)).GetString(row);

    private static string Query(string query)
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The queries are this file's own.
        command.CommandText = query;
#pragma warning restore CA2100
        return Convert.ToString(command.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture)!;
    }

    private ComponentContext Context() => new() { Name = "out", Parameters = new JsonObject { ["path"] = _directory } };

    private void Write(string format)
    {
        using var input = new SinkInput();
        input.Everything(5, 1.5, "a"u8.ToArray(), isPresent: true, tag: 0);
        input.Everything(6, 2.5, [0xff], isPresent: false, tag: 1);
        input.Time(7, "n");
        input.Loss(3, 10, 25);
        input.Write(ColumnsPlugin.OutputFormats[format], new JsonObject { ["path"] = _directory });
    }

    private async Task<RecordBatch> Read(string file)
    {
        string path = Path.Combine(_directory, file);
        if (path.EndsWith(".arrow", StringComparison.Ordinal))
        {
            using var stream = File.OpenRead(path);
            using var reader = new ArrowFileReader(stream);
            return (await reader.ReadNextRecordBatchAsync(TestContext.Current.CancellationToken))!;
        }
        using var parquet = new FileReader(path);
        using var batches = parquet.GetRecordBatchReader();
        return (await batches.ReadNextRecordBatchAsync(TestContext.Current.CancellationToken))!;
    }
}
