using System.Buffers;
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
    private const int LowestPower = -4;

    private static readonly double[] s_powers = [1e-4, 1e-3, 1e-2, 1e-1, 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

    private const int FlushBytes = 64 << 10;
    private const int QuotedPieceBytes = 8 << 10;

    /// <summary>What C escapes in texts.</summary>
    private static readonly SearchValues<byte> s_escaped = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(c => (byte)c), .. "\"\\'?\x7f"u8]);

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

    /// <summary>The place of the next byte, with room for <paramref name="length"/>; <see cref="End"/> says how far it was used.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref byte Reserve(int length)
    {
        if (_bytes.Length - _count < length)
            Grow(length);
        return ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_bytes), _count);
    }

    /// <summary>Takes what was written from where <see cref="Reserve"/> said up to <paramref name="end"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void End(ref byte end) => _count = (int)Unsafe.ByteOffset(ref MemoryMarshal.GetArrayDataReference(_bytes), ref end);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(Literal text)
    {
        text.CopyTo(ref Reserve(text.Length + Literal.BlockBytes));
        _count += text.Length;
    }

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
        // Making room may change the count.
        int digits = DecimalText.Write(ref Reserve(DecimalText.MaxBytes), value);
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
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AppendNanoseconds(uint value)
    {
        DecimalText.WriteNine(ref Reserve(9), value);
        _count += 9;
    }

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
    /// near the middle between two numbers of six digits, it is rounded to the same one as the exact product; the same for quotients.
    /// </summary>
    private bool TryAppendShort(double value)
    {
        double magnitude = Math.Abs(value);
        if (magnitude is not (>= 1e-4 and < 1e15))
            return false;
        // 1233 / 4096 is hardly less than log10(2), so this is at most one too low.
        int exponent = (Math.ILogB(magnitude) * 1233) >> 12;
        if (magnitude >= PowerOfTen(exponent + 1))
            exponent++;
        double scaled = exponent <= 5 ? magnitude * PowerOfTen(5 - exponent) : magnitude / PowerOfTen(exponent - 5);
        double whole = Math.Floor(scaled);
        double part = scaled - whole;
        if (Math.Abs(part - 0.5) < 1e-6)
            return false;
        uint number = (uint)whole + (part > 0.5 ? 1u : 0);
        if (number is < 100_000 or > 999_999)
            return false;
        Span<byte> digits = stackalloc byte[DecimalText.MaxBytes];
        digits = digits[..DecimalText.Write(ref digits[0], number)];
        digits = digits[..(digits.LastIndexOfAnyExcept((byte)'0') + 1)];
        if (double.IsNegative(value))
            Append((byte)'-');
        if (exponent >= 6)
            AppendScientific(digits, exponent);
        else
            AppendFixed(digits, exponent);
        return true;
    }

    private static double PowerOfTen(int exponent) => s_powers[exponent - LowestPower];

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
        while (true)
        {
            int clean = text.IndexOfAny(s_escaped);
            if (clean < 0)
                break;
            text[..clean].CopyTo(room[at..]);
            at += clean;
            at += Escape(text[clean], room[at..]);
            text = text[(clean + 1)..];
        }
        text.CopyTo(room[at..]);
        _count += at + text.Length;
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
