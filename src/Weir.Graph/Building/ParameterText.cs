using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Weir.Graph;

/// <summary>
/// Parameters as a person writes them: <c>a=1, b="x", c=[1, two], d={e=null}</c>. The grammar is that of babeltrace2's <c>--params</c>:
/// <code>
/// parameters  NAME=VALUE, ...          a NAME begins with a letter or _, then digits and : . - too
/// VALUE       null nul NULL | true TRUE yes YES | false FALSE no NO
///             0b1 017 10 0x1f, with - or without: signed; with + before: unsigned; 64 bits
///             1.5 1e3
///             a name: the text | "text" with \" \\ \a \b \f \n \r \t \v
///             [VALUE, ...] | {NAME=VALUE, ...}
/// </code>
/// </summary>
public static class ParameterText
{
    /// <summary>Deepest nesting; more is no parameter that anybody means.</summary>
    private const int MaxDepth = 64;

    /// <summary>Reads parameters; an empty text has none. Of one name given twice the last counts.</summary>
    /// <exception cref="ComponentParameterException">The text is none; says at which character.</exception>
    public static JsonObject Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parser = new Parser(text);
        var parameters = parser.ReadAssignments('\0', 0);
        return parameters;
    }

    private sealed class Parser(string text)
    {
        private int _at;

        private char Current => _at < text.Length ? text[_at] : '\0';

        /// <summary>Assignments up to the end of the text, or up to and with <paramref name="end"/>.</summary>
        public JsonObject ReadAssignments(char end, int depth)
        {
            var assignments = new JsonObject();
            SkipSpace();
            while (!IsEnd(end))
            {
                string name = ReadName();
                if (name.Length == 0)
                    throw Unexpected("the name of a parameter");
                SkipSpace();
                Expect('=');
                SkipSpace();
                assignments[name] = ReadValue(depth);
                SkipSpace();
                if (IsEnd(end))
                    break;
                Expect(',');
                SkipSpace();
            }
            if (end != '\0')
                _at++;
            return assignments;
        }

        private bool IsEnd(char end) => end == '\0' ? _at == text.Length : Current == end;

        private JsonNode? ReadValue(int depth)
        {
            if (depth > MaxDepth)
                throw new ComponentParameterException($"the parameters '{text}': more than {MaxDepth} brackets in one another at character {_at + 1}");
            char first = Current;
            switch (first)
            {
                case '"':
                    return JsonValue.Create(ReadQuoted());
                case '[':
                    _at++;
                    return ReadArray(depth + 1);
                case '{':
                    _at++;
                    return ReadAssignments('}', depth + 1);
                case '+' or '-' or '.':
                case >= '0' and <= '9':
                    return ReadNumber();
            }
            string word = ReadName();
            return word switch
            {
                "" => throw Unexpected("a value"),
                "null" or "NULL" or "nul" => null,
                "true" or "TRUE" or "yes" or "YES" => JsonValue.Create(true),
                "false" or "FALSE" or "no" or "NO" => JsonValue.Create(false),
                _ => JsonValue.Create(word),
            };
        }

        private JsonArray ReadArray(int depth)
        {
            var array = new JsonArray();
            SkipSpace();
            while (Current != ']')
            {
                array.Add(ReadValue(depth));
                SkipSpace();
                if (Current == ']')
                    break;
                Expect(',');
                SkipSpace();
            }
            _at++;
            return array;
        }

        private JsonValue ReadNumber()
        {
            int start = _at;
            if (Current is '+' or '-')
                _at++;
            while (char.IsAsciiLetterOrDigit(Current) || Current == '.' || (Current is '+' or '-' && text[_at - 1] is 'e' or 'E' && !IsHexadecimal(start)))
                _at++;
            string number = text[start.._at];
            bool isUnsigned = number[0] == '+';
            bool isNegative = number[0] == '-';
            string digits = isUnsigned || isNegative ? number[1..] : number;
            if (TryMagnitude(digits, out ulong magnitude, out bool isInteger))
            {
                if (isUnsigned)
                    return JsonValue.Create(magnitude);
                if (magnitude <= long.MaxValue || (isNegative && magnitude == 1UL << 63))
                    return JsonValue.Create(isNegative ? unchecked(-(long)magnitude) : (long)magnitude);
                isInteger = true;
            }
            if (isInteger)
                throw new ComponentParameterException($"the parameters '{text}': at character {start + 1} '{number}' has more than 64 bits{(isUnsigned ? "" : " (with + before it, it has no sign)")}");
            if (double.TryParse(number, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out double real)
                && double.IsFinite(real))
                return JsonValue.Create(real);
            _at = start;
            throw Unexpected("a number");
        }

        private bool IsHexadecimal(int start) => text.AsSpan(start).TrimStart("+-").StartsWith("0x", StringComparison.OrdinalIgnoreCase);

        /// <summary>An integer without its sign; <paramref name="isInteger"/> where it is one that does not fit.</summary>
        private static bool TryMagnitude(string digits, out ulong magnitude, out bool isInteger)
        {
            var (radix, from) = digits switch
            {
                ['0', 'x' or 'X', _, ..] => (16u, 2),
                ['0', 'b' or 'B', _, ..] => (2u, 2),
                ['0', _, ..] => (8u, 1),
                _ => (10u, 0),
            };
            magnitude = 0;
            isInteger = digits.Length > from;
            bool fits = true;
            foreach (char c in digits.AsSpan(from))
            {
                uint digit = char.IsAsciiHexDigit(c) ? (uint)Convert.ToInt32(c.ToString(), 16) : radix;
                if (digit >= radix)
                    return isInteger = false;
                var next = ((UInt128)magnitude * radix) + digit;
                fits &= next <= ulong.MaxValue;
                magnitude = (ulong)next;
            }
            return isInteger && fits;
        }

        private string ReadName()
        {
            int start = _at;
            if (!char.IsAsciiLetter(Current) && Current != '_')
                return "";
            while (char.IsAsciiLetterOrDigit(Current) || Current is '_' or ':' or '.' or '-')
                _at++;
            return text[start.._at];
        }

        private string ReadQuoted()
        {
            int start = _at++;
            var value = new StringBuilder();
            while (Current != '"')
            {
                if (_at >= text.Length)
                    throw new ComponentParameterException($"the parameters '{text}': the text that begins at character {start + 1} has no end");
                char c = text[_at++];
                if (c == '\\' && _at < text.Length)
                {
                    c = text[_at++] switch
                    {
                        'a' => '\a',
                        'b' => '\b',
                        'f' => '\f',
                        'n' => '\n',
                        'r' => '\r',
                        't' => '\t',
                        'v' => '\v',
                        var other => other,
                    };
                }
                value.Append(c);
            }
            _at++;
            return value.ToString();
        }

        private void SkipSpace()
        {
            while (Current is ' ' or '\t' or '\n' or '\r')
                _at++;
        }

        private void Expect(char expected)
        {
            if (Current != expected || _at >= text.Length)
                throw Unexpected($"'{expected}'");
            _at++;
        }

        private ComponentParameterException Unexpected(string expected) =>
            new($"the parameters '{text}': at character {_at + 1} there is {(_at < text.Length ? $"'{text[_at]}'" : "the end")}: expected {expected}");
    }
}
