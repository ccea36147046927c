namespace Weir.Kernel;

/// <summary>
/// Reads files of /proc and /sys as bytes: whatever a program has called itself or its files comes out as it is. What is gone reads as
/// nothing, because processes end while they are looked at. Not thread-safe.
/// </summary>
internal sealed unsafe class ProcFile
{
    /// <summary>Most bytes of one file; the maps of a process with a hundred thousand mappings.</summary>
    private const int MaxBytes = 16 << 20;

    private const int MaxLinkBytes = 4096;

    private byte[] _buffer = new byte[64 << 10];
    private readonly byte[] _link = new byte[MaxLinkBytes];

    /// <summary>Files of which only the beginning was read.</summary>
    public int CutFiles { get; private set; }

    /// <summary>A file's content; empty where it cannot be read. Valid until the next call.</summary>
    public ReadOnlySpan<byte> Read(string path)
    {
        int fd = LibC.Open(path, LibC.CloseOnExec | LibC.NonBlocking, 0);
        if (fd < 0)
            return [];
        int length = 0;
        try
        {
            while (true)
            {
                if (length == _buffer.Length && !Grow())
                    break;
                nint read;
                fixed (byte* start = _buffer)
                    read = LibC.Read(fd, start + length, (nuint)(_buffer.Length - length));
                if (read <= 0)
                    break;
                length += (int)read;
            }
        }
        finally
        {
            _ = LibC.Close(fd);
        }
        return _buffer.AsSpan(0, length);
    }

    /// <summary>Where a link leads; empty where it cannot be read. Valid until the next call of this method.</summary>
    public ReadOnlySpan<byte> ReadLink(string path)
    {
        fixed (byte* target = _link)
        {
            nint length = LibC.ReadLink(path, target, MaxLinkBytes);
            return length > 0 ? _link.AsSpan(0, (int)length) : [];
        }
    }

    /// <summary>The number in a link such as <c>net:[4026531840]</c> to a namespace; 0 where there is none.</summary>
    public uint ReadNamespace(string path)
    {
        var link = ReadLink(path);
        int start = link.IndexOf((byte)'[');
        return start >= 0 ? (uint)ByteWords.Decimal(link[(start + 1)..]) : 0;
    }

    /// <summary>Numbers that name the entries of a directory, such as processes or descriptors, in order; none where it cannot be read.</summary>
    public static List<int> Numbers(string directory)
    {
        var found = new List<int>();
        try
        {
            foreach (string path in Directory.EnumerateFileSystemEntries(directory))
            {
                if (int.TryParse(Path.GetFileName(path.AsSpan()), System.Globalization.NumberStyles.None, null, out int number))
                    found.Add(number);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone, or not to be looked into.
        }
        found.Sort();
        return found;
    }

    private bool Grow()
    {
        if (_buffer.Length >= MaxBytes)
        {
            CutFiles++;
            return false;
        }
        Array.Resize(ref _buffer, _buffer.Length * 2);
        return true;
    }
}
