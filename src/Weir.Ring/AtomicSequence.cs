using System.Runtime.CompilerServices;
using Weir.Clock;

namespace Weir.Ring;

/// <summary>
/// Commits a record with atomic instructions, for machines without restartable sequences: reserve by compare-and-swap on the
/// position, write, then count what is committed. The same memory layout, lock-free. Thread-safe.
/// </summary>
/// <remarks>
/// <para><b>Order.</b> The time is read after the position and before the swap; a swap that succeeds proves that nobody reserved in
/// between, so times in a stream do not go back. A writer may be moved to another CPU at any point; its record then stands in the stream
/// of the CPU where it began. Reading the time after the position needs a fence, for the counter's reading may be executed before a
/// load that waits for another CPU's cache line: and that fence is half of what a record costs. It is not needed where the record
/// before ours is this thread's own, which the position tells: if it is still the end of our last record, nobody has written since,
/// and two readings of the counter by one thread do not go back (nor do they here: the later is taken).</para>
/// <para><b>Reading.</b> The position says what is reserved, not what is there. Packet k is complete when its sub-buffer's commit
/// count has reached (k / packet count + 1) times the packet's bytes; the writer that switches packets commits the unused rest of the
/// old one, so counts are whole packets. The count is added to with a full barrier after the record's bytes: its partner is the
/// reader's load of the count.</para>
/// <para><b>Holes.</b> A writer that dies between reservation and commit leaves a hole. Sub-buffers are zero when they are handed out (the
/// reader clears what it gives back) and a record's first byte, never zero, is stored last, so a zero byte where a record should
/// begin is a hole or the end. How long a hole is stands in the writer's intent, stored before the swap in a line of its own in the
/// process's file: <see cref="RingControl"/>. Recovery steps over it and keeps every record that was committed.</para>
/// <para><b>The time of the last record</b> is stored after the commit. It can only lag behind the record before ours, never pass it,
/// and lagging merely costs an extended head. Stored before the commit it could belong to a hole, and a compact head that relies on
/// it would decode to the wrong time.</para>
/// </remarks>
public static unsafe class AtomicSequence
{
    internal static CommitResult Commit<TClock>(RingMemory* ring, WriterThread* thread, ulong* intent, byte* payload, int lengthBytes, uint id)
        where TClock : struct, ITraceClock
    {
        uint cpu = WriterThread.CurrentCpu(thread);
        if (cpu >= ring->CpuCount)
            return CommitResult.NoStream;
        byte* stream = RingMemory.Streams(ring)[cpu];
        if (stream == null)
            return CommitResult.NoStream;

        ref ulong position = ref *(ulong*)(stream + StreamLayout.Position);
        while (true)
        {
            ulong old = Volatile.Read(ref position);
            ulong last, now;
            if (old == thread->LastEnd && stream == thread->LastStream)
            {
                last = thread->LastTime;
                now = Math.Max(TClock.Read(), last);
            }
            else
            {
                last = Volatile.Read(ref *(ulong*)(stream + StreamLayout.LastTime));
                now = TClock.ReadOrdered();
            }
            bool isCompact = id < RecordLayout.ExtendedId && (now - last) >> RecordLayout.TimeBits == 0;
            ulong size = (ulong)((isCompact ? RecordLayout.CompactBytes : RecordLayout.ExtendedBytes) + (long)(uint)lengthBytes);
            ulong offset = old & ring->PacketMask;
            if (offset + size <= ring->PacketMask)
            {
                RingControl.Announce(intent, cpu, old, size);
                if (Interlocked.CompareExchange(ref position, old + size, old) != old)
                    continue;
                RingControl.Win(intent, old);
                WriteRecord(SubBuffer(ring, stream, old) + offset, isCompact, id, now, payload, lengthBytes);
                AddCommitted(ring, stream, old, size);
                Remember(thread, stream, old + size, now);
                return CommitResult.Committed;
            }
            if (SwitchPacket(ring, stream, cpu, thread, intent, old, now, payload, lengthBytes, id) is { } result)
                return result;
        }
    }

