using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Weir.Clock;

/// <summary>
/// The CPU's own counter (the TSC on x86-64, the generic timer's on Arm64), read by a few bytes of mapped machine code. Usable only
/// where the kernel itself keeps time by it: then it runs at one rate on all CPUs and does not stop while they sleep. Thread-safe.
/// </summary>
public static unsafe partial class CpuCounter
{
    private const string ClockSourcePath = "/sys/devices/system/clocksource/clocksource0/current_clocksource";

    private static readonly delegate* unmanaged[SuppressGCTransition]<ulong> s_readOrdered = Load(out s_verdict, out s_readOffset);
    private static readonly delegate* unmanaged[SuppressGCTransition]<ulong> s_read =
        (delegate* unmanaged[SuppressGCTransition]<ulong>)(s_readOrdered == null ? 0 : (nint)s_readOrdered + s_readOffset);
    private static readonly string s_verdict;
    private static readonly int s_readOffset;

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

    /// <summary>
    /// Reads the counter after every load before it has been done, on Arm64 every load that a branch before it depends on. Only where
    /// <see cref="IsTrusted"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ReadOrdered() => s_readOrdered();

    private static delegate* unmanaged[SuppressGCTransition]<ulong> Load(out string verdict, out int readOffset)
    {
        (string? trusted, byte[] code, readOffset) = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => (X64ClockSource, X64Listing.ToArray(), X64ReadOffset),
            Architecture.Arm64 => (Arm64ClockSource, Arm64Listing.ToArray(), Arm64ReadOffset),
            _ => (null, [], 0),
        };
        if (trusted == null || !OperatingSystem.IsLinux())
        {
            verdict = $"no reading of the counter is known for {RuntimeInformation.OSDescription} on {RuntimeInformation.ProcessArchitecture}";
            return null;
        }
        string source = KernelClockSource();
        if (source != trusted)
        {
            verdict = $"the kernel does not trust it: its clock source is '{source}', not '{trusted}'";
            return null;
        }
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
