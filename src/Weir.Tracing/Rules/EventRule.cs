using System.Diagnostics.CodeAnalysis;
using System.IO.Enumeration;

namespace Weir.Tracing;

/// <summary>
/// Chooses events: <c>provider:name</c> with <c>*</c> and <c>?</c>, then optionally <c>@level</c> (that level or a more important
/// one) and <c>if</c> with a filter on the fields, such as <c>shop:order_*@warning if quantity &gt; 10</c>. A lone <c>*</c> is every
/// event. Immutable.
/// </summary>
public sealed class EventRule
{
    private EventRule(string text, string provider, string name, TracepointLevel? level, FilterExpression? filter)
    {
        Text = text;
        Provider = provider;
        Name = name;
        Level = level;
        Filter = filter;
    }

    /// <summary>The rule as it was written.</summary>
    public string Text { get; }

    /// <summary>The pattern for the provider's name.</summary>
    public string Provider { get; }

    /// <summary>The pattern for the event's name.</summary>
    public string Name { get; }

    /// <summary>The least important level that is chosen, or null for any.</summary>
    public TracepointLevel? Level { get; }

    internal FilterExpression? Filter { get; }

    /// <summary>Parses a rule.</summary>
    /// <param name="text">The rule.</param>
    /// <param name="rule">The rule, where it is one.</param>
    /// <param name="error">What is wrong and where, in one sentence, where it is none.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out EventRule? rule, [NotNullWhen(false)] out string? error)
    {
        rule = null;
        FilterExpression? filter = null;
        string pattern = text.Trim();
        int condition = FindIf(text);
        if (condition >= 0)
        {
            pattern = text[..condition].Trim();
            if (!FilterParser.TryParse(text, condition + 2, out filter, out error))
                return false;
        }

        TracepointLevel? level = null;
        int at = pattern.LastIndexOf('@');
        if (at >= 0)
        {
            // Names only: a number would pass Enum.TryParse too.
            string word = pattern[(at + 1)..].Trim();
            if (word.Length == 0 || !char.IsAsciiLetter(word[0]) || !Enum.TryParse(word, ignoreCase: true, out TracepointLevel parsed))
            {
                error = $"rule '{text}': column {at + 2 + IndentOf(text)}: '{word}' is no level; the levels are {string.Join(", ", Enum.GetNames<TracepointLevel>()).ToLowerInvariant()}";
                return false;
            }
            level = parsed;
            pattern = pattern[..at].Trim();
        }

        string provider = "*";
        string name = "*";
        if (pattern != "*")
        {
            int colon = pattern.IndexOf(':');
            if (colon <= 0 || colon == pattern.Length - 1 || pattern.Contains(' '))
            {
                error = $"rule '{text}': column {1 + IndentOf(text)}: '{pattern}' is not provider:name (such as shop:order_placed or shop:*)";
                return false;
            }
            provider = pattern[..colon];
            name = pattern[(colon + 1)..];
        }
        rule = new EventRule(text.Trim(), provider, name, level, filter);
        error = null;
        return true;
    }

    /// <summary>Whether the rule chooses an event, its filter aside.</summary>
    public bool Matches(Tracepoint tracepoint) =>
        (Level is not { } level || tracepoint.Level <= level)
        && FileSystemName.MatchesSimpleExpression(Provider, tracepoint.Provider.Name, ignoreCase: false)
        && FileSystemName.MatchesSimpleExpression(Name, tracepoint.Name, ignoreCase: false);

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static int IndentOf(string text) => text.Length - text.TrimStart().Length;

    /// <summary>Where the word <c>if</c> stands that a filter follows; -1 where there is none.</summary>
    internal static int FindIf(string text)
    {
        for (int i = 1; i + 1 < text.Length; i++)
        {
            bool isWord = char.IsWhiteSpace(text[i - 1]) && (i + 2 == text.Length || char.IsWhiteSpace(text[i + 2]) || text[i + 2] is '(' or '!');
            if (text[i] == 'i' && text[i + 1] == 'f' && isWord)
                return i;
        }
        return -1;
    }
}
