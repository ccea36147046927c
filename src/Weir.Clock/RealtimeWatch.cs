using System.Runtime.InteropServices;

namespace Weir.Clock;

/// <summary>Why a wait has ended.</summary>
public enum WatchResult
{
    /// <summary>The time is over.</summary>
    TimeIsOver,

    /// <summary>Somebody has set CLOCK_REALTIME, or the machine was suspended and goes on.</summary>
    ClockWasSet,

    /// <summary><see cref="RealtimeWatch.Wake"/> was called.</summary>
    Woken,
}

/// <summary>
/// Waits, and ends the wait when CLOCK_REALTIME is set: a timer of that clock with TFD_TIMER_CANCEL_ON_SET, far in the future, which
/// the kernel cancels then (timerfd_create(2)). One thread waits; any may wake it.
/// </summary>
public sealed unsafe class RealtimeWatch : IDisposable
{
    private const long FarSeconds = 1L << 33;

    private readonly int _timer;
    private readonly ManualResetEventSlim _woken = new();

    /// <summary>Begins to watch. Where the kernel has no such timer, waits just last their time.</summary>
    public RealtimeWatch()
    {
        _timer = LibC.TimerCreate(LibC.ClockRealtime, LibC.TimerCloseOnExec | LibC.TimerNonBlocking);
        if (_timer < 0)
            Refusal = $"the kernel gives no timer: {Marshal.GetLastPInvokeErrorMessage()}";
        else if (!Arm(FarSeconds))
            Refusal = $"the kernel does not tell when the clock is set: {Marshal.GetLastPInvokeErrorMessage()}";
    }

    /// <summary>Why a set clock is not noticed at once; null where it is.</summary>
    public string? Refusal { get; }

    /// <summary>Waits for the first of: the time, a set clock, <see cref="Wake"/>.</summary>
    public WatchResult Wait(TimeSpan time)
    {
        if (Refusal != null)
            return _woken.Wait(time) ? WatchResult.Woken : WatchResult.TimeIsOver;
        long deadlineMs = Environment.TickCount64 + (long)time.TotalMilliseconds;
        while (!_woken.IsSet)
        {
            var descriptor = new LibC.PollDescriptor { Fd = _timer, Events = LibC.PollIn };
            int leftMs = (int)Math.Clamp(deadlineMs - Environment.TickCount64, 0, int.MaxValue);
            int ready = LibC.Poll(&descriptor, 1, leftMs);
            if (ready == 0)
                return WatchResult.TimeIsOver;
            if (ready < 0)
            {
                // A signal; or poll is refused, as a sandbox may do at any time.
                if (Marshal.GetLastPInvokeError() == LibC.Interrupted)
                    continue;
                return _woken.Wait(leftMs) ? WatchResult.Woken : WatchResult.TimeIsOver;
            }
            ulong expirations;
            bool isCancelled = LibC.Read(_timer, &expirations, sizeof(ulong)) < 0 && Marshal.GetLastPInvokeError() == LibC.Cancelled;
            if (_woken.IsSet)
                break;
            // Before the caller looks at the clock: what is set from here on ends the next wait.
            Arm(FarSeconds);
            if (isCancelled)
                return WatchResult.ClockWasSet;
        }
        return WatchResult.Woken;
    }

    /// <summary>Ends this wait and every later one.</summary>
    public void Wake()
    {
        _woken.Set();
        // A moment of 1970 is over.
        if (_timer >= 0)
            Arm(1);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_timer >= 0)
            _ = LibC.Close(_timer);
        _woken.Dispose();
    }

    private bool Arm(long seconds)
    {
        var spec = new LibC.TimerSpec { Value = new LibC.TimeSpec { Seconds = seconds } };
        return LibC.TimerSet(_timer, LibC.TimerAbsolute | LibC.TimerCancelOnSet, &spec, null) == 0;
    }
}
