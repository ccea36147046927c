using System.Buffers.Binary;
using System.Text;

namespace Weir.Ctf;

/// <summary>Makes UTF-8 of UTF-16 and UTF-32.</summary>
internal static unsafe class WideText
{
    /// <summary>Longest text, against sizes that an array cannot have.</summary>
    private const long MaxBytes = 1 << 29;

    public static int UnitBytes(TextEncoding encoding) =>
        encoding is TextEncoding.Utf16BigEndian or TextEncoding.Utf16LittleEndian ? 2 : 4;

    /// <summary>Bytes up to the first zero code unit, or -1 where there is none.</summary>
    public static long FindEnd(byte* text, long roomBytes, int unitBytes)
    {
        for (long at = 0; at + unitBytes <= roomBytes; at += unitBytes)
        {
            if (text[at] == 0 && text[at + 1] == 0 && (unitBytes == 2 || (text[at + 2] == 0 && text[at + 3] == 0)))
                return at;
        }
        return -1;
    }

    /// <summary>Transcodes; the number of bytes of UTF-8, or -1 for what is no text.</summary>
    public static int Transcode(byte* text, long lengthBytes, TextEncoding encoding, ref byte[] utf8)
    {
        int unitBytes = UnitBytes(encoding);
        if (lengthBytes > MaxBytes || lengthBytes % unitBytes != 0)
            return -1;
        var units = new ReadOnlySpan<byte>(text, (int)lengthBytes);
        int count = 0;
        while (!units.IsEmpty)
        {
            if (!TryTake(ref units, encoding, out var rune))
                return -1;
            if (utf8.Length - count < 4)
                Array.Resize(ref utf8, Math.Max(256, utf8.Length * 2));
            count += rune.EncodeToUtf8(utf8.AsSpan(count));
        }
        // A visitor may take the address of what has no bytes.
        if (utf8.Length == 0)
            utf8 = new byte[256];
        return count;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> units, TextEncoding encoding, out Rune rune)
    {
        uint value = Take(ref units, encoding);
        if (!char.IsSurrogate((char)value) || value > char.MaxValue)
            return Rune.TryCreate(value, out rune);
        rune = default;
        if (units.IsEmpty || UnitBytes(encoding) == 4)
            return false;
        return Rune.TryCreate((char)value, (char)Take(ref units, encoding), out rune);
    }

    private static uint Take(ref ReadOnlySpan<byte> units, TextEncoding encoding)
    {
        uint value = encoding switch
        {
            TextEncoding.Utf16BigEndian => BinaryPrimitives.ReadUInt16BigEndian(units),
            TextEncoding.Utf16LittleEndian => BinaryPrimitives.ReadUInt16LittleEndian(units),
            TextEncoding.Utf32BigEndian => BinaryPrimitives.ReadUInt32BigEndian(units),
            _ => BinaryPrimitives.ReadUInt32LittleEndian(units),
        };
        units = units[UnitBytes(encoding)..];
        return value;
    }
}
