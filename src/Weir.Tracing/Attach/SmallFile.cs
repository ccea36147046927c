using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weir.Tracing;

/// <summary>
/// Reads a file that another process wrote, inside a program that must not suffer from what it really is: a link is not followed, a
/// pipe is not waited for, and no more is read than the file may hold.
/// </summary>
internal static unsafe partial class SmallFile
{
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;
    private const int Interrupted = 4;

    // The one flag that differs between the architectures.
    private static readonly int s_noFollow = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;

    /// <summary>The file's bytes; null where they are none, or more than allowed.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static byte[]? Read(string path, int maxBytes)
    {
        int fd = Open(path, s_noFollow | NonBlocking | CloseOnExec, 0);
        if (fd < 0)
            throw new IOException(Marshal.GetLastPInvokeErrorMessage());
        using var file = new SafeFileHandle(fd, ownsHandle: true);
        return Read(file, maxBytes);
    }

    /// <summary>The same of a file that is open already, from where it stands.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static byte[]? Read(SafeFileHandle file, int maxBytes)
    {
        byte[] bytes = new byte[4096];
        int length = 0;
        while (true)
        {
            if (length == bytes.Length)
                Array.Resize(ref bytes, bytes.Length * 2);
            nint got;
            fixed (byte* target = bytes)
                got = Read(file, target + length, bytes.Length - length);
            if (got > 0)
                length += (int)got;
            else if (got == 0)
                return length == 0 ? null : bytes[..length];
            else if (Marshal.GetLastPInvokeError() != Interrupted)
                throw new IOException(Marshal.GetLastPInvokeErrorMessage());
            if (length > maxBytes)
                return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(SafeFileHandle file, byte* buffer, nint lengthBytes);
}
