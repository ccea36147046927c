using System.Diagnostics;
using System.Runtime.InteropServices;
using Weir.Ring;

namespace Weir.Bench.Emit;

/// <summary>
/// Two threads, each pinned to a CPU of its own: events per second when both emit at once, and in the same rounds when one of them
/// (each in turn) emits alone.
/// </summary>
internal static partial class TwoThreads
{
    private const int MaskBytes = 1024;

    /// <summary>Measures both throughputs, as <paramref name="name"/> and <paramref name="name"/>.one; false where there is one CPU only.</summary>
    public static bool Measure(Samples samples, string name, int rounds, int eventsPerRound)
    {
        var cpus = Cpus.Allowed();
        if (cpus.Count < 2)
            return false;
        var start = new Gate();
        using Worker a = new(cpus[0], eventsPerRound, start), b = new(cpus[1], eventsPerRound, start);

        int all = Rounds.Run(rounds, round =>
        {
            double two = EventsPerSecond(start, eventsPerRound, a, b);
            double one = EventsPerSecond(start, eventsPerRound, (round & 1) == 0 ? a : b);
            if (round < 0)
                return;
            samples.Add(name, two);
            samples.Add(name + ".one", one);
        });
        samples.AddEmitted(name, (long)all * 3 * eventsPerRound);
        return true;
    }

    private static double EventsPerSecond(Gate start, int eventsPerRound, params Worker[] workers)
    {
        start.Close(workers.Length);
        foreach (var worker in workers)
            worker.Begin();
        foreach (var worker in workers)
            worker.AwaitEnd();
        // Each over its own time: they leave the gate together but for a microsecond or two, which in a round this short would be counted
        // as if one of them had been slower. A thread that is held up counts by its own, longer time.
        return workers.Sum(w => eventsPerRound * (double)Stopwatch.Frequency / (w.EndTicks - w.StartTicks));
    }

    private static unsafe void PinThisThread(int cpu)
    {
        byte* mask = stackalloc byte[MaskBytes];
        new Span<byte>(mask, MaskBytes).Clear();
        mask[cpu / 8] = (byte)(1 << (cpu % 8));
        if (SetAffinity(0, MaskBytes, mask) != 0)
            throw new InvalidOperationException($"sched_setaffinity to CPU {cpu} failed");
    }

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static unsafe partial int SetAffinity(int thread, nuint size, byte* mask);

    /// <summary>Opens when the last of the expected threads has come to it; they spin, so they leave it together.</summary>
    private sealed class Gate
    {
        private int _missing;

        public void Close(int threads) => Volatile.Write(ref _missing, threads);

        public void Pass()
        {
            Interlocked.Decrement(ref _missing);
            while (Volatile.Read(ref _missing) > 0)
                Thread.SpinWait(1);
        }
    }

    private sealed class Worker : IDisposable
    {
        private readonly SemaphoreSlim _begin = new(0), _end = new(0);
        private volatile bool _isOver;

        public Worker(int cpu, int events, Gate start)
        {
            new Thread(() =>
            {
                PinThisThread(cpu);
                while (true)
                {
                    _begin.Wait();
                    if (_isOver)
                        return;
                    start.Pass();
                    StartTicks = Stopwatch.GetTimestamp();
                    Loops.U64(events);
                    EndTicks = Stopwatch.GetTimestamp();
                    _end.Release();
                }
            })
            { IsBackground = true }.Start();
        }

        public long StartTicks { get; private set; }

        public long EndTicks { get; private set; }

        public void Begin() => _begin.Release();

        public void AwaitEnd() => _end.Wait();

        public void Dispose()
        {
            _isOver = true;
            _begin.Release();
        }
    }
}
