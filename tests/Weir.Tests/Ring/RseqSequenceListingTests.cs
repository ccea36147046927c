using System.Buffers.Binary;
using Iced.Intel;
using Weir.Ring;
using Xunit;

namespace Weir.Tests.Ring;

/// <summary>The bytes of the restartable sequence say what the comments beside them say, and keep its rules.</summary>
public sealed class RseqSequenceListingTests
{
    private static readonly byte[] s_code = RseqSequence.Assemble();
    private static readonly Listing s_listing = Listing.Read("RseqSequence.X64.cs", "X64");
    private static readonly int s_descriptor = s_code.Length - 32;
    private static readonly int s_codeBytes = s_listing.Instructions.Sum(i => i.Bytes.Length);
    private static readonly int s_start = (int)Field(8);
    private static readonly int s_done = s_start + (int)Field(16);
    private static readonly int s_abort = (int)Field(24);

    private static ulong Field(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(s_code.AsSpan(s_descriptor + offset));

    [Fact]
    public void Each_instruction_says_what_its_comment_says() => Assert.Empty(Differences(s_code));

    [Fact]
    public void A_flipped_bit_anywhere_is_seen()
    {
        for (int i = 0; i < s_codeBytes; i++)
        {
            byte[] wrong = [.. s_code];
            wrong[i] ^= 0x08;
            Assert.NotEmpty(Differences(wrong));
        }
    }

    [Fact]
    public void Bytes_that_say_something_else_are_seen_by_their_text_alone()
    {
        int commit = s_listing.Labels["commit"];
        byte[] wrong = [.. s_code];
        wrong[commit + 4] = 0x03; // movdqa [r11], xmm0
        var difference = Assert.Single(Differences(wrong, compareBytes: false));
        Assert.Contains("movdqa [r11], xmm0", difference, StringComparison.Ordinal);
    }

    [Fact]
    public void The_descriptor_names_the_labels()
    {
        Assert.Equal(0, s_descriptor % 32);
        Assert.True(s_codeBytes <= s_descriptor);
        Assert.Equal(0UL, Field(0)); // version and flags
        Assert.Equal(s_listing.Labels["start"], s_start);
        Assert.Equal(s_listing.Labels["done"], s_done);
        Assert.Equal(s_listing.Labels["abort"], s_abort);
        Assert.NotInRange(s_abort, s_start, s_done - 1);
    }

    [Fact]
    public unsafe void Relocation_adds_the_address_to_the_two_addresses_only()
    {
        byte[] moved = [.. s_code];
        fixed (byte* p = moved)
        {
            RseqSequence.Relocate((nint)p);
            Assert.Equal((ulong)p + (ulong)s_start, BinaryPrimitives.ReadUInt64LittleEndian(moved.AsSpan(s_descriptor + 8)));
            Assert.Equal((ulong)p + (ulong)s_abort, BinaryPrimitives.ReadUInt64LittleEndian(moved.AsSpan(s_descriptor + 24)));
        }
        moved.AsSpan(s_descriptor + 8, 8).Clear();
        moved.AsSpan(s_descriptor + 24, 8).Clear();
        byte[] expected = [.. s_code];
        expected.AsSpan(s_descriptor + 8, 8).Clear();
        expected.AsSpan(s_descriptor + 24, 8).Clear();
        Assert.Equal(expected, moved);
    }

    [Fact]
    public void The_kernels_signature_stands_before_abort() =>
        Assert.Equal(0x53053053U, BinaryPrimitives.ReadUInt32LittleEndian(s_code.AsSpan(s_abort - 4)));

    [Fact]
    public void The_committing_store_is_the_last_instruction_of_the_section()
    {
        var last = Section()[^1];
        Assert.Equal((ulong)s_done, last.NextIP);
        Assert.Equal((ulong)s_listing.Labels["commit"], last.IP);
        Assert.Equal(Mnemonic.Movdqa, last.Mnemonic);
        Assert.Equal((Register.R10, 0UL), (last.MemoryBase, last.MemoryDisplacement64));
        Assert.Equal(OpKind.Memory, last.Op0Kind);
    }

    /// <summary>An abort begins again with the registers as they are, so what the beginning reads must still be there.</summary>
    [Fact]
    public void The_section_writes_no_register_that_a_restart_reads()
    {
        Register[] kept = [Register.RDI, Register.RSI, Register.R8, Register.R9, Register.R14, Register.RSP];
        var info = new InstructionInfoFactory();
        foreach (var instruction in Section())
        {
            foreach (var used in info.GetInfo(instruction).GetUsedRegisters())
            {
                if (IsWrite(used.Access))
                    Assert.DoesNotContain(used.Register.GetFullRegister(), kept);
            }
        }
    }

    /// <summary>And nothing else may be read by the section before it is written there.</summary>
    [Fact]
    public void The_section_reads_only_what_it_keeps_or_has_written()
    {
        Register[] kept = [Register.RDI, Register.RSI, Register.R8, Register.R9, Register.R14];
        var byAddress = Section().ToDictionary(i => (int)i.IP);
        var info = new InstructionInfoFactory();
        var written = new Dictionary<int, HashSet<Register>>();
        var open = new Stack<(int Offset, HashSet<Register> Written)>([(s_start, [])]);
        while (open.TryPop(out var at))
        {
            if (!byAddress.TryGetValue(at.Offset, out var instruction))
                continue;
            if (written.TryGetValue(at.Offset, out var known))
            {
                // Several ways lead here: only what every one of them has written counts.
                if (known.IsSubsetOf(at.Written))
                    continue;
                known.IntersectWith(at.Written);
            }
            else
            {
                known = written[at.Offset] = [.. at.Written];
            }
            var now = new HashSet<Register>(known);
            foreach (var used in info.GetInfo(instruction).GetUsedRegisters())
            {
                var full = used.Register.IsXMM() ? used.Register : used.Register.GetFullRegister();
                bool isZeroing = instruction.Mnemonic == Mnemonic.Xor && instruction.Op0Register == instruction.Op1Register;
                if (used.Access is OpAccess.Read or OpAccess.ReadWrite or OpAccess.CondRead or OpAccess.ReadCondWrite && !isZeroing)
                    Assert.True(kept.Contains(full) || known.Contains(full), $"{instruction} reads {full}, which nothing has set");
                if (used.Access is OpAccess.Write or OpAccess.ReadWrite)
                    now.Add(full);
            }
            if (instruction.FlowControl is FlowControl.Next or FlowControl.ConditionalBranch)
                open.Push(((int)instruction.NextIP, now));
            if (instruction.FlowControl is FlowControl.ConditionalBranch or FlowControl.UnconditionalBranch)
                open.Push(((int)instruction.NearBranchTarget, now));
        }
        Assert.Equal(byAddress.Keys.Order(), written.Keys.Order()); // every instruction can be reached
    }

    /// <summary>
    /// Stores go through r12 (the sub-buffer's free bytes and the head of a packet) or are the commit; the one exception leaves the
    /// section. The addresses in r12 are the concern of the tests that abort at each instruction.
    /// </summary>
    [Fact]
    public void The_section_stores_to_the_sub_buffer_and_commits_once()
    {
        int absent = s_listing.Labels["absent"];
        var commits = new List<Instruction>();
        foreach (var instruction in Section())
        {
            Assert.False(instruction.HasLockPrefix);
            Assert.True(instruction.FlowControl is FlowControl.Next or FlowControl.ConditionalBranch or FlowControl.UnconditionalBranch);
            if (!new InstructionInfoFactory().GetInfo(instruction).GetUsedMemory().Any(m => IsWrite(m.Access)))
                continue;
            if (instruction.MemoryBase == Register.R10)
                commits.Add(instruction);
            else if ((int)instruction.IP > absent && (int)instruction.IP < s_listing.Labels["medium"])
                Assert.Equal((Register.RSI, 8UL), (instruction.MemoryBase, instruction.MemoryDisplacement64));
            else
                Assert.Equal(Register.R12, instruction.MemoryBase);
        }
        Assert.Equal((ulong)s_listing.Labels["commit"], Assert.Single(commits).IP);
    }

    [Fact]
    public void The_section_is_left_by_its_end_or_where_no_stream_is()
    {
        int exit = s_listing.Labels["exit"];
        foreach (var instruction in Section().Where(i => i.FlowControl != FlowControl.Next))
        {
            int target = (int)instruction.NearBranchTarget;
            if (target == exit)
                Assert.InRange((int)instruction.IP, s_listing.Labels["absent"], s_listing.Labels["medium"] - 1);
            else
                Assert.InRange(target, s_start, s_done - 1);
        }
    }

    [Fact]
    public void Entry_saves_what_the_exit_restores()
    {
        var entry = Listing.Decode(s_code, s_start).Where(i => i.Mnemonic == Mnemonic.Push).Select(i => i.Op0Register);
        var exit = Listing.Decode(s_code, s_codeBytes).Where(i => i.Mnemonic == Mnemonic.Pop).Select(i => i.Op0Register);
        Assert.Equal(entry.Reverse(), exit);
        Register[] mustBeSaved = [Register.RBX, Register.RBP, Register.R12, Register.R13, Register.R14, Register.R15];
        var info = new InstructionInfoFactory();
        var changed = Listing.Decode(s_code, s_codeBytes)
            .SelectMany(i => info.GetInfo(i).GetUsedRegisters().Where(u => IsWrite(u.Access)).Select(u => u.Register.GetFullRegister()).ToArray())
            .Distinct();
        Assert.Equal(changed.Intersect(mustBeSaved).Order(), entry.Order());
    }

    private static IReadOnlyList<Instruction> Section() =>
        [.. Listing.Decode(s_code, s_codeBytes).Where(i => (int)i.IP >= s_start && (int)i.IP < s_done)];

    private static bool IsWrite(OpAccess access) =>
        access is OpAccess.Write or OpAccess.ReadWrite or OpAccess.CondWrite or OpAccess.ReadCondWrite;

    private static List<string> Differences(byte[] code, bool compareBytes = true)
    {
        var names = s_listing.Labels.ToDictionary(l => (ulong)l.Value, l => l.Key);
        names[(ulong)s_descriptor] = "descriptor";
        var differences = new List<string>();
        foreach (var listed in s_listing.Instructions)
        {
            byte[] bytes = code[listed.Offset..(listed.Offset + listed.Bytes.Length)];
            if (compareBytes && !bytes.AsSpan().SequenceEqual(listed.Bytes))
                differences.Add($"0x{listed.Offset:x}: {Convert.ToHexString(bytes)} is not {Convert.ToHexString(listed.Bytes)}");
            var decoder = Decoder.Create(64, new ByteArrayCodeReader(code, listed.Offset, code.Length - listed.Offset));
            decoder.IP = (ulong)listed.Offset;
            var instruction = decoder.Decode();
            string text = Listing.Format(instruction, names);
            if (instruction.Length != listed.Bytes.Length || text != listed.Text)
                differences.Add($"0x{listed.Offset:x}: '{text}' is not '{listed.Text}'");
        }
        return differences;
    }
}
