using System.Runtime.InteropServices;

namespace Weir.Graph;

/// <summary>C's <c>struct tm</c> on 64-bit Linux, and the C library's conversions, which know every form of TZ.</summary>
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal partial struct CalendarTime
{
    public int Second;
    public int Minute;
    public int Hour;
    public int Day;
    public int Month;
    public int Year;
    private readonly int _dayOfWeek;
    private readonly int _dayOfYear;
    private int _isDaylightSaving;

    public static void FromSeconds(long seconds, bool isUtc, ref CalendarTime time)
    {
        if (isUtc)
            gmtime_r(in seconds, ref time);
        else
            localtime_r(in seconds, ref time);
    }

    public static long ToSeconds(ref CalendarTime time, bool isUtc)
    {
        time._isDaylightSaving = -1;
        return isUtc ? timegm(ref time) : mktime(ref time);
    }

    [LibraryImport("libc")]
    private static partial nint localtime_r(in long seconds, ref CalendarTime time);

    [LibraryImport("libc")]
    private static partial nint gmtime_r(in long seconds, ref CalendarTime time);

    [LibraryImport("libc")]
    private static partial long timegm(ref CalendarTime time);

    [LibraryImport("libc")]
    private static partial long mktime(ref CalendarTime time);
}
