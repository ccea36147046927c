using System.CommandLine;
using Weir.Graph;

namespace Weir.Cli.Verbs;

/// <summary><c>weir list-plugins</c> and <c>weir help</c>: which components there are, and what each takes.</summary>
internal static class PluginVerbs
{
    private static readonly (ComponentKind Kind, string Name)[] s_kinds =
        [(ComponentKind.Source, "Source"), (ComponentKind.Filter, "Filter"), (ComponentKind.Sink, "Sink")];

    public static Command CreateList()
    {
        var general = new GeneralOptions();
        var verb = new Command("list-plugins", "List the components that graphs can be built of.");
        general.AddTo(verb);
        verb.SetAction(parsed => GraphRun.Guard("list-plugins", () =>
        {
            var catalogue = general.LoadCatalogue(parsed);
            int count = catalogue.Classes.Count();
            Console.WriteLine($"Found {count} component class{(count == 1 ? "" : "es")} in {catalogue.Plugins.Count} plugin{(catalogue.Plugins.Count == 1 ? "" : "s")}.");
            foreach (var plugin in catalogue.Plugins)
            {
                Console.WriteLine();
                PrintHead(plugin);
                foreach (var (kind, name) in s_kinds)
                {
                    var classes = plugin.Classes.Where(item => item.Kind == kind).ToList();
                    Console.WriteLine($"  {name} component classes:{(classes.Count == 0 ? " (none)" : "")}");
                    foreach (var item in classes)
                        Console.WriteLine($"    '{item}': {item.Description}");
                }
            }
            return 0;
        }));
        return verb;
    }

    public static Command CreateHelp()
    {
        var name = new Argument<string>("NAME") { Description = "A plug-in (ctf) or a class (sink.text.pretty)." };
        var general = new GeneralOptions();
        var verb = new Command("help", "Say what a plug-in or a component is for, and what it takes.") { name };
        general.AddTo(verb);
        verb.SetAction(parsed => GraphRun.Guard("help", () =>
        {
            var catalogue = general.LoadCatalogue(parsed);
            string asked = parsed.GetValue(name)!;
            if (asked.Contains('.'))
                PrintClass(catalogue, catalogue.Find(asked));
            else if (catalogue.Plugins.FirstOrDefault(plugin => plugin.Name == asked) is { } plugin)
                PrintPlugin(plugin);
            else
                throw new GraphException($"there is no plug-in '{asked}': expected {string.Join(", ", catalogue.Plugins.Select(item => item.Name))}");
            return 0;
        }));
        return verb;
    }

    private static void PrintHead(PluginEntry plugin)
    {
        Console.WriteLine($"{plugin.Name}:");
        Console.WriteLine(plugin.Path is { } path ? $"  Path: {path}" : "  Built-in");
        Console.WriteLine($"  Description: {plugin.Description}");
    }

    private static void PrintPlugin(PluginEntry plugin)
    {
        PrintHead(plugin);
        foreach (var (kind, name) in s_kinds)
            Console.WriteLine($"  {name} component classes: {plugin.Classes.Count(item => item.Kind == kind)}");
    }

    private static void PrintClass(ComponentCatalogue catalogue, ComponentClass item)
    {
        PrintPlugin(catalogue.Plugins.First(plugin => plugin.Classes.Contains(item)));
        Console.WriteLine();
        Console.WriteLine($"'{item}'");
        Console.WriteLine($"  Description: {item.Description}");
        if (item.Help.Length == 0)
            return;
        Console.WriteLine();
        foreach (string line in item.Help.Split('\n'))
            Console.WriteLine(line.Length == 0 ? "" : $"  {line}");
    }
}
