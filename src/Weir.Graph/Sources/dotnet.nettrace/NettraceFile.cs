using System.Buffers.Binary;

namespace Weir.Graph;

/// <summary>What a block holds; the numbers are those of version 6.</summary>
internal enum NettraceBlockKind : byte
{
    EndOfStream = 0,
    Trace = 1,
    Event = 2,
    Metadata = 3,
    SequencePoint = 4,
    Stack = 5,
    Thread = 6,
    RemoveThread = 7,
    LabelList = 8,

    /// <summary>One that this reader does not know, and that says it may be passed over.</summary>
    Other = 255,
}

/// <summary>A block of a file, or as much of it as there is.</summary>
/// <param name="Kind">What it holds.</param>
/// <param name="Bytes">Its content.</param>
/// <param name="FileOffset">Where the content begins.</param>
internal sealed record NettraceBlock(NettraceBlockKind Kind, byte[] Bytes, long FileOffset);

/// <summary>
/// Reads the blocks of a <c>.nettrace</c> file one after the other, of either layout:
/// <code>
/// version 4, 5   "Nettrace" | 20 u32 | "!FastSerialization.1" | objects | 01
///      object    05 05 01 | version u32 | oldest reader u32 | length u32 | type name | 06 | content | 06
///      content   of Trace: fixed; of the others: length u32 | zeros up to a multiple of 4 in the file | bytes
/// version 6      "Nettrace" | 0 u32 | 6 u32 | minor u32 | blocks
///      block     length u24 | kind u8 | bytes
/// </code>
/// A block that the file cuts short is given as far as it goes, and is the last: <see cref="Cut"/> says so.
/// </summary>
internal sealed class NettraceFile : IDisposable
{
    private const int MaxTypeNameBytes = 256;
    private const int TraceObjectBytes = 16 + 8 + 8 + (4 * 4);
    private const int NewestMajorVersion = 6;

    private readonly FileStream _stream;
    private readonly string _path;
    private bool _hasEnded;

    public NettraceFile(string path)
    {
        _path = path;
        _stream = RegularFile.Open(path, 1 << 16);
        try
        {
            ReadHeader();
        }
        catch
        {
            _stream.Dispose();
            throw;
        }
    }

    /// <summary>How a file begins.</summary>
    public static ReadOnlySpan<byte> Magic => "Nettrace"u8;

    private static ReadOnlySpan<byte> SerializerName => "!FastSerialization.1"u8;

    /// <summary>Version of the file's format: 4, 5 or 6. Of the first two it is known once the first block has been read.</summary>
    public int Version { get; private set; }

    /// <summary>What is wrong with the file's end, or null.</summary>
    public TraceReadException? Cut { get; private set; }

    /// <summary>The next block, or null at the end.</summary>
    public NettraceBlock? Next()
    {
        if (_hasEnded)
            return null;
        var block = Version == NewestMajorVersion ? NextBlock() : NextObject();
        _hasEnded |= block is null or { Kind: NettraceBlockKind.EndOfStream };
        return block is { Kind: NettraceBlockKind.EndOfStream } ? null : block;
    }

    public void Dispose() => _stream.Dispose();

    private void ReadHeader()
    {
        Span<byte> head = stackalloc byte[12];
        if (_stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length || !head.StartsWith(Magic))
            throw new TraceReadException(_path, 0, "this is no .nettrace file: expected it to begin with 'Nettrace'");
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(head[8..]);
        Span<byte> rest = stackalloc byte[20];
        int count = _stream.ReadAtLeast(length == 0 ? rest[..8] : rest, length == 0 ? 8 : 20, throwOnEndOfStream: false);
        if (length == 0 && count == 8)
        {
            uint major = BinaryPrimitives.ReadUInt32LittleEndian(rest);
            if (major != NewestMajorVersion)
                throw new TraceReadException(_path, 12, $"version {major} of the format is not known: expected 4, 5 or {NewestMajorVersion}");
            Version = NewestMajorVersion;
            return;
        }
        if (length != SerializerName.Length || !rest.SequenceEqual(SerializerName))
            throw new TraceReadException(_path, 8, "expected the header of a .nettrace file");
    }

