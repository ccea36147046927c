using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// Goes through a sample and copies its fields. Where the record ends too early it is no longer good, and goes on without touching anything.
/// </summary>
/// <param name="record">The record.</param>
/// <param name="lengthBytes">Its length.</param>
/// <param name="byteOrder">Order of the bytes of its numbers.</param>
/// <param name="fields">Takes the fields.</param>
internal unsafe ref struct PerfSampleCursor(byte* record, int lengthBytes, ByteOrder byteOrder, BitWriter fields)
{
    private readonly bool _isSwapped = byteOrder == ByteOrder.BigEndian == BitConverter.IsLittleEndian;
    private int _at;

    /// <summary>Whether everything so far was there.</summary>
    public bool IsGood { get; private set; } = true;

    /// <summary>The next byte.</summary>
    public readonly byte* At => record + _at;

    public void Skip(ulong bytes) => Take(bytes);

    /// <summary>Copies bytes as they are.</summary>
    public void Copy(int bytes)
    {
        byte* from = At;
        if (Take((ulong)bytes))
            fields.WriteBytes(new ReadOnlySpan<byte>(from, bytes));
    }

    /// <summary>Copies bytes that were passed over before.</summary>
    public readonly void CopyFrom(byte* from, int bytes)
    {
        if (IsGood)
            fields.WriteBytes(new ReadOnlySpan<byte>(from, bytes));
    }

    /// <summary>Writes the number of an array's elements.</summary>
    public readonly void WriteCount(uint count) => fields.Write(count, 32);

    /// <summary>Writes a number of elements and copies them.</summary>
    public void CopyCounted(ulong count, int elementBytes)
    {
        if (count > (ulong)(lengthBytes - _at) / (ulong)elementBytes)
        {
            IsGood = false;
            return;
        }
        WriteCount((uint)count);
        Copy((int)count * elementBytes);
    }

    /// <summary>Three numbers in one of 64 bits: 32, 16 and 16 bits from the lowest on, in whatever order of bytes.</summary>
    public void CopyWeight()
    {
        ulong value = Read64();
        fields.Write(value & uint.MaxValue, 32);
        fields.Write((value >> 32) & ushort.MaxValue, 16);
        fields.Write(value >> 48, 16);
    }

    public uint Read32()
    {
        byte* from = At;
        if (!Take(4))
            return 0;
        uint value = Unsafe.ReadUnaligned<uint>(from);
        return _isSwapped ? BinaryPrimitives.ReverseEndianness(value) : value;
    }

    public ulong Read64()
    {
        byte* from = At;
        if (!Take(8))
            return 0;
        ulong value = Unsafe.ReadUnaligned<ulong>(from);
        return _isSwapped ? BinaryPrimitives.ReverseEndianness(value) : value;
    }

    private bool Take(ulong bytes)
    {
        if (!IsGood || bytes > (ulong)(lengthBytes - _at))
            return IsGood = false;
        _at += (int)bytes;
        return true;
    }
}
