using System.Runtime.InteropServices;
using Weir.Ring;

namespace Weir.Tests.Ring;

/// <summary>
/// A block and the memory that it is committed to, all of it known bytes: a guard's pair of words first, then room for records.
/// </summary>
internal sealed unsafe class StagedBlock : IDisposable
{
    public const int RoomOffset = 64;
    public const byte Untouched = 0xEE;

    private readonly int _memoryBytes;
    private readonly byte* _memory;
    private readonly byte* _payload;
    private readonly int _payloadCapacity;

    public StagedBlock(int roomBytes = 16384)
    {
        _memoryBytes = RoomOffset + roomBytes;
        _payloadCapacity = roomBytes;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)_memoryBytes, 64);
        _payload = (byte*)NativeMemory.AlignedAlloc((nuint)roomBytes, 64);
        Block = (CommitBlock*)NativeMemory.AlignedAlloc(CommitBlock.SizeBytes, 64);
        Reset();
    }

    public CommitBlock* Block { get; }

    public ref ulong GuardFirst => ref *(ulong*)_memory;

    public ref ulong GuardSecond => ref *(ulong*)(_memory + 8);

    public Span<byte> Memory => new(_memory, _memoryBytes);

    public Span<byte> Room => Memory[RoomOffset..];

    public byte* At(int roomOffset) => _memory + RoomOffset + roomOffset;

    /// <summary>Memory untouched, guard (100, 200), block: no bytes, commits (101, 201) on this CPU.</summary>
    public void Reset()
    {
        Memory.Fill(Untouched);
        GuardFirst = 100;
        GuardSecond = 200;
        *Block = default;
        Block->Guard = _memory;
        Block->Expected = 100;
        Block->First = 101;
        Block->Second = 201;
        Block->Target = At(0);
        Block->Payload = _payload;
        Block->CpuOffset = RseqArea.CpuId;
    }

    /// <summary>Stages a record of distinct bytes, none of them <see cref="Untouched"/> or 0, and returns them.</summary>
    public byte[] StageRecord(int roomOffset, int headBytes, int payloadBytes)
    {
        var record = new byte[headBytes + payloadBytes];
        for (int i = 0; i < record.Length; i++)
            record[i] = (byte)(1 + (i * 11 % 223));
        record.AsSpan(0, headBytes).CopyTo(new Span<byte>(Block->Head, CommitBlock.MaxHeadBytes));
        record.AsSpan(headBytes).CopyTo(new Span<byte>(_payload, _payloadCapacity));
        Block->Target = At(roomOffset);
        Block->HeadBytes = (ushort)headBytes;
        Block->PayloadBytes = (uint)payloadBytes;
        return record;
    }

    /// <summary>Stages a patch behind those that are staged; its source lies in the block's scratch.</summary>
    public void StagePatch(int scratchOffset, byte* target, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(new Span<byte>(Block->Scratch + scratchOffset, CommitBlock.ScratchBytes - scratchOffset));
        ulong* patch = Block->Patches + (3 * Block->PatchCount++);
        patch[0] = (ulong)target;
        patch[1] = (ulong)(Block->Scratch + scratchOffset);
        patch[2] = (ulong)bytes.Length;
    }

    public void StageTail(int roomOffset)
    {
        Block->HasTail = 1;
        Block->Tail = At(roomOffset);
    }

    /// <summary>Commits what is staged, on whatever CPU this is; the kernel may interrupt some attempts.</summary>
    public bool Commit(bool isPair)
    {
        byte* area = RseqArea.OfThisThread();
        for (int attempt = 0; attempt < 1000; attempt++)
        {
            Block->Cpu = RseqArea.CurrentCpu(area);
            if (TryOnce(isPair))
                return true;
        }
        return false;
    }

    /// <summary>One attempt for the CPU that is staged.</summary>
    public bool TryOnce(bool isPair) => isPair
        ? RseqSection.TryCommitPair(RseqArea.OfThisThread(), Block)
        : RseqSection.TryCommit(RseqArea.OfThisThread(), Block);

    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        NativeMemory.AlignedFree(_payload);
        NativeMemory.AlignedFree(Block);
    }
}
