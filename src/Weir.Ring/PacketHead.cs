using System.Runtime.CompilerServices;

namespace Weir.Ring;

/// <summary>Writes the changing fields of a packet's head; see <see cref="PacketLayout"/>. The machine code does the same.</summary>
internal static unsafe class PacketHead
{
    public static void Open(RingMemory* ring, byte* packet, uint cpu, ulong now, ulong sequenceNumber, ulong discarded)
    {
        Buffer.MemoryCopy(ring->PacketHeader, packet, PacketLayout.HeaderBytes, PacketLayout.HeaderBytes);
        Unsafe.WriteUnaligned(packet + PacketLayout.StreamInstanceId, (ulong)cpu);
        Unsafe.WriteUnaligned(packet + PacketLayout.TimestampBegin, now);
        Unsafe.WriteUnaligned(packet + PacketLayout.TimestampEnd, now);
        Unsafe.WriteUnaligned(packet + PacketLayout.ContentSize, PacketLayout.Records * 8UL);
        Unsafe.WriteUnaligned(packet + PacketLayout.PacketSize, (ring->PacketMask + 1) * 8);
        Unsafe.WriteUnaligned(packet + PacketLayout.SequenceNumber, sequenceNumber);
        Unsafe.WriteUnaligned(packet + PacketLayout.EventsDiscarded, discarded);
        Unsafe.WriteUnaligned(packet + PacketLayout.CpuId, cpu);
    }

    public static void Close(byte* packet, ulong now, ulong contentBits, ulong discarded)
    {
        Unsafe.WriteUnaligned(packet + PacketLayout.TimestampEnd, now);
        Unsafe.WriteUnaligned(packet + PacketLayout.ContentSize, contentBits);
        Unsafe.WriteUnaligned(packet + PacketLayout.EventsDiscarded, discarded);
    }
}
