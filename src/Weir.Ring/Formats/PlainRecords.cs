using System.Runtime.CompilerServices;
using Weir.Clock;

namespace Weir.Ring;

/// <summary>
/// Records without time, for whoever needs a queue and not a trace: a log pipe between processes, a driver's request queue.
/// <code>
///  packet   0 magic u32 | 4 used bytes u32 | 8 number u64 | 16 lost until now u64 | 24 records
///  record   0 payload bytes u32 | 4 kind u32 | 8 payload | zeros up to a multiple of 8
/// </code>
/// Little-endian. What an open packet's head says after its magic is not to be relied on: its end is the stream's position. The kind is the caller's.
/// </summary>
public readonly unsafe struct PlainRecords : IPacketFormat
{
    /// <summary>"PLNR" as bytes in memory.</summary>
    public const uint Magic = 0x524E4C50;

    /// <summary>Bytes of a record's head.</summary>
    public const int RecordHeadBytes = 8;

    /// <inheritdoc/>
    public static StreamFormat Format => StreamFormat.Plain;

    /// <inheritdoc/>
    public static ClockKind? Clock => null;

    /// <inheritdoc/>
    public static int PacketHeadBytes => 24;

    /// <inheritdoc/>
    public static int CloseOffset => 4;

    /// <inheritdoc/>
    public static int CloseBytes => PacketHeadBytes - CloseOffset;

    /// <inheritdoc/>
    public static ulong Now() => 0;

    /// <inheritdoc/>
    public static ulong NowOrdered() => 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int WriteHead(byte* head, uint id, ulong now, ulong last, bool isLastExact, int lengthBytes, uint cpu, WriterThread* thread)
    {
        *(ulong*)head = ((ulong)id << 32) | (uint)lengthBytes;
        return RecordHeadBytes;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int TailBytes(int headBytes, int lengthBytes) => -lengthBytes & 7;

    /// <inheritdoc/>
    public static void OpenPacket(byte* head, in PacketContext context)
    {
        *(uint*)head = Magic;
        ClosePacket(head + CloseOffset, context);
    }

    /// <inheritdoc/>
    public static void ClosePacket(byte* target, in PacketContext context)
    {
        *(uint*)target = (uint)context.ContentBytes;
        Unsafe.WriteUnaligned(target + 4, context.SequenceNumber);
        Unsafe.WriteUnaligned(target + 12, context.Discarded);
    }

    /// <summary>Takes the next record off the front of a packet's records; false at their end.</summary>
    /// <param name="records">Records, from a <see cref="StreamCursor"/>; afterwards what follows.</param>
    /// <param name="kind">The id that it was written with.</param>
    /// <param name="payload">Its payload.</param>
    /// <exception cref="InvalidDataException">What is there is not a record.</exception>
    public static bool TryTake(ref ReadOnlySpan<byte> records, out uint kind, out ReadOnlySpan<byte> payload)
    {
        kind = 0;
        payload = default;
        if (records.IsEmpty)
            return false;
        uint length = records.Length < RecordHeadBytes ? uint.MaxValue : BitConverter.ToUInt32(records);
        long size = RecordHeadBytes + (((long)length + 7) & ~7L);
        if (size > records.Length)
            throw new InvalidDataException($"a record of {length} bytes where {records.Length} are left");
        kind = BitConverter.ToUInt32(records[4..]);
        payload = records.Slice(RecordHeadBytes, (int)length);
        records = records[(int)size..];
        return true;
    }
}
