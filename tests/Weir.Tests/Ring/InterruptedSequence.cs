using Iced.Intel;
using Weir.Clock;
using Weir.Ring;

namespace Weir.Tests.Ring;

/// <summary>
/// The machine code once more, outside any restartable section, in which one instruction is replaced by leaving the routine: what an
/// attempt has done when the kernel aborts it there. And the code as it is, with a counter of the kernel's aborts.
/// </summary>
internal static unsafe class InterruptedSequence
{
    /// <summary>What the routine returns where it is left.</summary>
    public const int Aborted = 99;

    private const int RestartLabelOffset = 0x0e;

    // Where each instruction that has been put in stands; anything that is no address of the code.
    private const ulong FirstInserted = 0x100000;

    /// <summary>Offsets of the instructions from start to done.</summary>
    public static IReadOnlyList<int> Section()
    {
        byte[] code = RseqSequence.Assemble();
        var (start, done, _) = Descriptor(code);
        return [.. Listing.Decode(code, done).Select(i => (int)i.IP).Where(ip => ip >= start)];
    }

    /// <summary>Maps the code with the instruction at an offset replaced.</summary>
    public static delegate* unmanaged[SuppressGCTransition]<RingMemory*, byte*, byte*, nint, nint, int> LeftAt(int offset)
    {
        byte[] code = RseqSequence.Assemble();
        var (start, _, abort) = Descriptor(code);
        var instructions = new List<Instruction>();
        foreach (var instruction in Listing.Decode(code, abort))
        {
            // The announcement to the kernel is left out: these bytes are not in the section that the descriptor tells of.
            if (instruction.IP is >= RestartLabelOffset && instruction.IP < (ulong)start)
                continue;
            if (instruction.Mnemonic == Mnemonic.Ud1)
                continue;
            if ((int)instruction.IP == offset)
            {
                var leave = Instruction.CreateBranch(Code.Jmp_rel32_64, FirstInserted);
                leave.IP = (ulong)offset;
                instructions.Add(leave);
                continue;
            }
            instructions.Add(instruction);
        }
        Instruction[] stub =
        [
            Instruction.Create(Code.Mov_r32_imm32, Register.EAX, Aborted),
            Instruction.Create(Code.Pop_r64, Register.R14),
            Instruction.Create(Code.Pop_r64, Register.R13),
            Instruction.Create(Code.Pop_r64, Register.R12),
            Instruction.Create(Code.Pop_r64, Register.RBP),
            Instruction.Create(Code.Pop_r64, Register.RBX),
            Instruction.Create(Code.Retnq),
        ];
        for (int i = 0; i < stub.Length; i++)
        {
            stub[i].IP = FirstInserted + (ulong)i;
            instructions.Add(stub[i]);
        }
        var writer = new Bytes();
        if (!BlockEncoder.TryEncode(64, new InstructionBlock(writer, instructions, 0), out string? error, out _))
            throw new InvalidOperationException(error);
        return Map(writer.ToArray(), null);
    }

    /// <summary>Maps the code as it is, but for its abort, which counts at <paramref name="counter"/> before it begins again.</summary>
    public static delegate* unmanaged[SuppressGCTransition]<RingMemory*, byte*, byte*, nint, nint, int> Counting(ulong* counter)
    {
        byte[] code = RseqSequence.Assemble();
        var (_, _, abort) = Descriptor(code);
        var assembler = new Assembler(64);
        assembler.push(AssemblerRegisters.rax);
        assembler.mov(AssemblerRegisters.rax, (ulong)counter);
        assembler.@lock.inc(AssemblerRegisters.__qword_ptr[AssemblerRegisters.rax]);
        assembler.pop(AssemblerRegisters.rax);
        assembler.jmp((ulong)RestartLabelOffset);
        var writer = new Bytes();
        assembler.Assemble(writer, (ulong)abort);
        Xunit.Assert.True(abort + writer.ToArray().Length <= code.Length - 32);
        writer.ToArray().CopyTo(code, abort);
        return Map(code, RseqSequence.Relocate);
    }

    private static delegate* unmanaged[SuppressGCTransition]<RingMemory*, byte*, byte*, nint, nint, int> Map(byte[] code, Action<nint>? relocate)
    {
        nint address = ExecutableMemory.Map(code, relocate, out string? refusal);
        if (address == 0)
            throw new InvalidOperationException(refusal);
        return (delegate* unmanaged[SuppressGCTransition]<RingMemory*, byte*, byte*, nint, nint, int>)address;
    }

    private static (int Start, int Done, int Abort) Descriptor(byte[] code)
    {
        int start = (int)BitConverter.ToUInt64(code, code.Length - 24);
        return (start, start + (int)BitConverter.ToUInt64(code, code.Length - 16), (int)BitConverter.ToUInt64(code, code.Length - 8));
    }

    private sealed class Bytes : CodeWriter
    {
        private readonly List<byte> _bytes = [];

        public override void WriteByte(byte value) => _bytes.Add(value);

        public byte[] ToArray() => [.. _bytes];
    }
}
