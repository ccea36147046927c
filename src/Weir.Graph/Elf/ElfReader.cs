using System.Buffers.Binary;
using System.Text;

namespace Weir.Graph;

/// <summary>Reads numbers and texts one after the other. All reads are checked; they throw <see cref="BadElfException"/>.</summary>
internal ref struct ElfReader
{
    private const int MaxNameBytes = 1 << 16;

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly bool _isBigEndian;

    public ElfReader(ReadOnlySpan<byte> bytes, bool isBigEndian, ulong position = 0)
    {
        _bytes = bytes;
        _isBigEndian = isBigEndian;
        Position = position <= (ulong)bytes.Length ? (int)position : throw new BadElfException("an offset lies behind its section's end");
    }

    public int Position { get; private set; }

    public readonly int Rest => _bytes.Length - Position;

    public byte Byte() => Take(1)[0];

    public ushort UInt16() => (ushort)Unsigned(2);

    public uint UInt32() => (uint)Unsigned(4);

    public ulong UInt64() => Unsigned(8);

    /// <summary>An unsigned number of 1 to 8 bytes.</summary>
    public ulong Unsigned(int sizeBytes)
    {
        var bytes = Take((ulong)sizeBytes);
        switch (sizeBytes)
        {
            case 2:
                return _isBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);
            case 4:
                return _isBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            case 8:
                return _isBigEndian ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            default:
                ulong value = 0;
                for (int i = 0; i < bytes.Length; i++)
                    value = (value << 8) | bytes[_isBigEndian ? i : bytes.Length - 1 - i];
                return value;
        }
    }

    /// <summary>A number of 8 or of 4 bytes, as the format's class says.</summary>
    public ulong Word(bool is64) => Unsigned(is64 ? 8 : 4);

    /// <summary>An unsigned LEB128; bits beyond 64 are lost.</summary>
    public ulong Uleb()
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = Byte();
            if (shift < 64)
                value |= (ulong)(next & 0x7F) << shift;
            if ((next & 0x80) == 0)
                return value;
        }
    }

    /// <summary>A signed LEB128; bits beyond 64 are lost.</summary>
    public long Sleb()
    {
        long value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = Byte();
            if (shift < 64)
                value |= (long)(next & 0x7F) << shift;
            if ((next & 0x80) != 0)
                continue;
            return shift + 7 < 64 && (next & 0x40) != 0 ? value | (-1L << (shift + 7)) : value;
        }
    }

    /// <summary>A text up to its zero byte, which is passed over.</summary>
    public ReadOnlySpan<byte> Text()
    {
        int length = _bytes[Position..].IndexOf((byte)0);
        if (length < 0)
            throw new BadElfException("a text has no end");
        var text = _bytes.Slice(Position, length);
        Position += length + 1;
        return text;
    }

    /// <summary>A text that is to be kept.</summary>
    public string Name()
    {
        var text = Text();
        return text.Length <= MaxNameBytes ? Encoding.UTF8.GetString(text) : throw new BadElfException("a name is too long");
    }

    public ReadOnlySpan<byte> Take(ulong lengthBytes)
    {
        if (lengthBytes > (ulong)Rest)
            throw new BadElfException("a section ends too early");
        var bytes = _bytes.Slice(Position, (int)lengthBytes);
        Position += (int)lengthBytes;
        return bytes;
    }
}
