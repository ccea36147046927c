using Weir.Clock;

namespace Weir.Graph;

/// <summary>Times and the differences between them, as babeltrace2 prints them.</summary>
internal sealed class PrettyClock(PrettyOptions options, TextWriter errors, ClockTable? clocks)
{
    private const long NanosecondsPerSecond = 1_000_000_000;
    private const ulong Unknown = ulong.MaxValue;

    private static readonly Literal s_noSeconds = new("+0."u8);

    private ulong _last = Unknown;
    private ClockConversion? _lastConversion;
    private ulong _delta = Unknown;
    private long _secondOfText = long.MinValue;
    private bool _hasWarned;

    /// <summary>The time up to the seconds' point, of the second that was shown last; null before the first.</summary>
    public Literal? SecondText { get; private set; }

    /// <summary>Where that second begins.</summary>
    public long SecondNs { get; private set; }

    /// <summary>Goes to a time less than a second behind the one before, by the clock class; else nothing is done.</summary>
    public bool TryMoveTo(long timeNs, out uint deltaNs)
    {
        ulong delta = unchecked((ulong)timeNs - _last);
        deltaNs = (uint)delta;
        if (delta >= NanosecondsPerSecond || _last == Unknown)
            return false;
        _delta = delta;
        _last = (ulong)timeNs;
        return true;
    }

    /// <summary>Makes sure that a stream's times can be shown.</summary>
    /// <exception cref="TraceReadException">They are to be converted, and the samples for that are not there.</exception>
    public void Check(DataStream stream)
    {
        if (options.Times != PrettyTimes.ClockClass && stream.Clock is not null && clocks?.Find(stream)?.Conversion is null)
            throw new TraceReadException(stream.Name, -1, "no samples of this stream's clock are among the inputs (a recording has them in its directory 'clock'), so its times cannot be converted to the kernel's clocks");
    }

    /// <summary>Goes on where another clock has stopped.</summary>
    /// <param name="last">The event that it showed last, where <paramref name="hasLast"/> says that there was one.</param>
    /// <param name="hasLast">Whether it showed one.</param>
    /// <param name="hasWarned">Whether it met a time before the Epoch.</param>
    public void GoOnBehind(in Message last, bool hasLast, bool hasWarned)
    {
        if (hasLast)
            _last = options.ClockCycles ? last.Record.ClockValue : (ulong)last.TimeNs;
        _hasWarned = hasWarned;
    }

    /// <summary>Whether a message has a time before the Epoch that is shown on the wall: the first of these is shown in seconds.</summary>
    public static bool IsNegative(in Message message, PrettyOptions options) => message.HasTime && message.Kind switch
    {
        MessageKind.Event => message.TimeNs < 0 && !options.ClockCycles,
        MessageKind.DiscardedEvents or MessageKind.DiscardedPackets => message.TimeNs < 0 || message.EndTimeNs < 0,
        _ => false,
    };

    /// <summary>The time of an event; remembers it for the delta.</summary>
    public void AppendTime(TextBuffer text, in Message message)
    {
        if (options.Times != PrettyTimes.ClockClass)
        {
            AppendConverted(text, in message);
            return;
        }
        ulong now = options.ClockCycles ? message.Record.ClockValue : (ulong)message.TimeNs;
        if (_last != Unknown)
            _delta = now - _last;
        _last = now;
        if (options.ClockCycles)
            text.AppendPadded(now, 20);
        else
            AppendWall(text, message.TimeNs);
    }

    /// <summary>
    /// A time by the stored samples. The time since the event before is CLOCK_MONOTONIC's in any case, so that it shows no step.
    /// </summary>
    private void AppendConverted(TextBuffer text, in Message message)
    {
        var conversion = clocks!.Find(message.Stream)!.Conversion!;
        ulong cycles = message.Record.ClockValue;
        long monotonic = conversion.ToMonotonic(cycles).Ns;
        _delta = _lastConversion == conversion ? (ulong)Math.Max(0, monotonic - (long)_last) : Unknown;
        (_last, _lastConversion) = ((ulong)monotonic, conversion);
        AppendWall(text, options.Times == PrettyTimes.Monotonic ? monotonic : unchecked(conversion.ToRealtime(cycles).Ns + clocks!.OffsetNs));
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
        if (_delta < NanosecondsPerSecond)
        {
            text.Append(s_noSeconds);
            text.AppendNanoseconds((uint)_delta);
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
            text.Append(SecondText!);
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
        SecondText = new Literal(text.Written);
        SecondNs = seconds * NanosecondsPerSecond;
    }
}
