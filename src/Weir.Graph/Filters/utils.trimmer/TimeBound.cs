using System.Globalization;

namespace Weir.Graph;

/// <summary>
/// One end of a time range as a person writes it: <c>[YYYY-MM-DD] [hh:mm[:ss[.ns]]]</c> or <c>[-]s[.ns]</c>. A time without a date is
/// on the day of the trace's first message. As ISO 8601 has it, a <c>T</c> may stand between date and time, and a <c>Z</c> behind for UTC.
/// </summary>
public readonly record struct TimeBound
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    private readonly (int Year, int Month, int Day)? _date;
    private readonly long _secondOfDay;
    private readonly long _nanoseconds;
    private readonly long? _absoluteNs;

    private TimeBound((int Year, int Month, int Day)? date, long secondOfDay, long nanoseconds, long? absoluteNs)
    {
        _date = date;
        _secondOfDay = secondOfDay;
        _nanoseconds = nanoseconds;
        _absoluteNs = absoluteNs;
    }

    /// <summary>Reads a bound; false when it has another form.</summary>
    public static bool TryParse(string text, out TimeBound bound)
    {
        bound = default;
        ArgumentNullException.ThrowIfNull(text);
        text = text.Trim(' ');
        (int Year, int Month, int Day)? date = null;
        if (text.Length >= 10 && text[4] == '-')
        {
            if (!TryDate(text[..10], out var parsed))
                return false;
            date = parsed;
            if (text.Length == 10)
            {
                bound = new TimeBound(date, 0, 0, null);
                return true;
            }
            if (text[10] is not (' ' or 'T'))
                return false;
            text = text[10] == 'T' ? text[11..] : text[10..].TrimStart(' ');
        }
        if (text.Contains(':', StringComparison.Ordinal))
        {
            bool isUtc = text[^1] == 'Z';
            if (!TryTimeOfDay(isUtc ? text[..^1] : text, date, out bound))
                return false;
            bound = bound with { IsUtc = isUtc };
            return true;
        }
        return date is null && TrySeconds(text, out bound);
    }

    /// <summary>The bound in nanoseconds since the Epoch.</summary>
    /// <param name="isUtc">Whether date and time are in UTC; else in the local zone.</param>
    /// <param name="firstTimeNs">Time of the trace's first message, which gives the date where the bound has none.</param>
    public long Resolve(bool isUtc, long firstTimeNs)
    {
        if (_absoluteNs is { } absolute)
            return absolute;
        isUtc |= IsUtc;
        var time = default(CalendarTime);
        if (_date is { } date)
            time = new CalendarTime { Year = date.Year - 1900, Month = date.Month - 1, Day = date.Day };
        else
            CalendarTime.FromSeconds(firstTimeNs / NanosecondsPerSecond, isUtc, ref time);
        time.Hour = (int)(_secondOfDay / 3600);
        time.Minute = (int)(_secondOfDay / 60 % 60);
        time.Second = (int)(_secondOfDay % 60);
        // A year that has no nanoseconds in 64 bits is before or after all there is.
        return (long)Int128.Clamp(((Int128)CalendarTime.ToSeconds(ref time, isUtc) * NanosecondsPerSecond) + _nanoseconds, long.MinValue, long.MaxValue);
    }

    /// <summary>Both ends of a range; null when it is empty, or its day is not known before the first message is read.</summary>
    /// <param name="begin">First time, or null.</param>
    /// <param name="end">Last time, or null.</param>
    /// <param name="isUtc">Whether dates and times are in UTC; else in the local zone.</param>
    /// <param name="findFirstTime">Time of the first message, or null; asked only where a bound has no date.</param>
    public static TimeRange? ResolveRange(TimeBound? begin, TimeBound? end, bool isUtc, Func<long?> findFirstTime)
    {
        ArgumentNullException.ThrowIfNull(findFirstTime);
        long? first = begin is { NeedsDay: true } || end is { NeedsDay: true } ? findFirstTime() : 0;
        if (first is not { } firstNs)
            return null;
        var range = new TimeRange(begin?.Resolve(isUtc, firstNs) ?? long.MinValue, end?.Resolve(isUtc, firstNs) ?? long.MaxValue);
        return range.BeginNs <= range.EndNs ? range : null;
    }

    /// <summary>Whether it says itself that it is in UTC.</summary>
    private bool IsUtc { get; init; }

    /// <summary>Whether the bound has neither a date nor a number of seconds.</summary>
    private bool NeedsDay => _date is null && _absoluteNs is null;

    private static bool TryDate(string text, out (int Year, int Month, int Day) date)
    {
        date = default;
        if (text[4] != '-' || text[7] != '-' || !TryDigits(text[..4], out int year) || !TryDigits(text[5..7], out int month) || !TryDigits(text[8..], out int day))
            return false;
        date = (year, month, day);
        return month is >= 1 and <= 12 && day is >= 1 and <= 31;
    }

    private static bool TryTimeOfDay(string text, (int Year, int Month, int Day)? date, out TimeBound bound)
    {
        bound = default;
        string[] parts = text.Split(':');
        if (parts.Length is < 2 or > 3 || parts[0].Length != 2 || parts[1].Length != 2 || !TryDigits(parts[0], out int hour) || !TryDigits(parts[1], out int minute))
            return false;
        long second = 0;
        long nanoseconds = 0;
        if (parts.Length == 3)
        {
            int length = parts[2].IndexOf('.', StringComparison.Ordinal) is >= 0 and var dot ? dot : parts[2].Length;
            if (length != 2 || !TryDecimal(parts[2], out second, out nanoseconds))
                return false;
        }
        if (hour > 23 || minute > 59 || second > 60)
            return false;
        bound = new TimeBound(date, (hour * 3600) + (minute * 60) + second, nanoseconds, null);
        return true;
    }

    private static bool TrySeconds(string text, out TimeBound bound)
    {
        bound = default;
        bool isNegative = text.StartsWith('-');
        if (!TryDecimal(isNegative ? text[1..] : text, out long seconds, out long nanoseconds) || seconds > long.MaxValue / NanosecondsPerSecond - 1)
            return false;
        long absolute = (seconds * NanosecondsPerSecond) + nanoseconds;
        bound = new TimeBound(null, 0, 0, isNegative ? -absolute : absolute);
        return true;
    }

    private static bool TryDecimal(string text, out long whole, out long nanoseconds)
    {
        nanoseconds = 0;
        int dot = text.IndexOf('.', StringComparison.Ordinal);
        string digits = dot < 0 ? text : text[..dot];
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out whole))
            return false;
        if (dot < 0)
            return true;
        string fraction = text[(dot + 1)..];
        return fraction.Length is >= 1 and <= 9 && long.TryParse(fraction.PadRight(9, '0'), NumberStyles.None, CultureInfo.InvariantCulture, out nanoseconds);
    }

    private static bool TryDigits(string text, out int value) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
