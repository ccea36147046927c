using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Weir.Ring;

/// <summary>
/// Who is about to write what, on the atomic path: a cache line for each writing thread of the process, in the ring's control file. From it
/// a reader knows at every moment which reserved bytes are not written yet, whether their writer is slow or dead.
/// <code>
///  0 state u64: start of the reservation, times 4, plus 1 when it is written, plus 2 when it is counted too; 0 none | 8 size u32, CPU u32
///  16 won u64: end of a reservation that this thread is known to have got, CPU in the upper bits
///  24 closes u64: where the packet before ends that this reservation closes; 0 where it closes none | 32 time u64
/// </code>
/// </summary>
/// <remarks>
/// <para>A thread announces before its compare-and-swap, and finishes after its bytes. An announced reservation is a <b>hole</b> if it was
/// won and is not finished. Whether it was won cannot be said by the winner alone, who may die right after its swap. So the swap itself
/// says it: the position's word carries the number of the thread that moved it last, and whoever moves it next first marks that thread's
/// line as won. Hence of every reservation but the last the line tells, and of the last the word.</para>
/// <para>Who marks may be held up, and come back when the line is about another reservation that somebody has marked: that mark must
/// not be lost. So a mark is only made while the line is about the reservation that it means, and by a swap with the mark that was there
/// before the line was looked at: marks follow each other as the thread's reservations do. A mark names the end of the one that it means,
/// and a stream's positions do not come twice, so it is not mistaken for another. If the line is about something else, or done, the
/// thread has finished, and no mark is needed.</para>
/// <para>Threads beyond <see cref="MaxIntents"/> have no line, and write nothing: their records are lost and counted.</para>
/// </remarks>
internal static unsafe class IntentTable
{
    /// <summary>Threads with a line of their own: as many as the word's upper bits can name.</summary>
    public const int MaxIntents = (1 << (64 - StreamLayout.PositionBits)) - 1;

    public const int LineBytes = 64;

    private const ulong IsDone = 1;
    private const ulong IsCounted = 2;
    private const int StateBits = 2;

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

    /// <summary>Marks who moved the position last as the winner, unless it has finished that; the caller has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Help<THooks>(RingMemory* ring, ulong word, ulong ownTag, uint cpu)
        where THooks : struct, IRingHooks
    {
        ulong tag = word & ~StreamLayout.PositionMask;
        if (tag != ownTag && LineOf(ring, (int)(tag >> StreamLayout.PositionBits) - 1) is var line && line != null)
            Mark<THooks>(line, cpu, word & StreamLayout.PositionMask);
        // The swap that follows is a full barrier: who sees the position moved on sees the mark.
    }

    private static void Mark<THooks>(byte* line, uint cpu, ulong end)
        where THooks : struct, IRingHooks
    {
        ref ulong won = ref *(ulong*)(line + Won);
        while (true)
        {
            // Acquire each: the mark that is there, then what the line is about, which no announcement has changed in between.
            ulong seen = Volatile.Read(ref won);
            ulong state = Volatile.Read(ref *(ulong*)line);
            ulong place = Volatile.Read(ref *(ulong*)(line + Place));
            bool isAnnounced = (state & IsDone) == 0 && (state >> StateBits) + (uint)place == end && place >> 32 == cpu
                && Volatile.Read(ref *(ulong*)line) == state;
            if (!isAnnounced || seen == Key(cpu, end))
                return;
            THooks.At(RingPoint.Helping);
            if (Interlocked.CompareExchange(ref won, Key(cpu, end), seen) == seen)
                return;
        }
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
        Volatile.Write(ref *(ulong*)line, start << StateBits);
    }

    /// <summary>Release: the record's bytes before the word that says that they are there. Partner: Read, before the bytes are copied.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Finish(byte* line, ulong start)
    {
        if (line != null)
            Volatile.Write(ref *(ulong*)line, (start << StateBits) | IsDone);
    }

    /// <summary>Says that the record is counted: who dies from here on leaves nothing to account for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Settle(byte* line, ulong start)
    {
        if (line != null)
            Volatile.Write(ref *(ulong*)line, (start << StateBits) | IsDone | IsCounted);
    }

    /// <summary>Reads a line out of a copy of the table; null for a line that says nothing.</summary>
    public static WriteIntent? Read(ReadOnlySpan<byte> line, int slot)
    {
        ulong state = BinaryPrimitives.ReadUInt64LittleEndian(line);
        if (state == 0)
            return null;
        ulong place = BinaryPrimitives.ReadUInt64LittleEndian(line[Place..]);
        return new WriteIntent(
            slot, (uint)(place >> 32), state >> StateBits, (uint)place, (state & IsDone) != 0, (state & IsCounted) != 0, BinaryPrimitives.ReadUInt64LittleEndian(line[Won..]),
            BinaryPrimitives.ReadUInt64LittleEndian(line[Closes..]), BinaryPrimitives.ReadUInt64LittleEndian(line[Time..]));
    }

    /// <summary>Whether two looks at a line saw the same, but for a mark.</summary>
    public static bool IsSame(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second) =>
        !first.IsEmpty && first[..Won].SequenceEqual(second[..Won]) && first[Closes..].SequenceEqual(second[Closes..]);

    /// <summary>The time in a line, or 0.</summary>
    public static ulong TimeOf(ReadOnlySpan<byte> line) => line.IsEmpty ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(line[Time..]);

    public static ulong Key(uint cpu, ulong end) => ((ulong)cpu << StreamLayout.PositionBits) | end;
}

/// <summary>What a thread on the atomic path is about to write, or wrote last.</summary>
/// <param name="Slot">The thread's number in the process.</param>
/// <param name="Cpu">The stream.</param>
/// <param name="Start">Where the reservation begins; at a packet's begin it takes the packet's head too.</param>
/// <param name="SizeBytes">Its bytes.</param>
/// <param name="IsDone">Whether they are written.</param>
/// <param name="IsCounted">Whether they are counted; if not, they may be all the same.</param>
/// <param name="Won">A reservation that the thread is known to have got: its end, the CPU in the upper bits.</param>
/// <param name="Closes">Where the packet before ends, if the reservation is the first of a packet.</param>
/// <param name="Time">The record's time.</param>
public readonly record struct WriteIntent(
    int Slot, uint Cpu, ulong Start, uint SizeBytes, bool IsDone, bool IsCounted, ulong Won, ulong Closes, ulong Time)
{
    /// <summary>Where the reservation ends.</summary>
    public ulong End => Start + SizeBytes;

    /// <summary>Whether the reservation was got and is not written.</summary>
    /// <param name="positionWord">The word of the stream's position, tag included, read before the intent.</param>
    public bool IsHole(ulong positionWord) =>
        !IsDone
        && (Won == IntentTable.Key(Cpu, End) || positionWord == (End | ((ulong)(Slot + 1) << StreamLayout.PositionBits)));
}
