using System.Buffers.Binary;
using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>Reads numbers and texts one after the other from a file, or from a part of one that is in memory. Errors name the offset.</summary>
internal sealed class FileCursor : IDisposable
{
    private readonly Stream _stream;
    private readonly string _path;
    private readonly long _baseOffset;
    private readonly byte[] _number = new byte[8];

    /// <summary>Reads a file.</summary>
    public FileCursor(Stream stream, string path, long baseOffset = 0)
    {
        _stream = stream;
        _path = path;
        _baseOffset = baseOffset;
    }

    /// <summary>Reads bytes that stand, or are compressed, at <paramref name="baseOffset"/> of a file.</summary>
    public FileCursor(byte[] bytes, string path, long baseOffset, ByteOrder byteOrder)
        : this(new MemoryStream(bytes, writable: false), path, baseOffset) => ByteOrder = byteOrder;

    /// <summary>Order of the bytes of numbers.</summary>
    public ByteOrder ByteOrder { get; set; }

    /// <summary>Where reading goes on.</summary>
    public long Position
    {
        get => _stream.Position;
        set
        {
            if (value < 0 || value > _stream.Length)
                throw new TraceReadException(_path, _baseOffset + _stream.Position, $"offset {(ulong)value} is not in the {_stream.Length} bytes that are here");
            _stream.Position = value;
        }
    }

    /// <summary>Bytes from here to the end.</summary>
    public long Remaining => _stream.Length - _stream.Position;

    public byte ReadByte() => Number(1)[0];

    public ushort ReadUInt16() =>
        ByteOrder == ByteOrder.BigEndian ? BinaryPrimitives.ReadUInt16BigEndian(Number(2)) : BinaryPrimitives.ReadUInt16LittleEndian(Number(2));

    public uint ReadUInt32() =>
        ByteOrder == ByteOrder.BigEndian ? BinaryPrimitives.ReadUInt32BigEndian(Number(4)) : BinaryPrimitives.ReadUInt32LittleEndian(Number(4));

    public ulong ReadUInt64() =>
        ByteOrder == ByteOrder.BigEndian ? BinaryPrimitives.ReadUInt64BigEndian(Number(8)) : BinaryPrimitives.ReadUInt64LittleEndian(Number(8));

    /// <summary>That many bytes; more than there are is an error before anything is allocated.</summary>
    public byte[] ReadBytes(ulong count)
    {
        Require(count);
        byte[] bytes = new byte[count];
        _stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Passes over that many bytes.</summary>
    public void Skip(ulong count)
    {
        Require(count);
        _stream.Position += (long)count;
    }

    /// <summary>Text up to a zero byte.</summary>
    public string ReadText(int maxBytes = 4096)
    {
        var bytes = new List<byte>();
        for (byte one = ReadByte(); one != 0; one = ReadByte())
        {
            if (bytes.Count == maxBytes)
                throw Fail($"a text is longer than {maxBytes} bytes");
            bytes.Add(one);
        }
        return Encoding.UTF8.GetString([.. bytes]);
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    /// <summary>An error here.</summary>
    public TraceReadException Fail(string message, Exception? cause = null) => new(_path, _baseOffset + _stream.Position, message, cause);

    private ReadOnlySpan<byte> Number(int bytes)
    {
        Require((ulong)bytes);
        _stream.ReadExactly(_number, 0, bytes);
        return _number;
    }

    private void Require(ulong count)
    {
        if (count > (ulong)Remaining || count > int.MaxValue)
            throw Fail($"expected {count} more bytes, but there are {Remaining}");
    }
}
