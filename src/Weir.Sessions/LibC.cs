using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weir.Sessions;

/// <summary>The system calls that this room makes, by libc's names.</summary>
internal static unsafe partial class LibC
{
    public const int Interrupted = 4;

    private const int StatxUidOffset = 20;
    private const int StatxBytes = 256;

    [LibraryImport("libc", EntryPoint = "sendfile", SetLastError = true)]
    public static partial nint SendFile(SafeFileHandle target, SafeFileHandle source, long* sourceOffset, nuint lengthBytes);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(SafeFileHandle file, long offset, int origin);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int processId, int signal);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUserId();

    /// <summary>The user that owns a file, or null where it cannot be told.</summary>
    public static uint? OwnerOf(string path)
    {
        const int CurrentDirectory = -100;
        const uint Uid = 0x8;
        byte* buffer = stackalloc byte[StatxBytes];
        return StatX(CurrentDirectory, path, 0, Uid, buffer) == 0 ? *(uint*)(buffer + StatxUidOffset) : null;
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int directory, string path, int flags, uint mask, byte* buffer);
}
