using System.Buffers.Binary;

namespace Weir.Graph.Columns;

/// <summary>Bytes that grow.</summary>
internal sealed class ByteStore
{
    private byte[] _bytes = [];

    public int Count { get; private set; }

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Count);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        Count += bytes.Length;
    }

    /// <summary>The low <paramref name="width"/> bytes of a number, least significant first.</summary>
    public void Append(ulong value, int width)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(Room(8), value);
        Count += width;
    }

    public void CutTo(int count) => Count = count;

    /// <summary>Forgets the bytes and gives their memory back.</summary>
    public void Clear()
    {
        _bytes = [];
        Count = 0;
    }

    private Span<byte> Room(int length)
    {
        if (_bytes.Length - Count < length)
            Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max(Math.Max(256, _bytes.Length * 2L), (long)Count + length)));
        return _bytes.AsSpan(Count);
    }
}
