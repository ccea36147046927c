using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Weir.Ring;

/// <summary>
/// Who is about to write what, on the atomic path: a cache line for each writing thread of the process, in the ring's control file. From it
/// a reader knows at every moment which reserved bytes are not written yet, whether their writer is slow or dead.
/// <code>
///  0 state u64: start of the reservation, times 2, plus 1 when it is written; 0 none | 8 size u32, CPU u32
///  16 won u64: end of a reservation that this thread is known to have got, CPU in the upper bits
///  24 closes u64: where the packet before ends that this reservation closes; 0 where it closes none | 32 time u64
/// </code>
/// </summary>
/// <remarks>
/// <para>A thread announces before its compare-and-swap, and finishes after its bytes. An announced reservation is a <b>hole</b> if it was
/// won and is not finished. Whether it was won cannot be said by the winner alone, who may die right after its swap. So the swap itself
/// says it: the position's word carries the number of the thread that moved it last, and whoever moves it next first marks that thread's
/// line as won. Hence of every reservation but the last the line tells, and of the last the word.</para>
/// <para>A mark can come late, when the line is already about another reservation. It names the end of the one that it means, and a
/// stream's positions do not come twice, so it is not mistaken for another. Nor does it take the place of a newer one: it is swapped for the
/// mark that was there while the position still said what is marked.</para>
/// <para>Threads beyond <see cref="MaxIntents"/> have no line and leave no mark. If such a thread dies in the middle of a record, its packet's
/// count does not come out, and the packet is given up: nothing torn is ever delivered.</para>
/// </remarks>
internal static unsafe class IntentTable
{
    /// <summary>Threads with a line of their own: as many as the word's upper bits can name.</summary>
    public const int MaxIntents = (1 << (64 - StreamLayout.PositionBits)) - 1;

    public const int LineBytes = 64;

    private const int Place = 8;
    private const int Won = 16;
    private const int Closes = 24;
    private const int Time = 32;

    /// <summary>The thread's line, or null where it has none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* LineOf(RingMemory* ring, int slot) => (uint)slot < (uint)ring->IntentCount ? ring->Intents + (slot * LineBytes) : null;

    /// <summary>What the thread leaves in the upper bits of a position's word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong TagOf(RingMemory* ring, int slot) => (uint)slot < (uint)ring->IntentCount ? (ulong)(slot + 1) << StreamLayout.PositionBits : 0;

    /// <summary>Marks who moved the position last as the winner, unless it is the caller, who has finished that.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Help(RingMemory* ring, ref ulong position, ulong word, ulong ownTag, uint cpu)
    {
        ulong tag = word & ~StreamLayout.PositionMask;
        if (tag == ownTag || LineOf(ring, (int)(tag >> StreamLayout.PositionBits) - 1) is var line && line == null)
            return;
        ref ulong won = ref *(ulong*)(line + Won);
        ulong key = Key(cpu, word & StreamLayout.PositionMask);
        ulong seen;
        do
        {
            // Acquire: the mark before the position, once more. If that has not moved, the mark is older than whatever the winner gets
            // next; if it has, the caller's swap will fail. Another mark that comes late may be first, each once.
            seen = Volatile.Read(ref won);
            if (seen == key || Volatile.Read(ref position) != word)
                return;
        }
        while (Interlocked.CompareExchange(ref won, key, seen) != seen);
        // The swap that follows is a full barrier: who sees the position moved on sees the mark.
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Announce(byte* line, uint cpu, ulong start, ulong size, ulong closes, ulong now)
    {
        if (line == null)
            return;
        // None in between, so that no reader takes the new size for the old start. Release each; partner: Read, which looks twice. The swap
        // that follows is a full barrier: who sees the position moved sees the announcement.
        Volatile.Write(ref *(ulong*)line, 0);
        Volatile.Write(ref *(ulong*)(line + Place), ((ulong)cpu << 32) | size);
        *(ulong*)(line + Closes) = closes;
        *(ulong*)(line + Time) = now;
        Volatile.Write(ref *(ulong*)line, start << 1);
    }

    /// <summary>Release: the record's bytes before the word that says that they are there. Partner: Read, before the bytes are copied.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Finish(byte* line, ulong start)
    {
        if (line != null)
            Volatile.Write(ref *(ulong*)line, (start << 1) | 1);
    }

    /// <summary>Reads a line out of a copy of the table; null for a line that says nothing. One without a state says the time, no more.</summary>
    public static WriteIntent? Read(ReadOnlySpan<byte> line, int slot)
    {
        ulong state = BinaryPrimitives.ReadUInt64LittleEndian(line);
        ulong time = BinaryPrimitives.ReadUInt64LittleEndian(line[Time..]);
        if (state == 0)
            return time == 0 ? null : new WriteIntent(slot, 0, 0, 0, true, 0, 0, time);
        ulong place = BinaryPrimitives.ReadUInt64LittleEndian(line[Place..]);
        return new WriteIntent(
            slot, (uint)(place >> 32), state >> 1, (uint)place, (state & 1) != 0, BinaryPrimitives.ReadUInt64LittleEndian(line[Won..]),
            BinaryPrimitives.ReadUInt64LittleEndian(line[Closes..]), time);
    }

    public static ulong Key(uint cpu, ulong end) => ((ulong)cpu << StreamLayout.PositionBits) | end;
}

/// <summary>What a thread on the atomic path is about to write, or wrote last.</summary>
/// <param name="Slot">The thread's number in the process.</param>
/// <param name="Cpu">The stream.</param>
/// <param name="Start">Where the reservation begins; at a packet's begin it takes the packet's head too.</param>
/// <param name="SizeBytes">Its bytes.</param>
/// <param name="IsDone">Whether they are written.</param>
/// <param name="Won">A reservation that the thread is known to have got: its end, the CPU in the upper bits.</param>
/// <param name="Closes">Where the packet before ends, if the reservation is the first of a packet.</param>
/// <param name="Time">The record's time.</param>
public readonly record struct WriteIntent(
    int Slot, uint Cpu, ulong Start, uint SizeBytes, bool IsDone, ulong Won, ulong Closes, ulong Time)
{
    /// <summary>Where the reservation ends.</summary>
    public ulong End => Start + SizeBytes;

    /// <summary>Whether the reservation was got and is not written.</summary>
    /// <param name="positionWord">The word of the stream's position, tag included, read before the intent.</param>
    public bool IsHole(ulong positionWord) =>
        !IsDone
        && (Won == IntentTable.Key(Cpu, End) || positionWord == (End | ((ulong)(Slot + 1) << StreamLayout.PositionBits)));
}
