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

    /// <summary>Median nanoseconds of one record with a payload of some bytes; null where no ring can be made.</summary>
    public static double? MeasureNs(string scratchDirectory, ClockKind clock, int payloadBytes, out SequenceKind sequence)
    {
        sequence = RingBuffer.ChooseSequence(out _);
        string directory = Path.Combine(scratchDirectory, $"cost-{Environment.ProcessId}");
        var thread = WriterThread.New();
        byte* payload = (byte*)NativeMemory.AllocZeroed(BatchBytes);
        try
        {
            Directory.CreateDirectory(directory);
            var options = new RingOptions { Backing = RingBacking.Files(directory), PacketBytes = PacketBytes, PacketCount = PacketCount };
            var ring = RingBuffer.CreateCtf(options, clock, sequence);
            int records = Math.Max(1, BatchBytes / (payloadBytes + RecordLayout.CompactBytes));
            var batches = new double[Batches];
            for (int i = 0; i < Batches; i++)
            {
                long begin = Stopwatch.GetTimestamp();
                for (int j = 0; j < records; j++)
                    ring.Write(thread, RecordLayout.FirstId, payload, payloadBytes);
                batches[i] = Stopwatch.GetElapsedTime(begin).TotalNanoseconds / records;
                GiveBack(directory);
            }
            Array.Sort(batches);
            return batches[Batches / 2];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return null;
        }
        finally
        {
            WriterThread.Free(thread);
            NativeMemory.Free(payload);
            if (Directory.Exists(directory))
                Directory.Delete(directory, recursive: true);
        }
    }

    private static void GiveBack(string directory)
    {
        foreach (string path in Directory.GetFiles(directory, "stream_*"))
        {
            using var reader = Ring.StreamReader.TryOpen(path);
            while (reader != null && reader.TryGetComplete(out _))
                reader.Release();
        }
    }
}
