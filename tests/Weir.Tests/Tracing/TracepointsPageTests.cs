using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Weir.Tracing.Generator;
using Xunit;

namespace Weir.Tests.Tracing;

/// <summary>The page for users keeps its word: each message has a section, whose first example causes it and whose second does not.</summary>
public partial class TracepointsPageTests
{
    private static readonly string s_page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "tracepoints.md"));

    public static TheoryData<string> Ids => [.. DescriptorIds()];

    [Theory]
    [MemberData(nameof(Ids))]
    public void Each_message_has_a_wrong_and_a_right_example(string id)
    {
        int start = s_page.IndexOf($"\n### {id}\n", StringComparison.Ordinal);
        Assert.True(start >= 0, $"docs/tracepoints.md has no section {id}.");
        int end = s_page.IndexOf("\n### ", start + 1, StringComparison.Ordinal);
        var examples = CodeBlock().Matches(end < 0 ? s_page[start..] : s_page[start..end]);

        Assert.Equal(2, examples.Count);
        Assert.Contains(id, Run(examples[0].Groups[1].Value).Reported.Select(d => d.Id));
        var (reported, output) = Run(examples[1].Groups[1].Value);
        Assert.Empty(reported);
        GeneratorHost.AssertCompiles(output);
    }

    [Fact]
    public void Each_section_is_a_message() =>
        Assert.Equal(DescriptorIds(), SectionHeading().Matches(s_page).Select(m => m.Groups[1].Value));

    [Fact]
    public void The_first_example_compiles() => GeneratorHost.AssertCompiles(Run(CodeBlock().Match(s_page).Groups[1].Value).Output);

    private static (IReadOnlyList<Diagnostic> Reported, Compilation Output) Run(string example)
    {
        var globals = CSharpSyntaxTree.ParseText("global using System; global using Weir.Tracing;", path: "Globals.cs");
        var (reported, output) = GeneratorHost.Run(GeneratorHost.Compile(
            NullableContextOptions.Enable, GeneratorHost.Parse(example.Replace("using Weir.Tracing;", "")), globals));
        return (reported, output);
    }

    private static List<string> DescriptorIds() =>
    [
        .. typeof(TracepointGenerator).Assembly.GetType("Weir.Tracing.Generator.Diagnostics")!.GetFields()
            .Select(field => field.GetValue(null)).OfType<DiagnosticDescriptor>().Select(d => d.Id).Order(),
    ];

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex("^### (WEIR\\d+)$", RegexOptions.Multiline)]
    private static partial Regex SectionHeading();
}
