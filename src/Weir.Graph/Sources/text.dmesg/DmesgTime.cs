namespace Weir.Graph;

/// <summary>
/// The times that lines of the kernel's log begin with: <c>[SECONDS.MICROSECONDS]</c> since the machine started, or
/// <c>[YYYY-MM-DD hh:mm:ss.MILLISECONDS]</c>. What stands behind a point is a number, not a fraction, as babeltrace2 takes it.
/// </summary>
internal static class DmesgTime
{
    /// <summary>Takes a line's time off its beginning.</summary>
    /// <param name="line">The line; afterwards what follows the time and one space.</param>
    /// <param name="timeNs">The time in nanoseconds.</param>
    public static bool TryTake(ref ReadOnlySpan<byte> line, out ulong timeNs)
    {
        int end = line.IndexOf((byte)']');
        timeNs = 0;
        if (end < 0 || !(TryReadUptime(line[..end], out timeNs) || TryReadDate(line[..end], out timeNs)))
            return false;
        line = line[(end + 1)..];
        if (line.StartsWith(" "u8))
            line = line[1..];
        return true;
    }

    private static bool TryReadUptime(ReadOnlySpan<byte> text, out ulong timeNs)
    {
        timeNs = 0;
        if (!TryTakeNumber(ref text, (byte)'[', out ulong seconds) || !TryTakeNumber(ref text, (byte)'.', out ulong microseconds))
            return false;
        timeNs = unchecked(((seconds * 1_000_000) + microseconds) * 1000);
        return true;
    }

    private static bool TryReadDate(ReadOnlySpan<byte> text, out ulong timeNs)
    {
        timeNs = 0;
        if (!TryTakeNumber(ref text, (byte)'[', out ulong year) || !TryTakeNumber(ref text, (byte)'-', out ulong month)
            || !TryTakeNumber(ref text, (byte)'-', out ulong day) || !TryTakeNumber(ref text, (byte)' ', out ulong hour)
            || !TryTakeNumber(ref text, (byte)':', out ulong minute) || !TryTakeNumber(ref text, (byte)':', out ulong second)
            || !TryTakeNumber(ref text, (byte)'.', out ulong millisecond))
            return false;
        if (year is < 1970 or > 2500 || month is 0 or > 12 || day is 0 or > 31 || hour > 23 || minute > 59 || second > 60)
            return false;
        // As C counts: 31 April is 1 May.
        var date = new DateTime((int)year, (int)month, 1, 0, 0, 0, DateTimeKind.Utc).AddDays(day - 1).AddHours(hour).AddMinutes(minute).AddSeconds(second);
        timeNs = unchecked(((ulong)(date - DateTime.UnixEpoch).Ticks * 100) + (millisecond * 1_000_000));
        return true;
    }

    private static bool TryTakeNumber(ref ReadOnlySpan<byte> text, byte before, out ulong number)
    {
        number = 0;
        if (text.IsEmpty || text[0] != before)
            return false;
        int start = 1;
        while (start < text.Length && text[start] is (byte)' ' or (byte)'\t')
            start++;
        int end = start;
        for (; end < text.Length && char.IsAsciiDigit((char)text[end]); end++)
            number = unchecked((number * 10) + text[end] - '0');
        text = text[end..];
        return end > start;
    }
}
