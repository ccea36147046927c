namespace Weir.Clock;

/// <summary>Which clock this machine's sessions run on, and its reading.</summary>
public static class TraceClock
{
    /// <summary>The environment variable that forces the fallback when it is <c>monotonic</c>.</summary>
    public const string Variable = "WEIR_CLOCK";

    /// <summary>
    /// Chooses the clock for a new session: the CPU's counter where it is trusted, else CLOCK_MONOTONIC.
    /// <paramref name="reason"/> says why.
    /// </summary>
    public static ClockKind Choose(out string reason) => Choose(null, out reason);

    /// <summary>
    /// Chooses the clock for a new session with the skew between CPUs known: one that was seen going back is not trusted.
    /// </summary>
    public static ClockKind Choose(CounterSkew? skew, out string reason)
    {
        if (Environment.GetEnvironmentVariable(Variable) == "monotonic")
        {
            reason = $"{Variable}=monotonic";
            return ClockKind.Monotonic;
        }
        var trust = CounterTrust.Examine(skew);
        reason = trust.Reason;
        return trust.IsTrusted ? ClockKind.Counter : ClockKind.Monotonic;
    }

    /// <summary>Reads a clock, in its own cycles.</summary>
    public static ulong Read(ClockKind kind) => kind == ClockKind.Counter ? CounterClock.Read() : MonotonicClock.Read();

    /// <summary>Reads a clock after every load that precedes it in the program, in its own cycles.</summary>
    public static ulong ReadOrdered(ClockKind kind) => kind == ClockKind.Counter ? CounterClock.ReadOrdered() : MonotonicClock.ReadOrdered();
}
