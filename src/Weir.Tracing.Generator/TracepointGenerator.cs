using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace Weir.Tracing.Generator;

/// <summary>
/// Writes the bodies of <c>[Tracepoint]</c> methods, the objects behind them and their registration.
/// </summary>
/// <remarks>
/// Three pipelines leave the parsing of a class. Models without any place in the source become code: one file for each provider,
/// and one that registers all of them. Diagnostics, which do have a place, go their own way, so that a line inserted above a provider
/// changes where a message stands without generating anything anew.
/// </remarks>
[Generator(LanguageNames.CSharp)]
public sealed class TracepointGenerator : IIncrementalGenerator
{
    /// <summary>Names of the pipeline's steps, for tests that look at what was answered from the cache.</summary>
    public const string ModelStep = "Model", RegistrationStep = "Registration", DiagnosticStep = "Diagnostic";

    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var parsed = context.SyntaxProvider.ForAttributeWithMetadataName(
            ProviderParser.ProviderAttribute,
            static (_, _) => true,
            static (attributed, cancellation) => ProviderParser.Parse(attributed, cancellation));

        var models = parsed.Select(static (p, _) => p.Model).Where(static m => m is not null).WithTrackingName(ModelStep);
        context.RegisterSourceOutput(models, static (output, model) => output.AddSource(model!.HintName, Emitter.EmitProvider(model)));

        var holders = models.Select(static (m, _) => m!.HolderName).Collect()
            .Select(static (names, _) => new EquatableArray<string>(names.OrderBy(n => n, System.StringComparer.Ordinal)))
            .WithTrackingName(RegistrationStep);
        context.RegisterSourceOutput(holders, static (output, names) =>
        {
            if (names.Count > 0)
                output.AddSource("Registration.g.cs", Emitter.EmitRegistration(names));
        });

        ReportEach(context, parsed.SelectMany(static (p, _) => p.Diagnostics));
        ReportEach(context, parsed.Select(static (p, _) => p.Site).Collect().SelectMany(static (sites, _) => FindDuplicates(sites)));
        ReportEach(context, context.SyntaxProvider.ForAttributeWithMetadataName(
            ProviderParser.TracepointAttribute,
            static (_, _) => true,
            static (attributed, _) => ProviderParser.CheckPlacement(attributed)).SelectMany(static (d, _) => d));
    }

    private static void ReportEach(
        IncrementalGeneratorInitializationContext context, IncrementalValuesProvider<DiagnosticModel> diagnostics) =>
        context.RegisterSourceOutput(
            diagnostics.WithTrackingName(DiagnosticStep),
            static (output, diagnostic) => output.ReportDiagnostic(diagnostic.ToDiagnostic()));

    private static IEnumerable<DiagnosticModel> FindDuplicates(ImmutableArray<ProviderSite> sites)
    {
        var first = new Dictionary<string, ProviderSite>();
        foreach (var site in sites)
        {
            if (first.TryGetValue(site.Name, out var other))
                yield return new(Diagnostics.ProviderNameDuplicate, site.Place, new([site.Name, other.ClassName]));
            else
                first.Add(site.Name, site);
        }
    }
}
