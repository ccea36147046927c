using System.Runtime.CompilerServices;

namespace Weir.Ring;

/// <summary>
/// Writes records to packets with atomic instructions, for machines without restartable sequences and for rings that all CPUs share:
/// reserve by compare-and-swap on the position, write, then count what is committed. The same memory layout, lock-free. Thread-safe.
/// </summary>
/// <remarks>
/// <para><b>Order.</b> The time is read after the position and before the swap; a swap that succeeds proves that nobody reserved in
/// between, so times in a stream do not go back. A writer may be moved to another CPU at any point; its record then stands in the stream
/// of the CPU where it began. Reading the time after the position needs a fence, for the counter's reading may be executed before a
/// load that waits for another CPU's cache line: and that fence is half of what a record costs. It is not needed where the record
/// before ours is this thread's own, which the position tells: if it is still the end of our last record, nobody has written since,
/// and two readings of the counter by one thread do not go back.</para>
/// <para><b>Reading.</b> The position says what is reserved, not what is there. Packet k is complete when its sub-buffer's commit
/// count has reached (k / packet count + 1) times the packet's bytes; the writer that switches packets commits the unused rest of the
/// old one, so counts are whole packets. The count is added to with a full barrier after the record's bytes: its partner is the
/// reader's load of the count.</para>
/// <para><b>Holes.</b> A writer that dies between reservation and commit leaves a hole, and one that is held up there leaves one for a
/// while. Which bytes they are is known at every moment: <see cref="IntentTable"/>.</para>
/// <para><b>The time of the last record</b> is stored after the commit. It can only lag behind the record before ours, never pass it,
/// and lagging merely costs an extended head. Stored before the commit it could belong to a hole, and a compact head that relies on
/// it would decode to the wrong time.</para>
/// <para><b>Overwriting.</b> The writer that takes a sub-buffer again must know that nobody still writes its old packet: its count
/// says so. If somebody does, the new record is lost: a stalled writer never destroys what came after it.</para>
/// </remarks>
internal static unsafe class AtomicPacketWriter<TPlacement, TMode, TFormat, THooks>
    where TPlacement : struct, IPlacement
    where TMode : struct, IMode
    where TFormat : struct, IPacketFormat
    where THooks : struct, IRingHooks
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static CommitResult Write(RingMemory* ring, WriterThread* thread, uint id, byte* payload, int lengthBytes)
    {
        uint cpu = TPlacement.IsPerCpu ? WriterThread.CurrentCpu(thread) : 0;
        byte* stream = RingMemory.StreamOf(ring, cpu);
        byte* intent = IntentTable.LineOf(ring, thread->Slot);
        // What a thread without a line had in hand when it was stopped nobody could tell from what is written.
        if (stream == null || intent == null)
            return CommitResult.NoStream;
        byte* head = thread->Block.Head;
        ulong tag = IntentTable.TagOf(ring, thread->Slot);
        ref ulong position = ref *(ulong*)(stream + StreamLayout.Position);
        while (true)
        {
            ulong word = Volatile.Read(ref position);
            THooks.At(RingPoint.PositionRead);
            ulong old = word & StreamLayout.PositionMask;
            ulong last = 0, now = 0;
            bool isLastOurs = word == thread->LastEnd && stream == thread->LastStream;
            if (isLastOurs)
            {
                if (TFormat.Clock != null)
                {
                    last = thread->LastTime;
                    now = Math.Max(TFormat.Now(), last);
                }
            }
            else
            {
                IntentTable.Help<THooks>(ring, word, tag, cpu);
                THooks.At(RingPoint.Helped);
                if (TFormat.Clock != null)
                {
                    last = Volatile.Read(ref *(ulong*)(stream + StreamLayout.LastTime));
                    now = Math.Max(TFormat.NowOrdered(), last);
                }
            }
            int headBytes = TFormat.WriteHead(head, id, now, last, isLastOurs, lengthBytes, cpu, thread);
            int tailBytes = TFormat.TailBytes(headBytes, lengthBytes);
            ulong size = (uint)headBytes + (ulong)(uint)lengthBytes + (uint)tailBytes;
            if ((old & ring->PacketMask) + size > ring->PacketMask)
            {
                if (SwitchPacket(ring, stream, cpu, thread, intent, tag, word, now, id, payload, lengthBytes) is { } result)
                    return result;
                continue;
            }
            IntentTable.Announce(intent, cpu, old, size, 0, now);
            THooks.At(RingPoint.Announced);
            ulong end = (old + size) | tag;
            if (Interlocked.CompareExchange(ref position, end, word) != word)
                continue;
            THooks.At(RingPoint.Reserved);
            WriteRecord(stream + StreamLayout.Data + (old & ring->RingMask), head, headBytes, payload, lengthBytes, tailBytes);
            Complete(ring, stream, thread, intent, old, size, end, now);
            // Records behind this one may have passed the watermark and rung while this one was a hole before them: who fills it rings again.
            if (TMode.WakeUp == WakeUp.AtWatermark
                && RingMemory.PassesWatermark(ring, old, Volatile.Read(ref position) & StreamLayout.PositionMask))
                Doorbell.Ring(ring->Doorbell);
            return CommitResult.Committed;
        }
    }

    /// <summary>Closes the open packet and opens the next with this record; null when another writer was faster.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static CommitResult? SwitchPacket(
        RingMemory* ring, byte* stream, uint cpu, WriterThread* thread, byte* intent, ulong tag, ulong word, ulong now, uint id, byte* payload,
        int lengthBytes)
    {
        byte* head = thread->Block.Head;
        byte* scratch = thread->Block.Scratch;
        int headBytes = TFormat.WriteHead(head, id, now, now, isLastExact: true, lengthBytes, cpu, thread);
        int tailBytes = TFormat.TailBytes(headBytes, lengthBytes);
        ulong record = (uint)headBytes + (ulong)(uint)lengthBytes + (uint)tailBytes;
        ulong size = (ulong)TFormat.PacketHeadBytes + record;
        if (size > ring->PacketMask)
        {
            Interlocked.Increment(ref *(ulong*)(stream + StreamLayout.LostTooLarge));
            return CommitResult.LostTooLarge;
        }
        ulong old = word & StreamLayout.PositionMask;
        ulong next = (old | ring->PacketMask) + 1;
        if (!IsFree(ring, stream, next))
        {
            // Or somebody else has taken it since we looked.
            if (Volatile.Read(ref *(ulong*)(stream + StreamLayout.Position)) != word)
                return null;
            Interlocked.Increment(ref *(ulong*)(stream + StreamLayout.LostFull));
            return CommitResult.LostFull;
        }
        if (TMode.IsOverwrite && StreamLayout.FloorFor(next, ring->PacketMask + 1, ring->RingBytes) is > 0 and var floor)
        {
            RaiseFloor(ref *(ulong*)(stream + StreamLayout.Floor), floor);
            THooks.At(RingPoint.FloorRaised);
        }
        // Acquire, and before the swap: who closes the next packet reads them after it, so they do not fall from packet to packet.
        ulong discarded = RingMemory.LostOf(stream);
        IntentTable.Announce(intent, cpu, next, size, old, now);
        THooks.At(RingPoint.Announced);
        ulong end = (next + size) | tag;
        if (Interlocked.CompareExchange(ref *(ulong*)(stream + StreamLayout.Position), end, word) != word)
            return null;
        THooks.At(RingPoint.Reserved);

        var context = new PacketContext
        {
            Ring = ring, Cpu = cpu, Now = now, SequenceNumber = old >> ring->PacketShift, ContentBytes = old & ring->PacketMask, Discarded = discarded,
        };
        TFormat.ClosePacket(scratch, context);
        Copy(scratch, RingMemory.PacketOf(ring, stream, old) + TFormat.CloseOffset, TFormat.CloseBytes);
        THooks.At(RingPoint.Closed);
        AddCommitted(ring, stream, old, ring->PacketMask + 1 - context.ContentBytes);
        THooks.At(RingPoint.ClosedCounted);

        byte* packet = RingMemory.PacketOf(ring, stream, next);
        context.SequenceNumber++;
        context.ContentBytes = (ulong)TFormat.PacketHeadBytes;
        TFormat.OpenPacket(scratch, context);
        // All but what closing writes: others may have filled this packet already, and even closed it.
        int afterClose = TFormat.CloseOffset + TFormat.CloseBytes;
        Copy(scratch, packet, TFormat.CloseOffset);
        Copy(scratch + afterClose, packet + afterClose, TFormat.PacketHeadBytes - afterClose);
        THooks.At(RingPoint.Opened);
        WriteRecord(packet + TFormat.PacketHeadBytes, head, headBytes, payload, lengthBytes, tailBytes);
        Complete(ring, stream, thread, intent, next, size, end, now);
        if (TMode.WakeUp == WakeUp.AtWatermark)
            Doorbell.Ring(ring->Doorbell);
        return CommitResult.CommittedInNewPacket;
    }

    /// <summary>Whether the sub-buffer that the next packet would take is nobody's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsFree(RingMemory* ring, byte* stream, ulong next)
    {
        if (TMode.IsOverwrite)
        {
            // Acquire: the bytes of those who have counted before ours. Partner: the locked addition that counted them.
            ulong wholePackets = next / ring->RingBytes * (ring->PacketMask + 1);
            return Volatile.Read(ref *CommitCount(ring, stream, next)) == wholePackets;
        }
        return RingMemory.IsGivenBack(ring, stream, next);
    }

    /// <summary>
    /// Before the swap: whoever finds the sub-buffer changed finds the floor above it. If the swap fails because somebody has appended, the
    /// floor is too high until the packet is full: a reader then does without a packet that it could have had.
    /// </summary>
    private static void RaiseFloor(ref ulong floor, ulong value)
    {
        ulong seen = Volatile.Read(ref floor);
        while (seen < value)
        {
            ulong before = Interlocked.CompareExchange(ref floor, value, seen);
            if (before == seen)
                return;
            seen = before;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Complete(
        RingMemory* ring, byte* stream, WriterThread* thread, byte* intent, ulong start, ulong size, ulong end, ulong now)
    {
        THooks.At(RingPoint.Written);
        IntentTable.Finish(intent, start);
        THooks.At(RingPoint.Done);
        AddCommitted(ring, stream, start, size);
        THooks.At(RingPoint.Counted);
        IntentTable.Settle(intent, start);
        if (TFormat.Clock != null)
            Volatile.Write(ref *(ulong*)(stream + StreamLayout.LastTime), now);
        THooks.At(RingPoint.TimeStored);
        thread->LastStream = stream;
        thread->LastEnd = end;
        thread->LastTime = now;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteRecord(byte* target, byte* head, int headBytes, byte* payload, int lengthBytes, int tailBytes)
    {
        byte* body = target + headBytes;
        if (tailBytes != 0)
            Unsafe.WriteUnaligned(body + lengthBytes + tailBytes - sizeof(ulong), 0UL);
        Copy(head, target, headBytes);
        Copy(payload, body, lengthBytes);
    }

    /// <summary>Copies exactly so many bytes; the usual numbers without a call, by two moves that may overlap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(byte* source, byte* target, int lengthBytes)
    {
        if (lengthBytes is >= sizeof(ulong) and <= 2 * sizeof(ulong))
        {
            ulong first = Unsafe.ReadUnaligned<ulong>(source);
            ulong last = Unsafe.ReadUnaligned<ulong>(source + lengthBytes - sizeof(ulong));
            Unsafe.WriteUnaligned(target, first);
            Unsafe.WriteUnaligned(target + lengthBytes - sizeof(ulong), last);
        }
        else if (lengthBytes is >= sizeof(uint) and < sizeof(ulong))
        {
            uint first = Unsafe.ReadUnaligned<uint>(source);
            uint last = Unsafe.ReadUnaligned<uint>(source + lengthBytes - sizeof(uint));
            Unsafe.WriteUnaligned(target, first);
            Unsafe.WriteUnaligned(target + lengthBytes - sizeof(uint), last);
        }
        else if (lengthBytes > 0)
        {
            Buffer.MemoryCopy(source, target, lengthBytes, lengthBytes);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddCommitted(RingMemory* ring, byte* stream, ulong position, ulong bytes)
    {
        ulong count = Interlocked.Add(ref *CommitCount(ring, stream, position), bytes);
        // Whoever completes the packet rings. That need not be who closed it: a record in it may be finished later.
        if (TMode.WakeUp == WakeUp.OnPacket && (count & ring->PacketMask) == 0)
            Doorbell.Ring(ring->Doorbell);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong* CommitCount(RingMemory* ring, byte* stream, ulong position)
    {
        ulong subBuffer = (position & ring->RingMask) >> ring->PacketShift;
        return (ulong*)(stream + StreamLayout.CommitCounts + (subBuffer * StreamLayout.CommitCountStride));
    }
}
