using System.Diagnostics;
using System.Runtime.InteropServices;
using Weir.Bench.Emit;
using Weir.Clock;
using Weir.Ring;

namespace Weir.Bench.Ring;

/// <summary>
/// Events a second of 1 to 4 times as many threads as CPUs, pinned round-robin and free: with a flight recorder, which loses nothing, and
/// with a discarding ring that a reader drains at the same time, where only what it took counts. The time is that from the first to begin
/// to the last to end.
/// </summary>
internal static unsafe partial class Scaling
{
    private const int MaskBytes = 1024;

    public static void Measure(Samples samples, int rounds, int events)
    {
        int cpus = Cpus.Allowed().Count;
        int[] threads = [.. new[] { 1, 2, 3, 4, cpus / 2, cpus, 2 * cpus, 3 * cpus, 4 * cpus }.Where(n => n >= 1 && n <= 4 * cpus).Distinct().Order()];
        var isRseq = RingBuffer.ChooseSequence(out _) == SequenceKind.Rseq;
        for (int round = -2; round < rounds; round++)
        {
            foreach (int count in threads)
            {
                foreach (bool isPinned in (ReadOnlySpan<bool>)[true, false])
                {
                    string how = isPinned ? "pinned" : "free";
                    if (isRseq)
                    {
                        Run<PacketClient<PerCpu<Rseq>, Overwrite, CtfCompact<CounterClock>, NoHooks>>($"ring.scale.overwrite.rseq.{how}", false);
                        Run<PacketClient<PerCpu<Rseq>, Discard<NoWakeUp>, CtfCompact<CounterClock>, NoHooks>>($"ring.scale.drained.rseq.{how}", true);
                    }
                    Run<PacketClient<PerCpu<Atomic>, Overwrite, CtfCompact<CounterClock>, NoHooks>>($"ring.scale.overwrite.atomic.{how}", false);

                    void Run<TClient>(string name, bool isDrained)
                        where TClient : struct, IRingClient
                    {
                        double rate = EventsPerSecond(RingBuffer<TClient>.Create(Rings.Options(1 << 18, 16)), count, isPinned, isDrained, events);
                        if (round >= 0)
                            samples.Add($"{name}.{count}", rate);
                    }
                }
            }
        }
    }

    private static double EventsPerSecond<TClient>(RingBuffer<TClient> ring, int count, bool isPinned, bool isDrained, int events)
        where TClient : struct, IRingClient
    {
        var cpus = Cpus.Allowed();
        using var ready = new CountdownEvent(count);
        using var go = new ManualResetEventSlim();
        var begins = new long[count];
        var ends = new long[count];
        var threads = Enumerable.Range(0, count).Select(index => new Thread(() =>
        {
            if (isPinned)
                Pin(cpus[index % cpus.Count]);
            var thread = WriterThread.New();
            ulong payload = 1;
            ready.Signal();
            go.Wait();
            begins[index] = Stopwatch.GetTimestamp();
            for (int i = 0; i < events; i++)
                ring.Write(thread, 3, (byte*)&payload, sizeof(ulong));
            ends[index] = Stopwatch.GetTimestamp();
            WriterThread.Free(thread);
        })).ToArray();
        foreach (var thread in threads)
            thread.Start();
        ready.Wait();
        bool isOver = false;
        var reader = new Thread(() =>
        {
            while (isDrained && !Volatile.Read(ref isOver))
            {
                Rings.GiveBack(ring);
                Thread.Yield();
            }
        });
        reader.Start();
        go.Set();
        foreach (var thread in threads)
            thread.Join();
        Volatile.Write(ref isOver, true);
        reader.Join();
        long taken = ((long)count * events) - Rings.Lost(ring);
        double rate = taken / Stopwatch.GetElapsedTime(begins.Min(), ends.Max()).TotalSeconds;
        ring.Retire();
        return rate;
    }

    private static void Pin(int cpu)
    {
        byte* mask = stackalloc byte[MaskBytes];
        new Span<byte>(mask, MaskBytes).Clear();
        mask[cpu / 8] = (byte)(1 << (cpu % 8));
        if (SetAffinity(0, MaskBytes, mask) != 0)
            throw new InvalidOperationException($"sched_setaffinity to CPU {cpu} failed");
    }

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nuint size, byte* mask);
}
