using System.Globalization;
using System.Text;

namespace Weir.Ctf;

/// <summary>A value of an attribute: a text (string literal or dotted words) or an integer.</summary>
internal readonly record struct TsdlValue(string? Text, ulong Number, bool IsNegative, bool IsWord, int Position)
{
    public bool IsText => Text is not null;

    public bool IsUnsigned => Text is null && !IsNegative;

    /// <summary>The 64 bits of the integer, two's complement when negative.</summary>
    public long Bits => IsNegative ? unchecked(-(long)Number) : unchecked((long)Number);
}

/// <summary>
/// Reads TSDL by recursive descent. Blocks may refer to blocks further down the file (a typedef to the trace's byte order, an integer to
/// a clock, an event to its stream), so the top level is scanned first and its parts are then read in the order: trace's byte order,
/// env, clock, types, trace, stream, event. An instance reads one text.
/// </summary>
internal sealed partial class TsdlParser
{
    /// <summary>Deepest nesting of types; a limit against hostile metadata.</summary>
    private const int MaxDepth = 128;

    private readonly byte[] _text;
    private readonly List<TsdlToken> _tokens;
    private readonly List<(string Kind, int Token)> _blocks = [];
    private int _next;
    private int _depth;
    private TsdlScope _scope = new(null);

    private TsdlParser(byte[] text, int start)
    {
        _text = text;
        _tokens = TsdlLexer.Tokenize(text, start);
    }

    public static TraceClass Parse(byte[] text)
    {
        var parser = new TsdlParser(text, 0);
        parser.ScanBlocks();
        return parser.ReadBlocks();
    }

    private TsdlToken Current => _tokens[_next];

    private TsdlToken Ahead(int distance) => _tokens[Math.Min(_next + distance, _tokens.Count - 1)];

    private CtfMetadataException Error(string message) => Error(Current.Start, message);

    private CtfMetadataException Error(int position, string message) => TsdlLexer.Error(_text, position, message);

    private CtfMetadataException Expected(string what) => Error($"expected {what}, found {Describe(Current)}");

    private string Describe(TsdlToken token) => token.Kind == TsdlTokenKind.End ? "the end of the metadata" : $"'{Shorten(Word(token))}'";

    private static string Shorten(string word) => word.Length <= 40 ? word : word[..40] + "...";

    private string Word(TsdlToken token) => Encoding.UTF8.GetString(_text, token.Start, token.Length);

    private bool Is(TsdlPunctuation punctuation) => Current.Punctuation == punctuation;

    private bool IsAt(int distance, TsdlPunctuation punctuation) => Ahead(distance).Punctuation == punctuation;

    private bool IsWord(ReadOnlySpan<byte> word) => IsWord(Current, word);

    private bool IsWord(TsdlToken token, ReadOnlySpan<byte> word) =>
        token.Kind == TsdlTokenKind.Identifier && _text.AsSpan(token.Start, token.Length).SequenceEqual(word);

    private bool Accept(TsdlPunctuation punctuation)
    {
        if (!Is(punctuation))
            return false;
        _next++;
        return true;
    }

    private bool AcceptWord(ReadOnlySpan<byte> word)
    {
        if (!IsWord(word))
            return false;
        _next++;
        return true;
    }

    private void Require(TsdlPunctuation punctuation, string spelling)
    {
        if (!Accept(punctuation))
            throw Expected($"'{spelling}'");
    }

    /// <summary>A name that is no keyword.</summary>
    private string RequireName(string what)
    {
        if (Current.Kind != TsdlTokenKind.Identifier)
            throw Expected(what);
        string name = Word(Current);
        if (TsdlKeywords.Contains(name))
            throw Error($"expected {what}, found the keyword '{name}'");
        _next++;
        return name;
    }

    private void EnterDepth()
    {
        if (++_depth > MaxDepth)
            throw Error($"types are nested deeper than {MaxDepth} levels");
    }

    /// <summary>Finds where each top-level block begins, and checks that braces balance.</summary>
    private void ScanBlocks()
    {
        while (Current.Kind != TsdlTokenKind.End)
        {
            if (Accept(TsdlPunctuation.Semicolon))
                continue;
            string kind = "type";
            if (IsAt(1, TsdlPunctuation.LeftBrace) && Current.Kind == TsdlTokenKind.Identifier
                && Word(Current) is "trace" or "env" or "clock" or "stream" or "event" or "callsite")
                kind = Word(Current);
            _blocks.Add((kind, _next));
            SkipBlock();
        }
        _next = 0;
    }

