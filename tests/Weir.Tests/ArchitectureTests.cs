using System.Xml.Linq;
using Xunit;

namespace Weir.Tests;

/// <summary>The house's floors: references go down only, and what an application links brings no package along.</summary>
public class ArchitectureTests
{
    private static readonly string[] s_bannedWords = ["Core", "Common", "Utils", "Utilities", "Helpers", "Abstractions", "Shared", "Misc"];

    // A new room is entered here, on its floor.
    private static readonly Dictionary<string, int> s_floors = new()
    {
        ["Weir.Clock"] = 0,
        ["Weir.Ring"] = 0,
        ["Weir.Ctf"] = 0,
        ["Weir.Tracing"] = 1,
        ["Weir.Tracing.Generator"] = 1,
        ["Weir.Graph"] = 1,
        ["Weir.Graph.Columns"] = 2,
        ["Weir.Sessions"] = 2,
        ["Weir.Relay"] = 2,
        ["Weir.Kernel"] = 2,
        ["Weir.Analysis"] = 2,
        ["Weir.Viewer"] = 3,
        ["Weir.Cli"] = 4,
    };

    // Within a floor; everything else on the same floor stands alone.
    private static readonly (string From, string To)[] s_sameFloor = [("Weir.Ring", "Weir.Clock"), ("Weir.Tracing", "Weir.Tracing.Generator")];

    private static readonly string[] s_linkedByApplications = ["Weir.Clock", "Weir.Ring", "Weir.Ctf", "Weir.Tracing"];

    private static string Source => Path.Combine(Repository.Root, "src");

    [Fact]
    public void References_go_down_only()
    {
        foreach (var (name, project) in Projects())
        {
            Assert.True(s_floors.ContainsKey(name), $"{name} has no floor.");
            foreach (string target in References(project, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path.Replace('\\', '/'))))
                Assert.True(s_floors[target] < s_floors[name] || s_sameFloor.Contains((name, target)), $"{name} must not reference {target}.");
        }
    }

    [Fact]
    public void What_an_application_links_brings_no_package_along()
    {
        foreach (string name in s_linkedByApplications)
            Assert.Empty(References(XDocument.Load(Path.Combine(Source, name, name + ".csproj")), "PackageReference"));
    }

    [Fact]
    public void The_graph_brings_a_plug_in_author_nothing_but_what_applications_link()
    {
        var references = References(XDocument.Load(Path.Combine(Source, "Weir.Graph", "Weir.Graph.csproj")), "ProjectReference");
        Assert.All(references, path => Assert.Contains(Path.GetFileNameWithoutExtension(path), s_linkedByApplications));
    }

    [Fact]
    public void No_room_is_for_everything()
    {
        var names = Directory.EnumerateFileSystemEntries(Source, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Source, path))
            .Where(path => !path.Split('/').Any(part => part is "bin" or "obj"))
            .SelectMany(path => path.Split('/', '.'));
        Assert.DoesNotContain(names, name => s_bannedWords.Contains(name));
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        string solution = File.ReadAllText(Path.Combine(Repository.Root, "Weir.slnx"));
        Assert.All(Projects(), project => Assert.Contains($"/{project.Name}.csproj", solution));
    }

    private static IEnumerable<(string Name, XDocument Project)> Projects() =>
        Directory.EnumerateFiles(Source, "*.csproj", SearchOption.AllDirectories).Select(path => (Path.GetFileNameWithoutExtension(path), XDocument.Load(path)));

    private static IEnumerable<string> References(XDocument project, string kind) =>
        project.Descendants(kind).Select(element => element.Attribute("Include")!.Value);
}
