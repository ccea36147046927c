using System.Globalization;

namespace Weir.Kernel;

/// <summary>What the kernel has counted of one CPU's buffer: its file <c>per_cpu/cpuN/stats</c>.</summary>
/// <param name="Cpu">The CPU.</param>
/// <param name="Text">The file.</param>
internal sealed record CpuStatistics(int Cpu, string Text)
{
    /// <summary>Events that were taken out of the buffer.</summary>
    public ulong Read => Find("read events");

    /// <summary>Events that newer ones took the place of.</summary>
    public ulong Overwritten => Find("overrun");

    /// <summary>Events that a full buffer had no room for where it keeps the oldest; of others the pages tell.</summary>
    public ulong Dropped => Find("dropped events");

    /// <summary>Reads the file.</summary>
    /// <exception cref="KernelException">It cannot be read.</exception>
    public static CpuStatistics Of(TracefsInstance instance, int cpu) =>
        new(cpu, instance.ReadText(string.Create(CultureInfo.InvariantCulture, $"per_cpu/cpu{cpu}/stats")));

    private ulong Find(string name)
    {
        foreach (string line in Text.Split('\n'))
        {
            if (line.StartsWith(name, StringComparison.Ordinal) && line.AsSpan(name.Length).StartsWith(": "))
                return ulong.TryParse(line.AsSpan(name.Length + 2), NumberStyles.None, CultureInfo.InvariantCulture, out ulong count) ? count : 0;
        }
        return 0;
    }
}
