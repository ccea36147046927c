using System.Buffers.Binary;
using Weir.Clock;
using Weir.Ring;

namespace Weir.Tests.Vm;

/// <summary>
/// The section's code for Arm64, without its announcement, in which one instruction is replaced by leaving. All instructions have four
/// bytes, so it can be done in place: what is put in goes to "abort", where the kernel would have led.
/// </summary>
internal static class InterruptedSection
{
    public const int Left = RseqSection.Aborted;

    private const int InstructionBytes = 4;
    private const uint Nop = 0xd503201f;
    private const uint Branch = 0x14000000;
    private const uint BranchDistanceMask = 0x03ffffff;

    // The second of the two instructions that announce.
    private static readonly int s_announcement = RseqSection.Arm64.Entry + InstructionBytes;

    public static IReadOnlyList<int> Offsets =>
        [.. Enumerable.Range(0, RseqSection.Arm64.Done / InstructionBytes).Select(i => i * InstructionBytes).Where(o => o != s_announcement)];

    public static nint LeftAt(int offset, bool isPair)
    {
        byte[] code = RseqSection.Arm64.Assemble(isPair);
        BinaryPrimitives.WriteUInt32LittleEndian(code.AsSpan(s_announcement), Nop);
        uint distance = (uint)((RseqSection.Arm64.Abort - offset) / InstructionBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(code.AsSpan(offset), Branch | (distance & BranchDistanceMask));
        nint address = ExecutableMemory.Map(code, null, out string? refusal);
        return address != 0 ? address + RseqSection.Arm64.Entry : throw new InvalidOperationException(refusal);
    }
}
