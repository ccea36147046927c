using System.Runtime.InteropServices;

namespace Weir.Clock;

/// <summary>
/// Whether the CPU's counter may be a trace's clock, and everything that was found out about it. Three things must hold:
/// <list type="number">
/// <item>The processor says that the counter is invariant: it runs at one rate (<c>constant_tsc</c>) and does not stop in sleep states
/// (<c>nonstop_tsc</c>). Arm64's is so by architecture.</item>
/// <item>The kernel keeps time by it, having watched it against other clocks since the start.</item>
/// <item>Where the skew between CPUs was measured, no CPU was seen ahead of another that had been asked later.</item>
/// </list>
/// </summary>
public sealed record CounterTrust
{
    private const string CpuInfoPath = "/proc/cpuinfo";

    /// <summary>Flags that say something about the counter, of which the first two are needed.</summary>
    private static readonly string[] s_flags = ["constant_tsc", "nonstop_tsc", "tsc_known_freq", "tsc_reliable", "tsc_adjust", "hypervisor"];

    private CounterTrust(IReadOnlyList<string> flags, string clockSource, string? refusal)
    {
        Flags = flags;
        ClockSource = clockSource;
        Refusal = refusal;
    }

    /// <summary>What the processor says about the counter, as /proc/cpuinfo names it.</summary>
    public IReadOnlyList<string> Flags { get; }

    /// <summary>What the kernel keeps time by; "unknown" where it does not say.</summary>
    public string ClockSource { get; }

    /// <summary>Why the counter is not trusted, as a sentence's end; null where it is.</summary>
    public string? Refusal { get; }

    /// <summary>Whether the counter may be used.</summary>
    public bool IsTrusted => Refusal == null;

    /// <summary>Why it is trusted or why not.</summary>
    public string Reason => Refusal ?? $"the kernel keeps time by it ({ClockSource}){(Flags.Count > 0 ? ", and the processor calls it invariant" : "")}";

    /// <summary>Looks at this machine.</summary>
    /// <param name="skew">The skew between CPUs, where it was measured.</param>
    public static CounterTrust Examine(CounterSkew? skew = null) =>
        Judge(RuntimeInformation.ProcessArchitecture, ReadCpuInfo(), CpuCounter.KernelClockSource(), CpuCounter.IsTrusted ? null : CpuCounter.Verdict, skew);

    /// <summary>Judges what was found.</summary>
    /// <param name="architecture">The process's architecture.</param>
    /// <param name="cpuInfo">The text of /proc/cpuinfo.</param>
    /// <param name="clockSource">The kernel's clock source.</param>
    /// <param name="counterRefusal">Why the counter cannot be read; null where it can.</param>
    /// <param name="skew">The skew between CPUs, where it was measured.</param>
    internal static CounterTrust Judge(
        Architecture architecture, string cpuInfo, string clockSource, string? counterRefusal, CounterSkew? skew)
    {
        string[] flags = FindFlags(cpuInfo);
        string? refusal = counterRefusal;
        if (refusal == null && architecture == Architecture.X64)
        {
            string[] missing = [.. s_flags.Take(2).Except(flags)];
            if (missing.Length > 0)
                refusal = $"the processor does not call it invariant: no {string.Join(" and no ", missing)} in {CpuInfoPath}";
        }
        refusal ??= skew?.Warp;
        return new CounterTrust(flags, clockSource, refusal);
    }

    /// <summary>The flags of the first processor; the kernel gives up a counter in which processors differ.</summary>
    private static string[] FindFlags(string cpuInfo)
    {
        foreach (string line in cpuInfo.Split('\n'))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0 && line[..colon].Trim() == "flags")
                return [.. line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Intersect(s_flags)];
        }
        return [];
    }

    private static string ReadCpuInfo()
    {
        try
        {
            return File.ReadAllText(CpuInfoPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
