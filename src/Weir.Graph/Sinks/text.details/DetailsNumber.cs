using System.Numerics;
using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>Integers as <c>sink.text.details</c> prints them: with separators between groups of digits, base 2 in base 16.</summary>
internal static class DetailsNumber
{
    /// <summary>Most bytes that a number takes: a sign, a prefix, the digits in base 8 and their separators.</summary>
    public const int MaxBytes = 1 + 2 + 22 + 7;

    /// <summary>Decimal numbers up to this one have no separators.</summary>
    private const ulong LargestWithoutSeparators = 9999;

    public static string ToText(ulong value)
    {
        Span<byte> room = stackalloc byte[MaxBytes];
        return Encoding.ASCII.GetString(room[..Format(room, value, isNegative: false, DisplayBase.Decimal)]);
    }

    public static string ToText(long value)
    {
        Span<byte> room = stackalloc byte[MaxBytes];
        return Encoding.ASCII.GetString(room[..Format(room, Magnitude(value), value < 0, DisplayBase.Decimal)]);
    }

    public static void Append(TextBuffer text, ulong value, DisplayBase displayBase) =>
        text.Advance(Format(text.Room(MaxBytes), value, isNegative: false, displayBase));

    public static void Append(TextBuffer text, long value, DisplayBase displayBase) =>
        text.Advance(Format(text.Room(MaxBytes), Magnitude(value), value < 0, displayBase));

    private static ulong Magnitude(long value) => value < 0 ? 0UL - (ulong)value : (ulong)value;

    private static int Format(Span<byte> room, ulong magnitude, bool isNegative, DisplayBase displayBase)
    {
        int length = 0;
        if (isNegative)
            room[length++] = (byte)'-';
        switch (displayBase)
        {
            case DisplayBase.Octal:
                room[length++] = (byte)'0';
                return length + FormatPowerOfTwo(room[length..], magnitude, bitsPerDigit: 3, digitsPerGroup: 3);
            case DisplayBase.Binary or DisplayBase.Hexadecimal:
                room[length++] = (byte)'0';
                room[length++] = (byte)'x';
                return length + FormatPowerOfTwo(room[length..], magnitude, bitsPerDigit: 4, digitsPerGroup: 4);
            default:
                return length + FormatDecimal(room[length..], magnitude);
        }
    }

    private static int FormatDecimal(Span<byte> room, ulong value)
    {
        System.Buffers.Text.Utf8Formatter.TryFormat(value, room, out int digits);
        if (value <= LargestWithoutSeparators)
            return digits;
        int length = digits + ((digits - 1) / 3);
        for (int from = digits - 1, to = length - 1, inGroup = 0; to > from; from--, to--)
        {
            if (inGroup++ == 3)
            {
                room[to--] = (byte)',';
                inGroup = 1;
            }
            room[to] = room[from];
        }
        return length;
    }

    private static int FormatPowerOfTwo(Span<byte> room, ulong value, int bitsPerDigit, int digitsPerGroup)
    {
        int digits = Math.Max(1, (64 - BitOperations.LeadingZeroCount(value) + bitsPerDigit - 1) / bitsPerDigit);
        int length = digits + ((digits - 1) / digitsPerGroup);
        ulong mask = (1UL << bitsPerDigit) - 1;
        for (int to = length - 1, inGroup = 0; to >= 0; to--, value >>= bitsPerDigit)
        {
            if (inGroup++ == digitsPerGroup)
            {
                room[to--] = (byte)':';
                inGroup = 1;
            }
            room[to] = "0123456789abcdef"u8[(int)(value & mask)];
        }
        return length;
    }
}
