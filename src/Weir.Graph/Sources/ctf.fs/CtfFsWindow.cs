using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weir.Graph;

/// <summary>
/// A part of a file in memory, which slides. It is read with pread: a file that is cut under us is an error, not a signal, and a packet may be
/// larger than memory. Not thread-safe.
/// </summary>
internal sealed unsafe class CtfFsWindow : IDisposable
{
    /// <summary>A window is never larger, and only as large as the file has bytes.</summary>
    public const int MaxBytes = 128 << 20;

    /// <summary>So many windows keep their files open; others open theirs each time, because there may be more streams than open files.</summary>
    public const int MaxOpenFiles = 128;

    private const int FirstBytes = 64 << 10;

    private static int s_openFiles;

    private SafeFileHandle? _file;
    private byte* _bytes;
    private int _capacity;
    private int _count;

    /// <summary>The file, or null before the first.</summary>
    public string? Path { get; private set; }

    /// <summary>Its length when it was opened.</summary>
    public long FileBytes { get; private set; }

    /// <summary>Offset in the file of the window's first byte.</summary>
    public long OffsetBytes { get; private set; }

    /// <summary>Offset in the file behind the window's last byte.</summary>
    public long EndBytes => OffsetBytes + _count;

    /// <summary>Where a byte of the file lies, or would lie if the window reached so far.</summary>
    public byte* At(long offsetBytes) => _bytes + (offsetBytes - OffsetBytes);

    /// <summary>Goes to another file; the window is empty then.</summary>
    public void Open(string path)
    {
        if (Path == path)
            return;
        Close();
        Path = null;
        var file = CtfFsFile.Open(path);
        FileBytes = RandomAccess.GetLength(file);
        Keep(file);
        Path = path;
        OffsetBytes = 0;
        _count = 0;
    }

    /// <summary>
    /// Makes the window begin at an offset in the file and have more bytes from there on than now; there must be more. False when it would
    /// become larger than it may.
    /// </summary>
    public bool Fill(long fromBytes)
    {
        int kept = fromBytes >= OffsetBytes ? (int)Math.Max(0, EndBytes - fromBytes) : 0;
        if (kept == _capacity)
        {
            if (_capacity == MaxBytes)
                return false;
            int capacity = Math.Max(FirstBytes, _capacity * 2);
            _bytes = (byte*)NativeMemory.Realloc(_bytes, (nuint)capacity);
            _capacity = capacity;
        }
        if (kept > 0)
            Buffer.MemoryCopy(At(fromBytes), _bytes, _capacity, kept);
        OffsetBytes = fromBytes;
        _count = kept;
        int wanted = (int)Math.Min(_capacity - kept, FileBytes - EndBytes);
        int read = Read(new Span<byte>(_bytes + kept, wanted), EndBytes);
        _count += read;
        if (read < wanted)
            throw new TraceReadException(Path!, EndBytes, "the file became shorter while it was read");
        return true;
    }

    public void Dispose()
    {
        Close();
        NativeMemory.Free(_bytes);
        _bytes = null;
        GC.SuppressFinalize(this);
    }

    private int Read(Span<byte> buffer, long offset)
    {
        if (_file is { } open)
            return CtfFsFile.Read(open, Path!, buffer, offset);
        using var file = CtfFsFile.Open(Path!);
        return CtfFsFile.Read(file, Path!, buffer, offset);
    }

    private void Keep(SafeFileHandle file)
    {
        if (Interlocked.Increment(ref s_openFiles) <= MaxOpenFiles)
        {
            _file = file;
            return;
        }
        Interlocked.Decrement(ref s_openFiles);
        file.Dispose();
    }

    private void Close()
    {
        if (_file is null)
            return;
        _file.Dispose();
        _file = null;
        Interlocked.Decrement(ref s_openFiles);
    }

    ~CtfFsWindow() => NativeMemory.Free(_bytes);
}
