using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Weir.Tracing.Generator;

// Everything here is compared by value with what the last run found. A symbol, a syntax node or a location in one of the first
// four would make every key stroke generate everything anew; what has a place in the source is in the last three only.

/// <summary>One provider class, as far as its generated code depends on it.</summary>
/// <param name="Name">The provider's name.</param>
/// <param name="HolderName">The generated class that holds the provider's <c>Tracepoint</c> objects.</param>
/// <param name="HintName">The generated file's name.</param>
/// <param name="Namespace">The class's namespace, or null for the global one.</param>
/// <param name="TypeHeaders">Declarations to open around the methods, outermost first: <c>partial class Outer</c>.</param>
/// <param name="Tracepoints">In declaration order.</param>
internal sealed record ProviderModel(
    string Name,
    string HolderName,
    string HintName,
    string? Namespace,
    EquatableArray<string> TypeHeaders,
    EquatableArray<TracepointModel> Tracepoints);

/// <summary>One tracepoint method.</summary>
/// <param name="EventName">The event's name.</param>
/// <param name="Level">A member of <c>TracepointLevel</c>.</param>
/// <param name="HolderField">The field of the holder, unique in it.</param>
/// <param name="EmitMethod">The method that writes the record, unique in the provider class.</param>
/// <param name="Modifiers">The declaration's modifiers, which the implementation must repeat.</param>
/// <param name="Method">The method's name, escaped.</param>
/// <param name="IsStub">
/// True for a method that was reported as wrong: it gets an empty body, so that the compiler does not complain a second time.
/// </param>
/// <param name="Parameters">In order.</param>
internal sealed record TracepointModel(
    string EventName,
    string Level,
    string HolderField,
    string EmitMethod,
    string Modifiers,
    string Method,
    bool IsStub,
    EquatableArray<ParameterModel> Parameters);

/// <summary>One parameter of a tracepoint.</summary>
/// <param name="Name">The field's name: the parameter's, without an <c>@</c>.</param>
/// <param name="Identifier">The parameter's name, escaped.</param>
/// <param name="Declaration">The parameter as a signature declares it.</param>
/// <param name="Field">What it becomes in the record; null in a stub.</param>
internal sealed record ParameterModel(string Name, string Identifier, string Declaration, FieldModel? Field);

/// <summary>What the trace holds of a parameter.</summary>
/// <param name="Kind">A member of <c>FieldKind</c>.</param>
/// <param name="IsSequence">Whether the field is a sequence of the kind.</param>
/// <param name="WriteMethod">The method of <c>RecordWriter</c> that writes it.</param>
/// <param name="Cast">The type that the parameter is converted to for it, or null.</param>
/// <param name="Labels">An enumeration's labels.</param>
internal sealed record FieldModel(string Kind, bool IsSequence, string WriteMethod, string? Cast, EquatableArray<LabelModel> Labels);

internal sealed record LabelModel(string Label, long Value);

/// <summary>A place in the source, without the syntax tree that it was found in.</summary>
internal sealed record PlaceModel(string Path, TextSpan Span, LinePositionSpan Lines)
{
    public static PlaceModel? Of(Location? location) =>
        location is { SourceTree: { } tree } ? new(tree.FilePath, location.SourceSpan, location.GetLineSpan().Span) : null;

    public Location ToLocation() => Location.Create(Path, Span, Lines);
}

/// <summary>A diagnostic to report.</summary>
internal sealed record DiagnosticModel(DiagnosticDescriptor Descriptor, PlaceModel? Place, EquatableArray<string> Arguments)
{
    public DiagnosticModel(DiagnosticDescriptor descriptor, Location? location, params string[] arguments)
        : this(descriptor, PlaceModel.Of(location), new EquatableArray<string>(arguments))
    {
    }

    public Diagnostic ToDiagnostic() =>
        Diagnostic.Create(Descriptor, Place?.ToLocation() ?? Location.None, [.. Arguments.Cast<object>()]);
}

/// <summary>Where a provider's name is given, to find two of the same.</summary>
internal sealed record ProviderSite(string Name, string ClassName, PlaceModel? Place);
