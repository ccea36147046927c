using Microsoft.Win32.SafeHandles;

namespace Weir.Graph;

/// <summary>Files of a trace, opened and read with errors that name them.</summary>
internal static class CtfFsFile
{
    public static SafeFileHandle Open(string path)
    {
        RegularFile.Check(path);
        try
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TraceReadException(path, -1, "this file cannot be opened", e);
        }
    }

    /// <summary>Reads until the buffer is full or the file ends.</summary>
    public static int Read(SafeFileHandle file, string path, Span<byte> buffer, long offset)
    {
        try
        {
            int total = 0;
            while (total < buffer.Length)
            {
                int read = RandomAccess.Read(file, buffer[total..], offset + total);
                if (read == 0)
                    break;
                total += read;
            }
            return total;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TraceReadException(path, offset, "this file cannot be read", e);
        }
    }
}
