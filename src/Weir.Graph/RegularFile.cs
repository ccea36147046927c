using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Weir.Graph;

/// <summary>Opens files that are gone through more than once, or not from front to back: pipes, which could be waited for for ever, are none.</summary>
internal static unsafe partial class RegularFile
{
    // struct statx of Linux, the same for all machines: the mode has 16 bits.
    private const int StatxBytes = 256;
    private const int StatxModeOffset = 28;
    private const int AtWorkingDirectory = -100;
    private const uint StatxType = 1;

    /// <summary>What a path is, in words, where that is neither a regular file nor a directory; null for these and for what is not there.</summary>
    public static string? DescribeOther(string path)
    {
        Span<byte> status = stackalloc byte[StatxBytes];
        fixed (byte* start = status)
        {
            if (Statx(AtWorkingDirectory, path, 0, StatxType, start) != 0)
                return null;
        }
        return (BinaryPrimitives.ReadUInt16LittleEndian(status[StatxModeOffset..]) & 0xf000) switch
        {
            0x1000 => "a named pipe",
            0x2000 or 0x6000 => "a device",
            0xc000 => "a socket",
            _ => null,
        };
    }

    /// <summary>Refuses what is no regular file.</summary>
    /// <exception cref="TraceReadException">It is none.</exception>
    public static void Check(string path)
    {
        if (DescribeOther(path) is { } other)
            throw new TraceReadException(path, -1, $"this is {other}: expected a regular file, which can be gone through more than once");
    }

    /// <summary>Opens a file.</summary>
    /// <exception cref="TraceReadException">It cannot be opened, or is no regular file.</exception>
    public static FileStream Open(string path, int bufferBytes)
    {
        Check(path);
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferBytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TraceReadException(path, -1, "this file cannot be opened", e);
        }
    }

    /// <summary>How a file begins, for whoever wants to recognize it: fewer bytes where it is shorter, none where it is no regular file.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static ReadOnlySpan<byte> ReadHead(string path, Span<byte> into)
    {
        if (!File.Exists(path) || DescribeOther(path) is not null)
            return [];
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        return into[..file.ReadAtLeast(into, into.Length, throwOnEndOfStream: false)];
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, uint mask, byte* status);
}
