using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// The clock of a recording of Weir's in its trace.dat: there trace-cmd's own numbers are rounded, and do not say that programs' traces have
/// the same clock. It stands in the text of option VERSION, which other readers show and do not use:
/// <code>
/// weir clock=NAME uuid=UUID freq=HZ offset_s=SECONDS offset=CYCLES
/// </code>
/// </summary>
internal static class FtraceDatSessionClock
{
    private const string Lead = "weir clock=";

    /// <summary>The text for a clock; one that counts from the Epoch.</summary>
    public static string Write(ClockClass clock)
    {
        string uuid = clock.Uuid is { } id ? $" uuid={id:D}" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{Lead}{clock.Name}{uuid} freq={clock.FrequencyHz} offset_s={clock.OffsetSeconds} offset={clock.OffsetCycles}");
    }

    /// <summary>The clock in a text; false where there is none.</summary>
    public static bool TryRead(string text, [NotNullWhen(true)] out ClockClass? clock)
    {
        clock = null;
        if (!text.StartsWith(Lead, StringComparison.Ordinal))
            return false;
        var values = new Dictionary<string, string>();
        foreach (string word in text.Split(' '))
        {
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
                values[word[..equals]] = word[(equals + 1)..];
        }
        if (!ulong.TryParse(values.GetValueOrDefault("freq"), NumberStyles.None, CultureInfo.InvariantCulture, out ulong frequency) || frequency == 0
            || !long.TryParse(values.GetValueOrDefault("offset_s"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long seconds)
            || !ulong.TryParse(values.GetValueOrDefault("offset"), NumberStyles.None, CultureInfo.InvariantCulture, out ulong cycles) || cycles >= frequency)
            return false;
        clock = new ClockClass
        {
            Name = values["clock"],
            Description = "The kernel's trace clock, which is that of the recording.",
            Uuid = Guid.TryParse(values.GetValueOrDefault("uuid"), CultureInfo.InvariantCulture, out var uuid) ? uuid : null,
            FrequencyHz = frequency,
            OffsetSeconds = seconds,
            OffsetCycles = cycles,
            IsAbsolute = true,
        };
        return true;
    }
}
