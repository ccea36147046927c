namespace Weir.Graph;

/// <summary>The sections of a file that have its DWARF; each is read when it is first needed, and empty where it is missing.</summary>
internal sealed class DwarfSections(ElfFile file)
{
    private readonly Dictionary<string, byte[]> _sections = [];

    public bool IsBigEndian => file.IsBigEndian;

    public byte[] Info => Find(".debug_info");

    public byte[] Abbreviations => Find(".debug_abbrev");

    public byte[] Lines => Find(".debug_line");

    public byte[] Ranges => Find(".debug_ranges");

    public byte[] RangeLists => Find(".debug_rnglists");

    /// <summary>The address that a value means.</summary>
    public ulong Address(DwarfUnit unit, DwarfValue value) => value.Form switch
    {
        DwarfForms.Address => value.Bits,
        DwarfForms.AddressIndex or (>= DwarfForms.AddressIndex1 and <= DwarfForms.AddressIndex4) or 0x1F01 => IndexedAddress(unit, value.Bits),
        _ => throw new BadElfException("an address is none"),
    };

    /// <summary>An address of <c>.debug_addr</c>.</summary>
    public ulong IndexedAddress(DwarfUnit unit, ulong index) =>
        new ElfReader(Find(".debug_addr"), IsBigEndian, Place(unit.AddressBase, index, unit.AddressSize)).Unsigned(unit.AddressSize);

    /// <summary>The text that a value means, or null where it lies in another file.</summary>
    public string? Text(DwarfUnit unit, DwarfValue value, ReadOnlySpan<byte> inline)
    {
        switch (value.Form)
        {
            case DwarfForms.String:
                return Text(inline, value.Bits);
            case DwarfForms.StringOffset:
                return Text(Find(".debug_str"), value.Bits);
            case DwarfForms.LineStringOffset:
                return Text(Find(".debug_line_str"), value.Bits);
            case DwarfForms.StringIndex or (>= DwarfForms.StringIndex1 and <= DwarfForms.StringIndex4) or 0x1F02:
                var offsets = new ElfReader(Find(".debug_str_offsets"), IsBigEndian, Place(unit.StringOffsetsBase, value.Bits, unit.Is64 ? 8 : 4));
                return Text(Find(".debug_str"), offsets.Word(unit.Is64));
            default:
                return null;
        }
    }

    public static ulong Place(ulong origin, ulong index, int sizeBytes)
    {
        if (origin > uint.MaxValue || index > uint.MaxValue)
            throw new BadElfException("an index lies behind its section's end");
        return origin + (index * (ulong)sizeBytes);
    }

    private string Text(ReadOnlySpan<byte> section, ulong offset) => new ElfReader(section, IsBigEndian, offset).Name();

    private byte[] Find(string name)
    {
        if (!_sections.TryGetValue(name, out byte[]? section))
            _sections.Add(name, section = file.FindSection(name) ?? []);
        return section;
    }
}
