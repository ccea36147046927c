using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Weir.Ring;

/// <summary>
/// What writers need to know of a ring, in private memory at a fixed address: every address that they form is made of these masks and
/// pointers, never of what stands in shared memory. Behind it, for each CPU, the address of its stream's control page, 0 while it has none.
/// </summary>
internal unsafe struct RingMemory
{
    public uint CpuCount;
    public int PacketShift;
    public ulong PacketMask;
    public ulong RingMask;
    public ulong RingBytes;
    public ulong WatermarkBytes;

    public SequenceKind Sequence;

    public int IntentCount;

    /// <summary>The intents of the process's threads, on the atomic path.</summary>
    public byte* Intents;

    /// <summary>The word that a waiting reader sleeps on.</summary>
    public uint* Doorbell;

    public fixed byte Uuid[16];

    public static byte** Streams(RingMemory* ring) => (byte**)(ring + 1);

    public static RingMemory* Allocate(int cpuCount, long packetBytes, int packetCount, Guid uuid)
    {
        nuint bytes = (nuint)(sizeof(RingMemory) + (cpuCount * sizeof(byte*)));
        var ring = (RingMemory*)NativeMemory.AlignedAlloc(bytes, 64);
        NativeMemory.Clear(ring, bytes);
        ring->CpuCount = (uint)cpuCount;
        ring->PacketShift = (int)long.Log2(packetBytes);
        ring->PacketMask = (ulong)packetBytes - 1;
        ring->RingBytes = (ulong)packetBytes * (ulong)packetCount;
        ring->RingMask = ring->RingBytes - 1;
        uuid.TryWriteBytes(new Span<byte>(ring->Uuid, 16), bigEndian: true, out _);
        return ring;
    }

    public static void Free(RingMemory* ring) => NativeMemory.AlignedFree(ring);

    /// <summary>The stream of a CPU, or null.</summary>
    public static byte* StreamOf(RingMemory* ring, uint cpu) => cpu < ring->CpuCount ? Streams(ring)[cpu] : null;

    /// <summary>
    /// Whether the reader has given back the sub-buffer of the packet that begins at a position. Signed: a position read long ago may lie below
    /// what has been given back since, and then the commit fails. Acquire: the reader has finished with the sub-buffer before it said so, and
    /// only then may it be written.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsGivenBack(RingMemory* ring, byte* stream, ulong packetStart) =>
        (long)(packetStart - Volatile.Read(ref *(ulong*)(stream + StreamLayout.Consumed))) < (long)ring->RingBytes;

    /// <summary>Records lost on a stream until now. Acquire.</summary>
    public static ulong LostOf(byte* stream) =>
        Volatile.Read(ref *(ulong*)(stream + StreamLayout.LostFull)) + Volatile.Read(ref *(ulong*)(stream + StreamLayout.LostTooLarge));

    /// <summary>Whether a multiple of the watermark lies between two positions.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool PassesWatermark(RingMemory* ring, ulong from, ulong to) => ((from ^ to) & ~(ring->WatermarkBytes - 1)) != 0;

    /// <summary>Where a position's packet begins.</summary>
    public static byte* PacketOf(RingMemory* ring, byte* stream, ulong position) =>
        stream + StreamLayout.Data + (position & ring->RingMask & ~ring->PacketMask);
}

/// <summary>What became of a record.</summary>
public enum CommitResult
{
    /// <summary>It is in the stream.</summary>
    Committed = 0,

    /// <summary>It is in the stream, the first of a new packet; the one before is ready for its reader.</summary>
    CommittedInNewPacket = 1,

    /// <summary>No free sub-buffer; lost and counted.</summary>
    LostFull = 2,

    /// <summary>Larger than a packet; lost and counted.</summary>
    LostTooLarge = 3,

    /// <summary>The CPU has no stream, or the thread no line for its intent: not written. A ring's <c>Write</c> has counted it.</summary>
    NoStream = 4,
}
