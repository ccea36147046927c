using Iced.Intel;
using Weir.Clock;
using Weir.Ring;

namespace Weir.Tests.Ring;

/// <summary>
/// The section's code for x86-64 once more, without its announcement, in which one instruction is replaced by leaving: what an attempt
/// has done when the kernel aborts it there.
/// </summary>
internal static class InterruptedSection
{
    /// <summary>What the code returns where it is left.</summary>
    public const int Left = 99;

    // Where each instruction that has been put in stands; anything that is no address of the code.
    private const ulong FirstInserted = 0x100000;

    /// <summary>Offsets of the instructions from start to done, but for the two that announce.</summary>
    public static IReadOnlyList<int> Offsets(bool isPair) =>
        [.. Decode(isPair).Where(i => (int)i.IP < RseqSection.X64.Done).Select(i => (int)i.IP)];

    /// <summary>Maps the code with the instruction at an offset replaced.</summary>
    public static nint LeftAt(int offset, bool isPair)
    {
        var all = Decode(isPair);
        Instruction[] stub = [Instruction.Create(Code.Mov_r32_imm32, Register.EAX, Left), Instruction.Create(Code.Retnq)];
        for (int i = 0; i < stub.Length; i++)
            stub[i].IP = FirstInserted + (ulong)i;
        var first = Instruction.CreateBranch(Code.Jmp_rel32_64, all.First(i => (int)i.IP > RseqSection.X64.Entry).IP);
        first.IP = FirstInserted + (ulong)stub.Length;
        var leave = Instruction.CreateBranch(Code.Jmp_rel32_64, FirstInserted);
        leave.IP = (ulong)offset;
        Instruction[] code = [first, .. all.Select(i => (int)i.IP == offset ? leave : i), .. stub];
        var writer = new Bytes();
        if (!BlockEncoder.TryEncode(64, new InstructionBlock(writer, code, 0), out string? error, out _))
            throw new InvalidOperationException(error);
        nint address = ExecutableMemory.Map(writer.ToArray(), null, out string? refusal);
        return address != 0 ? address : throw new InvalidOperationException(refusal);
    }

    // Two instructions announce; behind the section only what it branches to is of use.
    private static List<Instruction> Decode(bool isPair)
    {
        var all = Listing.Decode(RseqSection.X64.Assemble(isPair), RseqSection.X64.Abort);
        int entry = all.ToList().FindIndex(i => (int)i.IP == RseqSection.X64.Entry);
        return [.. all.Where((i, index) => index != entry && index != entry + 1 && i.Mnemonic != Mnemonic.Ud1)];
    }

    private sealed class Bytes : CodeWriter
    {
        private readonly List<byte> _bytes = [];

        public override void WriteByte(byte value) => _bytes.Add(value);

        public byte[] ToArray() => [.. _bytes];
    }
}
