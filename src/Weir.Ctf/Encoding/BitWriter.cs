using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Weir.Ctf;

/// <summary>
/// Writes fields one after the other into memory that grows: the counterpart of <see cref="BitReader"/>. Positions are in bits from the
/// memory's beginning; bits that nobody wrote are zero. The memory moves when it grows, so keep positions and not addresses. Not
/// thread-safe.
/// </summary>
public sealed unsafe class BitWriter : IDisposable
{
    private byte* _start;
    private long _capacityBytes;

    /// <summary>Creates a writer.</summary>
    /// <param name="capacityBytes">Bytes to begin with.</param>
    public BitWriter(int capacityBytes = 4096)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacityBytes, 1);
        Reserve(capacityBytes);
    }

    /// <summary>Gives the memory back.</summary>
    ~BitWriter() => NativeMemory.Free(_start);

    /// <summary>Bits that were written before the memory's first one, and cut off since; alignments count from there.</summary>
    public long OriginBits { get; private set; }

    /// <summary>Where the next bit goes.</summary>
    public long PositionBits { get; private set; }

    /// <summary>Bytes that were written, with one that is written in part.</summary>
    public long LengthBytes => (PositionBits + 7) >> 3;

    /// <summary>The first byte; valid until the next write.</summary>
    public byte* Start => _start;

    /// <summary>What was written.</summary>
    public ReadOnlySpan<byte> Written => new(_start, checked((int)LengthBytes));

    /// <summary>Forgets what was written and begins again.</summary>
    public void Clear()
    {
        NativeMemory.Clear(_start, (nuint)LengthBytes);
        PositionBits = 0;
        OriginBits = 0;
    }

    /// <summary>Forgets what was written from a position on.</summary>
    public void CutTo(long positionBits)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)positionBits, (ulong)PositionBits, nameof(positionBits));
        long from = (positionBits + 7) >> 3;
        NativeMemory.Clear(_start + from, (nuint)(LengthBytes - from));
        if ((positionBits & 7) != 0)
            _start[positionBits >> 3] &= (byte)((1 << (int)(positionBits & 7)) - 1);
        PositionBits = positionBits;
    }

    /// <summary>Goes on to a multiple of <paramref name="alignmentBits"/>, a power of two.</summary>
    public void Align(long alignmentBits)
    {
        long position = ((OriginBits + PositionBits + alignmentBits - 1) & -alignmentBits) - OriginBits;
        Reserve((position + 7) >> 3);
        PositionBits = position;
    }

    /// <summary>Writes the low bits of a value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="sizeBits">1 to 64.</param>
    /// <param name="isBigEndian">Order of bytes, and of bits inside them.</param>
    public void Write(ulong value, int sizeBits, bool isBigEndian = false)
    {
        Reserve(((PositionBits + sizeBits + 7) >> 3) + 8);
        WriteAt(PositionBits, value, sizeBits, isBigEndian);
        PositionBits += sizeBits;
    }

    /// <summary>Writes the low bits of a value over what stands at a position; the position to go on at stays.</summary>
    public void Overwrite(long positionBits, ulong value, int sizeBits, bool isBigEndian = false)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(positionBits + sizeBits, PositionBits, nameof(positionBits));
        WriteAt(positionBits, value, sizeBits, isBigEndian);
    }

    /// <summary>The first bytes of what was written, to be written over.</summary>
    public Span<byte> Overwritable(int lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lengthBytes, LengthBytes);
        return new(_start, lengthBytes);
    }

    /// <summary>Writes bytes at the next whole byte.</summary>
    public void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        Align(8);
        Reserve(LengthBytes + bytes.Length);
        bytes.CopyTo(new Span<byte>(_start + LengthBytes, bytes.Length));
        PositionBits += (long)bytes.Length << 3;
    }

    /// <summary>Writes bytes and a zero byte behind them, at the next whole byte; text goes on to its first zero byte only.</summary>
    public void WriteString(ReadOnlySpan<byte> utf8)
    {
        int end = utf8.IndexOf((byte)0);
        WriteBytes(end < 0 ? utf8 : utf8[..end]);
        Write(0, 8);
    }

    /// <summary>Writes zero bytes at the next whole byte.</summary>
    public void WriteZeros(long count)
    {
        Align(8);
        Reserve(LengthBytes + count);
        PositionBits += count << 3;
    }

    /// <summary>Room for bytes at the next whole byte, to be written by address; valid until the next write, and not there before <see cref="Take"/>.</summary>
    /// <param name="maxBytes">Most bytes that are written there.</param>
    public byte* Claim(long maxBytes)
    {
        Align(8);
        Reserve(LengthBytes + maxBytes);
        return _start + LengthBytes;
    }

    /// <summary>Takes what was written to the first bytes of the room that <see cref="Claim"/> gave; behind them nothing may have been written.</summary>
    public void Take(long lengthBytes) => PositionBits += lengthBytes << 3;

    /// <summary>Copies bits that begin and go on at whole bytes; what follows them in their last byte is copied too.</summary>
    public void Copy(byte* source, long sizeBits)
    {
        Align(8);
        long bytes = (sizeBits + 7) >> 3;
        Reserve(LengthBytes + bytes);
        Buffer.MemoryCopy(source, _start + LengthBytes, bytes, bytes);
        PositionBits += sizeBits;
    }

    /// <summary>Takes the first bytes away: what follows them moves to the beginning, and <see cref="OriginBits"/> goes on.</summary>
    public void CutFront(long count)
    {
        long rest = LengthBytes - count;
        ArgumentOutOfRangeException.ThrowIfNegative(rest, nameof(count));
        Buffer.MemoryCopy(_start + count, _start, rest, rest);
        NativeMemory.Clear(_start + rest, (nuint)count);
        PositionBits -= count << 3;
        OriginBits += count << 3;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(_start);
        _start = null;
        _capacityBytes = 0;
        GC.SuppressFinalize(this);
    }

    private void WriteAt(long positionBits, ulong value, int sizeBits, bool isBigEndian)
    {
        if ((positionBits & 7) == 0 && (sizeBits & 7) == 0 && !isBigEndian && (sizeBits is 8 or 16 or 32 or 64))
        {
            byte* at = _start + (positionBits >> 3);
            switch (sizeBits)
            {
                case 8:
                    *at = (byte)value;
                    return;
                case 16:
                    Unsafe.WriteUnaligned(at, (ushort)value);
                    return;
                case 32:
                    Unsafe.WriteUnaligned(at, (uint)value);
                    return;
                default:
                    Unsafe.WriteUnaligned(at, value);
                    return;
            }
        }
        WriteBits(positionBits, value, sizeBits, isBigEndian);
    }

    private void WriteBits(long positionBits, ulong value, int sizeBits, bool isBigEndian)
    {
        for (int done = 0; done < sizeBits;)
        {
            byte* at = _start + ((positionBits + done) >> 3);
            int shift = (int)((positionBits + done) & 7);
            int count = Math.Min(8 - shift, sizeBits - done);
            int mask = (1 << count) - 1;
            // Little-endian numbers begin with their low bits at the byte's low end, big-endian ones with their high bits at its high end.
            int bits = (int)(isBigEndian ? value >> (sizeBits - done - count) : value >> done) & mask;
            int place = isBigEndian ? 8 - shift - count : shift;
            *at = (byte)((*at & ~(mask << place)) | (bits << place));
            done += count;
        }
    }

    private void Reserve(long bytes)
    {
        if (bytes <= _capacityBytes)
            return;
        long capacity = Math.Max(bytes, _capacityBytes * 2);
        _start = (byte*)NativeMemory.Realloc(_start, (nuint)capacity);
        NativeMemory.Clear(_start + _capacityBytes, (nuint)(capacity - _capacityBytes));
        _capacityBytes = capacity;
    }
}
