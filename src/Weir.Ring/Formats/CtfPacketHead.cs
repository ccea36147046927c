using System.Runtime.CompilerServices;

namespace Weir.Ring;

/// <summary>Writes the head of a CTF packet; see <see cref="PacketLayout"/>.</summary>
internal static unsafe class CtfPacketHead
{
    /// <summary>What closing writes is one piece: end, content, packet size, number, discarded. Two of them do not change.</summary>
    public const int CloseOffset = PacketLayout.TimestampEnd;

    public const int CloseBytes = PacketLayout.EventsDiscarded + sizeof(ulong) - CloseOffset;

    public static void Open(byte* head, in PacketContext context)
    {
        Unsafe.WriteUnaligned(head, PacketLayout.Magic);
        context.Uuid.TryWriteBytes(new Span<byte>(head + PacketLayout.Uuid, 16), bigEndian: true, out _);
        Unsafe.WriteUnaligned(head + PacketLayout.StreamId, 0U);
        Unsafe.WriteUnaligned(head + PacketLayout.StreamInstanceId, (ulong)context.Cpu);
        Unsafe.WriteUnaligned(head + PacketLayout.TimestampBegin, context.Now);
        Close(head + CloseOffset, context);
        Unsafe.WriteUnaligned(head + PacketLayout.CpuId, context.Cpu);
    }

    public static void Close(byte* target, in PacketContext context)
    {
        byte* head = target - CloseOffset;
        Unsafe.WriteUnaligned(head + PacketLayout.TimestampEnd, context.Now);
        Unsafe.WriteUnaligned(head + PacketLayout.ContentSize, context.ContentBytes * 8);
        Unsafe.WriteUnaligned(head + PacketLayout.PacketSize, context.PacketBytes * 8);
        Unsafe.WriteUnaligned(head + PacketLayout.SequenceNumber, context.SequenceNumber);
        Unsafe.WriteUnaligned(head + PacketLayout.EventsDiscarded, context.Discarded);
    }
}
