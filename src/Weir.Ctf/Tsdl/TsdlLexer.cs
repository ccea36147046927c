using System.Text;

namespace Weir.Ctf;

/// <summary>Kind of a token of TSDL.</summary>
internal enum TsdlTokenKind : byte
{
    End,
    Identifier,
    Integer,
    String,
    Character,
    Punctuation,
}

/// <summary>A token: where it lies in the text and, for punctuation, which it is.</summary>
internal readonly record struct TsdlToken(TsdlTokenKind Kind, TsdlPunctuation Punctuation, int Start, int Length);

/// <summary>Punctuation of TSDL.</summary>
internal enum TsdlPunctuation : byte
{
    None,
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    LeftParenthesis,
    RightParenthesis,
    Less,
    Greater,
    Semicolon,
    Comma,
    Colon,
    TypeAssign,
    Equal,
    Dot,
    Range,
    Arrow,
    Star,
    Plus,
    Minus,
}

/// <summary>Splits the text of TSDL into tokens (CTF 1.8, appendix C.1.1).</summary>
internal sealed class TsdlLexer(byte[] text, int start)
{
    private readonly List<TsdlToken> _tokens = new(Math.Max(16, (text.Length - start) / 6));
    private int _position = start;

    /// <summary>All tokens; the last is <see cref="TsdlTokenKind.End"/>.</summary>
    public static List<TsdlToken> Tokenize(byte[] text, int start)
    {
        var lexer = new TsdlLexer(text, start);
        while (lexer.SkipBlanks())
            lexer.Next();
        lexer._tokens.Add(new TsdlToken(TsdlTokenKind.End, TsdlPunctuation.None, text.Length, 0));
        return lexer._tokens;
    }

    /// <summary>Line and column, from 1, of a place in the text.</summary>
    public static (int Line, int Column) Locate(ReadOnlySpan<byte> text, int position)
    {
        var before = text[..position];
        return (before.Count((byte)'\n') + 1, position - before.LastIndexOf((byte)'\n'));
    }

