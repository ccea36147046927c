using System.Runtime.InteropServices;

namespace Weir.Sessions;

/// <summary>The system calls that this room makes, by libc's names.</summary>
internal static partial class LibC
{
    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int processId, int signal);
}
