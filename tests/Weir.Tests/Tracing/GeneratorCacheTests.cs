using Microsoft.CodeAnalysis;
using Weir.Tracing.Generator;
using Xunit;

namespace Weir.Tests.Tracing;

/// <summary>An edit generates anew only what it changes.</summary>
public class GeneratorCacheTests
{
    private const string Provider = """
        using Weir.Tracing;
        [TracepointProvider("first")] static partial class First { [Tracepoint] public static partial void X(int a, System.DayOfWeek b); }
        """;

    private const string OtherProvider = """
        using Weir.Tracing;
        [TracepointProvider("second")] static partial class Second { [Tracepoint] public static partial void X(string a); }
        """;

    [Fact]
    public void An_unrelated_edit_is_answered_from_the_cache()
    {
        var result = RunTwice(Provider, c => c.AddSyntaxTrees(GeneratorHost.Parse("class Unrelated { void M() { } }", "New.cs")));
        AssertFromCache(result);
    }

    [Fact]
    public void A_line_inserted_above_a_provider_is_answered_from_the_cache()
    {
        var result = RunTwice(Provider, c => c.ReplaceSyntaxTree(c.SyntaxTrees.First(), GeneratorHost.Parse("// A line.\n" + Provider)));
        AssertFromCache(result);
    }

    [Fact]
    public void A_line_inserted_above_moves_a_message_and_generates_nothing_anew()
    {
        string wrong = Provider + "\nstatic class Outside { [Tracepoint] static void X() { } }";
        var result = RunTwice(wrong, c => c.ReplaceSyntaxTree(c.SyntaxTrees.First(), GeneratorHost.Parse("// A line.\n" + wrong)));
        AssertSteps(result, TracepointGenerator.ModelStep, IncrementalStepRunReason.Unchanged, IncrementalStepRunReason.Cached);
        Assert.Equal(3, result.Diagnostics.Single().Location.GetLineSpan().StartLinePosition.Line);
    }

    [Fact]
    public void An_edited_provider_leaves_the_others_alone()
    {
        var result = RunTwice(Provider, c => c.ReplaceSyntaxTree(c.SyntaxTrees.Last(), GeneratorHost.Parse(OtherProvider.Replace("string a", "string b"), "Other.cs")));
        var reasons = result.TrackedSteps[TracepointGenerator.ModelStep].SelectMany(s => s.Outputs).Select(o => o.Reason).ToList();
        Assert.Equal([IncrementalStepRunReason.Cached, IncrementalStepRunReason.Modified], reasons.Order().Reverse());
        AssertSteps(result, TracepointGenerator.RegistrationStep, IncrementalStepRunReason.Unchanged, IncrementalStepRunReason.Cached);
    }

    private static GeneratorRunResult RunTwice(string source, Func<Compilation, Compilation> edit)
    {
        var cancellation = TestContext.Current.CancellationToken;
        Compilation compilation = GeneratorHost.Compile(
            NullableContextOptions.Enable, GeneratorHost.Parse(source), GeneratorHost.Parse(OtherProvider, "Other.cs"));
        var driver = GeneratorHost.CreateDriver().RunGenerators(compilation, cancellation);
        return driver.RunGenerators(edit(compilation), cancellation).GetRunResult().Results.Single();
    }

    private static void AssertFromCache(GeneratorRunResult result)
    {
        AssertSteps(result, TracepointGenerator.ModelStep, IncrementalStepRunReason.Unchanged, IncrementalStepRunReason.Cached);
        AssertSteps(result, TracepointGenerator.RegistrationStep, IncrementalStepRunReason.Unchanged, IncrementalStepRunReason.Cached);
        var outputs = result.TrackedOutputSteps.SelectMany(s => s.Value).SelectMany(s => s.Outputs);
        Assert.All(outputs, output => Assert.Equal(IncrementalStepRunReason.Cached, output.Reason));
        Assert.Equal(3, result.GeneratedSources.Length);
    }

    private static void AssertSteps(GeneratorRunResult result, string step, params IncrementalStepRunReason[] allowed)
    {
        var outputs = result.TrackedSteps[step].SelectMany(s => s.Outputs).ToList();
        Assert.NotEmpty(outputs);
        Assert.All(outputs, output => Assert.Contains(output.Reason, allowed));
    }
}
