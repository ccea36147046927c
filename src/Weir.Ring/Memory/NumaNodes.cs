using System.Globalization;

namespace Weir.Ring;

/// <summary>The NUMA nodes of this machine, as far as a ring needs them.</summary>
internal static unsafe class NumaNodes
{
    private const string CpuPath = "/sys/devices/system/cpu";
    private const string Prefix = "node";

    /// <summary>A CPU's node where the machine has several; null where it has one or does not say.</summary>
    public static int? Of(int cpu)
    {
        try
        {
            if (Directory.GetDirectories("/sys/devices/system/node", Prefix + "*").Length < 2)
                return null;
            foreach (string path in Directory.GetFileSystemEntries(Path.Combine(CpuPath, string.Create(CultureInfo.InvariantCulture, $"cpu{cpu}")), Prefix + "*"))
            {
                if (int.TryParse(Path.GetFileName(path).AsSpan(Prefix.Length), CultureInfo.InvariantCulture, out int node))
                    return node;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No sysfs here: one node is as good as another.
        }
        return null;
    }

    /// <summary>Asks for pages of a node; where it is full the kernel takes another.</summary>
    public static void Prefer(nint address, long lengthBytes, int node)
    {
        const int MaxNodes = 1024;
        if (node >= MaxNodes)
            return;
        ulong* mask = stackalloc ulong[MaxNodes / 64];
        new Span<ulong>(mask, MaxNodes / 64).Clear();
        mask[node / 64] = 1UL << (node % 64);
        _ = LibC.BindMemory(address, (nuint)lengthBytes, mask, MaxNodes);
    }
}
