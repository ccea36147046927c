using System.Runtime.CompilerServices;

namespace Weir.Ring;

/// <summary>Writes the changing fields of a packet's head; see <see cref="PacketLayout"/>. The machine code does the same.</summary>
internal static unsafe class PacketHead
{
    /// <remarks>
    /// Writes nothing that <see cref="Close"/> writes: the writer that opens a packet may be stopped before it comes here, and others fill
    /// and close the packet meanwhile. The magic is stored last: where it stands the head is whole, though its writer may have died right
    /// after.
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
