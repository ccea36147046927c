using System.Globalization;

namespace Weir.Graph;

/// <summary>Writes nanoseconds since the Epoch as a date in UTC, ISO 8601 with nine digits; makes the text of a second once. Not thread-safe.</summary>
internal sealed class DateText
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    // yyyy-MM-ddTHH:mm:ss.
    private readonly byte[] _second = new byte[20];
    private long _seconds = long.MinValue;

    public void Append(TextBuffer text, long timeNs)
    {
        (long seconds, long nanoseconds) = Math.DivRem(timeNs, NanosecondsPerSecond);
        if (nanoseconds < 0)
        {
            seconds--;
            nanoseconds += NanosecondsPerSecond;
        }
        if (seconds != _seconds)
        {
            _seconds = seconds;
            // 64 bits of nanoseconds reach from 1677 to 2262.
            DateTime.UnixEpoch.AddTicks(seconds * TimeSpan.TicksPerSecond)
                .TryFormat(_second, out _, "yyyy-MM-dd'T'HH:mm:ss'.'", CultureInfo.InvariantCulture);
        }
        text.Append(_second);
        text.AppendNanoseconds((uint)nanoseconds);
        text.Append((byte)'Z');
    }
}
