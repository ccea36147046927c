using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Weir.Graph;

/// <summary>Writes values as JSON has them. Nothing is allocated for a value.</summary>
internal static class JsonText
{
    private const int PieceBytes = 4 << 10;

    private static readonly SearchValues<byte> s_plain = SearchValues.Create(PlainBytes());

    /// <summary>A string in quotes; bytes that are not UTF-8 become U+FFFD.</summary>
    public static void AppendJsonString(this TextBuffer text, ReadOnlySpan<byte> utf8)
    {
        text.Append((byte)'"');
        while (utf8.Length > 0)
        {
            int plain = utf8.IndexOfAnyExcept(s_plain);
            if (plain != 0)
            {
                text.Append(plain < 0 ? utf8 : utf8[..plain]);
                if (plain < 0)
                    break;
                utf8 = utf8[plain..];
            }
            utf8 = utf8[AppendSpecial(text, utf8)..];
        }
        text.Append((byte)'"');
    }

    /// <summary>A string in quotes, as bytes.</summary>
    public static byte[] Quote(string value)
    {
        var text = new TextBuffer();
        text.AppendJsonString(Encoding.UTF8.GetBytes(value));
        return text.Written.ToArray();
    }

    /// <summary>
    /// The shortest number that reads back alike, with a point or an exponent; what is no number as a string, by the names that most
    /// readers of JSON know.
    /// </summary>
    public static void AppendJsonReal(this TextBuffer text, double value, bool isSingle)
    {
        if (!double.IsFinite(value))
        {
            text.Append(double.IsNaN(value) ? "\"NaN\""u8 : value > 0 ? "\"Infinity\""u8 : "\"-Infinity\""u8);
            return;
        }
        var room = text.Room(40);
        int length;
        if (isSingle)
            ((float)value).TryFormat(room, out length, default, CultureInfo.InvariantCulture);
        else
            value.TryFormat(room, out length, default, CultureInfo.InvariantCulture);
        bool isInteger = room[..length].IndexOfAny((byte)'.', (byte)'E') < 0;
        text.Advance(length);
        if (isInteger)
            text.Append(".0"u8);
    }

    /// <summary>Bytes in base 64, without quotes.</summary>
    public static void AppendBase64(this TextBuffer text, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            // Pieces of a multiple of three bytes, so that only the last has padding.
            var piece = bytes[..Math.Min(bytes.Length, PieceBytes * 3)];
            Base64.EncodeToUtf8(piece, text.Room(Base64.GetMaxEncodedToUtf8Length(piece.Length)), out _, out int written);
            text.Advance(written);
            bytes = bytes[piece.Length..];
        }
    }

    /// <summary>One character that is not printable ASCII or has an escape; returns the bytes that it takes.</summary>
    private static int AppendSpecial(TextBuffer text, ReadOnlySpan<byte> utf8)
    {
        byte first = utf8[0];
        if (first >= 0x80)
        {
            bool isValid = Rune.DecodeFromUtf8(utf8, out _, out int length) == OperationStatus.Done;
            text.Append(isValid ? utf8[..length] : "\uFFFD"u8);
            return length;
        }
        switch (first)
        {
            case (byte)'"' or (byte)'\\':
                text.Append((byte)'\\');
                text.Append(first);
                break;
            case (byte)'\n':
                text.Append("\\n"u8);
                break;
            case (byte)'\r':
                text.Append("\\r"u8);
                break;
            case (byte)'\t':
                text.Append("\\t"u8);
                break;
            default:
                text.Append("\\u00"u8);
                text.Append("0123456789abcdef"u8[first >> 4]);
                text.Append("0123456789abcdef"u8[first & 15]);
                break;
        }
        return 1;
    }

    private static byte[] PlainBytes()
    {
        var bytes = new List<byte>();
        for (byte c = 0x20; c < 0x7f; c++)
        {
            if (c is not ((byte)'"' or (byte)'\\'))
                bytes.Add(c);
        }
        return [.. bytes];
    }
}
