using System.Runtime.InteropServices;
using Weir.Ring;

namespace Weir.Tests.Ring;

/// <summary>
/// A ring of four packets that keeps the newest, small enough to be compared whole after each attempt, with every kind of work that a
/// format gives to the restartable section. A packet: its number u64, its content's bytes u64 (believed once it is complete), records.
/// </summary>
internal sealed unsafe class TinyRing : IDisposable
{
    public const int PacketBytes = 256;
    public const int HeadBytes = 16;

    private const int PacketCount = 4;
    private const int RingBytes = PacketBytes * PacketCount;
    private const ulong OpenPacket = 5;

    // The guard's pair, the floor, the data.
    private const int FloorOffset = 64;
    private const int DataOffset = 128;

    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc(DataOffset + RingBytes, 64);
    private readonly byte* _payload = (byte*)NativeMemory.AlignedAlloc(PacketBytes, 64);

    /// <summary>Bytes of the ring since it began.</summary>
    private ref ulong Position => ref *(ulong*)_memory;

    private ref ulong Records => ref *(ulong*)(_memory + 8);

    /// <summary>The oldest packet that a reader may still believe.</summary>
    private ref ulong Floor => ref *(ulong*)(_memory + FloorOffset);

    private byte* At(ulong position) => _memory + DataOffset + (position % RingBytes);

    /// <summary>Four packets, the last of them open and partly filled; the floor at the first of them or, if it was moved, behind it.</summary>
    public void Prepare(int used, bool isFloorMoved)
    {
        for (int i = 0; i < RingBytes; i++)
            _memory[DataOffset + i] = (byte)(1 + (i * 7 % 251));
        Position = (OpenPacket * PacketBytes) + (ulong)used;
        Records = 77;
        Floor = OpenPacket + 1 - PacketCount + (isFloorMoved ? 1UL : 0);
        for (ulong packet = OpenPacket + 1 - PacketCount; packet <= OpenPacket; packet++)
        {
            *(ulong*)At(packet * PacketBytes) = packet;
            *(ulong*)At((packet * PacketBytes) + 8) = packet == OpenPacket ? 0 : 200 + packet;
        }
    }

    /// <summary>Stages a record for where the ring is now: into the open packet, or the next one.</summary>
    public void Stage(CommitBlock* block, int headBytes, int payloadBytes, byte seed, bool hasTail)
    {
        ulong position = Position;
        ulong size = (ulong)(headBytes + payloadBytes);
        ulong offset = position % PacketBytes;
        ulong target = position;
        *block = default;
        if (offset + size >= PacketBytes)
        {
            ulong next = (position / PacketBytes) + 1;
            target = (next * PacketBytes) + HeadBytes;
            if (next >= Floor + PacketCount)
                StagePatch(block, _memory + FloorOffset, next + 1 - PacketCount);
            StagePatch(block, At(position - offset + 8), offset);
            StagePatch(block, At(next * PacketBytes), next, 0);
        }
        block->Guard = _memory;
        block->Expected = position;
        block->First = target + size;
        block->Second = Records + 1;
        block->Target = At(target);
        block->CpuOffset = RseqArea.CpuId;
        block->Cpu = RseqArea.CurrentCpu(RseqArea.OfThisThread());
        block->HeadBytes = (ushort)headBytes;
        block->PayloadBytes = (uint)payloadBytes;
        block->Payload = _payload;
        for (int i = 0; i < headBytes; i++)
            block->Head[i] = (byte)(seed + i);
        for (int i = 0; i < payloadBytes; i++)
            _payload[i] = (byte)(seed * 3 + i);
        if (hasTail && (target % PacketBytes) + size + 8 <= PacketBytes)
        {
            block->HasTail = 1;
            block->Tail = At(target + size);
        }
    }

    /// <summary>All that a reader can see.</summary>
    public Visible See()
    {
        var packets = new Dictionary<ulong, string>();
        ulong open = Position / PacketBytes;
        for (ulong packet = Math.Max(Floor, open + 1 - PacketCount); packet <= open; packet++)
        {
            ulong begin = packet * PacketBytes;
            ulong content = packet == open ? Position - begin : *(ulong*)At(begin + 8);
            if (content > PacketBytes)
                throw new InvalidOperationException($"packet {packet} has {content} bytes");
            var records = new ReadOnlySpan<byte>(At(begin) + HeadBytes, (int)content - HeadBytes);
            packets.Add(packet, $"{*(ulong*)At(begin)} {Convert.ToHexString(records)}");
        }
        return new Visible(Position, Records, packets);
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        NativeMemory.AlignedFree(_payload);
    }

    private static void StagePatch(CommitBlock* block, byte* target, params ReadOnlySpan<ulong> words)
    {
        ulong* patch = block->Patches + (3 * block->PatchCount);
        byte* source = block->Scratch + (32 * block->PatchCount++);
        MemoryMarshal.AsBytes(words).CopyTo(new Span<byte>(source, 32));
        patch[0] = (ulong)target;
        patch[1] = (ulong)source;
        patch[2] = (ulong)(words.Length * sizeof(ulong));
    }

    internal sealed record Visible(ulong Position, ulong Records, IReadOnlyDictionary<ulong, string> Packets)
    {
        /// <summary>Whether nothing was committed since: at most the oldest packets are gone.</summary>
        public bool IsLeftBy(Visible later) =>
            later.Position == Position && later.Records == Records && later.Packets.Count > 0
            && later.Packets.All(p => Packets.TryGetValue(p.Key, out string? text) && text == p.Value);

        public bool IsSameAs(Visible other) => IsLeftBy(other) && Packets.Count == other.Packets.Count;
    }
}
