using Weir.Clock;
using Weir.Ring;

namespace Weir.Bench.Ring;

/// <summary>The rings that are measured, and what is done to them between rounds.</summary>
internal static class Rings
{
    public static RingOptions Options(int packetBytes = 1 << 20, int packetCount = 8) =>
        new() { Backing = RingBacking.Anonymous, PacketBytes = packetBytes, PacketCount = packetCount };

    /// <summary>Gives back what is complete, so that the next round finds room.</summary>
    public static void GiveBack(RingBuffer ring)
    {
        if (ring.Traits.IsOverwrite)
            return;
        foreach (int cpu in ring.StreamCpus)
        {
            using var reader = ring.OpenReader(cpu);
            if (ring.Traits.PacketHeadBytes == 0)
            {
                var cursor = new Weir.Ring.StreamCursor(reader);
                cursor.Advance(cursor.Peek().Length);
                continue;
            }
            while (reader.TryGetComplete(out _))
                reader.Release();
        }
    }

    /// <summary>Events that the ring could not take: a figure is worth nothing with any.</summary>
    public static long Lost(RingBuffer ring)
    {
        long lost = 0;
        foreach (int cpu in ring.StreamCpus)
        {
            using var reader = ring.OpenReader(cpu);
            lost += (long)(reader.LostFull + reader.LostTooLarge);
        }
        return lost;
    }
}
