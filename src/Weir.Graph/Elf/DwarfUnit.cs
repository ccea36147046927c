namespace Weir.Graph;

/// <summary>One unit of <c>.debug_info</c>: its header, and what its first entry says for all others.</summary>
internal sealed class DwarfUnit
{
    /// <summary>Reads a unit's header.</summary>
    public DwarfUnit(byte[] info, bool isBigEndian, int offset)
    {
        var reader = new ElfReader(info, isBigEndian, (ulong)offset);
        Offset = offset;
        ulong length = reader.UInt32();
        if (length == 0xFFFFFFFF)
        {
            Is64 = true;
            length = reader.UInt64();
        }
        if (length > (ulong)reader.Rest)
            throw new BadElfException("a unit is longer than its section");
        End = reader.Position + (int)length;
        Version = reader.UInt16();
        if (Version is < 2 or > 5)
            throw new BadElfException($"a unit has the unknown version {Version}");
        int type = Version == 5 ? reader.Byte() : 1;
        if (Version == 5)
            AddressSize = reader.Byte();
        AbbreviationsOffset = reader.Word(Is64);
        if (Version < 5)
            AddressSize = reader.Byte();
        if (AddressSize is not (1 or 2 or 4 or 8))
            throw new BadElfException($"a unit's addresses have {AddressSize} bytes");
        // Types have a signature and an offset, halves of split units an ID.
        if (type is 2 or 4 or 5 or 6)
            reader.UInt64();
        if (type is 2 or 6)
            reader.Word(Is64);
        FirstEntry = reader.Position;
        if (FirstEntry > End)
            throw new BadElfException("a unit is shorter than its header");
    }

    public int Offset { get; }

    public int End { get; }

    /// <summary>Where the first entry begins, the parent of all others.</summary>
    public int FirstEntry { get; }

    public int Version { get; }

    /// <summary>Whether offsets have 64 bits.</summary>
    public bool Is64 { get; }

    public int AddressSize { get; }

    public ulong AbbreviationsOffset { get; }

    /// <summary>Where the unit's line program begins, or null.</summary>
    public ulong? LineProgram { get; set; }

    public DwarfValue CompilationDirectory { get; set; }

    /// <summary>The address to which those of range lists are relative.</summary>
    public ulong BaseAddress { get; set; }

    public ulong StringOffsetsBase { get; set; }

    public ulong AddressBase { get; set; }

    public ulong RangeListsBase { get; set; }
}
