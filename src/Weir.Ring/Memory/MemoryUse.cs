using System.Globalization;

namespace Weir.Ring;

/// <summary>What the kernel says of a ring's memory in this process.</summary>
/// <param name="MappedBytes">Addresses.</param>
/// <param name="ResidentBytes">Pages that are there.</param>
/// <param name="HugeBytes">Those of them that are in huge pages.</param>
public readonly record struct MemoryUse(long MappedBytes, long ResidentBytes, long HugeBytes)
{
    private const string SmapsPath = "/proc/self/smaps";

    /// <summary>Adds up what lies within some ranges of addresses; zeros where the kernel does not say.</summary>
    internal static MemoryUse Of(IReadOnlyList<(long Start, long LengthBytes)> ranges)
    {
        var use = default(MemoryUse);
        bool isOurs = false;
        try
        {
            foreach (string line in File.ReadLines(SmapsPath))
            {
                int colon = line.IndexOf(": ", StringComparison.Ordinal);
                int dash = line.IndexOf('-', StringComparison.Ordinal);
                if (dash > 0 && long.TryParse(line.AsSpan(0, dash), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long start))
                    isOurs = ranges.Any(range => start >= range.Start && start < range.Start + range.LengthBytes);
                else if (isOurs && colon > 0 && line.EndsWith(" kB", StringComparison.Ordinal)
                    && long.TryParse(line.AsSpan((colon + 1)..^3), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out long kibibytes))
                    use = use.Plus(line[..colon], kibibytes * 1024);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return default;
        }
        return use;
    }

    private MemoryUse Plus(string key, long bytes) => key switch
    {
        "Size" => this with { MappedBytes = MappedBytes + bytes },
        "Rss" => this with { ResidentBytes = ResidentBytes + bytes },
        "AnonHugePages" or "ShmemPmdMapped" or "FilePmdMapped" or "Shared_Hugetlb" or "Private_Hugetlb" => this with { HugeBytes = HugeBytes + bytes },
        _ => this,
    };
}