    private NettraceBlock? NextBlock()
    {
        Span<byte> head = stackalloc byte[4];
        int count = _stream.ReadAtLeast(head, 4, throwOnEndOfStream: false);
        if (count < 4)
            return End("the file ends without an end-of-stream block");
        uint word = BinaryPrimitives.ReadUInt32LittleEndian(head);
        var kind = (NettraceBlockKind)(word >> 24);
        return ReadContent(kind <= NettraceBlockKind.LabelList ? kind : NettraceBlockKind.Other, word & 0xffffff);
    }

    private NettraceBlock? NextObject()
    {
        Span<byte> head = stackalloc byte[15];
        int count = _stream.ReadAtLeast(head[..1], 1, throwOnEndOfStream: false);
        if (count == 1 && head[0] == 1)
            return null;
        if (count == 0 || _stream.ReadAtLeast(head[1..], 14, throwOnEndOfStream: false) < 14)
            return End("the file ends without a mark of its end");
        long offset = _stream.Position - head.Length;
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(head[3..]);
        uint oldestReader = BinaryPrimitives.ReadUInt32LittleEndian(head[7..]);
        uint nameLength = BinaryPrimitives.ReadUInt32LittleEndian(head[11..]);
        if (!head[..3].SequenceEqual((ReadOnlySpan<byte>)[5, 5, 1]) || nameLength > MaxTypeNameBytes)
            throw new TraceReadException(_path, offset, "expected an object of the trace or the trace's end");
        Span<byte> name = stackalloc byte[(int)nameLength + 1];
        if (_stream.ReadAtLeast(name, name.Length, throwOnEndOfStream: false) < name.Length)
            return End("the file ends inside an object's type");
        if (name[^1] != 6)
            throw new TraceReadException(_path, _stream.Position - 1, "expected the end of an object's type");
        var kind = KindOf(name[..^1]);
        if (kind == NettraceBlockKind.Trace)
        {
            if (oldestReader > 5)
                throw new TraceReadException(_path, offset, $"version {version} of the format is not known: expected 4, 5 or {NewestMajorVersion}");
            Version = (int)Math.Clamp(version, 4, 5);
        }
        var block = ReadContent(kind, kind == NettraceBlockKind.Trace ? TraceObjectBytes : ReadLength());
        if (Cut is null && _stream.ReadByte() is var end and not 6)
        {
            if (end >= 0)
                throw new TraceReadException(_path, _stream.Position - 1, "expected the end of an object");
            End("the file ends before an object's end");
        }
        return block;
    }

    private static NettraceBlockKind KindOf(ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("EventBlock"u8))
            return NettraceBlockKind.Event;
        if (name.SequenceEqual("MetadataBlock"u8))
            return NettraceBlockKind.Metadata;
        if (name.SequenceEqual("StackBlock"u8))
            return NettraceBlockKind.Stack;
        if (name.SequenceEqual("SPBlock"u8))
            return NettraceBlockKind.SequencePoint;
        return name.SequenceEqual("Trace"u8) ? NettraceBlockKind.Trace : NettraceBlockKind.Other;
    }

    /// <summary>A length, and the zeros behind it.</summary>
    private uint ReadLength()
    {
        Span<byte> bytes = stackalloc byte[4];
        if (_stream.ReadAtLeast(bytes, 4, throwOnEndOfStream: false) < 4)
        {
            End("the file ends inside an object");
            return 0;
        }
        for (long padding = -_stream.Position & 3; padding > 0; padding--)
            _stream.ReadByte();
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    /// <summary>Never more than the file has, so a wrong length allocates nothing that is not there.</summary>
    private NettraceBlock ReadContent(NettraceBlockKind kind, uint length)
    {
        long offset = _stream.Position;
        long available = Math.Min(length, Math.Max(0, _stream.Length - offset));
        if (available > Array.MaxLength)
            throw new TraceReadException(_path, offset, $"a block of {length} bytes is too long");
        byte[] bytes = new byte[available];
        int count = _stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        if (count < length)
        {
            Array.Resize(ref bytes, count);
            Cut ??= new TraceReadException(_path, offset + count, $"the file ends inside a block: expected {length - count} more bytes");
            _hasEnded = true;
        }
        return new NettraceBlock(kind, bytes, offset);
    }

    private NettraceBlock? End(string message)
    {
        _hasEnded = true;
        Cut ??= new TraceReadException(_path, _stream.Length, message);
        return null;
    }
}
