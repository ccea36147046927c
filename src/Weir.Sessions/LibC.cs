using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weir.Sessions;

/// <summary>The system calls that this room makes, by libc's names.</summary>
internal static unsafe partial class LibC
{
    public const int ReadWrite = 0x2;
    public const int NonBlocking = 0x800;
    public const int CloseOnExec = 0x80000;
    public const int RemoveDirectory = 0x200;
    public const int NoEntry = 2;
    public const int NotADirectory = 20;
    public const int TooManyLinks = 40;

    private const int NotPermitted = 1;
    private const int NoSuchCall = 38;
    private const nint OpenBelowCall = 437;

    // What differs between the architectures.
    private static readonly bool s_isArm64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
    private static readonly int s_noFollow = s_isArm64 ? 0x8000 : 0x20000;
    private static readonly nint s_getEntriesCall = s_isArm64 ? 61 : 217;

    public static readonly int IsDirectory = s_isArm64 ? 0x4000 : 0x10000;

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int processId, int signal);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true)]
    public static partial int Unlink(SafeFileHandle directory, byte* name, int flags);

    /// <summary>
    /// Opens what a directory has under a name, and nothing else: no link is followed, no other file system entered, whose maker could let us
    /// wait for ever. -1 with the error set where it is not so.
    /// </summary>
    public static SafeFileHandle? OpenIn(SafeFileHandle directory, ReadOnlySpan<byte> name, int flags)
    {
        const ulong NoOtherFileSystem = 0x1;
        const ulong NoMagicLinks = 0x2;
        const ulong NoLinks = 0x4;
        const ulong Below = 0x8;
        ulong* how = stackalloc ulong[3];
        how[0] = (ulong)(flags | s_noFollow | NonBlocking | CloseOnExec);
        how[1] = 0;
        how[2] = NoOtherFileSystem | NoMagicLinks | NoLinks | Below;
        fixed (byte* path = name)
        {
            int fd = (int)Call(OpenBelowCall, directory, path, how, 3 * sizeof(ulong));
            // Before Linux 5.6, or where a container allows no calls that it does not know.
            if (fd < 0 && Marshal.GetLastPInvokeError() is NoSuchCall or NotPermitted)
                fd = OpenAt(directory, path, (int)how[0], 0);
            return fd < 0 ? null : new SafeFileHandle(fd, ownsHandle: true);
        }
    }

    /// <summary>Reads entries of an open directory from where it stands, as <c>linux_dirent64</c>; 0 at its end, negative for an error.</summary>
    public static int GetEntries(SafeFileHandle directory, Span<byte> buffer)
    {
        fixed (byte* target = buffer)
            return (int)Call(s_getEntriesCall, directory, target, (void*)(nint)buffer.Length, 0);
    }

    /// <summary>What is open; null where that cannot be told.</summary>
    public static FileStatus? Status(SafeFileHandle file)
    {
        const int OfDescriptor = 0x1000;
        const uint BasicStats = 0x7FF;
        byte* buffer = stackalloc byte[256];
        byte empty = 0;
        if (StatX(file, &empty, OfDescriptor, BasicStats, buffer) != 0)
            return null;
        const int Links = 16;
        const int User = 20;
        const int Mode = 28;
        const int TypeMask = 0xF000;
        const int RegularFile = 0x8000;
        return new FileStatus(*(uint*)(buffer + User), *(uint*)(buffer + Links), (*(ushort*)(buffer + Mode) & TypeMask) == RegularFile);
    }

    /// <summary>What is open.</summary>
    /// <param name="User">Whose it is.</param>
    /// <param name="Links">Its names; 0 when it was removed.</param>
    /// <param name="IsRegular">Whether it is a file with bytes of its own.</param>
    public readonly record struct FileStatus(uint User, uint Links, bool IsRegular);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    private static partial int OpenAt(SafeFileHandle directory, byte* name, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static partial int StatX(SafeFileHandle directory, byte* path, int flags, uint mask, byte* buffer);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Call(nint number, SafeFileHandle directory, void* a, void* b, nuint c);
}
