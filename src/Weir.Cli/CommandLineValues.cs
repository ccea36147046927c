using System.Globalization;

namespace Weir.Cli;

/// <summary>Values as people type them.</summary>
internal static class CommandLineValues
{
    /// <summary>500ms, 10s, 5m, 2h, a number of seconds, or dd:hh:mm:ss whose first parts may be missing; positive.</summary>
    public static bool TryParseDuration(string text, out TimeSpan duration)
    {
        var culture = CultureInfo.InvariantCulture;
        duration = default;
        if (text.Contains(':'))
        {
            string[] parts = text.Split(':');
            int[] numbers = new int[4];
            for (int i = 0; i < parts.Length; i++)
            {
                if (parts.Length > 4 || !int.TryParse(parts[i], NumberStyles.None, culture, out numbers[4 - parts.Length + i]))
                    return false;
            }
            if (numbers[0] > 10000 || numbers[1] > 10000 || numbers[2] > 10000)
                return false;
            duration = new TimeSpan(numbers[0], numbers[1], numbers[2], numbers[3]);
            return duration > TimeSpan.Zero;
        }
        int unit = text.Length;
        while (unit > 0 && char.IsAsciiLetter(text[unit - 1]))
            unit--;
        double seconds = text[unit..] switch
        {
            "ms" => 0.001,
            "s" or "" => 1,
            "m" => 60,
            "h" => 3600,
            _ => 0,
        };
        if (seconds == 0 || !double.TryParse(text.AsSpan(0, unit), NumberStyles.AllowDecimalPoint, culture, out double count)
            || !(count * seconds is > 0 and < 1e9))
            return false;
        duration = TimeSpan.FromSeconds(count * seconds);
        return true;
    }

    /// <summary>Bytes, with k, M or G for the powers of 1024.</summary>
    public static bool TryParseSize(string text, out int bytes)
    {
        bytes = 0;
        int shift = text.Length == 0 ? 0 : char.ToLowerInvariant(text[^1]) switch
        {
            'k' => 10,
            'm' => 20,
            'g' => 30,
            _ => 0,
        };
        if (!long.TryParse(shift > 0 ? text.AsSpan(0, text.Length - 1) : text, NumberStyles.None, CultureInfo.InvariantCulture, out long count)
            || count <= 0 || count > int.MaxValue >> shift)
            return false;
        bytes = (int)(count << shift);
        return true;
    }
}
