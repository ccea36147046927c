using System.Runtime.CompilerServices;
using Weir.Clock;

namespace Weir.Ring;

/// <summary>
/// CTF as LTTng writes it, with the compact event header: 4 bytes while the id is below 31 and the record before it less than 2^27
/// cycles ago, else 13. See <see cref="PacketLayout"/> and <see cref="RecordLayout"/>.
/// </summary>
public readonly unsafe struct CtfCompact<TClock> : IPacketFormat
    where TClock : struct, ITraceClock
{
    /// <inheritdoc/>
    public static StreamFormat Format => StreamFormat.CtfCompact;

    /// <inheritdoc/>
    public static ClockKind? Clock => TClock.Kind;

    /// <inheritdoc/>
    public static int PacketHeadBytes => PacketLayout.Records;

    /// <inheritdoc/>
    public static int CloseOffset => CtfPacketHead.CloseOffset;

    /// <inheritdoc/>
    public static int CloseBytes => CtfPacketHead.CloseBytes;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Now() => TClock.Read();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong NowOrdered() => TClock.ReadOrdered();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int WriteHead(byte* head, uint id, ulong now, ulong last, int lengthBytes, uint cpu, WriterThread* thread)
    {
        if (id < RecordLayout.ExtendedId && (now - last) >> RecordLayout.TimeBits == 0)
        {
            Unsafe.WriteUnaligned(head, ((uint)now << RecordLayout.IdBits) | id);
            return RecordLayout.CompactBytes;
        }
        *head = (byte)RecordLayout.ExtendedId;
        Unsafe.WriteUnaligned(head + 1, id);
        Unsafe.WriteUnaligned(head + 1 + sizeof(uint), now);
        return RecordLayout.ExtendedBytes;
    }

    /// <inheritdoc/>
    public static int TailBytes(int headBytes, int lengthBytes) => 0;

    /// <inheritdoc/>
    public static void OpenPacket(byte* head, in PacketContext context) => CtfPacketHead.Open(head, context);

    /// <inheritdoc/>
    public static void ClosePacket(byte* target, in PacketContext context) => CtfPacketHead.Close(target, context);
}
