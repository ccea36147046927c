using System.Diagnostics;
using System.Runtime.CompilerServices;
using Weir.Bench.Emit;
using Weir.Clock;
using Weir.Ring;

namespace Weir.Bench.Ring;

/// <summary>
/// What one record of 8 bytes costs each client, one thread, back to back; the bare reading of the clock in the same rounds.
/// </summary>
internal static unsafe class EveryClient
{
    private static ulong s_sink;

    public static void Measure(Samples samples, int rounds, int events)
    {
        var thread = WriterThread.New();
        var all = new List<(string Name, RingBuffer Ring, Func<int, double> Loop)>();
        if (RingBuffer.ChooseSequence(out _) == SequenceKind.Rseq)
        {
            Add<PacketClient<PerCpu<Rseq>, Discard<WakeOnPacket>, CtfCompact<CounterClock>, NoHooks>>("ctf-compact.discard.rseq");
            Add<PacketClient<PerCpu<Rseq>, Overwrite, CtfCompact<CounterClock>, NoHooks>>("ctf-compact.overwrite.rseq");
            Add<PacketClient<PerCpu<Rseq>, Discard<WakeOnPacket>, CtfLarge<CounterClock>, NoHooks>>("ctf-large.discard.rseq");
            Add<PacketClient<PerCpu<Rseq>, Overwrite, CtfLarge<CounterClock>, NoHooks>>("ctf-large.overwrite.rseq");
            Add<PacketClient<PerCpu<Rseq>, Discard<WakeOnPacket>, PlainRecords, NoHooks>>("plain.discard.rseq");
            Add<PacketClient<PerCpu<Rseq>, Overwrite, PlainRecords, NoHooks>>("plain.overwrite.rseq");
            Add<PacketClient<PerCpu<Rseq>, Discard<WakeOnPacket>, FtracePages<CounterClock>, NoHooks>>("ftrace.discard.rseq");
            Add<PacketClient<PerCpu<Rseq>, Overwrite, FtracePages<CounterClock>, NoHooks>>("ftrace.overwrite.rseq");
            Add<ContinuousClient<NoWakeUp, PerfRecords<CounterClock>, NoHooks>>("perf.discard.rseq", Rings.Options(8 << 20, 1));
        }
        Add<PacketClient<PerCpu<Atomic>, Discard<WakeOnPacket>, CtfCompact<CounterClock>, NoHooks>>("ctf-compact.discard.atomic");
        Add<PacketClient<PerCpu<Atomic>, Overwrite, CtfCompact<CounterClock>, NoHooks>>("ctf-compact.overwrite.atomic");
        Add<PacketClient<PerCpu<Atomic>, Discard<WakeOnPacket>, CtfLarge<CounterClock>, NoHooks>>("ctf-large.discard.atomic");
        Add<PacketClient<PerCpu<Atomic>, Overwrite, CtfLarge<CounterClock>, NoHooks>>("ctf-large.overwrite.atomic");
        Add<PacketClient<PerCpu<Atomic>, Discard<WakeOnPacket>, PlainRecords, NoHooks>>("plain.discard.atomic");
        Add<PacketClient<PerCpu<Atomic>, Overwrite, PlainRecords, NoHooks>>("plain.overwrite.atomic");
        Add<PacketClient<PerCpu<Atomic>, Discard<WakeOnPacket>, FtracePages<CounterClock>, NoHooks>>("ftrace.discard.atomic");
        Add<PacketClient<PerCpu<Atomic>, Overwrite, FtracePages<CounterClock>, NoHooks>>("ftrace.overwrite.atomic");
        Add<PacketClient<Global, Discard<WakeOnPacket>, PlainRecords, NoHooks>>("plain.discard.global");

        // Perf's records are five times as long: its round still fits.
        Rounds.Run(rounds, round =>
        {
            bool isForward = (round & 1) == 0;
            double clock = isForward ? ReadClock(events) : 0;
            for (int i = 0; i < all.Count; i++)
            {
                var (name, ring, loop) = all[isForward ? i : all.Count - 1 - i];
                double ns = loop(events);
                Rings.GiveBack(ring);
                if (round >= 0)
                    samples.Add($"ring.{name}", ns / events);
            }
            if (!isForward)
                clock = ReadClock(events);
            if (round >= 0)
                samples.Add("clock.read", clock / events);
        });
        foreach (var (name, ring, _) in all)
        {
            if (Rings.Lost(ring) is > 0 and var lost)
                throw new InvalidOperationException($"{name}: {lost} events found no room, so the figure would be that of losing them");
        }
        WriterThread.Free(thread);

        void Add<TClient>(string name, RingOptions? options = null)
            where TClient : struct, IRingClient
        {
            var ring = RingBuffer<TClient>.Create(options ?? Rings.Options());
            all.Add((name, ring, count => Write(ring, thread, count)));
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double Write<TClient>(RingBuffer<TClient> ring, WriterThread* thread, int count)
        where TClient : struct, IRingClient
    {
        ulong payload = 0;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
        {
            payload = (ulong)i;
            ring.Write(thread, 3, (byte*)&payload, sizeof(ulong));
        }
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double ReadClock(int count)
    {
        ulong sum = 0;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
            sum += CounterClock.Read();
        double ns = Stopwatch.GetElapsedTime(start).TotalNanoseconds;
        s_sink = sum;
        return ns;
    }
}
