using System.Globalization;
using System.Text.RegularExpressions;
using Iced.Intel;
using Xunit;

namespace Weir.Tests.Ring;

/// <summary>One instruction of the listing: where it stands, its bytes and the comment beside them.</summary>
internal readonly record struct ListedInstruction(int Offset, byte[] Bytes, string Text);

/// <summary>A listing of machine code as its source shows it, read from the embedded source file.</summary>
internal sealed partial class Listing
{
    private Listing(IReadOnlyList<ListedInstruction> instructions, IReadOnlyDictionary<string, int> labels)
    {
        Instructions = instructions;
        Labels = labels;
    }

    public IReadOnlyList<ListedInstruction> Instructions { get; }

    public IReadOnlyDictionary<string, int> Labels { get; }

    /// <summary>Reads the listing that a property of a source file returns.</summary>
    public static Listing Read(string file, string property)
    {
        using var stream = typeof(Listing).Assembly.GetManifestResourceStream(file)!;
        using var reader = new StreamReader(stream);
        string source = reader.ReadToEnd();
        int begin = source.IndexOf("[\n", source.IndexOf($" {property} =>", StringComparison.Ordinal), StringComparison.Ordinal) + 2;
        string body = source[begin..source.IndexOf("\n    ];", begin, StringComparison.Ordinal)];
        var instructions = new List<ListedInstruction>();
        var labels = new Dictionary<string, int>();
        int offset = 0;
        foreach (string line in body.Split('\n'))
        {
            if (LabelLine().Match(line) is { Success: true } label)
            {
                labels.Add(label.Groups[1].Value, offset);
                continue;
            }
            if (InstructionLine().Match(line) is not { Success: true } match)
            {
                // Prose; anything else would be bytes without a comment, and would go unchecked.
                Assert.True(line.TrimStart() is "" || line.TrimStart().StartsWith("//", StringComparison.Ordinal), $"not understood: {line}");
                continue;
            }
            byte[] bytes = [.. match.Groups[1].Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(b => byte.Parse(b.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
            instructions.Add(new ListedInstruction(offset, bytes, match.Groups[2].Value));
            offset += bytes.Length;
        }
        return new Listing(instructions, labels);
    }

    /// <summary>Where code, or what a disassembler says of it, is not what the listing says.</summary>
    public IReadOnlyList<string> Differences(byte[] code, IReadOnlyList<Disassembled> said)
    {
        var texts = said.ToDictionary(i => i.Offset, i => i.Text);
        var differences = new List<string>();
        foreach (var listed in Instructions)
        {
            byte[] bytes = code[listed.Offset..(listed.Offset + listed.Bytes.Length)];
            if (!bytes.AsSpan().SequenceEqual(listed.Bytes))
                differences.Add($"0x{listed.Offset:x}: {Convert.ToHexString(bytes)} is not {Convert.ToHexString(listed.Bytes)}");
            string text = texts.GetValueOrDefault(listed.Offset, "the middle of an instruction");
            if (text != listed.Text)
                differences.Add($"0x{listed.Offset:x}: '{text}' is not '{listed.Text}'");
        }
        return differences;
    }

    /// <summary>Disassembles code whose first byte has the address 0, up to <paramref name="lengthBytes"/>.</summary>
    public static IReadOnlyList<Instruction> Decode(byte[] code, int lengthBytes)
    {
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(code, 0, lengthBytes));
        var instructions = new List<Instruction>();
        while (decoder.IP < (ulong)lengthBytes)
            instructions.Add(decoder.Decode());
        return instructions;
    }

    /// <summary>An instruction as the listing writes it; addresses get names only as targets of branches and relative to rip.</summary>
    public static string Format(in Instruction instruction, IReadOnlyDictionary<ulong, string> names)
    {
        var formatter = new NasmFormatter(new FormatterOptions
        {
            HexPrefix = "0x",
            HexSuffix = "",
            SpaceAfterOperandSeparator = true,
            RipRelativeAddresses = false,
            MemorySizeOptions = MemorySizeOptions.Minimal,
            ShowBranchSize = false,
            UppercaseHex = false,
            SmallHexNumbersInDecimal = true,
        }, new NamedAddresses(names));
        var output = new StringOutput();
        formatter.Format(instruction, output);
        return output.ToStringAndReset();
    }

    [GeneratedRegex(@"^\s*// ([a-z_0-9]+):\s*$")]
    private static partial Regex LabelLine();

    [GeneratedRegex(@"^\s*((?:0x[0-9a-f]{2}, ?)+)\s*// (.*\S)\s*$")]
    private static partial Regex InstructionLine();

    private sealed class NamedAddresses(IReadOnlyDictionary<ulong, string> names) : ISymbolResolver
    {
        public bool TryGetSymbol(
            in Instruction instruction, int operand, int instructionOperand, ulong address, int addressSize, out SymbolResult symbol)
        {
            symbol = default;
            bool isAddress = instructionOperand >= 0 && (instruction.GetOpKind(instructionOperand) == OpKind.NearBranch64
                || (instruction.GetOpKind(instructionOperand) == OpKind.Memory && instruction.IsIPRelativeMemoryOperand));
            if (!isAddress || !names.TryGetValue(address, out string? name))
                return false;
            symbol = new SymbolResult(address, name);
            return true;
        }
    }
}
