using System.IO.Compression;
using System.Text;

namespace Weir.Graph;

/// <summary>
/// An ELF file of 32 or 64 bits and of either byte order, as far as debugging information needs it: sections, function symbols, build ID.
/// Nothing in the file is believed.
/// <code>
///  64  32
///   0   0  7F 'E' 'L' 'F'   class: 1 is 32, 2 is 64   data: 1 is little-endian, 2 is big-endian
///  40  32  offset of the section headers, a word
///  58  46  size of one, number of them, number of the one that has their names, 16 bits each
/// </code>
/// </summary>
internal sealed partial class ElfFile : IDisposable
{
    /// <summary>Most bytes of a section that are read: more debugging information is given up.</summary>
    private const ulong MaxSectionBytes = 1 << 30;

    /// <summary>Most bytes of notes among which the build ID is looked for: it stands at the beginning of some dozen.</summary>
    private const ulong MaxNoteBytes = 1 << 20;

    /// <summary>zlib makes at most so many bytes of one, zstd is not allowed more.</summary>
    private const ulong MaxRatio = 1032;

    private const uint SymbolTableType = 2;
    private const uint NoteType = 7;
    private const uint NoBitsType = 8;
    private const ulong CompressedFlag = 0x800;
    private const uint BuildIdNote = 3;
    private const int FunctionSymbol = 2;

    private readonly Stream _file;
    private readonly long _lengthBytes;
    private readonly Dictionary<int, byte[]> _contents = [];
    private readonly Section[] _sections;
    private readonly byte[] _names;
    private readonly byte[] _head;

    /// <summary>Reads the headers; the stream belongs to the file then.</summary>
    /// <exception cref="BadElfException">It is no ELF.</exception>
    public ElfFile(Stream file)
    {
        _file = file;
        _lengthBytes = file.Length;
        var head = ReadAt(0, Math.Min(64, (ulong)_lengthBytes));
        if (head.Length < 52 || !head.AsSpan(0, 4).SequenceEqual("\u007fELF"u8) || head[4] is not (1 or 2) || head[5] is not (1 or 2))
            throw new BadElfException("no ELF file");
        Is64 = head[4] == 2;
        IsBigEndian = head[5] == 2;
        _head = head;
        ulong sectionsOffset = new ElfReader(head, IsBigEndian, Is64 ? 40u : 32).Word(Is64);
        var reader = new ElfReader(head, IsBigEndian, Is64 ? 58u : 46);
        uint entrySize = reader.UInt16();
        ulong count = reader.UInt16();
        uint namesIndex = reader.UInt16();
        if (entrySize < (Is64 ? 64 : 40))
            throw new BadElfException("no section headers");
        // Numbers that have no 16 bits stand in the first section's header.
        if (count == 0 || namesIndex == 0xFFFF)
        {
            var first = ReadSections(sectionsOffset, 1, entrySize)[0];
            count = count == 0 ? first.Size : count;
            namesIndex = namesIndex == 0xFFFF ? first.Link : namesIndex;
        }
        _sections = ReadSections(sectionsOffset, count, entrySize);
        _names = namesIndex < (uint)_sections.Length ? Read((int)namesIndex) : [];
    }

    public bool Is64 { get; }

    public bool IsBigEndian { get; }

    /// <summary>Opens a file that is a regular one and no shorter than an ELF header.</summary>
    /// <exception cref="BadElfException">It is no ELF, or cannot be read.</exception>
    public static ElfFile Open(string path)
    {
        var stream = OpenFile(path);
        try
        {
            return new ElfFile(stream);
        }
        catch (Exception error)
        {
            stream.Dispose();
            if (error is IOException)
                throw new BadElfException(error.Message);
            throw;
        }
    }

    /// <summary>Opens a file whose name comes from a trace.</summary>
    /// <exception cref="BadElfException">There is none, or it is no regular file.</exception>
    public static FileStream OpenFile(string path)
    {
        try
        {
            return RegularFile.Open(path, 4096);
        }
        catch (Exception error) when (error is TraceReadException or ArgumentException or NotSupportedException)
        {
            throw new BadElfException((error.InnerException ?? error).Message);
        }
    }

    /// <summary>The content of the section of a name, uncompressed; null where there is none. It is read once.</summary>
    public byte[]? FindSection(string name)
    {
        byte[] wanted = Encoding.UTF8.GetBytes(name);
        for (int i = 0; i < _sections.Length; i++)
        {
            if (_sections[i].Type != NoBitsType && _sections[i].NameOffset < (uint)_names.Length
                && new ElfReader(_names, IsBigEndian, _sections[i].NameOffset).Text().SequenceEqual(wanted))
                return Read(i);
        }
        return null;
    }

