using System.Runtime.CompilerServices;

namespace Weir.Ring;

/// <summary>Writes the changing fields of a packet's head; see <see cref="PacketLayout"/>. The machine code writes the same fields.</summary>
internal static unsafe class PacketHead
{
    /// <remarks>
    /// What <see cref="Close"/> writes is left alone: on the atomic path others may have filled and closed the packet before the thread
    /// that took it comes to write its head. The magic is stored last: where it stands the head is whole, though its writer may have
    /// died right after.
    /// </remarks>
    public static void Open(RingMemory* ring, byte* packet, uint cpu, ulong now, ulong sequenceNumber)
    {
        const int Rest = PacketLayout.HeaderBytes - PacketLayout.Uuid;
        Buffer.MemoryCopy(ring->PacketHeader + PacketLayout.Uuid, packet + PacketLayout.Uuid, Rest, Rest);
        Unsafe.WriteUnaligned(packet + PacketLayout.StreamInstanceId, (ulong)cpu);
        Unsafe.WriteUnaligned(packet + PacketLayout.TimestampBegin, now);
        Unsafe.WriteUnaligned(packet + PacketLayout.PacketSize, (ring->PacketMask + 1) * 8);
        Unsafe.WriteUnaligned(packet + PacketLayout.SequenceNumber, sequenceNumber);
        Unsafe.WriteUnaligned(packet + PacketLayout.CpuId, cpu);
        // Release: the head before the word that vouches for it. Partner: a recovery reads the magic.
        Volatile.Write(ref *(uint*)packet, PacketLayout.Magic);
    }

    public static void Close(byte* packet, ulong now, ulong contentBits, ulong discarded)
    {
        Unsafe.WriteUnaligned(packet + PacketLayout.TimestampEnd, now);
        Unsafe.WriteUnaligned(packet + PacketLayout.ContentSize, contentBits);
        Unsafe.WriteUnaligned(packet + PacketLayout.EventsDiscarded, discarded);
    }
}
