using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Weir.Ring;

/// <summary>
/// One attempt to commit a record, staged by its thread: what must still be true, what is to be copied where, and the store that
/// publishes it. The restartable section reads nothing else, so it knows no format. Private to the thread; 64-byte aligned.
/// <code>
///  0    guard ptr | expected u64 | first u64 | second u64    if *guard is still expected, (first, second) goes there at the end
///  32   target ptr | cpu u32 | cpu offset u32                where the record goes; whose CPU the caller must be on
///  48   head bytes u16 | patches u8 | has tail u8 | payload bytes u32 | payload ptr
///  64   head, up to 64 bytes                                 copied to target; the payload follows it there
///  128  tail ptr | unused u64                                8 zero bytes are stored there before the head, where "has tail" is not 0
///  144  patches: target ptr | source ptr | bytes u64         copied in this order before everything else
///  256  scratch, 256 bytes                                   the patches' sources
/// </code>
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = SizeBytes)]
internal unsafe struct CommitBlock
{
    public const int SizeBytes = 512;
    public const int MaxHeadBytes = 64;
    public const int MaxPatches = 4;
    public const int ScratchBytes = 256;

    /// <summary>The word that holds <see cref="Expected"/> until somebody commits; 16-byte aligned where a pair is stored.</summary>
    [FieldOffset(0)] public byte* Guard;

    [FieldOffset(8)] public ulong Expected;

    /// <summary>Stored to the guard's word: the commit.</summary>
    [FieldOffset(16)] public ulong First;

    /// <summary>Stored behind it by the same instruction, where a pair is committed.</summary>
    [FieldOffset(24)] public ulong Second;

    [FieldOffset(32)] public byte* Target;

    [FieldOffset(40)] public uint Cpu;

    /// <summary>Where in the rseq area the number stands that must equal <see cref="Cpu"/>.</summary>
    [FieldOffset(44)] public uint CpuOffset;

    [FieldOffset(48)] public ushort HeadBytes;

    [FieldOffset(50)] public byte PatchCount;

    [FieldOffset(51)] public byte HasTail;

    /// <summary>Both in one store.</summary>
    [FieldOffset(50)] public ushort Extras;

    [FieldOffset(52)] public uint PayloadBytes;

    [FieldOffset(56)] public byte* Payload;

    [FieldOffset(64)] public fixed byte Head[MaxHeadBytes];

    [FieldOffset(128)] public byte* Tail;

    [FieldOffset(144)] public fixed ulong Patches[3 * MaxPatches];

    [FieldOffset(256)] public fixed byte Scratch[ScratchBytes];

    /// <summary>Says where the record goes that <see cref="Head"/> begins; no patches yet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Stage(byte* target, int headBytes, byte* payload, int lengthBytes, int tailBytes)
    {
        HeadBytes = (ushort)headBytes;
        Extras = 0;
        PayloadBytes = (uint)lengthBytes;
        Payload = payload;
        Target = target;
        if (tailBytes != 0)
        {
            HasTail = 1;
            Tail = target + headBytes + (uint)lengthBytes + tailBytes - sizeof(ulong);
        }
    }

    /// <summary>Sets a patch; the caller sets how many there are.</summary>
    public void SetPatch(int index, byte* target, byte* source, int lengthBytes)
    {
        Patches[index * 3] = (ulong)target;
        Patches[(index * 3) + 1] = (ulong)source;
        Patches[(index * 3) + 2] = (ulong)lengthBytes;
    }
}