    /// <summary>The build ID: that of the first note section that begins with one.</summary>
    public byte[]? FindBuildId()
    {
        for (int i = 0; i < _sections.Length; i++)
        {
            if (_sections[i].Type != NoteType || _sections[i].Size is < 16 or > MaxNoteBytes)
                continue;
            var reader = new ElfReader(Read(i), IsBigEndian);
            uint nameLength = reader.UInt32();
            uint length = reader.UInt32();
            if (reader.UInt32() == BuildIdNote && nameLength == 4 && reader.Take(4).SequenceEqual("GNU\0"u8))
                return reader.Take(length).ToArray();
        }
        return null;
    }

    /// <summary>The function symbol that stands nearest before an address, by the first symbol table that has one.</summary>
    public (string Name, ulong Address)? FindFunction(ulong address)
    {
        for (int i = 0; i < _sections.Length; i++)
        {
            if (_sections[i].Type == SymbolTableType && FindFunction(Read(i), address) is var (nameOffset, value))
            {
                if (_sections[i].Link >= (uint)_sections.Length)
                    throw new BadElfException("a symbol table has no names");
                return (new ElfReader(Read((int)_sections[i].Link), IsBigEndian, nameOffset).Name(), value);
            }
        }
        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private (uint NameOffset, ulong Address)? FindFunction(byte[] symbols, ulong address)
    {
        (uint, ulong)? nearest = null;
        ulong nearestValue = 0;
        var reader = new ElfReader(symbols, IsBigEndian);
        for (int sizeBytes = Is64 ? 24 : 16; reader.Rest >= sizeBytes;)
        {
            var (name, value, info, _) = ReadSymbol(ref reader);
            if ((info & 15) == FunctionSymbol && value <= address && (nearest is null || value > nearestValue))
                (nearest, nearestValue) = ((name, value), value);
        }
        return nearest;
    }

    private Section[] ReadSections(ulong offset, ulong count, uint entrySize)
    {
        if (count > (ulong)_lengthBytes / entrySize)
            throw new BadElfException("more section headers than the file has room for");
        var reader = new ElfReader(ReadAt(offset, count * entrySize), IsBigEndian);
        var sections = new Section[count];
        foreach (ref var section in sections.AsSpan())
        {
            int end = reader.Position + (int)entrySize;
            section.NameOffset = reader.UInt32();
            section.Type = reader.UInt32();
            section.Flags = reader.Word(Is64);
            section.Address = reader.Word(Is64);
            section.Offset = reader.Word(Is64);
            section.Size = reader.Word(Is64);
            section.Link = reader.UInt32();
            reader.Take((ulong)(end - reader.Position));
        }
        return sections;
    }

    private byte[] Read(int index)
    {
        if (_contents.TryGetValue(index, out byte[]? known))
            return known;
        ref readonly var section = ref _sections[index];
        byte[] content = section.Type == NoBitsType ? [] : ReadAt(section.Offset, section.Size);
        if ((section.Flags & CompressedFlag) != 0)
            content = Decompress(content);
        _contents.Add(index, content);
        return content;
    }

    private byte[] Decompress(byte[] content)
    {
        var reader = new ElfReader(content, IsBigEndian);
        uint type = reader.UInt32();
        if (Is64)
            reader.UInt32();
        ulong size = reader.Word(Is64);
        reader.Word(Is64);
        if (size > MaxSectionBytes || size > ((ulong)reader.Rest * MaxRatio) + 64)
            throw new BadElfException("a compressed section is too large");
        using var packed = new MemoryStream(content, reader.Position, reader.Rest);
        try
        {
            using Stream stream = type switch
            {
                1 => new ZLibStream(packed, CompressionMode.Decompress),
                2 => new ZstdSharp.DecompressionStream(packed),
                _ => throw new BadElfException($"a section is compressed in an unknown way ({type})"),
            };
            byte[] plain = new byte[size];
            stream.ReadExactly(plain);
            return plain;
        }
        catch (Exception error) when (error is InvalidDataException or IOException or ZstdSharp.ZstdException)
        {
            throw new BadElfException($"a compressed section is bad: {error.Message}");
        }
    }

    private byte[] ReadAt(ulong offset, ulong size)
    {
        if (offset > (ulong)_lengthBytes || size > (ulong)_lengthBytes - offset || size > MaxSectionBytes)
            throw new BadElfException("a section lies behind the file's end or is too large");
        byte[] bytes = new byte[size];
        _file.Position = (long)offset;
        try
        {
            _file.ReadExactly(bytes);
        }
        catch (IOException error)
        {
            throw new BadElfException(error.Message);
        }
        return bytes;
    }

    private struct Section
    {
        public uint NameOffset;
        public uint Type;
        public ulong Flags;
        public ulong Address;
        public ulong Offset;
        public ulong Size;
        public uint Link;
    }
}
