using System.Runtime.CompilerServices;
using Weir.Clock;

namespace Weir.Ring;

/// <summary>
/// Packets that are pages of the Linux kernel's ring buffer, as <c>trace_pipe_raw</c> gives them out and trace-cmd stores them.
/// <code>
///  page     0 time of the page's begin u64 | 8 committed bytes u64 | 16 events            commit: without these 16
///  event    bits 0-4 type or length, bits 5-31 time since the event before it             in native byte order
///             1 to 28   data of 4 times that many bytes follows
///             0         length u32 follows, which counts itself, then the data
///             30        time extend: bits 5-31 and the next word, shifted by 27, are the time since the event before it
///  data     0 event id u16 | payload | zeros up to a multiple of 4
/// </code>
/// Data begins with the event's id as the kernel's own do (<c>common_type</c>). Source: linux, include/linux/ring_buffer.h and
/// Documentation/trace/ring-buffer-map.rst; the kernel's <c>events/header_page</c> and <c>events/header_event</c> in tracefs.
/// </summary>
public readonly unsafe struct FtracePages<TClock> : IPacketFormat
    where TClock : struct, ITraceClock
{
    private const int TypeBits = 5;
    private const int TimeBits = 27;
    private const uint TimeExtend = 30;
    private const int MaxShortBytes = 28 * 4;
    private const int IdBytes = sizeof(ushort);

    /// <inheritdoc/>
    public static StreamFormat Format => StreamFormat.Ftrace;

    /// <inheritdoc/>
    public static ClockKind? Clock => TClock.Kind;

    /// <inheritdoc/>
    public static int PacketHeadBytes => 16;

    /// <inheritdoc/>
    public static int CloseOffset => 8;

    /// <inheritdoc/>
    public static int CloseBytes => 8;

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
        byte* at = head;
        ulong delta = now - last;
        if (delta >> TimeBits != 0)
        {
            *(uint*)at = ((uint)delta << TypeBits) | TimeExtend;
            *(uint*)(at + 4) = (uint)(delta >> TimeBits);
            at += 8;
            delta = 0;
        }
        uint data = ((uint)lengthBytes + IdBytes + 3) & ~3U;
        bool isShort = data <= MaxShortBytes;
        *(uint*)at = ((uint)delta << TypeBits) | (isShort ? data / 4 : 0);
        at += 4;
        if (!isShort)
        {
            *(uint*)at = data + 4;
            at += 4;
        }
        Unsafe.WriteUnaligned(at, (ushort)id);
        return (int)(at - head) + IdBytes;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int TailBytes(int headBytes, int lengthBytes) => -(headBytes + lengthBytes) & 3;

    /// <inheritdoc/>
    public static void OpenPacket(byte* head, in PacketContext context)
    {
        *(ulong*)head = context.Now;
        *(ulong*)(head + 8) = 0;
    }

    /// <inheritdoc/>
    public static void ClosePacket(byte* target, in PacketContext context) => *(ulong*)target = context.ContentBytes - (ulong)PacketHeadBytes;
}
