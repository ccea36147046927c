using Apache.Arrow;
using Apache.Arrow.Ipc;

namespace Weir.Graph.Columns;

/// <summary><c>sink.columns.arrow</c>'s file: Arrow's IPC file format.</summary>
internal sealed class ArrowTable : EventTable
{
    private readonly ArrowFileWriter _writer;

    private ArrowTable(string path, IReadOnlyList<Column> columns, Column[] all)
        : base(path, columns, all)
    {
        _writer = new ArrowFileWriter(File, Schema, leaveOpen: true);
        _writer.WriteStart();
    }

    public static MessageSink CreateSink(ComponentContext context)
    {
        var parameters = new ParameterReader(context.Parameters);
        string? path = parameters.Path("path");
        parameters.RejectOthers();
        return new ColumnSink(ColumnSink.CreateDirectory(path), ".arrow", context.Log, (file, columns, all) => new ArrowTable(file, columns, all));
    }

    protected override void Write(RecordBatch batch) => _writer.WriteRecordBatch(batch);

    protected override void WriteEnd() => _writer.WriteEnd();

    protected override void Dispose(bool disposing)
    {
        _writer.Dispose();
        base.Dispose(disposing);
    }
}
