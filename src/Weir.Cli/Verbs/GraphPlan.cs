using System.Text;
using System.Text.Json.Nodes;
using Weir.Graph;

namespace Weir.Cli.Verbs;

/// <summary>A component that is to be created, as the command line tells it.</summary>
/// <param name="name">Its name in the graph.</param>
/// <param name="className">Its class, <c>KIND.PLUGIN.NAME</c>.</param>
internal sealed class PlannedComponent(string name, string className)
{
    private readonly List<Setting> _settings = [];

    public string Name => name;

    public string ClassName => className;

    public ComponentKind Kind { get; } = className.Split('.')[0] switch
    {
        "source" or "src" => ComponentKind.Source,
        "filter" or "flt" => ComponentKind.Filter,
        _ => ComponentKind.Sink,
    };

    /// <summary>Whether it is of a class.</summary>
    public bool IsOf(ComponentClass componentClass) => className == componentClass.ToString()
        || (Kind == componentClass.Kind && className.AsSpan(className.IndexOf('.') + 1).SequenceEqual($"{componentClass.Plugin}.{componentClass.Name}"));

    /// <summary>How much it says; null for what all say.</summary>
    public LogLevel? LogLevel { get; private set; }

    /// <summary>Adds parameters as a person writes them; empty ones are left out.</summary>
    public PlannedComponent Add(params IEnumerable<string> parameters)
    {
        _settings.AddRange(parameters.Where(text => text.Length > 0).Select(text => new Setting(false, text)));
        return this;
    }

    /// <summary>Adds a parameter that counts where no other says the same.</summary>
    public void AddFirst(string parameter) => _settings.Insert(0, new Setting(false, parameter));

    /// <summary>Sets how much it says.</summary>
    public PlannedComponent Say(LogLevel level, string text)
    {
        LogLevel = level;
        _settings.Add(new Setting(true, text));
        return this;
    }

    /// <summary>All parameters together; of one name given twice the last counts.</summary>
    /// <exception cref="ComponentParameterException">A text is none.</exception>
    public JsonObject Parameters(JsonObject? defaults = null)
    {
        var all = (JsonObject?)defaults?.DeepClone() ?? [];
        foreach (var setting in _settings.Where(setting => !setting.IsLevel))
        {
            foreach (var (name, value) in ParameterText.Parse(setting.Text))
                all[name] = value?.DeepClone();
        }
        return all;
    }

    /// <summary>The options of <c>run</c> that say the same.</summary>
    public IEnumerable<string> ToArguments() =>
        [
            "--component", $"{Name.Replace("\\", "\\\\").Replace(":", "\\:")}:{ClassName}",
            .. _settings.SelectMany<Setting, string>(setting => [setting.IsLevel ? "--log-level" : "--params", setting.Text]),
        ];

    private sealed record Setting(bool IsLevel, string Text);
}

/// <summary>A graph that is to be built: what <c>run</c> is told, and what <c>convert</c> makes of its options.</summary>
internal sealed class GraphPlan
{
    private readonly Dictionary<PlannedComponent, JsonObject> _baseParameters = [];

    public List<PlannedComponent> Components { get; } = [];

    /// <summary>Connections, <c>UPSTREAM[.PORT]:DOWNSTREAM[.PORT]</c>.</summary>
    public List<string> Connections { get; } = [];

    /// <summary>A name that no component has: the text, or the text with the first number from 0.</summary>
    public string FreeName(string name)
    {
        string free = name;
        for (int i = 0; Components.Exists(component => component.Name == free); i++)
            free = $"{name}-{i}";
        return free;
    }

    public PlannedComponent Add(PlannedComponent component, JsonObject? baseParameters = null)
    {
        Components.Add(component);
        if (baseParameters is not null)
            _baseParameters[component] = baseParameters;
        return component;
    }

    public void Connect(PlannedComponent upstream, PlannedComponent downstream) =>
        Connections.Add($"{ConnectionText.Escape(upstream.Name)}:{ConnectionText.Escape(downstream.Name)}");

    /// <summary>Arguments with which <c>run</c> builds the same graph.</summary>
    public IReadOnlyList<string> ToArguments() =>
        [.. Components.SelectMany(component => component.ToArguments()), .. Connections.SelectMany(connection => new[] { "--connect", connection })];

    /// <summary>Says what is wrong with the parameters, or null.</summary>
    public string? Check()
    {
        try
        {
            foreach (var component in Components)
                component.Parameters();
            return null;
        }
        catch (ComponentParameterException e)
        {
            return e.Message;
        }
    }

    /// <summary>Builds the graph.</summary>
    /// <exception cref="GraphException">It cannot be built.</exception>
    public void Build(TraceGraph graph, ComponentCatalogue catalogue, LogLevel level)
    {
        foreach (var component in Components)
        {
            var componentClass = catalogue.Find(component.ClassName);
            graph.Add(component.Name, componentClass, component.Parameters(_baseParameters.GetValueOrDefault(component)), component.LogLevel ?? level);
        }
        foreach (string connection in Connections)
            graph.Connect(connection);
    }

    /// <summary>A text as a value of a parameter.</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (char c in text)
        {
            quoted.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\t' => "\\t",
                _ => c.ToString(),
            });
        }
        return quoted.Append('"').ToString();
    }

    /// <summary>A word as a shell takes it: in quotes unless it is of harmless characters.</summary>
    public static string ShellQuote(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "_@%+=:,./-".Contains(c)) ? word : $"'{word.Replace("'", "'\"'\"'")}'";
}
