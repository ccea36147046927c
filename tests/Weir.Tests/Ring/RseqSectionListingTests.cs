using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Iced.Intel;
using Weir.Ring;
using Xunit;

namespace Weir.Tests.Ring;

/// <summary>The bytes of the restartable section say what the comments beside them say, and keep its rules.</summary>
public sealed partial class RseqSectionListingTests
{
    private static readonly Listing s_x64 = Listing.Read("RseqSection.X64.cs", "X64Listing");
    private static readonly Listing s_arm64 = Listing.Read("RseqSection.Arm64.cs", "Arm64Listing");

    public static TheoryData<Architecture, bool> Variants() =>
        new() { { Architecture.X64, true }, { Architecture.X64, false }, { Architecture.Arm64, true }, { Architecture.Arm64, false } };

    [Theory]
    [MemberData(nameof(Variants))]
    public void Each_instruction_says_what_its_comment_says(Architecture architecture, bool isPair)
    {
        var (section, listing) = Of(architecture);
        byte[] code = section.Assemble(isPair);
        if (!isPair)
        {
            // What was written over is the next test's.
            foreach (var (offset, bytes) in section.SingleStore)
                section.Pair.AsSpan(offset, bytes.Length).CopyTo(code.AsSpan(offset));
        }
        Assert.Empty(listing.Differences(code, Disassemble(architecture, code)));
    }

    [Theory]
    [InlineData(Architecture.X64, "xchg ax, ax", "mov [r10], r11")]
    [InlineData(Architecture.Arm64, "nop", "str x6, [x2]")]
    public void The_single_store_ends_where_the_pairs_store_ends(Architecture architecture, string nothing, string store)
    {
        var (section, _) = Of(architecture);
        byte[] code = section.Assemble(isPair: false);
        var (offset, bytes) = Assert.Single(section.SingleStore);
        Assert.Equal(section.Done, offset + bytes.Length);
        var said = Disassemble(architecture, code).Where(i => i.Offset >= offset && i.Offset < section.Done).Select(i => i.Text);
        Assert.Equal([nothing, store], said);
    }

