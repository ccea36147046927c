using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Weir.Tracing;

/// <summary>
/// Parses the filter of a rule:
/// <code>
/// or         = and { "||" and }
/// and        = unary { "&amp;&amp;" unary }
/// unary      = "!" unary | "(" or ")" | comparison
/// comparison = operand ( "==" | "!=" | "&lt;" | "&lt;=" | "&gt;" | "&gt;=" ) operand
/// operand    = field name | integer (decimal, 0x, negative) | real | "text" | true | false
/// </code>
/// </summary>
internal ref struct FilterParser
{
    // A rule comes from a file that anybody with the session's rights can write.
    private const int MaxDepth = 64;
    private const int MaxLength = 4096;

    private readonly string _text;
    private int _at;
    private int _depth;
    private string? _error;

    private FilterParser(string text, int start)
    {
        _text = text;
        _at = start;
    }

    public static bool TryParse(string text, int start, [NotNullWhen(true)] out FilterExpression? filter, [NotNullWhen(false)] out string? error)
    {
        filter = null;
        if (text.Length > MaxLength)
        {
            error = $"a rule of {text.Length} characters is too long; at most {MaxLength}";
            return false;
        }
        var parser = new FilterParser(text, start);
        var parsed = parser.Or();
        parser.SkipSpace();
        if (parser._error == null && parser._at < text.Length)
            parser.Fail("expected '&&', '||' or the end");
        error = parser._error;
        if (error != null)
            return false;
        filter = parsed!;
        return true;
    }

    private FilterExpression? Or()
    {
        var left = And();
        while (_error == null && Take("||"))
        {
            var right = And();
            if (left == null || right == null)
                return null;
            left = new FilterExpression.Or(left, right);
        }
        return left;
    }

    private FilterExpression? And()
    {
        var left = Unary();
        while (_error == null && Take("&&"))
        {
            var right = Unary();
            if (left == null || right == null)
                return null;
            left = new FilterExpression.And(left, right);
        }
        return left;
    }

    private FilterExpression? Unary()
    {
        if (++_depth > MaxDepth)
            return Fail("nested too deeply");
        try
        {
            if (!Peek("!=") && Take("!"))
                return Unary() is { } operand ? new FilterExpression.Not(operand) : null;
            if (Take("("))
            {
                var inner = Or();
                return _error == null && !Take(")") ? Fail("expected ')'") : inner;
            }
            return Comparison();
        }
        finally
        {
            _depth--;
        }
    }

    private FilterExpression? Comparison()
    {
        var left = Operand();
        if (left == null)
            return null;
        FilterComparison comparison;
        if (Take("=="))
            comparison = FilterComparison.Equal;
        else if (Take("!="))
            comparison = FilterComparison.NotEqual;
        else if (Take("<="))
            comparison = FilterComparison.LessOrEqual;
        else if (Take(">="))
            comparison = FilterComparison.GreaterOrEqual;
        else if (Take("<"))
            comparison = FilterComparison.Less;
        else if (Take(">"))
            comparison = FilterComparison.Greater;
        else
            return Fail("expected a comparison after it: ==, !=, <, <=, > or >=");
        return Operand() is { } right ? new FilterExpression.Compare(left, comparison, right) : null;
    }

    private FilterOperand? Operand()
    {
        SkipSpace();
        if (_at >= _text.Length)
        {
            Fail("expected a field, a number or a text in double quotes");
            return null;
        }
        char c = _text[_at];
        if (c == '"')
            return TextLiteral();
        if (char.IsAsciiDigit(c) || c is '-' or '+' or '.')
            return Number();
        int start = _at;
        while (_at < _text.Length && (char.IsLetterOrDigit(_text[_at]) || _text[_at] == '_'))
            _at++;
        if (_at == start)
        {
            Fail("expected a field, a number or a text in double quotes");
            return null;
        }
        string word = _text[start.._at];
        return word switch
        {
            "true" => new FilterOperand.Integer(1),
            "false" => new FilterOperand.Integer(0),
            _ => new FilterOperand.Field(word),
        };
    }

    private FilterOperand? Number()
    {
        int start = _at++;
        while (_at < _text.Length && (char.IsLetterOrDigit(_text[_at]) || _text[_at] == '.'
            || (_text[_at] is '-' or '+' && _text[_at - 1] is 'e' or 'E')))
            _at++;
        string word = _text[start.._at];
        bool isNegative = word[0] == '-';
        string digits = word[0] is '-' or '+' ? word[1..] : word;
        if (digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            && ulong.TryParse(digits.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong hex))
            return new FilterOperand.Integer(isNegative ? -(Int128)hex : hex);
        if (ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out ulong integer))
            return new FilterOperand.Integer(isNegative ? -(Int128)integer : integer);
        if (double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double real))
            return new FilterOperand.Real(real);
        _at = start;
        Fail($"'{word}' is not a number");
        return null;
    }

    private FilterOperand.Text? TextLiteral()
    {
        int start = _at++;
        var parts = new List<string>();
        var part = new System.Text.StringBuilder();
        while (_at < _text.Length && _text[_at] != '"')
        {
            // A backslash keeps a quote, a star or a backslash as it is.
            if (_text[_at] == '\\' && _at + 1 < _text.Length && _text[_at + 1] is '"' or '*' or '\\')
                part.Append(_text[++_at]);
            else if (_text[_at] == '*')
            {
                parts.Add(part.ToString());
                part.Clear();
            }
            else
                part.Append(_text[_at]);
            _at++;
        }
        if (_at >= _text.Length)
        {
            _at = start;
            Fail("the text has no closing quote");
            return null;
        }
        _at++;
        parts.Add(part.ToString());
        return new FilterOperand.Text([.. parts]);
    }

    private void SkipSpace()
    {
        while (_at < _text.Length && char.IsWhiteSpace(_text[_at]))
            _at++;
    }

    private bool Peek(string token)
    {
        SkipSpace();
        return string.CompareOrdinal(_text, _at, token, 0, token.Length) == 0;
    }

    private bool Take(string token)
    {
        if (!Peek(token))
            return false;
        _at += token.Length;
        return true;
    }

    private FilterExpression? Fail(string what)
    {
        _error ??= $"rule '{_text}': column {_at + 1}: {what}";
        return null;
    }
}
