using System.Runtime.InteropServices;
using Weir.Clock;

namespace Weir.Ring;

/// <summary>
/// The area through which the kernel and a thread speak about restartable sequences. glibc 2.35 and newer registers one for every
/// thread and says where: <c>__rseq_offset</c> from the thread pointer, <c>__rseq_size</c> 0 where it did not.
/// <code>
///  0 cpu_id_start u32 | 4 cpu_id u32 | 8 rseq_cs u64 | 16 flags u32 | 20 node_id u32 | 24 mm_cid u32 | 28 unused
/// </code>
/// What stands at 20 and behind is there since Linux 6.3; the kernel says how many bytes it fills.
/// </summary>
internal static unsafe partial class RseqArea
{
    /// <summary>The CPU that the thread runs on; a huge number before registration.</summary>
    public const int CpuId = 4;

    /// <summary>The descriptor of the section that the thread is in, or 0.</summary>
    public const int Announced = 8;

    /// <summary>
    /// A number that no other running thread of the process has, below the count of CPUs that it may use and below that of its threads.
    /// Only where <see cref="HasConcurrencyId"/>.
    /// </summary>
    public const int ConcurrencyId = 24;

    private const nuint FeatureSizeEntry = 27; // AT_RSEQ_FEATURE_SIZE

    // Null on x86-64, where pthread_self returns the same.
    private static readonly delegate* unmanaged[SuppressGCTransition]<nint> s_readThreadPointer =
        (delegate* unmanaged[SuppressGCTransition]<nint>)MapThreadPointer(out s_refusal);
    private static readonly string? s_refusal;

    private static readonly nint s_offset = Find(out s_verdict);
    private static readonly string s_verdict;

    /// <summary>Whether glibc has registered this process's threads.</summary>
    public static bool IsRegistered => s_offset != 0;

    /// <summary>Why it has or has not, as a sentence's end.</summary>
    public static string Verdict => s_verdict;

    /// <summary>Whether the kernel fills <see cref="ConcurrencyId"/>. (Every registered area has room for it, 32 bytes.)</summary>
    public static bool HasConcurrencyId => IsRegistered && LibC.AuxiliaryValue(FeatureSizeEntry) >= ConcurrencyId + sizeof(uint);

    /// <summary>The calling thread's area, or null where none is registered.</summary>
    public static byte* OfThisThread()
    {
        if (!IsRegistered)
            return null;
        nint threadPointer = s_readThreadPointer != null ? s_readThreadPointer() : LibC.ThreadPointer();
        return (byte*)(threadPointer + s_offset);
    }

    /// <summary>The CPU that the area's thread runs on, kept up to date by the kernel.</summary>
    public static uint CurrentCpu(byte* area) => Volatile.Read(ref *(uint*)(area + CpuId));

    private static nint MapThreadPointer(out string? refusal)
    {
        refusal = null;
        return RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? ExecutableMemory.Map(Arm64Listing, null, out refusal) : 0;
    }

    private static nint Find(out string verdict)
    {
        if (RuntimeInformation.ProcessArchitecture is not (Architecture.X64 or Architecture.Arm64) || !OperatingSystem.IsLinux())
        {
            verdict = $"a thread's area is not known for {RuntimeInformation.OSDescription} on {RuntimeInformation.ProcessArchitecture}";
            return 0;
        }
        if (s_refusal != null)
        {
            verdict = s_refusal;
            return 0;
        }
        if (!NativeLibrary.TryLoad("libc.so.6", out nint libc)
            || !NativeLibrary.TryGetExport(libc, "__rseq_offset", out nint offset)
            || !NativeLibrary.TryGetExport(libc, "__rseq_size", out nint size))
        {
            verdict = "the C library registers no restartable sequences (glibc 2.35 or newer does)";
            return 0;
        }
        if (*(uint*)size == 0)
        {
            verdict = "the C library did not register restartable sequences (kernel without rseq, a sandbox, or glibc.pthread.rseq=0)";
            return 0;
        }
        verdict = "the C library has registered restartable sequences";
        return *(nint*)offset;
    }
}
