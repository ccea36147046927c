namespace Weir.Graph;

/// <summary>A symbol that an ELF file defines.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Address">Its address, before the file is loaded anywhere.</param>
/// <param name="Kind">What it names.</param>
internal readonly record struct ElfSymbol(string Name, ulong Address, ElfSymbolKind Kind);

/// <summary>What a symbol names, by the format's numbers.</summary>
internal enum ElfSymbolKind : byte
{
    /// <summary>Data.</summary>
    Object = 1,

    /// <summary>A function.</summary>
    Function = 2,

    /// <summary>A function that chooses, while the file is loaded, which other function its name stands for.</summary>
    IndirectFunction = 10,
}

/// <summary>What probes need to know of a file: where a symbol's bytes lie in it.</summary>
internal sealed partial class ElfFile
{
    private const uint DynamicSymbolTableType = 11;
    private const uint LoadedSegment = 1;

    /// <summary>Characters of all symbols' names together; more is made to take memory, by names that overlap.</summary>
    private const long MaxNamesLength = 1 << 28;

    /// <summary>The processor, by the format's numbers: 62 is x86-64, 183 is AArch64.</summary>
    public int Machine => new ElfReader(_head, IsBigEndian, 18).UInt16();

    /// <summary>All symbols that the file defines, of both of its tables.</summary>
    public IReadOnlyList<ElfSymbol> ReadSymbols()
    {
        var found = new List<ElfSymbol>();
        long namesLength = 0;
        for (int i = 0; i < _sections.Length; i++)
        {
            if (_sections[i].Type is not (SymbolTableType or DynamicSymbolTableType))
                continue;
            if (_sections[i].Link >= (uint)_sections.Length)
                throw new BadElfException("a symbol table has no names");
            byte[] names = Read((int)_sections[i].Link);
            var reader = new ElfReader(Read(i), IsBigEndian);
            for (int sizeBytes = Is64 ? 24 : 16; reader.Rest >= sizeBytes;)
            {
                var (name, address, info, section) = ReadSymbol(ref reader);
                if (section == 0 || name == 0 || (ElfSymbolKind)(info & 15) is not (ElfSymbolKind.Object or ElfSymbolKind.Function or ElfSymbolKind.IndirectFunction))
                    continue;
                var symbol = new ElfSymbol(new ElfReader(names, IsBigEndian, name).Name(), address, (ElfSymbolKind)(info & 15));
                namesLength += symbol.Name.Length;
                if (namesLength > MaxNamesLength)
                    throw new BadElfException("the symbols' names are too long");
                found.Add(symbol);
            }
        }
        return found;
    }

    /// <summary>Where in the file the byte lies that is loaded at an address; null where the file has none for it.</summary>
    public ulong? FindFileOffset(ulong address)
    {
        var head = new ElfReader(_head, IsBigEndian, Is64 ? 32u : 28);
        ulong offset = head.Word(Is64);
        head = new ElfReader(_head, IsBigEndian, Is64 ? 54u : 42);
        uint entrySize = head.UInt16();
        uint count = head.UInt16();
        if (entrySize < (Is64 ? 56 : 32))
            return null;
        byte[] headers = ReadAt(offset, (ulong)count * entrySize);
        for (uint i = 0; i < count; i++)
        {
            var (from, begin, size) = ReadLoaded(new ElfReader(headers, IsBigEndian, (ulong)i * entrySize));
            // The sum is that of a hostile file, too: only offsets that lie in this one are of any use.
            if (address >= begin && address - begin < size && from <= (ulong)_lengthBytes && address - begin < (ulong)_lengthBytes - from)
                return from + (address - begin);
        }
        return null;
    }

    /// <summary>The address of the section of a name; null where there is none.</summary>
    public ulong? FindSectionAddress(string name)
    {
        byte[] wanted = System.Text.Encoding.UTF8.GetBytes(name);
        foreach (ref readonly var section in _sections.AsSpan())
        {
            if (section.NameOffset < (uint)_names.Length && new ElfReader(_names, IsBigEndian, section.NameOffset).Text().SequenceEqual(wanted))
                return section.Address;
        }
        return null;
    }

    private (ulong Offset, ulong Address, ulong SizeBytes) ReadLoaded(ElfReader header)
    {
        uint type = header.UInt32();
        if (type != LoadedSegment)
            return default;
        if (Is64)
            header.UInt32();
        ulong offset = header.Word(Is64);
        ulong address = header.Word(Is64);
        header.Word(Is64);
        return (offset, address, header.Word(Is64));
    }

    private (uint NameOffset, ulong Address, int Info, int Section) ReadSymbol(ref ElfReader reader)
    {
        uint name = reader.UInt32();
        ulong address;
        int info;
        int section;
        if (Is64)
        {
            info = reader.Byte();
            reader.Byte();
            section = reader.UInt16();
            address = reader.UInt64();
            reader.UInt64();
        }
        else
        {
            address = reader.UInt32();
            reader.UInt32();
            info = reader.Byte();
            reader.Byte();
            section = reader.UInt16();
        }
        return (name, address, info, section);
    }
}
