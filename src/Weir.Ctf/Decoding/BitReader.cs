using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Weir.Ctf;

/// <summary>
/// Reads integers of 1 to 64 bits at any bit position (CTF 1.8, section 4.1.5): little-endian fills bytes from their least significant
/// bit, big-endian from their most significant one.
/// </summary>
public static unsafe class BitReader
{
    /// <summary>
    /// Reads <paramref name="sizeBits"/> bits at <paramref name="positionBits"/>. Touches only the bytes in which these bits lie.
    /// </summary>
    public static ulong Read(byte* start, long positionBits, int sizeBits, bool isBigEndian)
    {
        byte* first = start + (positionBits >> 3);
        int shift = (int)(positionBits & 7);
        int bytes = (shift + sizeBits + 7) >> 3;
        ulong low = 0;
        int count = Math.Min(bytes, 8);
        if (isBigEndian)
        {
            for (int i = 0; i < count; i++)
                low = (low << 8) | first[i];
            int unused = (bytes * 8) - shift - sizeBits;
            if (bytes == 9)
                low = (low << (8 - unused)) | ((uint)first[8] >> unused);
            else
                low >>= unused;
            return low & Mask(sizeBits);
        }
        for (int i = 0; i < count; i++)
            low |= (ulong)first[i] << (i * 8);
        low >>= shift;
        if (bytes == 9)
            low |= (ulong)first[8] << (64 - shift);
        return low & Mask(sizeBits);
    }

    /// <summary>Fills the bits above <paramref name="sizeBits"/> with the sign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong SignExtend(ulong value, int sizeBits) => (ulong)((long)(value << (64 - sizeBits)) >> (64 - sizeBits));

    /// <summary>The low <paramref name="sizeBits"/> bits in reverse order.</summary>
    public static ulong Reverse(ulong value, int sizeBits)
    {
        ulong reversed = 0;
        for (int i = 0; i < sizeBits; i++, value >>= 1)
            reversed = (reversed << 1) | (value & 1);
        return reversed;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T Load<T>(byte* start, long positionBits)
        where T : unmanaged => Unsafe.ReadUnaligned<T>(start + (positionBits >> 3));

    private static ulong Mask(int sizeBits) => ulong.MaxValue >> (64 - sizeBits);
}
