using System.Diagnostics.CodeAnalysis;

namespace Weir.Graph;

/// <summary>A plug-in and what it offers.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it is for, in one line.</param>
/// <param name="Path">The assembly that it came from; null for what is built in.</param>
/// <param name="Classes">Its classes.</param>
public sealed record PluginEntry(string Name, string Description, string? Path, IReadOnlyList<ComponentClass> Classes);

/// <summary>The classes that graphs can be built of: those of this room, and those of plug-ins.</summary>
public sealed class ComponentCatalogue
{
    private static readonly Dictionary<string, string> s_descriptions = new()
    {
        ["ctf"] = "CTF input and output",
        ["lttng-utils"] = "What is special to LTTng",
        ["text"] = "Plain text input and output",
        ["timeline"] = "Timelines for viewers",
        ["utils"] = "What every graph needs",
    };

    private readonly List<PluginEntry> _plugins;

    /// <summary>Creates a catalogue of what is built in.</summary>
    public ComponentCatalogue()
    {
        _plugins = [.. Components.All.GroupBy(item => item.Plugin).OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => new PluginEntry(group.Key, s_descriptions.GetValueOrDefault(group.Key, $"{group.First().Description.TrimEnd('.')}"), null, [.. group]))];
    }

    /// <summary>The plug-ins.</summary>
    public IReadOnlyList<PluginEntry> Plugins => _plugins;

    /// <summary>All classes.</summary>
    public IEnumerable<ComponentClass> Classes => _plugins.SelectMany(plugin => plugin.Classes);

    /// <summary>Adds a plug-in that the program brings along.</summary>
    public void Add(IPlugin plugin)
    {
        ArgumentNullException.ThrowIfNull(plugin);
        _plugins.Add(new PluginEntry(plugin.Name, plugin.Description, null, plugin.Components));
    }

    /// <summary>Adds the plug-ins of paths; <see cref="PluginLoader"/> says which.</summary>
    /// <param name="paths">Assemblies or directories, <c>:</c> between them.</param>
    /// <exception cref="PluginException">A plug-in cannot be used.</exception>
    [RequiresUnreferencedCode("A plug-in may use what trimming has removed.")]
    public void Load(string paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        foreach (string path in paths.Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            foreach (var plugin in PluginLoader.Load(path))
            {
                foreach (var item in plugin.Classes)
                {
                    if (Classes.FirstOrDefault(other => other.ToString() == item.ToString()) is not null)
                        throw new PluginException($"{plugin.Path}: the plug-in '{plugin.Name}' offers {item}, which is already there");
                }
                _plugins.Add(plugin);
            }
        }
    }

    /// <summary>The class of a name, <c>KIND.PLUGIN.NAME</c>; kinds can be shortened to <c>src</c> and <c>flt</c>.</summary>
    /// <exception cref="GraphException">There is none, or the text is no name of one.</exception>
    public ComponentClass Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        string[] parts = name.Split('.');
        ComponentKind? kind = parts[0] switch
        {
            "source" or "src" => ComponentKind.Source,
            "filter" or "flt" => ComponentKind.Filter,
            "sink" => ComponentKind.Sink,
            _ => null,
        };
        if (kind is null || parts.Length != 3)
            throw new GraphException($"'{name}' names no class of components: expected source.PLUGIN.NAME, filter.PLUGIN.NAME or sink.PLUGIN.NAME");
        return Classes.FirstOrDefault(item => item.Kind == kind && item.Plugin == parts[1] && item.Name == parts[2])
            ?? throw new GraphException($"there is no class '{name}': {Others(kind.Value, parts[1])}");
    }

    private string Others(ComponentKind kind, string plugin)
    {
        var near = Classes.Where(item => item.Plugin == plugin && item.Kind == kind).ToList();
        return near.Count > 0 ? $"expected {string.Join(", ", near)}" : "'weir list-plugins' lists what is there; --plugin-path brings more";
    }
}
