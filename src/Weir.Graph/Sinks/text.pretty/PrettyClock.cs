namespace Weir.Graph;

/// <summary>Times and the differences between them, as babeltrace2 prints them.</summary>
internal sealed class PrettyClock(PrettyOptions options, TextWriter errors)
{
    private const long NanosecondsPerSecond = 1_000_000_000;
    private const ulong Unknown = ulong.MaxValue;

    private readonly byte[] _secondText = new byte[32];
    private ulong _last = Unknown;
    private ulong _delta = Unknown;
    private long _secondOfText = long.MinValue;
    private int _secondTextLength;
    private bool _hasWarned;

    /// <summary>The time of an event; remembers it for the delta.</summary>
    public void AppendTime(TextBuffer text, in Message message)
    {
        ulong now = options.ClockCycles ? message.Record.ClockValue : (ulong)message.TimeNs;
        if (_last != Unknown)
            _delta = now - _last;
        _last = now;
        if (options.ClockCycles)
            text.AppendPadded(now, 20);
        else
            AppendWall(text, message.TimeNs);
    }

    /// <summary>The time since the event before.</summary>
    public void AppendDelta(TextBuffer text)
    {
        if (options.ClockCycles)
        {
            text.Append((byte)'+');
            if (_delta == Unknown)
                text.Append("????????????"u8);
            else
                text.AppendPadded(_delta, 12);
            return;
        }
        if (_delta == Unknown)
        {
            text.Append("+?.?????????"u8);
            return;
        }
        text.Append((byte)'+');
        text.AppendUnsigned(_delta / NanosecondsPerSecond);
        text.Append((byte)'.');
        text.AppendNanoseconds((uint)(_delta % NanosecondsPerSecond));
    }

    /// <summary>A time on the wall, or in seconds.</summary>
    public void AppendWall(TextBuffer text, long timeNs)
    {
        long seconds = Math.Abs(timeNs / NanosecondsPerSecond);
        uint nanoseconds = (uint)Math.Abs(timeNs % NanosecondsPerSecond);
        bool isNegative = timeNs < 0;
        bool inSeconds = options.ClockSeconds;
        if (isNegative && !inSeconds && !_hasWarned)
        {
            errors.WriteLine("[warning] Fallback to [sec.ns] to print negative time value. Use --clock-seconds.");
            _hasWarned = true;
            inSeconds = true;
        }
        if (inSeconds)
        {
            if (isNegative)
                text.Append((byte)'-');
            text.AppendUnsigned((ulong)seconds);
            text.Append((byte)'.');
        }
        else
        {
            if (seconds != _secondOfText)
                FormatSecond(seconds);
            text.Append(_secondText.AsSpan(0, _secondTextLength));
        }
        text.AppendNanoseconds(nanoseconds);
    }

    /// <summary>Events are many in one second, so its text is made once.</summary>
    private void FormatSecond(long seconds)
    {
        _secondOfText = seconds;
        var time = default(CalendarTime);
        CalendarTime.FromSeconds(seconds, options.ClockGmt, ref time);
        var text = new TextBuffer();
        if (options.ClockDate)
        {
            text.AppendPadded((ulong)(time.Year + 1900), 4);
            text.Append((byte)'-');
            text.AppendPadded((ulong)(time.Month + 1), 2);
            text.Append((byte)'-');
            text.AppendPadded((ulong)time.Day, 2);
            text.Append((byte)' ');
        }
        text.AppendPadded((ulong)time.Hour, 2);
        text.Append((byte)':');
        text.AppendPadded((ulong)time.Minute, 2);
        text.Append((byte)':');
        text.AppendPadded((ulong)time.Second, 2);
        text.Append((byte)'.');
        text.Written.CopyTo(_secondText);
        _secondTextLength = text.Count;
    }
}
