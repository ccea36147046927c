using System.IO.Compression;
using System.Text;

namespace Weir.Tests.Graph.Elf;

/// <summary>Writes a small ELF file with a symbol, a build ID, and the DWARF of one function: 0x1000 to 0x1100, lines 5, 7 (at 0x1010) and 9.</summary>
internal sealed class ElfBuilder(bool is64, bool isBigEndian, int dwarfVersion, bool isCompressed = false)
{
    private readonly List<(string Name, uint Type, ulong Flags, byte[] Content, uint Link)> _sections = [("", 0, 0, [], 0)];

    public static byte[] BuildId { get; } = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];

    public byte[] Build()
    {
        _sections.Add((".strtab", 3, 0, "\0work_symbol\0"u8.ToArray(), 0));
        _sections.Add((".symtab", 2, 0, Symbols(), 1));
        _sections.Add((".note.gnu.build-id", 7, 0, [.. Number(4, 4), .. Number(20, 4), .. Number(3, 4), .. "GNU\0"u8, .. BuildId], 0));
        AddDwarf(".debug_abbrev", Abbreviations());
        AddDwarf(".debug_info", Info());
        AddDwarf(".debug_line", Lines());
        byte[] names = [.. _sections.SelectMany(section => Text(section.Name)), .. Text(".shstrtab")];
        _sections.Add((".shstrtab", 3, 0, names, 0));
        var file = new List<byte>(new byte[is64 ? 64 : 52]);
        var headers = new List<byte>();
        uint nameOffset = 0;
        foreach (var (name, type, flags, content, link) in _sections)
        {
            headers.AddRange([.. Number(nameOffset, 4), .. Number(type, 4), .. Word(flags), .. Word(0), .. Word((ulong)file.Count), .. Word((ulong)content.Length)]);
            headers.AddRange([.. Number(link, 4), .. Number(0, 4), .. Word(1), .. Word(0)]);
            nameOffset += (uint)name.Length + 1;
            file.AddRange(content);
        }
        ulong headersOffset = (ulong)file.Count;
        file.AddRange(headers);
        byte[] bytes = [.. file];
        byte[] head = [.. "\u007fELF"u8, (byte)(is64 ? 2 : 1), (byte)(isBigEndian ? 2 : 1), 1];
        head.CopyTo(bytes, 0);
        Word(headersOffset).CopyTo(bytes, is64 ? 40 : 32);
        byte[] counts = [.. Number(is64 ? 64u : 40, 2), .. Number((ulong)_sections.Count, 2), .. Number((ulong)_sections.Count - 1, 2)];
        counts.CopyTo(bytes, is64 ? 58 : 46);
        return bytes;
    }

    private static byte[] Text(string text) => [.. Encoding.UTF8.GetBytes(text), 0];

    private byte[] Number(ulong value, int sizeBytes)
    {
        var bytes = new byte[sizeBytes];
        for (int i = 0; i < sizeBytes; i++)
            bytes[isBigEndian ? sizeBytes - 1 - i : i] = (byte)(value >> (8 * i));
        return bytes;
    }

    private byte[] Word(ulong value) => Number(value, is64 ? 8 : 4);

    private void AddDwarf(string name, byte[] content)
    {
        if (!isCompressed)
        {
            _sections.Add((name, 1, 0, content, 0));
            return;
        }
        using var packed = new MemoryStream();
        packed.Write([.. Number(1, 4), .. (is64 ? Number(0, 4) : []), .. Word((ulong)content.Length), .. Word(1)]);
        using (var stream = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            stream.Write(content);
        _sections.Add((name, 1, 0x800, packed.ToArray(), 0));
    }

    private byte[] Symbols()
    {
        byte[] symbol = is64
            ? [.. Number(1, 4), 0x12, 0, .. Number(1, 2), .. Number(0x1000, 8), .. Number(0x100, 8)]
            : [.. Number(1, 4), .. Number(0x1000, 4), .. Number(0x100, 4), 0x12, 0, .. Number(1, 2)];
        return [.. new byte[symbol.Length], .. symbol];
    }

    // A unit with statement list, directory and range; a function with name and range; a variable in it, without anything.
    private static byte[] Abbreviations() =>
    [
        1, 0x11, 1, 0x10, 0x06, 0x1B, 0x08, 0x11, 0x01, 0x12, 0x01, 0, 0,
        2, 0x2E, 1, 0x03, 0x08, 0x11, 0x01, 0x12, 0x01, 0, 0,
        3, 0x34, 0, 0, 0,
        0,
    ];

    private byte[] Info()
    {
        byte[] entries =
        [
            1, .. Number(0, 4), .. Text("/src"), .. Word(0x1000), .. Word(0x1100),
            2, .. Text("work"), .. Word(0x1000), .. Word(0x1100),
            3, 0, 0,
        ];
        byte addressSize = (byte)(is64 ? 8 : 4);
        byte[] unit = dwarfVersion == 5
            ? [.. Number(5, 2), 1, addressSize, .. Number(0, 4), .. entries]
            : [.. Number((ulong)dwarfVersion, 2), .. Number(0, 4), addressSize, .. entries];
        return [.. Number((ulong)unit.Length, 4), .. unit];
    }

    private byte[] Lines()
    {
        byte[] tables = dwarfVersion == 5
            ? [1, 1, 0x08, 1, .. Text("/src"), 2, 1, 0x08, 2, 0x0B, 2, .. Text("other.c"), 0, .. Text("work.c"), 0]
            : [0, .. Text("work.c"), 0, 0, 0, 0];
        byte[] head = [1, .. (dwarfVersion >= 4 ? new byte[] { 1 } : []), 1, unchecked((byte)-5), 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, .. tables];
        byte[] program =
        [
            0, (byte)(is64 ? 9 : 5), 2, .. Word(0x1000), 3, 4, 1,
            // Special: address and line advance together, 16 and 2.
            2, 16, 3, 2, 1,
            // 13 - (-5) + 2 + 14 * 8: 8 and 2.
            (byte)(13 + 7 + (14 * 8)),
            2, 0xE8, 1, 0, 1, 1,
        ];
        byte[] addressing = dwarfVersion == 5 ? [(byte)(is64 ? 8 : 4), 0] : [];
        byte[] unit = [.. Number((ulong)dwarfVersion, 2), .. addressing, .. Number((ulong)head.Length, 4), .. head, .. program];
        return [.. Number((ulong)unit.Length, 4), .. unit];
    }
}
