using System.Text;

namespace Weir.Cli;

/// <summary>Keeps the first and the last lines of a text of any length, and counts those between.</summary>
internal sealed class HeadAndTail(int lineCount) : WriteOnlyStream
{
    private readonly List<byte[]> _head = [];
    private readonly Queue<byte[]> _tail = new();
    private readonly MemoryStream _open = new();
    private long _between;

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        for (int end; (end = buffer.IndexOf((byte)'\n')) >= 0; buffer = buffer[(end + 1)..])
        {
            _open.Write(buffer[..end]);
            Add(_open.ToArray());
            _open.SetLength(0);
        }
        _open.Write(buffer);
    }

    public void Print(TextWriter writer)
    {
        foreach (byte[] line in _head)
            writer.WriteLine(Encoding.UTF8.GetString(line));
        if (_between > 0)
            writer.WriteLine($"… {_between} more …");
        foreach (byte[] line in _tail)
            writer.WriteLine(Encoding.UTF8.GetString(line));
    }

    protected override void Dispose(bool disposing)
    {
        _open.Dispose();
        base.Dispose(disposing);
    }

    private void Add(byte[] line)
    {
        if (_head.Count < lineCount)
        {
            _head.Add(line);
            return;
        }
        _tail.Enqueue(line);
        if (_tail.Count > lineCount)
        {
            _tail.Dequeue();
            _between++;
        }
    }
}
