using System.CommandLine;
using System.CommandLine.Parsing;
using Weir.Graph;

namespace Weir.Cli.Verbs;

/// <summary>Arguments in the order in which they were typed: an option may be about the component before it.</summary>
internal static class OrderedArguments
{
    /// <summary>Options with their values (empty for those that take none), and inputs, whose option is null.</summary>
    public static IEnumerable<(Option? Option, string Value)> Read(ParseResult parsed)
    {
        var options = parsed.CommandResult.Command.Options;
        Option? pending = null;
        foreach (var token in parsed.Tokens)
        {
            switch (token.Type)
            {
                case TokenType.Option:
                    var option = options.FirstOrDefault(item => item.Name == token.Value || item.Aliases.Contains(token.Value));
                    if (option is not null && option.ValueType == typeof(bool))
                        yield return (option, "");
                    else
                        pending = option;
                    break;
                case TokenType.Argument:
                    yield return (pending, token.Value);
                    pending = null;
                    break;
            }
        }
    }

    /// <summary>Reads <c>[NAME:]KIND.PLUGIN.NAME</c>; without a name the class stands for it. Null where the text is no such thing.</summary>
    public static PlannedComponent? ParseComponent(string text)
    {
        int colon = 0;
        while (colon < text.Length && text[colon] != ':')
            colon += text[colon] == '\\' ? 2 : 1;
        string className = colon < text.Length ? text[(colon + 1)..] : text;
        string name = colon < text.Length ? Unescape(text[..colon]) : className;
        return name.Length > 0 && className.Split('.') is ["source" or "src" or "filter" or "flt" or "sink", { Length: > 0 }, { Length: > 0 }]
            ? new PlannedComponent(name, className)
            : null;
    }

    /// <summary>Reads a log level, as babeltrace2 writes them: a letter or a word.</summary>
    public static LogLevel? ParseLogLevel(string text) => text.ToUpperInvariant() switch
    {
        "N" or "NONE" => LogLevel.None,
        "F" or "FATAL" => LogLevel.Fatal,
        "E" or "ERROR" => LogLevel.Error,
        "W" or "WARN" or "WARNING" => LogLevel.Warning,
        "I" or "INFO" => LogLevel.Info,
        "D" or "DEBUG" => LogLevel.Debug,
        "T" or "V" or "TRACE" => LogLevel.Trace,
        _ => null,
    };

    private static string Unescape(string text) => text.Replace("\\:", ":").Replace("\\.", ".").Replace("\\\\", "\\");
}
