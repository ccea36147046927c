using Apache.Arrow;

namespace Weir.Graph.Columns;

/// <summary>One file: columns whose rows are kept until there are enough of them to be written together.</summary>
internal abstract class EventTable : IDisposable
{
    private readonly AppendStream _file;
    private readonly IReadOnlyList<Column> _columns;

    /// <param name="path">The file; must not exist yet.</param>
    /// <param name="columns">The columns in order.</param>
    /// <param name="all">The columns with those inside them.</param>
    protected EventTable(string path, IReadOnlyList<Column> columns, Column[] all)
    {
        _file = new AppendStream(path);
        _columns = columns;
        All = all;
        Schema = new Schema(columns.Select(column => column.Field), null);
    }

    /// <summary>The columns with those inside them, numbered as in a plan.</summary>
    public Column[] All { get; }

    /// <summary>About how many bytes the rows take that are not written yet.</summary>
    public long PendingBytes { get; private set; }

    protected Schema Schema { get; }

    protected Stream File => _file;

    private int RowCount => _columns[0].Count;

    /// <summary>Ends a row whose values were appended; returns about how many bytes it took.</summary>
    public long EndRow(long eventBytes)
    {
        long bytes = eventBytes + (_columns.Count * 10L);
        PendingBytes += bytes;
        return bytes;
    }

    /// <summary>Whether enough rows are there for a part of the file.</summary>
    public bool IsFull => RowCount >= 128 << 10 || PendingBytes >= 32 << 20;

    /// <summary>Writes the rows, and gives their memory back; returns <see cref="PendingBytes"/> as they were.</summary>
    public long WriteRows()
    {
        if (RowCount > 0)
        {
            var batch = new RecordBatch(Schema, _columns.Select(column => ArrowArrayFactory.BuildArray(column.Build())), RowCount);
            Write(batch);
            foreach (var column in _columns)
                column.Clear();
        }
        _file.Release();
        long bytes = PendingBytes;
        PendingBytes = 0;
        return bytes;
    }

    /// <summary>Writes what is left, and what the format has at its end.</summary>
    public void Finish()
    {
        WriteRows();
        WriteEnd();
        _file.Release();
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Writes a batch; is done with it when it returns.</summary>
    protected abstract void Write(RecordBatch batch);

    protected abstract void WriteEnd();

    protected virtual void Dispose(bool disposing) => _file.Dispose();
}
