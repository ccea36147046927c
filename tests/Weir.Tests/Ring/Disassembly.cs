using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Xunit;

namespace Weir.Tests.Ring;

/// <summary>What a disassembler says that stands at an offset.</summary>
internal readonly record struct Disassembled(int Offset, string Text);

/// <summary>Machine code in words, written as the listings write it: of x86-64 by a package, of Arm64 by binutils.</summary>
internal static partial class Disassembly
{
    // The first is Debian's for one architecture; the second knows it on such a machine, or where it has been built for all.
    private static readonly string[] s_arm64Programs = ["aarch64-linux-gnu-objdump", "objdump"];

    /// <summary>
    /// Disassembles code whose first byte has the address 0; branches go to names where there are any. Where no program can, the test is
    /// skipped.
    /// </summary>
    public static IReadOnlyList<Disassembled> Of(Architecture architecture, byte[] code, IReadOnlyDictionary<string, int> labels)
    {
        // Of two names for one place the later one is what is branched to.
        var names = new Dictionary<ulong, string>();
        foreach (var (name, offset) in labels)
            names[(ulong)offset] = name;
        if (architecture == Architecture.X64)
            return [.. Listing.Decode(code, code.Length).Select(i => new Disassembled((int)i.IP, Listing.Format(i, names)))];
        foreach (string program in s_arm64Programs)
        {
            if (Arm64(program, code, names) is { } said)
                return said;
        }
        Assert.Skip("no objdump that knows Arm64 (Debian package binutils-aarch64-linux-gnu)");
        return [];
    }

    private static List<Disassembled>? Arm64(string program, byte[] code, Dictionary<ulong, string> names)
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, code);
            if (Command.Run(program, ["-D", "-b", "binary", "-m", "aarch64", file]) is not { Status: 0, Output: var output })
                return null;
            var said = new List<Disassembled>();
            foreach (Match line in Arm64Line().Matches(output))
            {
                string text = line.Groups[2].Value.Split("//")[0].Trim().Replace('\t', ' ');
                text = Arm64Target().Replace(text, m => names.GetValueOrDefault(Number(m.Groups[2].Value), m.Groups[2].Value) is var name
                    ? m.Groups[1].Value + name : "");
                said.Add(new Disassembled((int)Number(line.Groups[1].Value), text));
            }
            return said;
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static ulong Number(string text) =>
        ulong.Parse(text.StartsWith("0x", StringComparison.Ordinal) ? text[2..] : text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^\s*([0-9a-f]+):\t[0-9a-f]{8} \t(.*)$", RegexOptions.Multiline)]
    private static partial Regex Arm64Line();

    // What branches, and what forms an address near its own: the target stands last.
    [GeneratedRegex(@"^((?:b|b\.[a-z]+|cbn?z \w+,|adr \w+,) )(0x[0-9a-f]+)$")]
    private static partial Regex Arm64Target();
}
