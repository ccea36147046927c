using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;

namespace Weir.Graph;

/// <summary>
/// Protobuf on its way out: a field is its number and wire type (a varint), then a varint, 8 bytes, or a length and so many bytes. The
/// length of a nested message is not known when it begins; it gets four bytes, which are filled when it ends (a varint may be longer than it
/// needs to be).
/// </summary>
internal sealed class ProtobufBuffer(Stream output)
{
    private const int FlushBytes = 64 << 10;
    private const int LengthBytes = 4;

    private byte[] _bytes = new byte[FlushBytes + (8 << 10)];
    private int _count;

    /// <summary>Bytes since the last <see cref="WriteOut"/>.</summary>
    public int Count => _count;

    public bool IsFairlyFull => _count >= FlushBytes;

    /// <summary>Hands on what there is; no message may be open.</summary>
    public void WriteOut()
    {
        output.Write(_bytes, 0, _count);
        _count = 0;
    }

    /// <summary>An unsigned integer, an enumeration, a boolean; a negative <c>int64</c> or <c>int32</c> as its 64 bits.</summary>
    public void Integer(int field, ulong value)
    {
        var room = Room(20);
        int at = WriteVarint(room, (uint)field << 3);
        at += WriteVarint(room[at..], value);
        _count += at;
    }

    public void Double(int field, double value)
    {
        var room = Room(18);
        int at = WriteVarint(room, ((uint)field << 3) | 1);
        BinaryPrimitives.WriteDoubleLittleEndian(room[at..], value);
        _count += at + 8;
    }

    /// <summary>Bytes that are known to be a string in UTF-8, or anything.</summary>
    public void Bytes(int field, ReadOnlySpan<byte> bytes)
    {
        var room = Room(bytes.Length + 20);
        int at = WriteVarint(room, ((uint)field << 3) | 2);
        at += WriteVarint(room[at..], (uint)bytes.Length);
        bytes.CopyTo(room[at..]);
        _count += at + bytes.Length;
    }

    public void Text(int field, string text) => Bytes(field, Encoding.UTF8.GetBytes(text));

    /// <summary>Text; bytes that are not UTF-8 become U+FFFD.</summary>
    public void Text(int field, ReadOnlySpan<byte> utf8)
    {
        if (Utf8.IsValid(utf8))
        {
            Bytes(field, utf8);
            return;
        }
        int start = Begin(field);
        while (utf8.Length > 0)
        {
            bool isValid = Rune.DecodeFromUtf8(utf8, out _, out int length) == OperationStatus.Done;
            Raw(isValid ? utf8[..length] : "\uFFFD"u8);
            utf8 = utf8[length..];
        }
        End(start);
    }

    /// <summary>Begins a nested message; what it returns is for <see cref="End"/>.</summary>
    public int Begin(int field)
    {
        var room = Room(10 + LengthBytes);
        _count += WriteVarint(room, ((uint)field << 3) | 2) + LengthBytes;
        return _count;
    }

    public void End(int start)
    {
        int length = _count - start;
        for (int i = 0; i < LengthBytes; i++)
            _bytes[start - LengthBytes + i] = (byte)((length >> (7 * i) & 0x7f) | (i < LengthBytes - 1 ? 0x80 : 0));
    }

    public void Raw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        _count += bytes.Length;
    }

    private static int WriteVarint(Span<byte> room, ulong value)
    {
        int at = 0;
        for (; value >= 0x80; value >>= 7)
            room[at++] = (byte)(value | 0x80);
        room[at++] = (byte)value;
        return at;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Span<byte> Room(int length)
    {
        if (_bytes.Length - _count < length)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _count + length));
        return _bytes.AsSpan(_count);
    }
}
