using System.Numerics;
using System.Runtime.CompilerServices;

namespace Weir.Graph;

/// <summary>
/// Decimal digits without branches on how many there are: eight digits at once are the bytes of one word, split in halves three times.
/// </summary>
internal static class DecimalText
{
    /// <summary>Bytes of room that <see cref="Write"/> needs; it may write behind the number's end.</summary>
    public const int MaxBytes = 24;

    private const uint EightDigits = 100_000_000;
    private const ulong Zeros = 0x3030303030303030;

    /// <summary>Writes a number; returns how many digits it has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Write(ref byte to, ulong value)
    {
        if (value >= EightDigits)
            return WriteLong(ref to, value);
        ulong digits = Split((uint)value);
        // The first digit is the lowest byte; zero has one digit too.
        int leadingZeros = BitOperations.TrailingZeroCount(digits | (1UL << 56)) >> 3;
        Unsafe.WriteUnaligned(ref to, (digits | Zeros) >> (leadingZeros * 8));
        return 8 - leadingZeros;
    }

    /// <summary>Writes nine digits, with leading zeros; <paramref name="value"/> has no more.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteNine(ref byte to, uint value)
    {
        uint first = value / EightDigits;
        to = (byte)('0' + first);
        WriteEight(ref Unsafe.Add(ref to, 1), value - (first * EightDigits));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int WriteLong(ref byte to, ulong value)
    {
        ulong high = value / EightDigits;
        int digits = Write(ref to, high);
        WriteEight(ref Unsafe.Add(ref to, digits), (uint)(value - (high * EightDigits)));
        return digits + 8;
    }

    private static void WriteEight(ref byte to, uint value) => Unsafe.WriteUnaligned(ref to, Split(value) | Zeros);

    /// <summary>The eight digits of a number, one in each byte, the first in the lowest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Split(uint value)
    {
        // Two halves of four digits, four quarters of two, eight digits. The products are quotients by 100 and by 10, exact for so few digits.
        ulong high = value / 10_000;
        ulong halves = high | ((value - (high * 10_000)) << 32);
        ulong hundreds = ((halves * 5243) >> 19) & 0x0000_007F_0000_007F;
        ulong quarters = hundreds | ((halves - (hundreds * 100)) << 16);
        ulong tens = ((quarters * 103) >> 10) & 0x000F_000F_000F_000F;
        return tens | ((quarters - (tens * 10)) << 8);
    }
}
