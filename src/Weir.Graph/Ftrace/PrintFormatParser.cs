using System.Globalization;

namespace Weir.Graph;

/// <summary>
/// Reads from an event's <c>print fmt</c> how the kernel shows its fields: in base 16, with leading zeros, with labels of values or bits.
/// What it cannot make sense of (any C expression may stand there) says nothing about a field and is passed over.
/// </summary>
internal static class PrintFormatParser
{
    private const int MaxLabels = 4096;

    /// <summary>The same fields with what <paramref name="printFormat"/> says about them.</summary>
    public static IReadOnlyList<FtraceField> Annotate(List<FtraceField> fields, string printFormat)
    {
        int end = EndOfText(printFormat, 0);
        if (end < 0)
            return fields;
        var conversions = Conversions(printFormat.AsSpan(1, end - 2));
        var arguments = SplitArguments(printFormat.AsSpan(end));
        for (int i = 0; i < Math.Min(conversions.Count, arguments.Count); i++)
        {
            string argument = arguments[i];
            if (FieldOf(argument, out bool isWhole) is not { } name || fields.FindIndex(field => field.Name == name) is not (>= 0 and int index))
                continue;
            var field = fields[index];
            var (letter, digits) = conversions[i];
            if (argument.StartsWith("__print_symbolic(", StringComparison.Ordinal) || argument.StartsWith("__print_symbolic_u64(", StringComparison.Ordinal))
                fields[index] = field with { Symbols = field.Symbols ?? ParseLabels(argument, isWhole) };
            else if (argument.StartsWith("__print_flags(", StringComparison.Ordinal) || argument.StartsWith("__print_flags_u64(", StringComparison.Ordinal))
                fields[index] = field with { Flags = field.Flags ?? ParseLabels(argument, isWhole) };
            else if (isWhole && letter is 'd' or 'i' or 'u')
                fields[index] = field with { MinimumDigits = Math.Max(field.MinimumDigits, digits) };
            else if (isWhole && letter is 'x' or 'X' or 'p')
                fields[index] = field with { IsHexadecimal = true };
        }
        return fields;
    }

    /// <summary>The letter of each conversion that takes an argument, and the digits that it fills with zeros.</summary>
    private static List<(char Letter, int Digits)> Conversions(ReadOnlySpan<char> format)
    {
        var conversions = new List<(char, int)>();
        for (int i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
                continue;
            i++;
            bool isZeroFilled = false;
            for (; i < format.Length && format[i] is '-' or '+' or ' ' or '#' or '0'; i++)
                isZeroFilled |= format[i] == '0';
            int width = 0;
            for (; i < format.Length && (char.IsAsciiDigit(format[i]) || format[i] is '.' or '*'); i++)
            {
                if (format[i] == '*')
                    conversions.Add(('*', 0));
                width = char.IsAsciiDigit(format[i]) ? Math.Min((width * 10) + (format[i] - '0'), 1000) : 0;
            }
            while (i < format.Length && format[i] is 'l' or 'h' or 'z' or 't' or 'j' or 'L')
                i++;
            if (i < format.Length && format[i] != '%')
                conversions.Add((format[i], isZeroFilled && width <= 20 ? width : 0));
        }
        return conversions;
    }

