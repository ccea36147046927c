using System.Diagnostics;
using System.Runtime.InteropServices;
using Weir.Clock;
using Weir.Ring;

namespace Weir.Sessions;

/// <summary>
/// Measures what one commit costs on this machine now, in a ring of its own: a program cannot time its own events without making each
/// dearer by two readings of the clock.
/// </summary>
internal static unsafe class EmitCost
{
    private const int PacketBytes = 1 << 20;
    private const int PacketCount = 2;
    private const int Batches = 64;
    private const int BatchBytes = PacketBytes / 8;

    /// <summary>
    /// Has the runtime compile the writer's code as it does in a program that has run for a while. Returns at once; meanwhile a recording
    /// goes on.
    /// </summary>
    public static void Prepare(ClockKind clock)
    {
        const int Rounds = 8;
        const int RoundMs = 60;
        const int Calls = 100;
        var thread = new Thread(() =>
            Measure(clock, RingBacking.Anonymous with { IsTouchedUpFront = false }, sizeof(ulong), Rounds, Calls, RoundMs, out _))
        {
            IsBackground = true,
            Name = "Weir emit cost",
        };
        thread.Start();
    }

    /// <summary>Median nanoseconds of one record with a payload of some bytes; null where no ring can be made.</summary>
    public static double? MeasureNs(ClockKind clock, int payloadBytes, out SequenceKind sequence) =>
        Measure(clock, RingBacking.Anonymous, payloadBytes, Batches, Math.Max(1, BatchBytes / (payloadBytes + RecordLayout.CompactBytes)), pauseMs: 0, out sequence);

    private static double? Measure(ClockKind clock, RingBacking backing, int payloadBytes, int batchCount, int records, int pauseMs, out SequenceKind sequence)
    {
        sequence = RingBuffer.ChooseSequence(out _);
        var thread = WriterThread.New();
        byte* payload = (byte*)NativeMemory.AllocZeroed((nuint)payloadBytes + 1);
        try
        {
            var options = new RingOptions { Backing = backing, PacketBytes = PacketBytes, PacketCount = PacketCount };
            var ring = RingBuffer.CreateCtf(options, clock, sequence);
            var batches = new double[batchCount];
            for (int i = 0; i < batchCount; i++)
            {
                long begin = Stopwatch.GetTimestamp();
                for (int j = 0; j < records; j++)
                    ring.Write(thread, RecordLayout.FirstId, payload, payloadBytes);
                batches[i] = Stopwatch.GetElapsedTime(begin).TotalNanoseconds / records;
                GiveBack(ring);
                if (pauseMs > 0)
                    Thread.Sleep(pauseMs);
            }
            ring.Retire();
            Array.Sort(batches);
            return batches[batchCount / 2];
        }
        catch (Exception e) when (e is IOException or ArgumentException)
        {
            return null;
        }
        finally
        {
            WriterThread.Free(thread);
            NativeMemory.Free(payload);
        }
    }

    private static void GiveBack(RingBuffer ring)
    {
        foreach (int cpu in ring.StreamCpus)
        {
            using var reader = ring.OpenReader(cpu);
            while (reader.TryGetComplete(out _))
                reader.Release();
        }
    }
}
