using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weir.Sessions;

/// <summary>The system calls that this room makes, by libc's names.</summary>
internal static unsafe partial class LibC
{
    public const int Interrupted = 4;

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(SafeFileHandle file, long offset, int origin);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int processId, int signal);
}
