using System.Buffers.Text;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Weir.Graph;

/// <summary>
/// UTF-8 on its way out, handed on whenever it is fairly full. With an <paramref name="output"/> a line that does not fit goes out in
/// pieces; without one the buffer grows.
/// </summary>
internal sealed class TextBuffer(Stream? output = null)
{
    private static readonly double[] s_powers = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

    private const int FlushBytes = 64 << 10;
    private const int QuotedPieceBytes = 8 << 10;

    private static ReadOnlySpan<byte> Pairs =>
        "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"u8
        + "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"u8;

    private byte[] _bytes = new byte[FlushBytes + (8 << 10)];
    private int _count;

    public int Count => _count;

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _count);

    public bool IsFairlyFull => _count >= FlushBytes;

    public void Clear() => _count = 0;

    /// <summary>Hands on what there is to the output.</summary>
    public void WriteOut()
    {
        output!.Write(Written);
        _count = 0;
    }

    /// <summary>Room for <paramref name="length"/> bytes, to be taken with <see cref="Advance"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Room(int length)
    {
        if (_bytes.Length - _count < length)
            Grow(length);
        return _bytes.AsSpan(_count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Advance(int length) => _count += length;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(ReadOnlySpan<byte> text)
    {
        text.CopyTo(Room(text.Length));
        _count += text.Length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(byte c)
    {
        Room(1)[0] = c;
        _count++;
    }

    public void Append(string text)
    {
        var room = Room(text.Length * 3);
        _count += System.Text.Encoding.UTF8.GetBytes(text, room);
    }

    public void AppendUnsigned(ulong value)
    {
        if (value < 10)
        {
            Append((byte)('0' + value));
            return;
        }
        var room = Room(20);
        if (value >= 100_000_000)
        {
            Utf8Formatter.TryFormat(value, room, out int written);
            _count += written;
            return;
        }
        uint rest = (uint)value;
        int digits = CountDigits(rest);
        ref byte first = ref MemoryMarshal.GetReference(room);
        int at = digits;
        for (; at >= 2; at -= 2)
        {
            uint quotient = rest / 100;
            WritePair(ref Unsafe.Add(ref first, at - 2), rest - (quotient * 100));
            rest = quotient;
        }
        if (at == 1)
            first = (byte)('0' + rest);
        _count += digits;
    }

    public void AppendSigned(long value)
    {
        if (value < 0)
            Append((byte)'-');
        AppendUnsigned(value < 0 ? unchecked((ulong)-value) : (ulong)value);
    }

    /// <summary>A number of at least <paramref name="digits"/> digits, with leading zeros.</summary>
    public void AppendPadded(ulong value, int digits)
    {
        Utf8Formatter.TryFormat(value, Room(20 + digits), out int written, new System.Buffers.StandardFormat('D', (byte)digits));
        _count += written;
    }

    /// <summary>Nine digits, for nanoseconds.</summary>
    public void AppendNanoseconds(uint value)
    {
        ref byte first = ref MemoryMarshal.GetReference(Room(9));
        for (int i = 7; i > 0; i -= 2)
        {
            uint quotient = value / 100;
            WritePair(ref Unsafe.Add(ref first, i), value - (quotient * 100));
            value = quotient;
        }
        first = (byte)('0' + value);
        _count += 9;
    }

    private static int CountDigits(uint value) => value switch
    {
        < 100 => 2,
        < 1000 => 3,
        < 10_000 => 4,
        < 100_000 => 5,
        < 1_000_000 => 6,
        < 10_000_000 => 7,
        _ => 8,
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WritePair(ref byte place, uint value) =>
        Unsafe.WriteUnaligned(ref place, Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref MemoryMarshal.GetReference(Pairs), (nint)(value * 2))));

    /// <summary>A number in base 16, upper case.</summary>
    public void AppendHexadecimal(ulong value)
    {
        Utf8Formatter.TryFormat(value, Room(16), out int written, new System.Buffers.StandardFormat('X'));
        _count += written;
    }

    /// <summary>A byte as two digits in base 16, lower case.</summary>
    public void AppendHexadecimalByte(byte value)
    {
        var room = Room(2);
        room[0] = "0123456789abcdef"u8[value >> 4];
        room[1] = "0123456789abcdef"u8[value & 15];
        _count += 2;
    }

    public void AppendOctal(ulong value)
    {
        int digits = Math.Max(1, (66 - System.Numerics.BitOperations.LeadingZeroCount(value)) / 3);
        var room = Room(digits);
        for (int i = digits - 1; i >= 0; i--, value >>= 3)
            room[i] = (byte)('0' + (value & 7));
        _count += digits;
    }

    /// <summary>A number as C's <c>%g</c> prints it: six significant digits, without trailing zeros.</summary>
    public void AppendReal(double value)
    {
        if (!double.IsFinite(value))
        {
            Append(double.IsNegative(value) ? "-"u8 : ""u8);
            Append(double.IsNaN(value) ? "nan"u8 : "inf"u8);
            return;
        }
        if (TryAppendShort(value))
            return;
        Span<byte> text = stackalloc byte[32];
        value.TryFormat(text, out int length, "E5", CultureInfo.InvariantCulture);
        text = text[..length];
        if (text[0] == '-')
        {
            Append((byte)'-');
            text = text[1..];
        }
        // d.dddddE+xxx
        Span<byte> digits = [text[0], text[2], text[3], text[4], text[5], text[6]];
        int exponent = int.Parse(text[8..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        int count = digits.LastIndexOfAnyExcept((byte)'0') + 1;
        digits = digits[..Math.Max(1, count)];
        if (exponent is < -4 or >= 6)
            AppendScientific(digits, exponent);
        else
            AppendFixed(digits, exponent);
    }

    /// <summary>
    /// Numbers of the usual size, without the general routine. The product has an error of at most 2^-52 of itself, so where it does not lie
    /// near the middle between two numbers of six digits, it is rounded to the same one as the exact product.
    /// </summary>
    private bool TryAppendShort(double value)
    {
        double magnitude = Math.Abs(value);
        if (magnitude is not (>= 1e-4 and < 999_999))
            return false;
        int exponent = magnitude >= 1 ? DigitsBefore(magnitude) - 1 : magnitude >= 0.1 ? -1 : magnitude >= 0.01 ? -2 : magnitude >= 0.001 ? -3 : -4;
        double scaled = magnitude * s_powers[5 - exponent];
        double whole = Math.Floor(scaled);
        double part = scaled - whole;
        if (Math.Abs(part - 0.5) < 1e-6)
            return false;
        uint number = (uint)whole + (part > 0.5 ? 1u : 0);
        if (number is < 100_000 or > 999_999)
            return false;
        Span<byte> digits = stackalloc byte[6];
        for (int i = 5; i >= 0; i--, number /= 10)
            digits[i] = (byte)('0' + (number % 10));
        if (double.IsNegative(value))
            Append((byte)'-');
        AppendFixed(digits[..(digits.LastIndexOfAnyExcept((byte)'0') + 1)], exponent);
        return true;
    }

    private static int DigitsBefore(double magnitude) => (uint)magnitude < 10 ? 1 : CountDigits((uint)magnitude);

    private void AppendScientific(ReadOnlySpan<byte> digits, int exponent)
    {
        Append(digits[0]);
        if (digits.Length > 1)
        {
            Append((byte)'.');
            Append(digits[1..]);
        }
        Append(exponent < 0 ? "e-"u8 : "e+"u8);
        AppendPadded((ulong)Math.Abs(exponent), 2);
    }

    private void AppendFixed(ReadOnlySpan<byte> digits, int exponent)
    {
        if (exponent < 0)
        {
            Append("0."u8);
            for (int i = -1; i > exponent; i--)
                Append((byte)'0');
            Append(digits);
            return;
        }
        for (int i = 0; i <= exponent; i++)
            Append(i < digits.Length ? digits[i] : (byte)'0');
        if (digits.Length > exponent + 1)
        {
            Append((byte)'.');
            Append(digits[(exponent + 1)..]);
        }
    }

    /// <summary>Text in double quotes, with escapes for what C escapes.</summary>
    public void AppendQuoted(ReadOnlySpan<byte> text)
    {
        Append((byte)'"');
        for (; text.Length > QuotedPieceBytes; text = text[QuotedPieceBytes..])
            AppendEscaped(text[..QuotedPieceBytes]);
        AppendEscaped(text);
        Append((byte)'"');
    }

    private void AppendEscaped(ReadOnlySpan<byte> text)
    {
        var room = Room(text.Length * 4);
        int at = 0;
        foreach (byte c in text)
        {
            if (c >= 0x20 && c is not ((byte)'"' or (byte)'\\' or (byte)'\'' or (byte)'?' or 0x7f))
                room[at++] = c;
            else
                at += Escape(c, room[at..]);
        }
        _count += at;
    }

    private static int Escape(byte c, Span<byte> room)
    {
        room[0] = (byte)'\\';
        byte letter = c switch
        {
            (byte)'"' or (byte)'\\' or (byte)'\'' or (byte)'?' => c,
            0 => (byte)'0',
            7 => (byte)'a',
            8 => (byte)'b',
            9 => (byte)'t',
            10 => (byte)'n',
            11 => (byte)'v',
            12 => (byte)'f',
            13 => (byte)'r',
            27 => (byte)'e',
            _ => (byte)'x',
        };
        room[1] = letter;
        if (letter != 'x')
            return 2;
        room[2] = "0123456789abcdef"u8[c >> 4];
        room[3] = "0123456789abcdef"u8[c & 15];
        return 4;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow(int length)
    {
        if (output is not null)
        {
            WriteOut();
            if (length <= _bytes.Length)
                return;
        }
        Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max((long)_bytes.Length * 2, (long)_count + length)));
    }
}
