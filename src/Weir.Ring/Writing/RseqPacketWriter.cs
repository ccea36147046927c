using System.Runtime.CompilerServices;

namespace Weir.Ring;

/// <summary>
/// Writes records to packets by the restartable section: stage the record for the stream as it stands, then let the section commit it if
/// nobody else has committed meanwhile. Thread-safe; takes as many turns as others commit on the same CPU in between.
/// </summary>
/// <remarks>
/// <para>The position is read first, then the last time, then the clock, and nothing else of the stream matters. The section checks that the
/// thread is on the stream's CPU and that the position is still the same; positions only grow, so then no record was committed in
/// between, and what was staged is right: the room, the head's compact time, the order of times.</para>
/// <para>The clock's reading may be executed early. Taking the later of it and the last time makes the order certain whatever the
/// processor and the scheduler do: the last time is published by the store that publishes the position.</para>
/// <para>Losses are counted by a locked instruction, for they are rare and may be counted from any CPU.</para>
/// </remarks>
internal static unsafe class RseqPacketWriter<TMode, TFormat, THooks>
    where TMode : struct, IMode
    where TFormat : struct, IPacketFormat
    where THooks : struct, IRingHooks
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static CommitResult Write(RingMemory* ring, WriterThread* thread, uint id, byte* payload, int lengthBytes)
    {
        var block = &thread->Block;
        while (true)
        {
            uint cpu = RseqArea.CurrentCpu(thread->RseqArea);
            byte* stream = RingMemory.StreamOf(ring, cpu);
            if (stream == null)
                return CommitResult.NoStream;
            ulong old = Volatile.Read(ref *(ulong*)(stream + StreamLayout.Position));
            ulong last = Volatile.Read(ref *(ulong*)(stream + StreamLayout.LastTime));
            ulong now = Math.Max(TFormat.Now(), last);
            int headBytes = TFormat.WriteHead(block->Head, id, now, last, isLastExact: true, lengthBytes, cpu, thread);
            int tailBytes = TFormat.TailBytes(headBytes, lengthBytes);
            ulong size = (uint)headBytes + (ulong)(uint)lengthBytes + (uint)tailBytes;
            block->Guard = stream + StreamLayout.Position;
            block->Expected = old;
            block->Cpu = cpu;
            block->Second = now;
            if ((old & ring->PacketMask) + size > ring->PacketMask)
            {
                if (SwitchPacket(ring, thread, stream, cpu, old, now, id, payload, lengthBytes) is { } result)
                    return result;
                continue;
            }
            block->First = old + size;
            block->Stage(stream + StreamLayout.Data + (old & ring->RingMask), headBytes, payload, lengthBytes, tailBytes);
            THooks.At(RingPoint.Staged);
            if (RseqSection.TryCommitPair(thread->RseqArea, block))
            {
                THooks.At(RingPoint.Published);
                if (TMode.WakeUp == WakeUp.AtWatermark && RingMemory.PassesWatermark(ring, old, old + size))
                    Doorbell.Ring(ring->Doorbell);
                return CommitResult.Committed;
            }
        }
    }

    /// <summary>Closes the open packet and opens the next with this record, all by one commit; null when another writer was faster.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static CommitResult? SwitchPacket(
        RingMemory* ring, WriterThread* thread, byte* stream, uint cpu, ulong old, ulong now, uint id, byte* payload, int lengthBytes)
    {
        const int FloorScratch = 0;
        const int CloseScratch = 8;
        const int OpenScratch = CloseScratch + IPacketFormat.MaxCloseBytes;
        var block = &thread->Block;
        int headBytes = TFormat.WriteHead(block->Head, id, now, now, isLastExact: true, lengthBytes, cpu, thread);
        int tailBytes = TFormat.TailBytes(headBytes, lengthBytes);
        ulong size = (uint)headBytes + (ulong)(uint)lengthBytes + (uint)tailBytes;
        if ((ulong)TFormat.PacketHeadBytes + size > ring->PacketMask)
        {
            Interlocked.Increment(ref *(ulong*)(stream + StreamLayout.LostTooLarge));
            return CommitResult.LostTooLarge;
        }
        ulong next = (old | ring->PacketMask) + 1;
        ulong discarded = RingMemory.LostOf(stream);
        if (!TMode.IsOverwrite && !RingMemory.IsGivenBack(ring, stream, next))
        {
            Interlocked.Increment(ref *(ulong*)(stream + StreamLayout.LostFull));
            return CommitResult.LostFull;
        }

        byte* scratch = block->Scratch;
        byte* closed = RingMemory.PacketOf(ring, stream, old);
        byte* opened = RingMemory.PacketOf(ring, stream, next);
        var context = new PacketContext
        {
            Ring = ring, Cpu = cpu, Now = now, SequenceNumber = old >> ring->PacketShift, ContentBytes = old & ring->PacketMask, Discarded = discarded,
        };
        TFormat.ClosePacket(scratch + CloseScratch, context);
        context.SequenceNumber++;
        context.ContentBytes = (ulong)TFormat.PacketHeadBytes;
        TFormat.OpenPacket(scratch + OpenScratch, context);
        int patches = 0;
        if (TMode.IsOverwrite && StreamLayout.FloorFor(next, ring->PacketMask + 1, ring->RingBytes) is > 0 and var floor)
        {
            // First, so that whoever finds the sub-buffer changed finds the floor above it. If the attempt is aborted the floor is too
            // high for a while: a reader then does without a packet that it could have had.
            *(ulong*)(scratch + FloorScratch) = floor;
            block->SetPatch(patches++, stream + StreamLayout.Floor, scratch + FloorScratch, sizeof(ulong));
        }
        block->SetPatch(patches++, closed + TFormat.CloseOffset, scratch + CloseScratch, TFormat.CloseBytes);
        block->SetPatch(patches++, opened, scratch + OpenScratch, TFormat.PacketHeadBytes);
        block->First = next + (ulong)TFormat.PacketHeadBytes + size;
        block->Stage(opened + TFormat.PacketHeadBytes, headBytes, payload, lengthBytes, tailBytes);
        block->PatchCount = (byte)patches;
        THooks.At(RingPoint.Staged);
        if (!RseqSection.TryCommitPair(thread->RseqArea, block))
            return null;
        THooks.At(RingPoint.Published);
        if (TMode.WakeUp != WakeUp.None)
            Doorbell.Ring(ring->Doorbell);
        return CommitResult.CommittedInNewPacket;
    }
}
