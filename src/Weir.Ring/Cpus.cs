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
