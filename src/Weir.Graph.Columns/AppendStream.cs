namespace Weir.Graph.Columns;

/// <summary>
/// A file that is written from its beginning to its end, and is open only from a write to the next <see cref="Release"/>: a trace may have
/// more event classes than a process may have files open.
/// </summary>
/// <param name="path">The file; must not exist yet.</param>
internal sealed class AppendStream(string path) : Stream
{
    private FileStream? _file;
    private long _lengthBytes;

    public override bool CanRead => false;

    // The writer of Arrow's files asks where it is, and takes only streams that could go elsewhere.
    public override bool CanSeek => true;

    public override bool CanWrite => true;

    public override long Length => _lengthBytes;

    public override long Position
    {
        get => _lengthBytes;
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _file ??= new FileStream(path, _lengthBytes == 0 ? FileMode.CreateNew : FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        _file.Write(buffer);
        _lengthBytes += buffer.Length;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    /// <summary>Closes the file until the next write.</summary>
    public void Release()
    {
        _file?.Dispose();
        _file = null;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        Release();
        base.Dispose(disposing);
    }
}
