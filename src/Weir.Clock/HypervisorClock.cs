using System.Globalization;

namespace Weir.Clock;

/// <summary>
/// How a guest's counter follows from its host's: <c>guest = (host * ratio >> fraction bits) + offset</c>, in 64 bits, as the processor
/// computes it for a guest (Intel SDM 26.6.5, AMD APM 15.30.5).
/// </summary>
/// <param name="OffsetCycles">The offset, in cycles of the guest.</param>
/// <param name="Ratio">The ratio as a fixed-point number; 1 with 0 fraction bits for a guest that is not scaled.</param>
/// <param name="FractionBits">Its bits after the point.</param>
public readonly record struct HypervisorClock(long OffsetCycles, ulong Ratio = 1, int FractionBits = 0)
{
    /// <summary>Where the Linux kernel shows what KVM does, to root and with debugfs mounted.</summary>
    public const string KvmDirectory = "/sys/kernel/debug/kvm";

    private const int MaxFractionBits = 63;

    /// <summary>Reads the offset and the scale of a guest's processors: one of each virtual CPU, in files of a few bytes.</summary>
    /// <param name="root">Usually <see cref="KvmDirectory"/>.</param>
    /// <param name="refusal">Why there are none; null where there are.</param>
    public static IReadOnlyList<(string Guest, string VirtualCpu, HypervisorClock Clock)> ReadGuests(string root, out string? refusal)
    {
        var clocks = new List<(string, string, HypervisorClock)>();
        try
        {
            if (!Directory.Exists(root))
            {
                refusal = $"{root} is not there: this machine runs no guests, or debugfs is not mounted (mount -t debugfs none /sys/kernel/debug), or this user may not look (root may)";
                return clocks;
            }
            foreach (string guest in Directory.GetDirectories(root).Order(StringComparer.Ordinal))
            {
                foreach (string cpu in Directory.GetDirectories(guest, "vcpu*").Order(StringComparer.Ordinal))
                {
                    if (!TryReadCpu(cpu, out var clock, out refusal))
                        return clocks;
                    clocks.Add((Path.GetFileName(guest), Path.GetFileName(cpu), clock));
                }
            }
            refusal = clocks.Count > 0 ? null : $"{root} names no guest that runs now";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            refusal = e.Message;
        }
        return clocks;
    }

    /// <summary>Reads what a person has found out: <c>OFFSET</c> or <c>OFFSET,RATIO,FRACTION_BITS</c>.</summary>
    public static bool TryParse(string text, out HypervisorClock clock)
    {
        ArgumentNullException.ThrowIfNull(text);
        clock = new HypervisorClock(0);
        string[] parts = text.Split(',');
        var culture = CultureInfo.InvariantCulture;
        if (parts.Length is not (1 or 3) || !long.TryParse(parts[0], NumberStyles.AllowLeadingSign, culture, out long offset))
            return false;
        ulong ratio = 1;
        int bits = 0;
        if (parts.Length == 3 && !(ulong.TryParse(parts[1], NumberStyles.None, culture, out ratio) && int.TryParse(parts[2], NumberStyles.None, culture, out bits)))
            return false;
        clock = new HypervisorClock(offset, ratio, bits);
        return clock.IsPossible;
    }

    /// <summary>The guest's counter when the host's reads this.</summary>
    public ulong ToGuest(ulong host) => unchecked((ulong)(((UInt128)host * Ratio) >> FractionBits) + (ulong)OffsetCycles);

    /// <summary>The host's counter when the guest's reads this: not below the first nor above the second.</summary>
    public (ulong Earliest, ulong Latest) ToHost(ulong guest)
    {
        UInt128 scaled = (UInt128)unchecked(guest - (ulong)OffsetCycles) << FractionBits;
        UInt128 next = scaled + (((UInt128)1 << FractionBits) - 1);
        return (Saturate(scaled == 0 ? 0 : ((scaled - 1) / Ratio) + 1), Saturate(next / Ratio));
    }

    /// <summary>A ratio between a thousandth and a thousand; what is beyond is a mistake.</summary>
    private bool IsPossible =>
        FractionBits is >= 0 and <= MaxFractionBits && (UInt128)Ratio * 1000 >= (UInt128)1 << FractionBits && Ratio <= (UInt128)1000 << FractionBits;

    private static bool TryReadCpu(string directory, out HypervisorClock clock, out string? refusal)
    {
        clock = new HypervisorClock(0);
        string offsetPath = Path.Combine(directory, "tsc-offset");
        string ratioPath = Path.Combine(directory, "tsc-scaling-ratio");
        string bitsPath = Path.Combine(directory, "tsc-scaling-ratio-frac-bits");
        string text = ReadWord(offsetPath);
        // A host that cannot scale shows no ratio.
        if (File.Exists(ratioPath) && File.Exists(bitsPath))
            text = $"{text},{ReadWord(ratioPath)},{ReadWord(bitsPath)}";
        refusal = TryParse(text, out clock) ? null : $"{directory}: '{text}' is no offset, ratio and number of bits";
        return refusal == null;
    }

    private static string ReadWord(string path)
    {
        // Such files have no length.
        Span<char> buffer = stackalloc char[64];
        using var reader = new StreamReader(path);
        return buffer[..reader.ReadBlock(buffer)].Trim().ToString();
    }

    private static ulong Saturate(UInt128 value) => value > ulong.MaxValue ? ulong.MaxValue : (ulong)value;
}
