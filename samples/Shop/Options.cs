using System.Globalization;

namespace Shop;

/// <summary>How many orders arrive, and over how long. Left out, one follows from the other at 20,000 orders a second.</summary>
internal readonly record struct Options(long Orders, double Seconds)
{
    private const double OrdersPerSecond = 20_000;
    private const double DefaultSeconds = 1.5;
    private static readonly CultureInfo s_culture = CultureInfo.InvariantCulture;

    public static Options? Parse(string[] args)
    {
        long? orders = null;
        double? seconds = null;
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : "";
            if (args[i] == "--orders" && long.TryParse(value, NumberStyles.None, s_culture, out long count))
                orders = count;
            else if (args[i] == "--seconds" && double.TryParse(value, NumberStyles.AllowDecimalPoint, s_culture, out double time))
                seconds = time;
            else
                return null;
        }
        double duration = seconds ?? orders / OrdersPerSecond ?? DefaultSeconds;
        return new Options(orders ?? (long)(duration * OrdersPerSecond), duration);
    }
}