    /// <summary>The expressions behind the format's text, split at the commas that stand in no bracket and no text.</summary>
    private static List<string> SplitArguments(ReadOnlySpan<char> text)
    {
        var arguments = new List<string>();
        int depth = 0;
        int start = -1;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c is '"' or '\'')
            {
                int end = EndOfText(text, i);
                i = end < 0 ? text.Length : end - 1;
            }
            else if (c is '(' or '{' or '[')
            {
                depth++;
            }
            else if (c is ')' or '}' or ']')
            {
                depth--;
            }
            else if (c == ',' && depth == 0)
            {
                if (start >= 0)
                    arguments.Add(text[start..i].Trim().ToString());
                start = i + 1;
            }
        }
        if (start >= 0)
            arguments.Add(text[start..].Trim().ToString());
        return arguments;
    }

    /// <summary>
    /// The only field that an expression reads, or null. <paramref name="isWhole"/>: its value as it is, but for casts; of a table, the value
    /// that is looked up.
    /// </summary>
    private static string? FieldOf(string expression, out bool isWhole)
    {
        isWhole = false;
        int at = expression.IndexOf("REC->", StringComparison.Ordinal);
        if (at < 0 || expression.IndexOf("REC->", at + 5, StringComparison.Ordinal) >= 0)
            return null;
        int end = at + 5;
        while (end < expression.Length && (char.IsAsciiLetterOrDigit(expression[end]) || expression[end] == '_'))
            end++;
        int open = expression.StartsWith("__print_", StringComparison.Ordinal) ? expression.IndexOf('(', StringComparison.Ordinal) + 1 : 0;
        int comma = open > 0 ? expression.IndexOf(',', end) : expression.Length;
        isWhole = comma >= 0 && IsCast(expression.AsSpan(open, Math.Max(0, at - open))) && expression.AsSpan(end, comma - end).Trim(") ").IsEmpty;
        return expression[(at + 5)..end];
    }

    /// <summary>Whether nothing but brackets and names of types stands there.</summary>
    private static bool IsCast(ReadOnlySpan<char> text)
    {
        foreach (char c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('(' or ')' or ' ' or '_' or '*'))
                return false;
        }
        // A call's name would stand directly before its bracket.
        for (int i = 1; i < text.Length; i++)
        {
            if (text[i] == '(' && char.IsAsciiLetterOrDigit(text[i - 1]))
                return false;
        }
        return true;
    }

    /// <summary>The pairs <c>{ VALUE, "LABEL" }</c> whose value is a number; null where there is none.</summary>
    private static List<FtraceLabel>? ParseLabels(string expression, bool isWhole)
    {
        if (!isWhole)
            return null;
        var labels = new List<FtraceLabel>();
        for (int at = expression.IndexOf('{', StringComparison.Ordinal); at >= 0 && labels.Count < MaxLabels; at = expression.IndexOf('{', at + 1))
        {
            int comma = expression.IndexOf(',', at);
            int quote = comma < 0 ? -1 : expression.IndexOf('"', comma);
            int end = quote < 0 ? -1 : EndOfText(expression, quote);
            if (end < 0)
                break;
            if (TryParseNumber(expression.AsSpan(at + 1, comma - at - 1), out long value))
                labels.Add(new FtraceLabel(value, Unescape(expression.AsSpan(quote + 1, end - quote - 2))));
            at = end - 1;
        }
        return labels.Count > 0 ? labels : null;
    }

    private static bool TryParseNumber(ReadOnlySpan<char> text, out long value)
    {
        text = text.Trim("() ").TrimEnd("uUlL");
        bool isNegative = text.StartsWith("-");
        text = isNegative ? text[1..] : text;
        bool isHexadecimal = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        ulong number = 0;
        bool isNumber = isHexadecimal
            ? ulong.TryParse(text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number)
            : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
        value = isNegative ? -(long)number : (long)number;
        return isNumber || TryParseShift(text, out value);
    }

    /// <summary><c>1 &lt;&lt; 4</c></summary>
    private static bool TryParseShift(ReadOnlySpan<char> text, out long value)
    {
        int at = text.IndexOf("<<");
        value = 0;
        if (at < 0 || !long.TryParse(text[..at].Trim("() ").TrimEnd("uUlL"), NumberStyles.None, CultureInfo.InvariantCulture, out long one)
            || !int.TryParse(text[(at + 2)..].Trim("() "), NumberStyles.None, CultureInfo.InvariantCulture, out int shift) || shift > 63)
            return false;
        value = one << shift;
        return true;
    }

    private static string Unescape(ReadOnlySpan<char> text) => text.Contains('\\') ? text.ToString().Replace("\\\"", "\"", StringComparison.Ordinal) : text.ToString();

    /// <summary>The position behind the text in quotes that begins at <paramref name="start"/>, or -1.</summary>
    private static int EndOfText(ReadOnlySpan<char> text, int start)
    {
        if (start >= text.Length || text[start] is not ('"' or '\''))
            return -1;
        for (int i = start + 1; i < text.Length; i++)
        {
            if (text[i] == '\\')
                i++;
            else if (text[i] == text[start])
                return i + 1;
        }
        return -1;
    }
}
