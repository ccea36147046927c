using System.Runtime.InteropServices;

namespace Weir.Bench.Clock;

/// <summary>
/// Steers the kernel's clocks as an NTP daemon does that has reason to: another rate, some ppm off, every few seconds. The rate that was
/// there before is put back at the end. Needs root.
/// </summary>
internal sealed unsafe partial class Steering : IDisposable
{
    // struct timex: modes at 0, the frequency at 16, in ppm with 16 bits after the point.
    private const int TimexBytes = 256;
    private const int FrequencyOffset = 16;
    private const uint SetFrequency = 2;
    private const int MostPpm = 10;

    private readonly Random _random = new(2);
    private readonly long _before;
    private long _nextMs;

    private Steering(long before) => _before = before;

    public int Changes { get; private set; }

    /// <summary>Null where this user may not.</summary>
    public static Steering? TryBegin()
    {
        byte* timex = stackalloc byte[TimexBytes];
        new Span<byte>(timex, TimexBytes).Clear();
        if (Adjust(timex) < 0)
            return null;
        long before = *(long*)(timex + FrequencyOffset);
        return TrySet(before) ? new Steering(before) : null;
    }

    public void Steer()
    {
        if (Environment.TickCount64 < _nextMs)
            return;
        _nextMs = Environment.TickCount64 + _random.Next(3000, 20_000);
        if (TrySet(_before + _random.NextInt64(-MostPpm << 16, MostPpm << 16)))
            Changes++;
    }

    public void Dispose() => TrySet(_before);

    private static bool TrySet(long frequency)
    {
        byte* timex = stackalloc byte[TimexBytes];
        new Span<byte>(timex, TimexBytes).Clear();
        *(uint*)timex = SetFrequency;
        *(long*)(timex + FrequencyOffset) = frequency;
        return Adjust(timex) >= 0;
    }

    [LibraryImport("libc", EntryPoint = "adjtimex", SetLastError = true)]
    private static partial int Adjust(byte* timex);
}
