using System.Runtime.CompilerServices;
using Weir.Clock;

namespace Weir.Ring;

/// <summary>
/// CTF as LTTng writes it, with the large event header, for programs with many kinds of events or long silences.
/// <code>
///  compact   0 id u16, 0 to 65534 | 2 low 32 bits of the time                       6 bytes
///  extended  0 65535 u16 | 2 id u32 | 6 time u64                                    14 bytes
/// </code>
/// </summary>
public readonly unsafe struct CtfLarge<TClock> : IPacketFormat
    where TClock : struct, ITraceClock
{
    /// <summary>The id that says that the real one follows.</summary>
    public const uint ExtendedId = ushort.MaxValue;

    /// <summary>Bytes of a compact head.</summary>
    public const int CompactBytes = sizeof(ushort) + sizeof(uint);

    /// <summary>Bytes of an extended head.</summary>
    public const int ExtendedBytes = sizeof(ushort) + sizeof(uint) + sizeof(ulong);

    /// <inheritdoc/>
    public static StreamFormat Format => StreamFormat.CtfLarge;

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
        if (id < ExtendedId && (now - last) >> 32 == 0)
        {
            // One store: the section that copies the head loads its first 4 bytes, and its last 4, at once.
            Unsafe.WriteUnaligned(head, ((ulong)(uint)now << 16) | id);
            return CompactBytes;
        }
        Unsafe.WriteUnaligned(head, (ushort)ExtendedId);
        Unsafe.WriteUnaligned(head + sizeof(ushort), id);
        Unsafe.WriteUnaligned(head + sizeof(ushort) + sizeof(uint), now);
        return ExtendedBytes;
    }

    /// <inheritdoc/>
    public static int TailBytes(int headBytes, int lengthBytes) => 0;

    /// <inheritdoc/>
    public static void OpenPacket(byte* head, in PacketContext context) => CtfPacketHead.Open(head, context);

    /// <inheritdoc/>
    public static void ClosePacket(byte* target, in PacketContext context) => CtfPacketHead.Close(target, context);
}
