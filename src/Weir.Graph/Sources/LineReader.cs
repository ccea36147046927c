namespace Weir.Graph;

/// <summary>Reads a text's lines as bytes. Not thread-safe.</summary>
/// <param name="stream">The text, which is disposed with the reader.</param>
/// <param name="path">What the text is called in errors.</param>
internal sealed class LineReader(Stream stream, string path) : IDisposable
{
    private const int MaxLineBytes = 16 << 20;

    private byte[] _bytes = new byte[64 << 10];
    private int _start;
    private int _end;
    private bool _isAtEnd;

    /// <summary>Number of the line that was read last, from 1.</summary>
    public long Number { get; private set; }

    /// <summary>Offset of that line's first byte.</summary>
    public long OffsetBytes { get; private set; }

    private long BufferOffset { get; set; }

    /// <summary>Opens a file.</summary>
    /// <exception cref="TraceReadException">It cannot be opened.</exception>
    public static LineReader Open(string path)
    {
        try
        {
            return new LineReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TraceReadException(path, -1, "this file cannot be read", e);
        }
    }

    /// <summary>The next line without its end, valid until the next call. False at the end.</summary>
    /// <exception cref="TraceReadException">A line is too long, or cannot be read.</exception>
    public bool TryRead(out ReadOnlySpan<byte> line)
    {
        int searched = 0;
        int length;
        while ((length = _bytes.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n')) < 0 && !_isAtEnd)
        {
            searched = _end - _start;
            Fill();
        }
        bool hasEnd = length >= 0;
        length = hasEnd ? searched + length : _end - _start;
        line = _bytes.AsSpan(_start, length);
        if (!hasEnd && length == 0)
            return false;
        Number++;
        OffsetBytes = BufferOffset + _start;
        _start += hasEnd ? length + 1 : length;
        return true;
    }

    /// <summary>Whether a line has nothing but white space, as C knows it.</summary>
    public static bool IsBlank(ReadOnlySpan<byte> line)
    {
        foreach (byte c in line)
        {
            if (c is not ((byte)' ' or (>= 9 and <= 13)))
                return false;
        }
        return true;
    }

    /// <summary>An error in the line that was read last.</summary>
    public TraceReadException Error(string message, Exception? cause = null) => new(path, OffsetBytes, $"line {Number}: {message}", cause);

    public void Dispose() => stream.Dispose();

    private void Fill()
    {
        if (_start > 0)
        {
            _bytes.AsSpan(_start, _end - _start).CopyTo(_bytes);
            BufferOffset += _start;
            _end -= _start;
            _start = 0;
        }
        if (_end == _bytes.Length)
        {
            if (_end >= MaxLineBytes)
                throw new TraceReadException(path, BufferOffset, $"line {Number + 1} has more than {MaxLineBytes >> 20} MiB");
            Array.Resize(ref _bytes, _bytes.Length * 2);
        }
        try
        {
            int count = stream.Read(_bytes, _end, _bytes.Length - _end);
            _isAtEnd = count == 0;
            _end += count;
        }
        catch (IOException e)
        {
            throw new TraceReadException(path, BufferOffset + _end, "this file cannot be read", e);
        }
    }
}
