using Weir.Bench.Emit;
using Weir.Clock;
using Weir.Ring;

namespace Weir.Bench.Ring;

/// <summary>
/// How long single writes take: the counter before and after each, both fenced. Alone, under a garbage collector that is forced to collect
/// all the time, and with four times as many writers as CPUs. Two readings with nothing between show what the method itself costs.
/// </summary>
internal static unsafe class Latency
{
    public static void Measure(Samples samples, int events)
    {
        double nsPerCycle = NsPerCycle();
        var sequences = RingBuffer.ChooseSequence(out _) == SequenceKind.Rseq
            ? new[] { SequenceKind.Rseq, SequenceKind.Atomic }
            : [SequenceKind.Atomic];
        foreach (var sequence in sequences)
        {
            var ring = sequence == SequenceKind.Rseq
                ? (RingBuffer)RingBuffer<PacketClient<PerCpu<Rseq>, Overwrite, CtfCompact<CounterClock>, NoHooks>>.Create(Rings.Options())
                : RingBuffer<PacketClient<PerCpu<Atomic>, Overwrite, CtfCompact<CounterClock>, NoHooks>>.Create(Rings.Options());
            string name = $"ring.latency.{sequence.ToString().ToLowerInvariant()}";
            // The first runs let the runtime compile.
            for (int i = 0; i < 3; i++)
            {
                Time(ring, events / 4);
                Thread.Sleep(200);
            }
            Report(samples, $"{name}.alone", Time(ring, events), nsPerCycle);
            bool isOver = false;
            var collector = new Thread(() =>
            {
                var kept = new byte[64][];
                for (int i = 0; !Volatile.Read(ref isOver); i++)
                {
                    kept[i % kept.Length] = new byte[4096];
                    if (i % 256 == 0)
                        GC.Collect(0);
                }
            });
            collector.Start();
            Report(samples, $"{name}.collecting", Time(ring, events), nsPerCycle);
            Volatile.Write(ref isOver, true);
            collector.Join();
            int crowd = 4 * Cpus.Allowed().Count;
            var all = new long[crowd][];
            var threads = Enumerable.Range(0, crowd).Select(i => new Thread(() => all[i] = Time(ring, events / 2))).ToArray();
            Array.ForEach(threads, thread => thread.Start());
            Array.ForEach(threads, thread => thread.Join());
            Report(samples, $"{name}.crowd", [.. all.SelectMany(times => times)], nsPerCycle);
        }
        Report(samples, "ring.latency.nothing", Time(null, events), nsPerCycle);
    }

    private static long[] Time(RingBuffer? ring, int events)
    {
        var times = new long[events];
        var thread = WriterThread.New();
        ulong payload = 1;
        for (int i = 0; i < events; i++)
        {
            ulong before = CpuCounter.ReadOrdered();
            ring?.Write(thread, 3, (byte*)&payload, sizeof(ulong));
            times[i] = (long)(CpuCounter.ReadOrdered() - before);
        }
        WriterThread.Free(thread);
        return times;
    }

    private static void Report(Samples samples, string name, long[] times, double nsPerCycle)
    {
        Array.Sort(times);
        samples.Add($"{name}.p50", times[times.Length / 2] * nsPerCycle);
        samples.Add($"{name}.p99", times[(int)(times.Length * 0.99)] * nsPerCycle);
        samples.Add($"{name}.p999", times[(int)(times.Length * 0.999)] * nsPerCycle);
        samples.Add($"{name}.max", times[^1] * nsPerCycle);
    }

    private static double NsPerCycle()
    {
        ulong cycles = CpuCounter.ReadOrdered();
        ulong ns = MonotonicClock.Read();
        Thread.Sleep(500);
        return (double)(MonotonicClock.Read() - ns) / (CpuCounter.ReadOrdered() - cycles);
    }
}
