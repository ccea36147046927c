using System.Runtime.InteropServices;
using System.Text;

namespace Weir.Kernel;

/// <summary>Reads and writes the kernel's tracing files: one write is one command, and the kernel's answer to it.</summary>
internal static unsafe class TracefsFile
{
    private const int WriteOnly = 0x1;
    private const int Truncate = 0x200;
    private const int Append = 0x400;

    /// <summary>Reads a file's whole text.</summary>
    /// <exception cref="KernelException">It cannot be read.</exception>
    public static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KernelException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Writes a text in one piece; what stood there is replaced.</summary>
    /// <exception cref="KernelException">The kernel refuses it.</exception>
    public static void Write(string path, string text) => WriteOrThrow(path, text, Truncate);

    /// <summary>Writes a text in one piece behind what stands there.</summary>
    /// <exception cref="KernelException">The kernel refuses it.</exception>
    public static void AppendText(string path, string text) => WriteOrThrow(path, text, Append);

    /// <summary>Writes a text; returns the error's number, or 0.</summary>
    public static int TryWrite(string path, string text, bool append = false)
    {
        int fd = LibC.Open(path, WriteOnly | LibC.CloseOnExec | (append ? Append : Truncate), 0);
        if (fd < 0)
            return Marshal.GetLastPInvokeError();
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        try
        {
            fixed (byte* start = bytes)
            {
                for (int done = 0; done < bytes.Length;)
                {
                    nint written = LibC.Write(fd, start + done, (nuint)(bytes.Length - done));
                    int error = Marshal.GetLastPInvokeError();
                    if (written < 0 && error == LibC.Interrupted)
                        continue;
                    if (written <= 0)
                        return written < 0 ? error : LibC.Again;
                    done += (int)written;
                }
            }
            return 0;
        }
        finally
        {
            _ = LibC.Close(fd);
        }
    }

    private static void WriteOrThrow(string path, string text, int how)
    {
        int error = TryWrite(path, text, how == Append);
        if (error != 0)
            throw new KernelException($"{path}: the kernel refuses '{Shorten(text)}': {Marshal.GetPInvokeErrorMessage(error)}");
    }

    private static string Shorten(string text) => text.Length <= 120 ? text.TrimEnd('\n') : $"{text[..117]}...";
}