    [Fact]
    public void A_flipped_bit_anywhere_is_seen()
    {
        byte[] code = RseqSection.X64.Assemble(isPair: true);
        for (int i = 0; i < RseqSection.X64.Pair.Length; i++)
        {
            byte[] wrong = [.. code];
            wrong[i] ^= 0x08;
            Assert.NotEmpty(s_x64.Differences(wrong, Disassemble(Architecture.X64, wrong)));
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void The_descriptor_names_the_labels(Architecture architecture, bool isPair)
    {
        var (section, listing) = Of(architecture);
        byte[] code = section.Assemble(isPair);
        Assert.Equal(code.Length - 32, section.Descriptor);
        Assert.Equal(0, section.Descriptor % 32);
        Assert.Equal(0UL, Field(0)); // version and flags
        Assert.Equal(listing.Labels["start"], (int)Field(8));
        Assert.Equal(listing.Labels["done"], (int)(Field(8) + Field(16)));
        Assert.Equal(listing.Labels["abort"], (int)Field(24));
        Assert.Equal(listing.Labels["entry"], section.Entry);
        Assert.Equal(section.Done, listing.Labels["commit"] + listing.Instructions.Single(i => i.Offset == listing.Labels["commit"]).Bytes.Length);
        // Outside, or the kernel takes an abort for an attempt at more.
        Assert.NotInRange(section.Abort, section.Start, section.Done - 1);
        Assert.NotInRange(listing.Labels["stale"], section.Start, section.Done - 1);

        ulong Field(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(code.AsSpan(section.Descriptor + offset));
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Relocation_adds_the_address_to_the_two_addresses_only(Architecture architecture, bool isPair)
    {
        const int Address = 0x1234_5000;
        var (section, _) = Of(architecture);
        byte[] code = section.Assemble(isPair);
        byte[] moved = [.. code];
        section.Relocate(moved.AsSpan(section.Descriptor), Address);
        foreach (int offset in (ReadOnlySpan<int>)[8, 24])
        {
            var field = moved.AsSpan(section.Descriptor + offset);
            BinaryPrimitives.WriteUInt64LittleEndian(field, BinaryPrimitives.ReadUInt64LittleEndian(field) - Address);
        }
        Assert.Equal(code, moved);
    }

    [Theory]
    [InlineData(Architecture.X64, 0x53053053U)]
    [InlineData(Architecture.Arm64, 0xd428bc00U)]
    public void The_kernels_signature_stands_before_abort(Architecture architecture, uint signature)
    {
        var (section, _) = Of(architecture);
        Assert.Equal(signature, BinaryPrimitives.ReadUInt32LittleEndian(section.Pair.AsSpan(section.Abort - 4)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void X64_commits_by_its_last_instruction_alone(bool isPair)
    {
        var section = Section(isPair);
        var last = section[^1];
        Assert.Equal((ulong)RseqSection.X64.Done, last.NextIP);
        Assert.Equal(isPair ? Mnemonic.Movdqa : Mnemonic.Mov, last.Mnemonic);
        Assert.Equal((Register.R10, 0UL), (last.MemoryBase, last.MemoryDisplacement64));
        Assert.Equal(OpKind.Memory, last.Op0Kind);
        Assert.DoesNotContain(section.SkipLast(1), i => Writes(i) && i.MemoryBase == Register.R10);
    }

    /// <summary>Else an abort would leave them changed.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void X64_changes_no_stack_and_no_register_that_belongs_to_the_caller(bool isPair)
    {
        Register[] kept = [Register.RBX, Register.RBP, Register.RSP, Register.R12, Register.R13, Register.R14, Register.R15];
        Register[] arguments = [Register.RDI, Register.RSI];
        var info = new InstructionInfoFactory();
        foreach (var instruction in Listing.Decode(RseqSection.X64.Assemble(isPair), RseqSection.X64.Pair.Length))
        {
            Assert.False(instruction.IsStackInstruction && instruction.FlowControl != FlowControl.Return);
            foreach (var used in info.GetInfo(instruction).GetUsedRegisters())
            {
                if (IsWrite(used.Access) && instruction.FlowControl != FlowControl.Return)
                    Assert.DoesNotContain(used.Register.GetFullRegister(), kept.Concat(arguments));
            }
        }
    }

    /// <summary>Stores go to where the block says (r9 a copy's target, rax the tail), but for the announcement and the commit.</summary>
    [Fact]
    public void X64_stores_to_targets_announces_and_commits()
    {
        foreach (var instruction in Section(isPair: true))
        {
            Assert.False(instruction.HasLockPrefix);
            Assert.True(instruction.FlowControl is FlowControl.Next or FlowControl.ConditionalBranch or FlowControl.UnconditionalBranch);
            if (!Writes(instruction))
                continue;
            Register expected = (int)instruction.IP switch
            {
                var at when at == s_x64.Labels["commit"] => Register.R10,
                var at when at >= s_x64.Labels["entry"] && at < s_x64.Labels["entry"] + 16 => Register.RDI,
                var at when at >= s_x64.Labels["tail"] && at < s_x64.Labels["any_head"] => Register.RAX,
                _ => Register.R9,
            };
            Assert.Equal(expected, instruction.MemoryBase);
        }
    }

    [Theory]
    [InlineData(Architecture.X64, @"^j[a-z]+ (\w+)$")]
    [InlineData(Architecture.Arm64, @"^(?:b|b\.[a-z]+|cbn?z \w+,) (\w+)$")]
    public void The_section_is_left_by_its_end_or_as_stale_before_its_first_copy(Architecture architecture, string branch)
    {
        var (section, listing) = Of(architecture);
        int branches = 0;
        foreach (var (offset, _, text) in listing.Instructions.Where(i => i.Offset < section.Done))
        {
            if (Regex.Match(text, branch) is not { Success: true } match)
                continue;
            branches++;
            string target = match.Groups[1].Value;
            if (target == "stale")
                Assert.InRange(offset, section.Entry, listing.Labels["head"] - 1);
            else
                Assert.InRange(listing.Labels[target], section.Start, section.Done - 1);
        }
        Assert.InRange(branches, 20, 40);
    }

    /// <summary>
    /// x18 is the platform's; x19 and above, sp and the vectors v8 to v15 must be kept. The exclusive pair stands alone, and all that
    /// is copied stands before a barrier before it.
    /// </summary>
    [Fact]
    public void Arm64_keeps_its_rules()
    {
        string[] texts = [.. s_arm64.Instructions.Select(i => i.Text)];
        foreach (Match register in texts.SelectMany(t => Arm64Register().Matches(t)))
            Assert.InRange(int.Parse(register.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture), 0, 15);
        Assert.All(texts, t => Assert.DoesNotMatch(@"\bsp\b|\bbl|\bbr\b|svc", t));
        Assert.All(texts.SelectMany(t => Arm64Vector().Matches(t)), v => Assert.Equal("q0", v.Value));
        int done = s_arm64.Instructions.TakeWhile(i => i.Offset < RseqSection.Arm64.Done).Count();
        Assert.Equal(["dmb ishst", "ldxp x3, x4, [x2]", "stxp w0, x6, x7, [x2]"], texts[(done - 3)..done]);
        int patched = Array.IndexOf(texts, "b patches");
        Assert.Equal("dmb ishst", texts[patched - 1]);
    }

    [Fact]
    public void Arm64_reads_its_thread_pointer()
    {
        var listing = Listing.Read("RseqArea.Arm64.cs", "Arm64Listing");
        byte[] code = RseqArea.Arm64Listing.ToArray();
        Assert.Empty(listing.Differences(code, Disassembly.Of(Architecture.Arm64, code, listing.Labels)));
    }

    private static (SectionCode Section, Listing Listing) Of(Architecture architecture) =>
        architecture == Architecture.X64 ? (RseqSection.X64, s_x64) : (RseqSection.Arm64, s_arm64);

    private static IReadOnlyList<Disassembled> Disassemble(Architecture architecture, byte[] code)
    {
        var (section, listing) = Of(architecture);
        var labels = new Dictionary<string, int>(listing.Labels) { ["descriptor"] = section.Descriptor };
        return Disassembly.Of(architecture, code[..section.Pair.Length], labels);
    }

    private static IReadOnlyList<Instruction> Section(bool isPair) => Listing.Decode(RseqSection.X64.Assemble(isPair), RseqSection.X64.Done);

    private static bool Writes(in Instruction instruction) =>
        new InstructionInfoFactory().GetInfo(instruction).GetUsedMemory().Any(m => IsWrite(m.Access));

    private static bool IsWrite(OpAccess access) =>
        access is OpAccess.Write or OpAccess.ReadWrite or OpAccess.CondWrite or OpAccess.ReadCondWrite;

    [GeneratedRegex(@"\b[xw]([0-9]+)\b")]
    private static partial Regex Arm64Register();

    [GeneratedRegex(@"\b[vqdsb][0-9]+\b")]
    private static partial Regex Arm64Vector();
}
