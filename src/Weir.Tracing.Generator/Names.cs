using System.Text;
using Microsoft.CodeAnalysis.CSharp;

namespace Weir.Tracing.Generator;

/// <summary>Names of events, providers and fields, and names in generated code.</summary>
internal static class Names
{
    /// <summary>Most characters of a provider's, an event's or a field's name.</summary>
    public const int MaxLength = 128;

    /// <summary>
    /// A method's name in snake case. A word begins at a capital after a small letter or a digit, and at the last capital of a run
    /// that a small letter follows: <c>HTTPRequestDone</c> is <c>http_request_done</c>, <c>Gc2Start</c> is <c>gc2_start</c>.
    /// </summary>
    public static string ToSnakeCase(string name)
    {
        var snake = new StringBuilder(name.Length + 8);
        for (int i = 0; i < name.Length; i++)
        {
            char c = name[i];
            if (char.IsUpper(c) && i > 0 && name[i - 1] != '_')
            {
                bool afterWord = !char.IsUpper(name[i - 1]);
                bool beforeWord = i + 1 < name.Length && char.IsLower(name[i + 1]);
                if (afterWord || beforeWord)
                    snake.Append('_');
            }
            snake.Append(char.ToLowerInvariant(c));
        }
        return snake.ToString();
    }

    /// <summary>Letters, digits, <c>_</c>, <c>-</c> and <c>.</c> of ASCII, beginning with a letter or <c>_</c>.</summary>
    public static bool IsValid(string? name)
    {
        if (name is not { Length: > 0 and <= MaxLength } || !(IsAsciiLetter(name[0]) || name[0] == '_'))
            return false;
        foreach (char c in name)
        {
            if (!IsAsciiLetter(c) && c is not ((>= '0' and <= '9') or '_' or '-' or '.'))
                return false;
        }
        return true;
    }

    /// <summary>The name as C# source has it: keywords get their <c>@</c>.</summary>
    public static string Escape(string identifier) =>
        SyntaxFacts.GetKeywordKind(identifier) != SyntaxKind.None || SyntaxFacts.GetContextualKeywordKind(identifier) != SyntaxKind.None
            ? "@" + identifier
            : identifier;

    /// <summary>A dotted name as one identifier; no two names give the same.</summary>
    public static string Mangle(string fullName) => fullName.Replace("_", "__").Replace('.', '_');

    /// <summary>Tells apart names that differ in case only, as names of generated files must not. FNV-1a, the same in every run.</summary>
    public static string Hash(string text)
    {
        uint hash = 2166136261;
        foreach (char c in text)
            hash = unchecked((hash ^ c) * 16777619);
        return hash.ToString("x8", System.Globalization.CultureInfo.InvariantCulture);
    }

    private static bool IsAsciiLetter(char c) => c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z');
}
