using Weir.Clock;

namespace Weir.Bench.Emit;

/// <summary>
/// One thread, pinned to nothing: an event, the bare reading of the clock, a disabled event and an empty loop in the same rounds, so that
/// whatever else the machine does meets all of them alike.
/// </summary>
internal static class OneThread
{
    /// <summary>Measures one event.</summary>
    /// <param name="samples">Where the samples go.</param>
    /// <param name="name">The line's name.</param>
    /// <param name="emit">The timed loop of the event.</param>
    /// <param name="rounds">How many rounds count.</param>
    /// <param name="eventsPerRound">How often each loop runs in a round.</param>
    public static void Measure(Samples samples, string name, Func<int, double> emit, int rounds, int eventsPerRound)
    {
        int n = eventsPerRound;
        // The clock that a session of this machine runs on.
        Func<int, double> readClock = TraceClock.Choose(out _) == ClockKind.Counter
            ? Loops.ClockRead<CounterClock>
            : Loops.ClockRead<MonotonicClock>;
        int all = Rounds.Run(rounds, round =>
        {
            double clock, empty, disabled, emitted;
            long allocated;
            // What runs first after a pause may meet a cold processor; so each goes first in half of the rounds.
            if ((round & 1) == 0)
            {
                clock = readClock(n);
                (emitted, allocated) = Emit(emit, n);
                disabled = Loops.Disabled(n);
                empty = Loops.Empty(n);
            }
            else
            {
                empty = Loops.Empty(n);
                disabled = Loops.Disabled(n);
                (emitted, allocated) = Emit(emit, n);
                clock = readClock(n);
            }
            if (round < 0)
                return;
            samples.Add("clock.read", clock / n);
            samples.Add("loop.empty", empty / n);
            samples.Add("emit.disabled", (disabled - empty) / n);
            samples.Add(name, emitted / n);
            samples.Add(name + ".allocated", (double)allocated / n);
        });
        samples.AddEmitted(name, (long)all * n);
    }

    private static (double Ns, long Bytes) Emit(Func<int, double> emit, int count)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        double ns = emit(count);
        return (ns, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
