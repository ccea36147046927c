using System.Text.Json.Nodes;

namespace Weir.Graph;

/// <summary>A source that inputs were found for.</summary>
/// <param name="Class">Its class.</param>
/// <param name="Inputs">The inputs, in the order in which they were found.</param>
public sealed record DiscoveredSource(SourceClass Class, List<string> Inputs)
{
    /// <summary>Names what the inputs were found under: indexes of the texts that discovery was given.</summary>
    public IReadOnlyList<int> Origins => OriginList;

    internal List<int> OriginList { get; } = [];

    /// <summary>What the inputs have in common, or null.</summary>
    internal string? Group { get; init; }

    /// <summary>Where the one input lies under the directory that was named; null where it was named itself.</summary>
    internal string? Place { get; set; }

    /// <summary>The parameters: <c>inputs</c>, and <c>trace-name</c> for a CTF trace that was found further down.</summary>
    public JsonObject CreateParameters()
    {
        var parameters = new JsonObject();
        if (ReferenceEquals(Class, CtfFsSource.Class) && Inputs.Count == 1 && Place is not null)
            parameters["trace-name"] = Place;
        parameters["inputs"] = new JsonArray([.. Inputs.Select(input => (JsonNode?)JsonValue.Create(input))]);
        return parameters;
    }
}

/// <summary>
/// Finds out which sources inputs are for: each class is asked how sure it is, and the surest takes the input, the first of several. A
/// directory is asked for as a whole; one that nobody takes is searched, in the order of names, without following links. Inputs of one
/// class that belong together make one source.
/// </summary>
/// <param name="classes">The classes, in the order in which they are asked.</param>
public sealed class SourceDiscovery(IEnumerable<ComponentClass> classes)
{
    /// <summary>
    /// A weight up to this is a guess, which is good enough for an input that was named; one that is found on the search through a directory
    /// is left alone then: it may lie there for another program.
    /// </summary>
    public const double Guess = 0.25;

    private readonly List<SourceClass> _classes = [.. classes.OfType<SourceClass>().Where(item => item.Recognize is not null)];

    /// <summary>Directories and files that could not be asked about, with why.</summary>
    public List<string> Problems { get; } = [];

    /// <summary>Whether a path is of a kind that sources are asked about: no pipe, socket or device, which could be waited for for ever.</summary>
    public static bool CanAskFor(string input) => RegularFile.DescribeOther(input) is null;

    /// <summary>Finds the sources of inputs.</summary>
    /// <param name="inputs">Paths or other texts, such as addresses.</param>
    /// <param name="unknown">Takes the inputs that nobody wants.</param>
    public List<DiscoveredSource> Discover(IReadOnlyList<string> inputs, List<string> unknown)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(unknown);
        var found = new List<Found>();
        for (int i = 0; i < inputs.Count; i++)
        {
            int before = found.Count;
            bool isPath = File.Exists(inputs[i]) || Directory.Exists(inputs[i]);
            string root = isPath ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(inputs[i])) : inputs[i];
            Search(root, root, i, found);
            if (found.Count == before)
                unknown.Add(inputs[i]);
        }
        return Join(found);
    }

    private void Search(string root, string input, int origin, List<Found> found)
    {
        // Whoever has made a plug-in's class may not have thought of it.
        if (!CanAskFor(input))
            return;
        if (FindClass(input, root == input ? 0 : Guess) is { } taker)
        {
            found.Add(new Found(taker, input, root == input ? null : Path.GetRelativePath(root, input), origin));
            return;
        }
        if (!Directory.Exists(input))
            return;
        string[] entries;
        try
        {
            entries = Directory.GetFileSystemEntries(input);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Problems.Add($"{input}: {e.Message}");
            return;
        }
        Array.Sort(entries, StringComparer.Ordinal);
        foreach (string entry in entries)
        {
            // A link could lead round in a circle.
            if (new FileInfo(entry).LinkTarget is null)
                Search(root, entry, origin, found);
        }
    }

    private SourceClass? FindClass(string input, double least)
    {
        SourceClass? surest = null;
        double most = least;
        foreach (var candidate in _classes)
        {
            double weight = Ask(candidate, input);
            if (weight > most)
                (surest, most) = (candidate, weight);
        }
        return surest;
    }

    private double Ask(SourceClass candidate, string input)
    {
        try
        {
            return candidate.Recognize!(input);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What one cannot read the others cannot.
            string problem = $"{input}: {e.Message}";
            if (!Problems.Contains(problem))
                Problems.Add(problem);
            return 0;
        }
    }

    private static List<DiscoveredSource> Join(List<Found> found)
    {
        var sources = new List<DiscoveredSource>();
        foreach (var item in found)
        {
            // Alone of its class it belongs to nothing, and need not be opened to find that out.
            bool isAlone = found.TrueForAll(other => ReferenceEquals(other, item) || other.Class != item.Class);
            string? group = isAlone ? null : item.Class.Group?.Invoke(item.Input);
            var source = group is null ? null : sources.Find(other => other.Class == item.Class && other.Group == group);
            if (source is null)
                sources.Add(source = new DiscoveredSource(item.Class, []) { Group = group, Place = item.Place });
            source.Inputs.Add(item.Input);
            // What was found stands in the order of the texts.
            if (source.OriginList is not [.., var last] || last != item.Origin)
                source.OriginList.Add(item.Origin);
        }
        return sources;
    }

    private sealed record Found(SourceClass Class, string Input, string? Place, int Origin);
}
