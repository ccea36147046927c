using System.Globalization;
using System.Text;

namespace Weir.Graph;

/// <summary>
/// Parses the expression of <c>filter.utils.where</c>; the grammar is that of the filters of recording rules, and a little more:
/// <code>
/// or         = and { "||" and }
/// and        = unary { "&amp;&amp;" unary }
/// unary      = "!" unary | "(" or ")" | "has" "(" field ")" | operand [ comparison operand ]
/// comparison = "==" | "!=" | "&lt;" | "&lt;=" | "&gt;" | "&gt;="
/// operand    = field | fact | integer (decimal, 0x, negative) | real | "text" | true | false
/// field      = [ "$ctx." | "$packet." ] name { "." name }
/// fact       = "$name" | "$time" | "$stream" | "$trace" | "$loglevel"
/// </code>
/// </summary>
internal sealed class WhereParser
{
    private const int MaxDepth = 64;
    private const int MaxLength = 4096;
    private const string OperandForms = "a field, $name, $time, a number or a text in double quotes";

    private readonly string _text;
    private int _at;
    private int _depth;

    private WhereParser(string text) => _text = text;

    /// <summary>Parses an expression.</summary>
    /// <exception cref="ComponentParameterException">It is none; says at which column.</exception>
    public static WhereExpression Parse(string text)
    {
        if (text.Length > MaxLength)
            throw new ComponentParameterException($"an expression of {text.Length} characters is too long: expected at most {MaxLength}");
        var parser = new WhereParser(text);
        var parsed = parser.Or();
        parser.SkipSpace();
        if (parser._at < text.Length)
            throw parser.Error("expected '&&', '||' or the end");
        return parsed;
    }

    private WhereExpression Or()
    {
        var left = And();
        while (Take("||"))
            left = new WhereExpression.Or(left, And());
        return left;
    }

    private WhereExpression And()
    {
        var left = Unary();
        while (Take("&&"))
            left = new WhereExpression.And(left, Unary());
        return left;
    }

    private WhereExpression Unary()
    {
        if (++_depth > MaxDepth)
            throw Error("nested too deeply");
        try
        {
            if (!Peek("!=") && Take("!"))
                return new WhereExpression.Not(Unary());
            if (Take("("))
            {
                var inner = Or();
                Expect(")");
                return inner;
            }
            return Comparison();
        }
        finally
        {
            _depth--;
        }
    }

    private WhereExpression Comparison()
    {
        var left = Operand();
        if (left is WhereOperand.Field { Scope: WhereScope.Event, Name: "has" } && Take("("))
        {
            if (Operand() is not WhereOperand.Field field)
                throw Error("has() takes a field");
            Expect(")");
            return new WhereExpression.Has(field);
        }
        WhereComparison? comparison = Take("==") ? WhereComparison.Equal
            : Take("!=") ? WhereComparison.NotEqual
            : Take("<=") ? WhereComparison.LessOrEqual
            : Take(">=") ? WhereComparison.GreaterOrEqual
            : Take("<") ? WhereComparison.Less
            : Take(">") ? WhereComparison.Greater
            : null;
        if (comparison is null)
        {
            return left is WhereOperand.Text or WhereOperand.Real
                ? throw Error("expected a comparison after it: ==, !=, <, <=, > or >=")
                : new WhereExpression.IsTrue(left);
        }
        int start = _at;
        var right = Operand();
        if (comparison is not (WhereComparison.Equal or WhereComparison.NotEqual) && (left is WhereOperand.Text || right is WhereOperand.Text))
        {
            _at = start;
            throw Error("texts are compared by == and != only");
        }
        return new WhereExpression.Compare(left, comparison.Value, right);
    }

    private WhereOperand Operand()
    {
        SkipSpace();
        char c = _at < _text.Length ? _text[_at] : '\0';
        if (c == '"')
            return TextLiteral();
        if (char.IsAsciiDigit(c) || c is '-' or '+' or '.')
            return Number();
        int start = _at;
        if (c == '$')
            _at++;
        string name = Name();
        if (c == '$')
            return Special(name, start);
        return name switch
        {
            "" => throw Error($"expected {OperandForms}"),
            "true" => new WhereOperand.Integer(1),
            "false" => new WhereOperand.Integer(0),
            _ => new WhereOperand.Field(WhereScope.Event, name),
        };
    }

    private WhereOperand Special(string name, int start)
    {
        switch (name)
        {
            case "name":
                return new WhereOperand.Fact(WhereFact.Name);
            case "time":
                return new WhereOperand.Fact(WhereFact.Time);
            case "stream":
                return new WhereOperand.Fact(WhereFact.Stream);
            case "trace":
                return new WhereOperand.Fact(WhereFact.Trace);
            case "loglevel":
                return new WhereOperand.Fact(WhereFact.LogLevel);
        }
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        WhereScope? scope = dot < 0 || dot == name.Length - 1 ? null : name[..dot] switch
        {
            "ctx" => WhereScope.Context,
            "packet" => WhereScope.Packet,
            _ => null,
        };
        if (scope is { } known)
            return new WhereOperand.Field(known, name[(dot + 1)..]);
        _at = start;
        throw Error($"'${name}' is not known: expected $name, $time, $stream, $trace, $loglevel, $ctx.FIELD or $packet.FIELD");
    }

    private string Name()
    {
        int start = _at;
        while (_at < _text.Length && (char.IsLetterOrDigit(_text[_at]) || _text[_at] is '_' or '.'))
            _at++;
        return _text[start.._at];
    }

    private WhereOperand Number()
    {
        int start = _at++;
        while (_at < _text.Length && (char.IsLetterOrDigit(_text[_at]) || _text[_at] == '.' || (_text[_at] is '-' or '+' && _text[_at - 1] is 'e' or 'E')))
            _at++;
        string word = _text[start.._at];
        bool isNegative = word[0] == '-';
        string digits = word[0] is '-' or '+' ? word[1..] : word;
        var culture = CultureInfo.InvariantCulture;
        if (digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase) && ulong.TryParse(digits.AsSpan(2), NumberStyles.AllowHexSpecifier, culture, out ulong hex))
            return new WhereOperand.Integer(isNegative ? -(Int128)hex : hex);
        if (ulong.TryParse(digits, NumberStyles.None, culture, out ulong integer))
            return new WhereOperand.Integer(isNegative ? -(Int128)integer : integer);
        if (double.TryParse(word, NumberStyles.Float, culture, out double real))
            return new WhereOperand.Real(real);
        _at = start;
        throw Error($"'{word}' is not a number");
    }

    private WhereOperand.Text TextLiteral()
    {
        int start = _at++;
        var parts = new List<byte[]>();
        var part = new StringBuilder();
        while (_at < _text.Length && _text[_at] != '"')
        {
            // A backslash keeps a quote, a star or a backslash as it is.
            if (_text[_at] == '\\' && _at + 1 < _text.Length && _text[_at + 1] is '"' or '*' or '\\')
                part.Append(_text[++_at]);
            else if (_text[_at] == '*')
                Close();
            else
                part.Append(_text[_at]);
            _at++;
        }
        if (_at >= _text.Length)
        {
            _at = start;
            throw Error("the text has no closing quote");
        }
        _at++;
        Close();
        return new WhereOperand.Text([.. parts]);

        void Close()
        {
            parts.Add(Encoding.UTF8.GetBytes(part.ToString()));
            part.Clear();
        }
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

    private void Expect(string token)
    {
        if (!Take(token))
            throw Error($"expected '{token}'");
    }

    private ComponentParameterException Error(string what) => new($"the expression '{_text}': column {_at + 1}: {what}");
}
