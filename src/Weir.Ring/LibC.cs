using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weir.Ring;

/// <summary>The system calls that this room makes, by libc's names.</summary>
internal static unsafe partial class LibC
{
    public const int ReadWrite = 0x2;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int NonBlocking = 0x800;
    public const int CloseOnExec = 0x80000;
    public const int ProtReadWrite = 0x3;
    public const int MapShared = 0x01;
    public const int MapPrivate = 0x02;
    public const int MapSharedValidate = 0x03;
    public const int MapFixed = 0x10;
    public const int MapAnonymous = 0x20;
    public const int MapNoReserve = 0x4000;
    public const int MapSync = 0x80000;
    public const int Interrupted = 4;

    public const int ProtNone = 0x0;
    public const int ProtRead = 0x1;
    public const int AdviseHugePage = 14;
    public const int AdvisePopulateWrite = 23;
    public const uint MemoryFileCloseOnExec = 1;
    public const uint MemoryFileAllowSealing = 2;

    public static readonly nint MapFailed = -1;

    private const int AddSeals = 1033;
    private const int SealShrink = 2;
    private const int SealGrow = 4;

    // The two architectures number their system calls differently.
    private static readonly bool s_isArm64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    private static nint GetThreadIdCall => s_isArm64 ? 178 : 186;

    private static nint FutexCall => s_isArm64 ? 98 : 202;

    private static nint BindMemoryCall => s_isArm64 ? 235 : 237;

    /// <summary>Differs between the architectures.</summary>
    public static readonly int NoFollow = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, int mode);

    /// <summary>Returns the error itself, not -1.</summary>
    [LibraryImport("libc", EntryPoint = "posix_fallocate")]
    public static partial int Allocate(int fd, long offset, long lengthBytes);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    public static partial nint Map(nint address, nuint lengthBytes, int protection, int flags, int fd, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    public static partial int Unmap(nint address, nuint lengthBytes);

    [SuppressGCTransition]
    [LibraryImport("libc", EntryPoint = "pthread_self")]
    public static partial nint ThreadPointer();

    [SuppressGCTransition]
    [LibraryImport("libc", EntryPoint = "sched_getcpu")]
    public static partial int CurrentCpu();

    /// <summary>What the kernel told the process at its start; 0 for what it did not tell.</summary>
    [LibraryImport("libc", EntryPoint = "getauxval")]
    public static partial nuint AuxiliaryValue(nuint entry);

    [LibraryImport("libc", EntryPoint = "sched_getaffinity", SetLastError = true)]
    public static partial int GetAffinity(int processId, nuint maskBytes, byte* mask);

    [LibraryImport("libc", EntryPoint = "pwrite", SetLastError = true)]
    public static partial nint WriteAt(SafeFileHandle file, byte* bytes, nuint lengthBytes, long offset);

    [LibraryImport("libc", EntryPoint = "sendfile", SetLastError = true)]
    public static partial nint SendFile(int target, SafeFileHandle source, long* offset, nuint lengthBytes);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int SetLength(SafeFileHandle file, long lengthBytes);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    public static partial int Advise(nint address, nuint lengthBytes, int advice);

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int CreateMemoryFile(string name, uint flags);

    /// <summary>Nobody can change a memory file's length from now on: who maps it is safe from a SIGBUS.</summary>
    public static void Seal(SafeFileHandle file) => _ = Control(file, AddSeals, SealShrink | SealGrow);

    public static int ThreadId() => (int)Call(GetThreadIdCall, 0, 0, 0, 0, 0, 0);

    /// <summary>Prefers a node's pages for memory that is not touched yet.</summary>
    public static int BindMemory(nint address, nuint lengthBytes, ulong* nodes, nuint maxNode)
    {
        const int Preferred = 1;
        return (int)Call(BindMemoryCall, address, (nint)lengthBytes, Preferred, (nint)nodes, (nint)maxNode, 0);
    }

    /// <summary>Sleeps while a word has a value. The word is shared between processes.</summary>
    public static int FutexWait(uint* word, uint value, TimeSpec* timeout) => (int)Call(FutexCall, (nint)word, 0, (nint)value, (nint)timeout, 0, 0);

    /// <summary>Wakes all who sleep on a word.</summary>
    public static void FutexWake(uint* word) => _ = Call(FutexCall, (nint)word, 1, int.MaxValue, 0, 0, 0);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(SafeFileHandle file, int command, int argument);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Call(nint number, nint a, nint b, nint c, nint d, nint e, nint f);

    [StructLayout(LayoutKind.Sequential)]
    public struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
