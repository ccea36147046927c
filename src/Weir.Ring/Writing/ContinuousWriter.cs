using System.Runtime.CompilerServices;

namespace Weir.Ring;

/// <summary>
/// Writes records to a ring without packets by the restartable section; see <see cref="RseqPacketWriter{TMode,TFormat,THooks}"/>. The data is
/// mapped twice, one behind the other, so that a record over the ring's end is one piece of memory. Thread-safe.
/// </summary>
internal static unsafe class ContinuousWriter<TWakeUp, TFormat, THooks>
    where TWakeUp : struct, IContinuousWakeUp
    where TFormat : struct, IContinuousFormat
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
            ulong old = Volatile.Read(ref *(ulong*)(stream + TFormat.PositionOffset));
            // No last time stands here to compare with. A thread that is moved to another CPU and back within the nanoseconds around its
            // reading could commit a time older than the record before; perf's own readers sort by time for such reasons.
            ulong now = TFormat.Now();
            int headBytes = TFormat.WriteHead(block->Head, id, now, 0, isLastExact: false, lengthBytes, cpu, thread);
            int tailBytes = TFormat.TailBytes(headBytes, lengthBytes);
            ulong size = (uint)headBytes + (ulong)(uint)lengthBytes + (uint)tailBytes;
            if (size > (ulong)TFormat.MaxRecordBytes || size > ring->RingBytes)
            {
                Interlocked.Increment(ref *(ulong*)(stream + TFormat.LostOffset + sizeof(ulong)));
                return CommitResult.LostTooLarge;
            }
            // Signed, and acquire: as where packets are switched.
            if ((long)(old + size - Volatile.Read(ref *(ulong*)(stream + TFormat.ConsumedOffset))) > (long)ring->RingBytes)
            {
                Interlocked.Increment(ref *(ulong*)(stream + TFormat.LostOffset));
                return CommitResult.LostFull;
            }
            block->Guard = stream + TFormat.PositionOffset;
            block->Expected = old;
            block->First = old + size;
            block->Cpu = cpu;
            block->Stage(stream + StreamLayout.Data + (old & ring->RingMask), headBytes, payload, lengthBytes, tailBytes);
            THooks.At(RingPoint.Staged);
            if (RseqSection.TryCommit(thread->RseqArea, block))
            {
                THooks.At(RingPoint.Published);
                if (TWakeUp.Kind == WakeUp.AtWatermark && RingMemory.PassesWatermark(ring, old, old + size))
                    Doorbell.Ring(ring->Doorbell);
                return CommitResult.Committed;
            }
        }
    }
}