    /// <summary>The value of a string or character literal, without its quotes.</summary>
    /// <exception cref="CtfMetadataException">An escape sequence is not one of C's.</exception>
    public static string Unescape(byte[] text, TsdlToken token)
    {
        var raw = text.AsSpan(token.Start + 1, token.Length - 2);
        if (!raw.Contains((byte)'\\'))
            return Encoding.UTF8.GetString(raw);
        var bytes = new byte[raw.Length];
        int count = 0;
        for (int i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '\\')
            {
                bytes[count++] = raw[i];
                continue;
            }
            i++;
            int value = i < raw.Length ? ReadEscape(raw, ref i) : -1;
            if (value < 0)
                throw Error(text, token.Start + 1 + i, "this escape sequence is unknown: expected one of \\a \\b \\f \\n \\r \\t \\v \\\\ \\' \\\" \\?, up to three octal digits, or \\x and up to three hexadecimal digits");
            if (value > 0)
                bytes[count++] = (byte)value;
            else
                break;      // A zero byte ends the string, as in C.
        }
        return Encoding.UTF8.GetString(bytes, 0, count);
    }

    public static CtfMetadataException Error(byte[] text, int position, string message)
    {
        var (line, column) = Locate(text, Math.Min(position, text.Length));
        return new CtfMetadataException(line, column, message);
    }

    private static int ReadEscape(ReadOnlySpan<byte> raw, ref int i)
    {
        byte c = raw[i];
        switch (c)
        {
            case (byte)'a':
                return '\a';
            case (byte)'b':
                return '\b';
            case (byte)'f':
                return '\f';
            case (byte)'n':
                return '\n';
            case (byte)'r':
                return '\r';
            case (byte)'t':
                return '\t';
            case (byte)'v':
                return '\v';
            case (byte)'\\' or (byte)'\'' or (byte)'"' or (byte)'?':
                return c;
            case >= (byte)'0' and <= (byte)'7':
                int octal = 0;
                int last = Math.Min(raw.Length, i + 3);
                while (i < last && raw[i] is >= (byte)'0' and <= (byte)'7')
                    octal = (octal * 8) + (raw[i++] - '0');
                i--;
                return octal & 0xff;
            case (byte)'x' when i + 1 < raw.Length && char.IsAsciiHexDigit((char)raw[i + 1]):
                int hexadecimal = 0;
                i++;
                int lastHexadecimal = Math.Min(raw.Length, i + 3);
                while (i < lastHexadecimal && char.IsAsciiHexDigit((char)raw[i]))
                    hexadecimal = ((hexadecimal << 4) | HexValue(raw[i++])) & 0xff;
                i--;
                return hexadecimal;
            default:
                return -1;
        }
    }

    private static int HexValue(byte digit) => char.IsAsciiDigit((char)digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;

    private bool SkipBlanks()
    {
        while (_position < text.Length)
        {
            byte c = text[_position];
            if (c is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
                _position++;
            else if (c == '/' && Peek(1) == '*')
                SkipBlock();
            else if (c == '/' && Peek(1) == '/')
                SkipLine();
            else
                return true;
        }
        return false;
    }

    private void SkipBlock()
    {
        int end = text.AsSpan(_position + 2).IndexOf("*/"u8);
        if (end < 0)
            throw Error(text, _position, "this comment has no end: expected '*/'");
        _position += end + 4;
    }

    private void SkipLine()
    {
        int end = text.AsSpan(_position).IndexOf((byte)'\n');
        _position = end < 0 ? text.Length : _position + end + 1;
    }

    private int Peek(int distance) => _position + distance < text.Length ? text[_position + distance] : -1;

    private void Next()
    {
        byte c = text[_position];
        if (c == 'L' && Peek(1) is '"' or '\'')
            _position++;
        c = text[_position];
        if (IsIdentifierStart(_position))
            ScanIdentifier();
        else if (char.IsAsciiDigit((char)c))
            ScanNumber();
        else if (c is (byte)'"' or (byte)'\'')
            ScanQuoted(c);
        else
            ScanPunctuation(c);
    }

    private bool IsIdentifierStart(int position)
    {
        byte c = text[position];
        return char.IsAsciiLetter((char)c) || c == '_' || (c == '\\' && position + 1 < text.Length && text[position + 1] is (byte)'u' or (byte)'U');
    }

    private void ScanIdentifier()
    {
        int first = _position;
        while (_position < text.Length && (IsIdentifierStart(_position) || char.IsAsciiDigit((char)text[_position])))
            _position += text[_position] == '\\' ? 2 : 1;
        _tokens.Add(new TsdlToken(TsdlTokenKind.Identifier, TsdlPunctuation.None, first, _position - first));
    }

    private void ScanNumber()
    {
        int first = _position;
        while (_position < text.Length && (char.IsAsciiLetterOrDigit((char)text[_position]) || text[_position] == '_'))
            _position++;
        _tokens.Add(new TsdlToken(TsdlTokenKind.Integer, TsdlPunctuation.None, first, _position - first));
    }

    private void ScanQuoted(byte quote)
    {
        int first = _position++;
        while (_position < text.Length && text[_position] != quote)
            _position += text[_position] == '\\' ? 2 : 1;
        if (_position >= text.Length)
            throw Error(text, first, $"this literal has no end: expected '{(char)quote}'");
        _position++;
        _tokens.Add(new TsdlToken(
            quote == '"' ? TsdlTokenKind.String : TsdlTokenKind.Character, TsdlPunctuation.None, first, _position - first));
    }

    private void ScanPunctuation(byte c)
    {
        var (kind, length) = c switch
        {
            (byte)'{' => (TsdlPunctuation.LeftBrace, 1),
            (byte)'}' => (TsdlPunctuation.RightBrace, 1),
            (byte)'[' => (TsdlPunctuation.LeftBracket, 1),
            (byte)']' => (TsdlPunctuation.RightBracket, 1),
            (byte)'(' => (TsdlPunctuation.LeftParenthesis, 1),
            (byte)')' => (TsdlPunctuation.RightParenthesis, 1),
            (byte)'<' => (TsdlPunctuation.Less, 1),
            (byte)'>' => (TsdlPunctuation.Greater, 1),
            (byte)';' => (TsdlPunctuation.Semicolon, 1),
            (byte)',' => (TsdlPunctuation.Comma, 1),
            (byte)':' when Peek(1) == '=' => (TsdlPunctuation.TypeAssign, 2),
            (byte)':' => (TsdlPunctuation.Colon, 1),
            (byte)'=' => (TsdlPunctuation.Equal, 1),
            (byte)'.' when Peek(1) == '.' && Peek(2) == '.' => (TsdlPunctuation.Range, 3),
            (byte)'.' => (TsdlPunctuation.Dot, 1),
            (byte)'-' when Peek(1) == '>' => (TsdlPunctuation.Arrow, 2),
            (byte)'-' => (TsdlPunctuation.Minus, 1),
            (byte)'+' => (TsdlPunctuation.Plus, 1),
            (byte)'*' => (TsdlPunctuation.Star, 1),
            _ => throw Error(text, _position, $"the character {(c is >= 32 and < 127 ? $"'{(char)c}'" : $"0x{c:x2}")} has no meaning in TSDL"),
        };
        _tokens.Add(new TsdlToken(TsdlTokenKind.Punctuation, kind, _position, length));
        _position += length;
    }
}
