using System.Runtime.InteropServices;

namespace Weir.Bench.Emit;

// STAND-IN until Weir.Clock has its public reading: this file alone is replaced then, and Clock.Read() is all that others call.
// The bare reading of the CPU's counter, by machine code mapped executable and called without a GC transition.
internal static unsafe partial class Clock
{
    private const int ProtRead = 1, ProtWrite = 2, ProtExec = 4, MapPrivate = 2, MapAnonymous = 0x20;

    private static readonly delegate* unmanaged[SuppressGCTransition]<ulong> s_read = Map();

    public static string Description => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "CNTVCT" : "TSC";

    public static ulong Read() => s_read();

    private static delegate* unmanaged[SuppressGCTransition]<ulong> Map()
    {
        ReadOnlySpan<byte> code = RuntimeInformation.ProcessArchitecture switch
        {
            // rdtsc; shl rdx, 32; or rax, rdx; ret
            Architecture.X64 => [0x0F, 0x31, 0x48, 0xC1, 0xE2, 0x20, 0x48, 0x09, 0xD0, 0xC3],
            // mrs x0, cntvct_el0; ret
            Architecture.Arm64 => [0x40, 0xE0, 0x3B, 0xD5, 0xC0, 0x03, 0x5F, 0xD6],
            _ => throw new PlatformNotSupportedException(),
        };
        nuint length = (nuint)Environment.SystemPageSize;
        nint page = MemoryMap(0, length, ProtRead | ProtWrite, MapPrivate | MapAnonymous, -1, 0);
        if (page == -1)
            throw new InvalidOperationException("mmap failed");
        code.CopyTo(new Span<byte>((void*)page, code.Length));
        if (MemoryProtect(page, length, ProtRead | ProtExec) != 0)
            throw new InvalidOperationException("mprotect to executable failed");
        return (delegate* unmanaged[SuppressGCTransition]<ulong>)page;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint MemoryMap(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int MemoryProtect(nint address, nuint length, int protection);
}
