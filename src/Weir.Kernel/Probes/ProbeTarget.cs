using System.Globalization;
using System.Text.RegularExpressions;

namespace Weir.Kernel;

/// <summary>
/// Where a rule wants a probe, and what it records there: <c>[FILE:]PLACE[(ARGUMENTS)] [as NAME]</c>, where PLACE is
/// <c>symbol</c>, <c>symbol+0x10</c> or <c>0x1234</c>. Immutable.
/// </summary>
internal sealed partial record ProbeTarget
{
    /// <summary>The file as it was written; empty for the kernel.</summary>
    public required string File { get; init; }

    /// <summary>The symbol, or empty for a bare offset.</summary>
    public required string Symbol { get; init; }

    /// <summary>Bytes behind the symbol, or from the file's beginning.</summary>
    public required ulong Offset { get; init; }

    /// <summary>What is recorded there; null where the rule says nothing of it.</summary>
    public required IReadOnlyList<ProbeArgument>? Arguments { get; init; }

    /// <summary>The event's name in the trace that the rule wants, or null.</summary>
    public required string? Name { get; init; }

    /// <summary>Reads a rule's target.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="hasFile">Whether a file and a colon stand before the place.</param>
    /// <exception cref="KernelException">It is none.</exception>
    public static ProbeTarget Parse(KernelRule rule, bool hasFile)
    {
        try
        {
            return Parse(rule.Target, hasFile);
        }
        catch (KernelException e)
        {
            throw new KernelException($"kernel rule '{rule.Text}': {e.Message}", e);
        }
    }

    private static ProbeTarget Parse(string text, bool hasFile)
    {
        string? name = null;
        if (AsName().Match(text) is { Success: true } named)
        {
            name = named.Groups[1].Value;
            text = text[..named.Index];
        }
        text = text.Trim();
        IReadOnlyList<ProbeArgument>? arguments = null;
        if (text.EndsWith(')'))
        {
            int open = OpeningOfLast(text);
            arguments = ProbeArgument.ParseList(text[(open + 1)..^1]);
            text = text[..open];
        }
        int colon = hasFile ? text.LastIndexOf(':') : -1;
        if (hasFile && (colon <= 0 || colon == text.Length - 1))
            throw new KernelException($"'{text}' is not FILE:PLACE (such as /bin/bash:readline or libc.so.6:malloc)");
        string place = text[(colon + 1)..];
        var (symbol, offset) = ParsePlace(place);
        return new ProbeTarget { File = hasFile ? text[..colon] : "", Symbol = symbol, Offset = offset, Arguments = arguments, Name = name };
    }

    private static (string Symbol, ulong Offset) ParsePlace(string place)
    {
        if (TryParseNumber(place, out ulong bare))
            return ("", bare);
        // Operators of C++ are mangled, so a plus is always ours.
        int plus = place.LastIndexOf('+');
        ulong offset = 0;
        string symbol = plus < 0 ? place : place[..plus];
        if (plus >= 0 && !TryParseNumber(place[(plus + 1)..], out offset))
            throw new KernelException($"'{place[(plus + 1)..]}' is no offset; 0x10 and 16 are");
        if (symbol.Length == 0 || symbol.Any(letter => char.IsWhiteSpace(letter) || char.IsControl(letter)))
            throw new KernelException($"'{place}' is no place; symbol, symbol+0x10 and 0x1234 are");
        return (symbol, offset);
    }

    private static bool TryParseNumber(string text, out ulong number) => text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
        ? ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number)
        : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static int OpeningOfLast(string text)
    {
        int depth = 0;
        for (int i = text.Length - 1; i >= 0; i--)
        {
            depth += text[i] switch { ')' => 1, '(' => -1, _ => 0 };
            if (depth == 0)
                return i;
        }
        throw new KernelException($"'{text}' has a parenthesis that nothing opens");
    }

    [GeneratedRegex(@"\s+as\s+([A-Za-z_][A-Za-z0-9_:.]*)\s*$", RegexOptions.CultureInvariant)]
    private static partial Regex AsName();
}
