using Weir.Graph;

namespace Weir.Cli.Verbs;

/// <summary>Finds the sources for the inputs of <c>weir convert</c>, and says which inputs nobody takes.</summary>
internal sealed class ConvertDiscovery(ComponentCatalogue catalogue, ConvertChoices choices)
{
    /// <summary>The sources; null where there is none at all, which has been said.</summary>
    public List<DiscoveredSource>? Find()
    {
        var named = choices.InputFormat is { } format ? Components.InputFormats[format] : null;
        var discovery = new SourceDiscovery(named is null ? catalogue.Classes : [named]);
        var unknown = new List<string>();
        string[] paths = [.. choices.Inputs.Select(input => input.Path)];
        var found = discovery.Discover(paths, unknown);
        foreach (string problem in discovery.Problems)
            Console.Error.WriteLine($"weir convert: {problem}");
        if (named is not null && unknown.Count > 0)
        {
            // Whoever names a format wants to hear from it what is wrong with the input.
            found.Add(new DiscoveredSource(named, unknown));
            unknown = [];
        }
        foreach (string input in unknown)
            Console.Error.WriteLine($"weir convert: {input}: {Describe(input)}");
        return found.Count == 0 && !choices.HasSource ? null : found;
    }

    private static string Describe(string input)
    {
        if (input.Length == 0)
            return "the input's name is empty: expected a directory or a file with a trace";
        if (!File.Exists(input) && !Directory.Exists(input))
            return "there is no such file or directory";
        return Directory.Exists(input) || SourceDiscovery.CanAskFor(input)
            ? "no trace is here: nothing that Weir reads was found"
            : "this is no regular file: expected a directory or a file with a trace";
    }
}
