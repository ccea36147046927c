using System.Runtime.InteropServices;

namespace Weir.Ring;

/// <summary>
/// What the sequences need to know of a ring, in private memory at a fixed address: masks, the packet header to copy, and for each
/// CPU the address of its stream's control page, 0 while it has none.
/// <code>
///  0 cpu count u32 | 4 packet shift u32 | 8 packet bytes - 1 u64 | 16 ring bytes - 1 u64 | 24 ring bytes u64
///  32 packet header, 32 bytes, its instance still 0 | 64 control page of CPU 0, of CPU 1, ...
/// </code>
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal unsafe struct RingMemory
{
    public uint CpuCount;
    public uint PacketShift;
    public ulong PacketMask;
    public ulong RingMask;
    public ulong RingBytes;
    public fixed byte PacketHeader[PacketLayout.HeaderBytes];

    public const int StreamsOffset = 64;

    public static byte** Streams(RingMemory* ring) => (byte**)((byte*)ring + StreamsOffset);

    public static RingMemory* Allocate(int cpuCount, int packetBytes, int packetCount, ReadOnlySpan<byte> uuid)
    {
        var ring = (RingMemory*)NativeMemory.AlignedAlloc((nuint)(StreamsOffset + (cpuCount * sizeof(byte*))), 64);
        NativeMemory.Clear(ring, (nuint)(StreamsOffset + (cpuCount * sizeof(byte*))));
        ring->CpuCount = (uint)cpuCount;
        ring->PacketShift = (uint)int.Log2(packetBytes);
        ring->PacketMask = (ulong)packetBytes - 1;
        ring->RingBytes = (ulong)packetBytes * (ulong)packetCount;
        ring->RingMask = ring->RingBytes - 1;
        *(uint*)ring->PacketHeader = PacketLayout.Magic;
        uuid.CopyTo(new Span<byte>(ring->PacketHeader + PacketLayout.Uuid, 16));
        return ring;
    }

    public static void Free(RingMemory* ring) => NativeMemory.AlignedFree(ring);
}

/// <summary>What became of a record; the numbers are those that the machine code returns.</summary>
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

    /// <summary>The CPU has no stream: not written and not counted yet.</summary>
    NoStream = 4,
}
