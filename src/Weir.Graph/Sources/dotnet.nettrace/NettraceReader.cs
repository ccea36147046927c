using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Weir.Graph;

/// <summary>Reads values out of bytes of a <c>.nettrace</c> file, which are not to be trusted: what does not fit is an error with its offset.</summary>
internal ref struct NettraceReader(string path, ReadOnlySpan<byte> bytes, long fileOffset)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Bytes from the beginning to what comes next.</summary>
    public int Position { get; private set; }

    public readonly int Remaining => _bytes.Length - Position;

    public readonly bool IsAtEnd => Position == _bytes.Length;

    /// <summary>Offset in the file of what comes next.</summary>
    public readonly long FileOffset => fileOffset + Position;

    public byte ReadByte() => Take(1)[0];

    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public ulong ReadUInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    public Guid ReadGuid() => new(Take(16));

    /// <summary>An unsigned number of 7 bits a byte, the lowest first.</summary>
    public ulong ReadVariable64()
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            byte part = ReadByte();
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
                return value;
        }
        throw Error("a number has more than ten bytes");
    }

    /// <summary>The same of 32 bits; what is above is cut, as negative numbers have it.</summary>
    public uint ReadVariable32() => (uint)ReadVariable64();

    /// <summary>A number of bytes or elements that lie ahead, so no more of them than there are bytes.</summary>
    public int ReadCount(uint count, string what) =>
        count <= (uint)Remaining ? (int)count : throw Error($"{what} has {count} elements or bytes, and {Remaining} bytes are left");

    public ReadOnlySpan<byte> Take(long count)
    {
        if (count < 0 || count > Remaining)
            throw Error($"expected {count} more bytes, and {Remaining} are left");
        var taken = _bytes.Slice(Position, (int)count);
        Position += (int)count;
        return taken;
    }

    /// <summary>Text in UTF-16 up to its zero.</summary>
    public string ReadText16()
    {
        var units = MemoryMarshal.Cast<byte, char>(_bytes[Position..]);
        int length = units.IndexOf('\0');
        if (length < 0)
            throw Error("a text has no end");
        Position += (length + 1) * 2;
        return new string(units[..length]);
    }

    /// <summary>Text in UTF-8 behind its length.</summary>
    public string ReadText8() => Encoding.UTF8.GetString(Take(ReadCount(ReadVariable32(), "a text")));

    public readonly TraceReadException Error(string message) => new(path, FileOffset, message);

    /// <summary>A reader of the next bytes alone.</summary>
    public NettraceReader Inner(long count)
    {
        long offset = FileOffset;
        return new NettraceReader(path, Take(count), offset);
    }
}
