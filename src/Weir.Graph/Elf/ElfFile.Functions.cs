namespace Weir.Graph;

/// <summary>A function that an ELF file defines.</summary>
/// <param name="Address">Its address, before the file is loaded anywhere.</param>
/// <param name="SizeBytes">Its length; 0 where the file does not say it.</param>
/// <param name="Name">Its name.</param>
internal readonly record struct ElfFunction(ulong Address, ulong SizeBytes, string Name);

/// <summary>A part of a file that is loaded.</summary>
/// <param name="Offset">Where it lies in the file.</param>
/// <param name="Address">Its address, before the file is loaded anywhere.</param>
/// <param name="SizeBytes">Bytes of it that lie in the file.</param>
internal readonly record struct ElfSegment(ulong Offset, ulong Address, ulong SizeBytes);

/// <summary>What naming addresses needs to know of a file.</summary>
internal sealed partial class ElfFile
{
    private const uint DynamicSymbols = 11;
    private const int IndirectFunction = 10;

    /// <summary>Characters of all functions' names together; more is made to take memory, by names that overlap.</summary>
    private const long MaxFunctionNamesLength = 1 << 27;

    /// <summary>All functions that the file defines: those of its symbol table, or of its dynamic one where it was stripped. In no order.</summary>
    /// <exception cref="BadElfException">The file is bad.</exception>
    public IReadOnlyList<ElfFunction> ReadFunctions()
    {
        foreach (uint type in (ReadOnlySpan<uint>)[SymbolTableType, DynamicSymbols])
        {
            int table = Array.FindIndex(_sections, section => section.Type == type);
            if (table < 0)
                continue;
            var found = ReadFunctions(table);
            if (found.Count > 0)
                return found;
        }
        return [];
    }

    /// <summary>The parts of the file that are loaded.</summary>
    /// <exception cref="BadElfException">The file is bad.</exception>
    public IReadOnlyList<ElfSegment> ReadLoadedSegments()
    {
        const uint Loaded = 1;
        ulong offset = new ElfReader(_head, IsBigEndian, Is64 ? 32u : 28).Word(Is64);
        var counts = new ElfReader(_head, IsBigEndian, Is64 ? 54u : 42);
        uint entrySize = counts.UInt16();
        uint count = counts.UInt16();
        var found = new List<ElfSegment>();
        if (entrySize < (Is64 ? 56 : 32))
            return found;
        byte[] headers = ReadAt(offset, (ulong)count * entrySize);
        for (uint i = 0; i < count; i++)
        {
            var header = new ElfReader(headers, IsBigEndian, (ulong)i * entrySize);
            if (header.UInt32() != Loaded)
                continue;
            if (Is64)
                header.UInt32();
            ulong from = header.Word(Is64);
            ulong address = header.Word(Is64);
            header.Word(Is64);
            found.Add(new ElfSegment(from, address, header.Word(Is64)));
        }
        return found;
    }

    private List<ElfFunction> ReadFunctions(int table)
    {
        if (_sections[table].Link >= (uint)_sections.Length)
            throw new BadElfException("a symbol table has no names");
        var found = new List<ElfFunction>();
        byte[] names = Read((int)_sections[table].Link);
        var reader = new ElfReader(Read(table), IsBigEndian);
        long namesLength = 0;
        for (int sizeBytes = Is64 ? 24 : 16; reader.Rest >= sizeBytes;)
        {
            uint name = reader.UInt32();
            ulong address = Is64 ? 0 : reader.UInt32();
            ulong size = Is64 ? 0 : reader.UInt32();
            int type = reader.Byte() & 15;
            reader.Byte();
            bool isDefined = reader.UInt16() != 0;
            if (Is64)
                (address, size) = (reader.UInt64(), reader.UInt64());
            if (!isDefined || name == 0 || type is not (FunctionSymbol or IndirectFunction))
                continue;
            var function = new ElfFunction(address, size, new ElfReader(names, IsBigEndian, name).Name());
            namesLength += function.Name.Length;
            if (namesLength > MaxFunctionNamesLength)
                throw new BadElfException("the symbols' names are too long");
            found.Add(function);
        }
        return found;
    }
}
