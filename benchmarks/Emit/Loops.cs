using System.Diagnostics;
using System.Runtime.CompilerServices;
using Weir.Clock;

namespace Weir.Bench.Emit;

/// <summary>
/// The timed loops: each does one thing <c>count</c> times and returns the nanoseconds for all. They differ in the one statement of
/// their bodies and are written out, because a delegate or an interface in between would be timed too.
/// </summary>
internal static class Loops
{
    /// <summary>
    /// The upper half of every recorded value ("WEIR" in a trace's bytes), by which the events that reached a trace are counted.
    /// </summary>
    public const ulong Marker = 0x52494557UL << 32;

    /// <summary>The 16 characters of the string field; they hold the marker once.</summary>
    public const string Text = "WEIRweirweirweir";

    private static ulong s_sink;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static double Empty(int count)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
        {
        }
        return NanosecondsSince(start);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static double ClockRead<TClock>(int count)
        where TClock : struct, ITraceClock
    {
        ulong sum = 0;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
            sum += TClock.Read();
        double ns = NanosecondsSince(start);
        s_sink = sum;
        return ns;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static double Disabled(int count)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
            UnrecordedEvents.U64((ulong)i);
        return NanosecondsSince(start);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static double U64(int count)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
            BenchEvents.U64(Marker | (uint)i);
        return NanosecondsSince(start);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static double IntStr16(int count)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
            BenchEvents.IntStr16(i, Text);
        return NanosecondsSince(start);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static double EventSourceU64(int count)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
            PeerSource.Log.U64((long)(Marker | (uint)i));
        return NanosecondsSince(start);
    }

    private static double NanosecondsSince(long start) => (Stopwatch.GetTimestamp() - start) * (1e9 / Stopwatch.Frequency);
}
