using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;
using Weir.Tracing.Generator;
using Xunit;

namespace Weir.Tests.Tracing;

/// <summary>Runs the generator on source text, as the compiler would in a user's project (no unsafe code allowed).</summary>
internal static class GeneratorHost
{
    private static readonly Lazy<ImmutableArray<MetadataReference>> s_references = new(() =>
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path) is var name
                && (name.StartsWith("System.", StringComparison.Ordinal) || name is "Weir.Tracing.dll" or "netstandard.dll"))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ]);

    public static SyntaxTree Parse(string source, string path = "Test.cs") =>
        CSharpSyntaxTree.ParseText(source, new CSharpParseOptions(LanguageVersion.Latest), path);

    public static CSharpCompilation Compile(NullableContextOptions nullable, params SyntaxTree[] trees) => CSharpCompilation.Create(
        "Test",
        trees,
        s_references.Value,
        new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: nullable, allowUnsafe: false));

    public static GeneratorDriver CreateDriver() => CSharpGeneratorDriver.Create(
        [new TracepointGenerator().AsSourceGenerator()],
        parseOptions: new CSharpParseOptions(LanguageVersion.Latest),
        driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));

    /// <summary>What the generator reports, and the compilation with what it wrote.</summary>
    public static (ImmutableArray<Diagnostic> Reported, Compilation Output) Run(CSharpCompilation compilation)
    {
        CreateDriver().RunGeneratorsAndUpdateCompilation(
            compilation, out var output, out var reported, TestContext.Current.CancellationToken);
        return (reported, output);
    }

    /// <summary>The generated files by name, of source that must give neither errors nor warnings.</summary>
    public static Dictionary<string, string> Generate(string source, NullableContextOptions nullable = NullableContextOptions.Enable)
    {
        var (reported, output) = Run(Compile(nullable, Parse(source)));
        Assert.Empty(reported);
        AssertCompiles(output);
        return output.SyntaxTrees.Skip(1).ToDictionary(tree => Path.GetFileName(tree.FilePath), tree => tree.ToString());
    }

    public static void AssertCompiles(Compilation output)
    {
        using var assembly = new MemoryStream();
        var diagnostics = output.Emit(assembly, cancellationToken: TestContext.Current.CancellationToken).Diagnostics;
        Assert.Empty(diagnostics.Where(d => d.Severity >= DiagnosticSeverity.Warning));
    }

    /// <summary>Takes the marks <c>[|</c> and <c>|]</c> out of a source, and says what lay between them.</summary>
    public static (string Source, TextSpan Marked) TakeMarks(string marked)
    {
        int start = marked.IndexOf("[|", StringComparison.Ordinal);
        int end = marked.IndexOf("|]", StringComparison.Ordinal) - 2;
        return (marked.Replace("[|", "").Replace("|]", ""), TextSpan.FromBounds(start, end));
    }
}
