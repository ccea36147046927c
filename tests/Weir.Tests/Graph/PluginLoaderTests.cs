using System.Runtime.Loader;
using System.Text;
using Weir.Graph;
using Xunit;

namespace Weir.Tests.Graph;

public class PluginLoaderTests
{
    internal static string Sample { get; } = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../../../samples/LinesPlugin/bin/Release/net10.0"));

    [Fact]
    public void A_plug_in_has_a_context_of_its_own_and_shares_the_hosts_rooms()
    {
        var plugin = Assert.Single(PluginLoader.Load(Sample));
        Assert.Equal(("lines", Path.Combine(Sample, "LinesPlugin.dll")), (plugin.Name, plugin.Path));
        Assert.Equal(["source.lines.file", "filter.lines.every", "sink.lines.longest"], plugin.Classes.Select(item => item.ToString()));
        var source = Assert.IsType<SourceClass>(plugin.Classes[0]);
        using var component = source.Create(new ComponentContext { Name = "lines" });
        var context = AssemblyLoadContext.GetLoadContext(component.GetType().Assembly);
        Assert.NotSame(AssemblyLoadContext.Default, context);
        Assert.Same(typeof(Source), component.GetType().BaseType);
        Assert.DoesNotContain(context!.Assemblies, assembly => assembly.GetName().Name is "Weir.Graph" or "Weir.Ctf" or "Weir.Clock");
    }

    [Fact]
    public void What_cannot_be_loaded_is_named()
    {
        string directory = Directory.CreateTempSubdirectory("weir-tests-").FullName;
        try
        {
            string text = Path.Combine(directory, "text.dll");
            File.WriteAllText(text, "no assembly");
            Assert.Contains($"{text}: this is no plug-in: it is no .NET assembly", Fail(text), StringComparison.Ordinal);
            Assert.Empty(PluginLoader.Load(directory));
            string other = Path.Combine(AppContext.BaseDirectory, "System.CommandLine.dll");
            Assert.Contains("it does not reference Weir.Graph", Fail(other), StringComparison.Ordinal);
            Assert.Contains("there is no such plug-in", Fail(Path.Combine(directory, "missing")), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void A_constructor_that_throws_is_an_error_that_names_it()
    {
        string message = Fail(typeof(PluginLoaderTests).Assembly.Location);
        Assert.Contains("Weir.Tests.dll: the plug-in Weir.Tests.Graph.BrokenPlugin cannot be created: NotSupportedException: out of order", message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_catalogue_has_what_is_built_in_and_what_was_loaded()
    {
        var catalogue = new ComponentCatalogue();
        Assert.Same(PrettySink.Class, catalogue.Find("sink.text.pretty"));
        Assert.Same(Muxer.Class, catalogue.Find("flt.utils.muxer"));
        Assert.Contains("expected source.ctf.fs", Assert.Throws<GraphException>(() => catalogue.Find("source.ctf.none")).Message, StringComparison.Ordinal);
        Assert.Contains("names no class", Assert.Throws<GraphException>(() => catalogue.Find("pretty")).Message, StringComparison.Ordinal);
        Assert.Throws<GraphException>(() => catalogue.Find("source.lines.file"));
        catalogue.Load(Sample);
        Assert.Equal("source.lines.file", catalogue.Find("src.lines.file").ToString());
        Assert.Throws<PluginException>(() => catalogue.Load(Sample));
    }

    [Fact]
    public void A_plug_ins_error_names_file_and_component()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "1 good\nbad\n");
            var catalogue = new ComponentCatalogue();
            catalogue.Load(Sample);
            using var output = new MemoryStream();
            using var graph = new TraceGraph { Output = output };
            graph.Add("lines", catalogue.Find("source.lines.file"), new() { ["inputs"] = new System.Text.Json.Nodes.JsonArray(file) });
            graph.Add("longest", catalogue.Find("sink.lines.longest"));
            graph.Connect("lines:longest");
            var error = Assert.Throws<GraphException>(() => graph.Run(TestContext.Current.CancellationToken));
            Assert.Equal($"lines (source.lines.file): {file}: line 2 has no time: expected SECONDS[.FRACTION] TEXT", error.Message);
            Assert.Equal("1 events, the longest text has 4 bytes\n", Encoding.UTF8.GetString(output.ToArray()));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string Fail(string path) => Assert.Throws<PluginException>(() => PluginLoader.Load(path)).Message;
}

/// <summary>Is found when this assembly is loaded as a plug-in.</summary>
public sealed class BrokenPlugin : IPlugin
{
    public BrokenPlugin() => throw new NotSupportedException("out of order");

    public string Name => "broken";

    public string Description => "";

    public IReadOnlyList<ComponentClass> Components => [];
}
