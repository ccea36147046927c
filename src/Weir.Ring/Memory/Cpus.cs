using System.Globalization;

namespace Weir.Ring;

/// <summary>The CPUs that streams are made for.</summary>
public static unsafe class Cpus
{
    private const string PossiblePath = "/sys/devices/system/cpu/possible";

    /// <summary>One more than the highest CPU number that this machine can ever have.</summary>
    public static int PossibleCount { get; } = ReadPossible();

    /// <summary>The CPUs that the calling process may run on now.</summary>
    public static IReadOnlyList<int> Allowed()
    {
        const int MaskBytes = 1024;
        byte* mask = stackalloc byte[MaskBytes];
        int filled = LibC.GetAffinity(0, MaskBytes, mask);
        var cpus = new List<int>();
        for (int cpu = 0; cpu < PossibleCount; cpu++)
        {
            // libc returns 0 and leaves the rest zero. Where the mask cannot be had, every CPU may be used.
            if (filled < 0 || (cpu / 8 < MaskBytes && (mask[cpu / 8] >> (cpu % 8) & 1) != 0))
                cpus.Add(cpu);
        }
        return cpus;
    }

    /// <summary>
    /// The CPUs to make streams for before anybody writes: those that the process may run on, but no more than its container's share of
    /// processor time is worth. Under such a share threads still come to any of them; then a stream is made at the first event.
    /// </summary>
    public static IReadOnlyList<int> Likely()
    {
        var allowed = Allowed();
        return CpuQuota() is { } quota && quota < allowed.Count ? [.. allowed.Take(Math.Max(1, (int)Math.Ceiling(quota)))] : allowed;
    }

    /// <summary>CPUs' worth of time that the process's control groups grant, the least of them; null without a limit.</summary>
    internal static double? CpuQuota(string root = "/sys/fs/cgroup", string membership = "/proc/self/cgroup")
    {
        const string UnifiedPrefix = "0::";
        double? least = null;
        try
        {
            string? line = File.ReadLines(membership).FirstOrDefault(line => line.StartsWith(UnifiedPrefix, StringComparison.Ordinal));
            // In a container the path may be that of the host, which is not there: then the root is the container's own group.
            string path = line?[UnifiedPrefix.Length..].Trim('/') ?? "";
            for (; ; path = Path.GetDirectoryName(path) ?? "")
            {
                string limit = Path.Combine(root, path, "cpu.max");
                if (File.Exists(limit))
                {
                    string[] words = File.ReadAllText(limit).Split(' ', StringSplitOptions.TrimEntries);
                    if (words.Length == 2 && long.TryParse(words[0], CultureInfo.InvariantCulture, out long quota)
                        && long.TryParse(words[1], CultureInfo.InvariantCulture, out long period) && period > 0)
                        least = Math.Min(least ?? double.MaxValue, (double)quota / period);
                }
                if (path.Length == 0)
                    return least;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return least;
        }
    }

    private static int ReadPossible()
    {
        try
        {
            // Such as "0-1" or "0,2-7"; the last number is the highest.
            string text = File.ReadAllText(PossiblePath).Trim();
            if (int.TryParse(text[(text.LastIndexOfAny(['-', ',']) + 1)..], CultureInfo.InvariantCulture, out int last) && last is >= 0 and < 8192)
                return last + 1;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No sysfs here: what the runtime counts is the best there is.
        }
        return Math.Max(Environment.ProcessorCount, 1);
    }
}
