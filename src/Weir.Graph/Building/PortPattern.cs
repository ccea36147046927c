using System.Text;

namespace Weir.Graph;

/// <summary>
/// A connection as a person writes it, <c>UPSTREAM[.PORT]:DOWNSTREAM[.PORT]</c>: names of two components, and patterns for their ports
/// in which <c>*</c> stands for anything. A backslash takes the meaning of the character after it away.
/// </summary>
/// <param name="Upstream">Name of the component that gives.</param>
/// <param name="UpstreamPort">Pattern of its outputs.</param>
/// <param name="Downstream">Name of the component that takes.</param>
/// <param name="DownstreamPort">Pattern of its inputs.</param>
public sealed record ConnectionText(string Upstream, string UpstreamPort, string Downstream, string DownstreamPort)
{
    /// <summary>Reads a connection.</summary>
    /// <exception cref="GraphException">The text is none.</exception>
    public static ConnectionText Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int at = 0;
        string upstream = PortPattern.Unescape(Take(text, ref at, ".:"));
        string upstreamPort = At(text, at) == '.' ? TakeAfter(text, ref at, ":") : "*";
        if (At(text, at) != ':')
            throw Wrong(text, at, "':' and the name of the component that takes");
        at++;
        string downstream = PortPattern.Unescape(Take(text, ref at, ".:"));
        string downstreamPort = At(text, at) == '.' ? TakeAfter(text, ref at, ":") : "*";
        if (at < text.Length)
            throw Wrong(text, at, "the end");
        if (upstream.Length == 0 || downstream.Length == 0 || upstreamPort.Length == 0 || downstreamPort.Length == 0)
            throw new GraphException($"the connection '{text}' lacks a name: expected UPSTREAM[.PORT]:DOWNSTREAM[.PORT]");
        return new ConnectionText(upstream, upstreamPort, downstream, downstreamPort);
    }

    /// <summary>A component's name as it stands in a connection.</summary>
    public static string Escape(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var escaped = new StringBuilder();
        foreach (char c in name)
        {
            if (c is '\\' or '.' or ':')
                escaped.Append('\\');
            escaped.Append(c);
        }
        return escaped.ToString();
    }

    private static GraphException Wrong(string text, int at, string expected) =>
        new($"the connection '{text}': at character {at + 1} there is {(at < text.Length ? $"'{text[at]}'" : "the end")}: expected {expected}");

    private static char At(string text, int at) => at < text.Length ? text[at] : '\0';

    private static string TakeAfter(string text, ref int at, string ends)
    {
        at++;
        return Take(text, ref at, ends);
    }

    private static string Take(string text, ref int at, string ends)
    {
        int start = at;
        while (at < text.Length && !ends.Contains(text[at], StringComparison.Ordinal))
            at += text[at] == '\\' ? 2 : 1;
        at = Math.Min(at, text.Length);
        return text[start..at];
    }
}

/// <summary>Patterns of ports: <c>*</c> stands for anything, and a backslash makes the next character stand for itself.</summary>
public static class PortPattern
{
    /// <summary>Whether a name is of a pattern.</summary>
    public static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        // The last star is where another try begins, one character further in the name.
        int star = -1;
        int starName = 0;
        int p = 0;
        int n = 0;
        while (n < name.Length)
        {
            int step = p + 1 < pattern.Length && pattern[p] == '\\' ? 1 : 0;
            if (p < pattern.Length && step == 0 && pattern[p] == '*')
                (star, starName) = (p++, n);
            else if (p < pattern.Length && pattern[p + step] == name[n])
                (p, n) = (p + step + 1, n + 1);
            else if (star >= 0)
                (p, n) = (star + 1, ++starName);
            else
                return false;
        }
        while (p < pattern.Length && pattern[p] == '*')
            p++;
        return p == pattern.Length;
    }

    /// <summary>A pattern that one name has.</summary>
    public static string Escape(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("*", "\\*", StringComparison.Ordinal);
    }

    /// <summary>The text without its backslashes.</summary>
    internal static string Unescape(string text)
    {
        var plain = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 1 < text.Length)
                i++;
            plain.Append(text[i]);
        }
        return plain.ToString();
    }
}