    /// <summary>Skips to behind the semicolon that ends a top-level block.</summary>
    private void SkipBlock()
    {
        int depth = 0;
        int opened = Current.Start;
        while (true)
        {
            var token = Current;
            if (token.Kind == TsdlTokenKind.End)
                throw depth > 0 ? Error(opened, "this block has no end: expected '}'") : Expected("';'");
            _next++;
            switch (token.Punctuation)
            {
                case TsdlPunctuation.LeftBrace:
                    opened = depth++ == 0 ? token.Start : opened;
                    break;
                case TsdlPunctuation.RightBrace when --depth < 0:
                    throw Error(token.Start, "this '}' closes nothing");
                case TsdlPunctuation.Semicolon when depth == 0:
                    return;
            }
        }
    }

    /// <summary>Reads an integer literal: decimal, octal with a leading 0, or hexadecimal, with C's suffixes.</summary>
    private ulong ReadInteger()
    {
        var token = Current;
        string word = Word(token);
        string digits = word.TrimEnd('u', 'U', 'l', 'L');
        if (word.Length - digits.Length > 3)
            throw Error($"'{Shorten(word)}' is no integer");
        ulong value = 0;
        bool isValid;
        if (digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
            isValid = ulong.TryParse(digits.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
        else if (digits.Length > 1 && digits[0] == '0')
            isValid = TryParseOctal(digits, out value);
        else
            isValid = ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value);
        if (!isValid)
            throw Error($"'{Shorten(word)}' is no integer of at most 64 bits");
        _next++;
        return value;
    }

    private static bool TryParseOctal(string digits, out ulong value)
    {
        value = 0;
        foreach (char digit in digits)
        {
            if (digit is < '0' or > '7' || value >> 61 != 0)
                return false;
            value = (value << 3) | (uint)(digit - '0');
        }
        return true;
    }

    /// <summary>Reads a value: an integer with sign, a literal, or words joined by dots.</summary>
    private TsdlValue ReadValue(string what)
    {
        int position = Current.Start;
        if (Accept(TsdlPunctuation.LeftParenthesis))
        {
            EnterDepth();
            var inner = ReadValue(what);
            _depth--;
            Require(TsdlPunctuation.RightParenthesis, ")");
            return inner;
        }
        bool isNegative = Accept(TsdlPunctuation.Minus);
        if (isNegative || Accept(TsdlPunctuation.Plus))
        {
            if (Current.Kind != TsdlTokenKind.Integer)
                throw Expected("an integer");
            return new TsdlValue(null, ReadInteger(), isNegative, false, position);
        }
        switch (Current.Kind)
        {
            case TsdlTokenKind.Integer:
                return new TsdlValue(null, ReadInteger(), false, false, position);
            case TsdlTokenKind.String or TsdlTokenKind.Character:
                string text = TsdlLexer.Unescape(_text, Current);
                _next++;
                return new TsdlValue(text, 0, false, false, position);
            case TsdlTokenKind.Identifier:
                return new TsdlValue(ReadPath(), 0, false, true, position);
            default:
                throw Expected(what);
        }
    }

    /// <summary>Reads words joined by dots; keywords are words here.</summary>
    private string ReadPath()
    {
        string path = "";
        while (true)
        {
            if (Current.Kind != TsdlTokenKind.Identifier)
                throw Expected("a name");
            path += Word(Current);
            _next++;
            if (!Accept(TsdlPunctuation.Dot))
                return path;
            if (path.Length > 4096)
                throw Error("this path is longer than 4096 bytes");
            path += ".";
        }
    }

    private ulong RequireUnsigned(TsdlValue value, string what) =>
        value.IsUnsigned ? value.Number : throw Error(value.Position, $"expected an unsigned integer as {what}");

    private string RequireText(TsdlValue value, string what) =>
        value.Text ?? throw Error(value.Position, $"expected a text as {what}");

    private bool RequireBoolean(TsdlValue value, string what) => value.Text switch
    {
        null => value.Number != 0,
        "true" or "TRUE" => true,
        "false" or "FALSE" => false,
        _ => throw Error(value.Position, $"expected true, false or an integer as {what}"),
    };

    private Guid RequireUuid(TsdlValue value)
    {
        if (value.Text is { Length: 36 } text && Guid.TryParseExact(text, "D", out var uuid))
            return uuid;
        throw Error(value.Position, "expected a UUID of the form \"01234567-89ab-cdef-0123-456789abcdef\"");
    }

    private ByteOrder RequireByteOrder(TsdlValue value, ByteOrder native) => value.Text switch
    {
        "le" => ByteOrder.LittleEndian,
        "be" or "network" => ByteOrder.BigEndian,
        "native" => native,
        _ => throw Error(value.Position, "expected le, be, network or native as byte_order"),
    };
}