    /// <summary>Closes the open packet and opens the next with this record; null when another writer was faster.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static CommitResult? SwitchPacket(
        RingMemory* ring, byte* stream, uint cpu, WriterThread* thread, ulong* intent, ulong old, ulong now, byte* payload, int lengthBytes, uint id)
    {
        bool isCompact = id < RecordLayout.ExtendedId;
        ulong size = (ulong)((isCompact ? RecordLayout.CompactBytes : RecordLayout.ExtendedBytes) + (long)(uint)lengthBytes);
        if (PacketLayout.Records + size > ring->PacketMask)
        {
            Interlocked.Increment(ref *(ulong*)(stream + StreamLayout.LostTooLarge));
            return CommitResult.LostTooLarge;
        }
        ulong next = (old | ring->PacketMask) + 1;
        // Acquire: the reader has finished with the sub-buffer before it said so, and only then may it be written.
        if (next - Volatile.Read(ref *(ulong*)(stream + StreamLayout.Consumed)) >= ring->RingBytes)
        {
            Interlocked.Increment(ref *(ulong*)(stream + StreamLayout.LostFull));
            return CommitResult.LostFull;
        }
        // Acquire, and before the swap: who closes the next packet reads them after it, so they do not fall from packet to packet.
        ulong discarded = Volatile.Read(ref *(ulong*)(stream + StreamLayout.LostFull))
            + Volatile.Read(ref *(ulong*)(stream + StreamLayout.LostTooLarge));
        ulong record = next + PacketLayout.Records;
        RingControl.Announce(intent, cpu, record, size);
        if (Interlocked.CompareExchange(ref *(ulong*)(stream + StreamLayout.Position), record + size, old) != old)
            return null;
        RingControl.Win(intent, record);

        ulong offset = old & ring->PacketMask;
        PacketHead.Close(SubBuffer(ring, stream, old), now, offset * 8, discarded);
        AddCommitted(ring, stream, old, ring->PacketMask + 1 - offset);

        byte* packet = SubBuffer(ring, stream, next);
        // The head first: a record that is there has the time that its compact head counts from. Others may already have filled this
        // packet, and even closed it.
        PacketHead.Open(ring, packet, cpu, now, next >> (int)ring->PacketShift);
        WriteRecord(packet + PacketLayout.Records, isCompact, id, now, payload, lengthBytes);
        AddCommitted(ring, stream, next, PacketLayout.Records + size);
        Remember(thread, stream, record + size, now);
        return CommitResult.CommittedInNewPacket;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Remember(WriterThread* thread, byte* stream, ulong end, ulong now)
    {
        Volatile.Write(ref *(ulong*)(stream + StreamLayout.LastTime), now);
        thread->LastStream = stream;
        thread->LastEnd = end;
        thread->LastTime = now;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* SubBuffer(RingMemory* ring, byte* stream, ulong position) =>
        stream + StreamLayout.Data + (position & ring->RingMask & ~ring->PacketMask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteRecord(byte* target, bool isCompact, uint id, ulong now, byte* payload, int lengthBytes)
    {
        byte* body = target + (isCompact ? RecordLayout.CompactBytes : RecordLayout.ExtendedBytes);
        CopyPayload(payload, body, lengthBytes);
        if (isCompact)
        {
            uint head = (uint)now << RecordLayout.IdBits | id;
            Unsafe.WriteUnaligned(target + 1, (ushort)(head >> 8));
            target[3] = (byte)(head >> 24);
            // Release: the record before the byte that says that it is there. Partner: whoever reads that byte to recover. One byte,
            // because a word may lie across two cache lines and be seen by halves.
            Volatile.Write(ref *target, (byte)head);
            return;
        }
        Unsafe.WriteUnaligned(target + 1, id);
        Unsafe.WriteUnaligned(target + 1 + sizeof(uint), now);
        Volatile.Write(ref *target, (byte)RecordLayout.ExtendedId);
    }

    /// <summary>Copies exactly the payload; the usual sizes without a call, by two moves that may overlap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyPayload(byte* payload, byte* body, int lengthBytes)
    {
        if (lengthBytes is < sizeof(ulong) or > 2 * sizeof(ulong))
        {
            Buffer.MemoryCopy(payload, body, lengthBytes, lengthBytes);
            return;
        }
        ulong first = Unsafe.ReadUnaligned<ulong>(payload);
        ulong last = Unsafe.ReadUnaligned<ulong>(payload + lengthBytes - sizeof(ulong));
        Unsafe.WriteUnaligned(body, first);
        Unsafe.WriteUnaligned(body + lengthBytes - sizeof(ulong), last);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddCommitted(RingMemory* ring, byte* stream, ulong position, ulong bytes)
    {
        ulong subBuffer = (position & ring->RingMask) >> (int)ring->PacketShift;
        Interlocked.Add(ref *(ulong*)(stream + StreamLayout.CommitCounts + (subBuffer * StreamLayout.CommitCountStride)), bytes);
    }
}
