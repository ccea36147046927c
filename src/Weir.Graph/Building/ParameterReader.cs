using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weir.Graph;

/// <summary>
/// Reads the parameters of a component by name and kind. What was not asked for is not known: <see cref="RejectOthers"/> says so.
/// </summary>
/// <param name="parameters">The parameters.</param>
public sealed class ParameterReader(JsonObject parameters)
{
    private readonly HashSet<string> _known = [];

    /// <summary>Whether the parameter is there and not null.</summary>
    public bool Has(string name) => Find(name) is not null;

    /// <summary>A boolean.</summary>
    /// <exception cref="ComponentParameterException">It is something else.</exception>
    public bool Flag(string name, bool fallback = false) => Find(name) switch
    {
        null => fallback,
        { } node when node.GetValueKind() is JsonValueKind.True or JsonValueKind.False => node.GetValue<bool>(),
        var node => throw Wrong(name, node, "true or false (yes or no)"),
    };

    /// <summary>A text, or null.</summary>
    /// <exception cref="ComponentParameterException">It is something else.</exception>
    public string? Text(string name) => Find(name) switch
    {
        null => null,
        { } node when node.GetValueKind() == JsonValueKind.String => node.GetValue<string>(),
        var node => throw Wrong(name, node, "a text"),
    };

    /// <summary>The path of a file or a directory, or null.</summary>
    /// <exception cref="ComponentParameterException">It is something else, or empty.</exception>
    public string? Path(string name) => Text(name) is { } path ? CheckPath(name, path) : null;

    /// <summary>Paths, one at least.</summary>
    /// <param name="name">The parameter.</param>
    /// <param name="what">What they are, for an error: <c>files</c>, <c>directories</c>.</param>
    /// <exception cref="ComponentParameterException">It is something else, or missing, or one is empty.</exception>
    public IReadOnlyList<string> Paths(string name, string what)
    {
        var paths = Texts(name);
        if (paths.Count == 0)
            throw new ComponentParameterException($"the parameter '{name}' is {(Has(name) ? "empty" : "missing")}: expected a list of {what}");
        foreach (string path in paths)
            CheckPath(name, path);
        return paths;
    }

    private static string CheckPath(string name, string path)
    {
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
            throw new ComponentParameterException($"the parameter '{name}' {(path.Length == 0 ? "is empty" : "has a zero byte")}: expected a path");
        return path;
    }

    /// <summary>One of several texts; the first where it is missing.</summary>
    /// <exception cref="ComponentParameterException">It is something else.</exception>
    public string OneOf(string name, params IReadOnlyList<string> choices)
    {
        ArgumentNullException.ThrowIfNull(choices);
        string text = Text(name) ?? choices[0];
        return choices.Contains(text) ? text : throw Wrong(name, parameters[name]!, string.Join(", ", choices.Take(choices.Count - 1)) + " or " + choices[^1]);
    }

    /// <summary>An integer.</summary>
    /// <exception cref="ComponentParameterException">It is something else, or has more than 64 bits with its sign.</exception>
    public long Integer(string name, long fallback = 0)
    {
        var node = Find(name);
        if (node is null)
            return fallback;
        if (node.GetValueKind() == JsonValueKind.Number && long.TryParse(node.ToJsonString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
            return value;
        throw Wrong(name, node, "an integer");
    }

    /// <summary>A list of texts; empty where it is missing.</summary>
    /// <exception cref="ComponentParameterException">It is something else.</exception>
    public IReadOnlyList<string> Texts(string name)
    {
        var node = Find(name);
        if (node is null)
            return [];
        if (node is not JsonArray array || array.Any(item => item?.GetValueKind() != JsonValueKind.String))
            throw Wrong(name, node, "a list of texts, such as [\"a\", \"b\"]");
        return [.. array.Select(item => item!.GetValue<string>())];
    }

    /// <summary>Refuses parameters that nobody has asked for.</summary>
    /// <exception cref="ComponentParameterException">There is one.</exception>
    public void RejectOthers()
    {
        foreach (var (name, _) in parameters)
        {
            if (!_known.Contains(name))
                throw new ComponentParameterException($"the parameter '{name}' is not known: expected {(_known.Count == 0 ? "none" : string.Join(", ", _known.Order(StringComparer.Ordinal)))}");
        }
    }

    private static ComponentParameterException Wrong(string name, JsonNode node, string expected) =>
        new($"the parameter '{name}' is {node.ToJsonString()}: expected {expected}");

    private JsonNode? Find(string name)
    {
        _known.Add(name);
        return parameters[name];
    }
}
