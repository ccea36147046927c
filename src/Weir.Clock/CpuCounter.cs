using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Weir.Clock;

/// <summary>
/// The CPU's own counter (the TSC on x86-64), read by a few bytes of mapped machine code. Usable only where the kernel itself keeps
/// time by it: then it runs at one rate on all CPUs and does not stop while they sleep. Thread-safe.
/// </summary>
public static unsafe class CpuCounter
{
    private const string ClockSourcePath = "/sys/devices/system/clocksource/clocksource0/current_clocksource";

    // Where the ordered reading begins in the code.
    private const int OrderedOffset = 16;

    private static readonly delegate* unmanaged[SuppressGCTransition]<ulong> s_read = Load(out s_verdict);
    private static readonly delegate* unmanaged[SuppressGCTransition]<ulong> s_readOrdered =
        (delegate* unmanaged[SuppressGCTransition]<ulong>)(s_read == null ? 0 : (nint)s_read + OrderedOffset);
    private static readonly string s_verdict;

    /// <summary>Whether the counter may be used as the trace's clock.</summary>
    public static bool IsTrusted
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => s_read != null;
    }

    /// <summary>Why the counter is trusted, or why not, as a sentence's end: "the kernel keeps time by it".</summary>
    public static string Verdict => s_verdict;

    /// <summary>Reads the counter, in its own cycles. Only where <see cref="IsTrusted"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Read() => s_read();

    /// <summary>Reads the counter after every load before it has been done. Only where <see cref="IsTrusted"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ReadOrdered() => s_readOrdered();

    private static delegate* unmanaged[SuppressGCTransition]<ulong> Load(out string verdict)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || !OperatingSystem.IsLinux())
        {
            verdict = $"no reading of the counter is known for {RuntimeInformation.OSDescription} on {RuntimeInformation.ProcessArchitecture}";
            return null;
        }
        string source = KernelClockSource();
        if (source != "tsc")
        {
            verdict = $"the kernel does not trust it: its clock source is '{source}', not 'tsc'";
            return null;
        }
        ReadOnlySpan<byte> code =
        [
            0x0f, 0x31,             // rdtsc             edx:eax = counter
            0x48, 0xc1, 0xe2, 0x20, // shl  rdx, 32
            0x48, 0x09, 0xd0,       // or   rax, rdx
            0xc3,                   // ret
            0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc,
            0x0f, 0xae, 0xe8,       // lfence            OrderedOffset: loads before it are done before it ends
            0x0f, 0x31,             // rdtsc
            0x48, 0xc1, 0xe2, 0x20, // shl  rdx, 32
            0x48, 0x09, 0xd0,       // or   rax, rdx
            0xc3,                   // ret
        ];
        nint address = ExecutableMemory.Map(code, null, out string? refusal);
        verdict = refusal ?? "the kernel keeps time by it";
        return (delegate* unmanaged[SuppressGCTransition]<ulong>)address;
    }

    internal static string KernelClockSource()
    {
        try
        {
            return File.ReadAllText(ClockSourcePath).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "unknown";
        }
    }
}
