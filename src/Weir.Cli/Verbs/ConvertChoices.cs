using System.Text.Json.Nodes;

namespace Weir.Cli.Verbs;

/// <summary>The lists that <c>--names</c> and <c>--fields</c> take. Naming anything hides what is not named.</summary>
internal static class ConvertChoices
{
    /// <summary>An option that is not known is parsed as an input; returns what is wrong, or null.</summary>
    public static string? FindUnknownOption(string[] inputs)
    {
        foreach (string input in inputs)
        {
            if (input.Length > 1 && input[0] == '-')
                return $"the option '{input}' is not known (a directory of this name is './{input}')";
        }
        return null;
    }

    /// <summary>Says what is wrong with the choice of a clock, or null.</summary>
    public static string? CheckTimes(bool isMonotonic, bool isRealtime, bool isCycles)
    {
        if (isMonotonic && isRealtime)
            return "--clock-monotonic and --clock-realtime are two clocks: expected one of them";
        if (isCycles && (isMonotonic || isRealtime))
            return $"--clock-cycles prints no clock of the kernel: expected it or {(isMonotonic ? "--clock-monotonic" : "--clock-realtime")}";
        return null;
    }

    /// <summary>Makes <c>--names</c> parameters of <c>sink.text.pretty</c>; returns what is wrong with it, or null.</summary>
    public static string? ApplyNames(JsonObject parameters, string[]? lists) =>
        Apply(parameters, lists, "name", ["payload", "context", "scope", "header", "all", "none"], name => name switch
        {
            "args" or "arg" => "payload",
            "ctx" => "context",
            _ => name,
        });

    /// <summary>Makes <c>--fields</c> parameters of <c>sink.text.pretty</c>; returns what is wrong with it, or null.</summary>
    public static string? ApplyFields(JsonObject parameters, string[]? lists) =>
        Apply(
            parameters, lists, "field", ["trace", "trace:hostname", "trace:domain", "trace:procname", "trace:vpid", "loglevel", "emf", "callsite", "all"], name => name);

    private static string? Apply(JsonObject parameters, string[]? lists, string kind, string[] known, Func<string, string> rename)
    {
        if (lists is null or [])
            return null;
        parameters[$"{kind}-default"] = "hide";
        foreach (string name in Split(lists).Select(rename))
        {
            if (!known.Contains(name))
                return $"--{kind}s: '{name}' is not known: expected {string.Join(", ", known.SkipLast(1))} or {known[^1]}";
            if (name is "all")
                parameters[$"{kind}-default"] = "show";
            else if (name is "none")
                ClearNames(parameters, kind);
            else
                parameters[$"{kind}-{name}"] = true;
        }
        return null;
    }

    private static void ClearNames(JsonObject parameters, string kind)
    {
        foreach (string name in parameters.Select(item => item.Key).Where(name => name.StartsWith(kind + "-", StringComparison.Ordinal)).ToArray())
            parameters.Remove(name);
        parameters[$"{kind}-default"] = "hide";
    }

    private static IEnumerable<string> Split(string[] lists)
    {
        foreach (string list in lists)
        {
            foreach (string name in list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                yield return name;
        }
    }
}
