using Microsoft.CodeAnalysis;

namespace Weir.Tracing.Generator;

/// <summary>
/// What the generator reports. Each has a section of the same name in <c>docs/tracepoints.md</c>; the help link is that page within
/// the repository and within the package.
/// </summary>
internal static class Diagnostics
{
    public static readonly DiagnosticDescriptor ProviderNotStaticPartial = Error(
        "WEIR001",
        "A provider class is static and partial",
        "Provider class '{0}' must be declared 'static partial class', and every type around it 'partial': {1}");

    public static readonly DiagnosticDescriptor ProviderGeneric = Error(
        "WEIR002",
        "A provider class is not generic",
        "Provider class '{0}' is generic or nested in a generic type, but a provider exists once in a process: "
        + "move it out of '{1}', or remove the type parameters");

    public static readonly DiagnosticDescriptor ProviderFileLocal = Error(
        "WEIR003",
        "A provider class is not local to its file",
        "Provider class '{0}' cannot be completed from generated code because '{1}' is local to its file: remove the modifier 'file'");

    public static readonly DiagnosticDescriptor ProviderNameInvalid = Error(
        "WEIR004",
        "A provider's name consists of letters, digits, '_', '-' and '.'",
        "Provider name '{0}' is not valid: use 1 to 128 ASCII letters, digits, '_', '-' and '.', beginning with a letter or '_'");

    public static readonly DiagnosticDescriptor ProviderNameDuplicate = Error(
        "WEIR005",
        "A provider's name is unique in its assembly",
        "Provider name '{0}' is taken by class '{1}': choose another name, or make both one class in several 'partial' parts");

    public static readonly DiagnosticDescriptor ProviderEmpty = new(
        "WEIR006",
        "A provider has tracepoints",
        "Provider class '{0}' has no tracepoint: add '[Tracepoint] static partial void' methods, or remove the attribute",
        Category,
        DiagnosticSeverity.Info,
        isEnabledByDefault: true,
        helpLinkUri: HelpLink("WEIR006"));

    public static readonly DiagnosticDescriptor TracepointOutsideProvider = Error(
        "WEIR007",
        "A tracepoint stands in a provider class",
        "Tracepoint '{0}' does not stand in a provider class: mark class '{1}' with [TracepointProvider(\"name\")], "
        + "or move the method into a class that is");

    public static readonly DiagnosticDescriptor TracepointNotStaticPartialVoid = Error(
        "WEIR008",
        "A tracepoint is a static partial void method",
        "Tracepoint '{0}' must be a method declared 'static partial void' without type parameters: {1}");

    public static readonly DiagnosticDescriptor TracepointHasBody = Error(
        "WEIR009",
        "A tracepoint has no body",
        "Tracepoint '{0}' already has a body, which the generator writes: end the declaration with ';' and remove the body");

    public static readonly DiagnosticDescriptor EventNameInvalid = Error(
        "WEIR010",
        "An event's name consists of letters, digits, '_', '-' and '.'",
        "Event name '{0}' of tracepoint '{1}' is not valid: set Name to 1 to 128 ASCII letters, digits, '_', '-' and '.', "
        + "beginning with a letter or '_'");

    public static readonly DiagnosticDescriptor EventNameDuplicate = Error(
        "WEIR011",
        "An event's name is unique in its provider",
        "Event name '{0}' of tracepoint '{1}' is taken by '{2}': set another one with [Tracepoint(Name = \"...\")]");

    public static readonly DiagnosticDescriptor LevelInvalid = Error(
        "WEIR012",
        "A tracepoint's level is a member of TracepointLevel",
        "Level {0} of tracepoint '{1}' is not a member of TracepointLevel: use one of Emergency, Alert, Critical, Error, Warning, "
        + "Notice, Info and Debug");

    public static readonly DiagnosticDescriptor ParameterTypeUnsupported = Error(
        "WEIR013",
        "A tracepoint's parameter has a type that a trace can hold",
        "Parameter '{0}' of tracepoint '{1}' has type '{2}', which a trace cannot hold. {3}. Supported are " + FieldTypes.Supported + ".");

    public static readonly DiagnosticDescriptor ParameterByReference = Error(
        "WEIR014",
        "A tracepoint's parameters are passed by value",
        "Parameter '{0}' of tracepoint '{1}' is declared '{2}', but a field is a plain value: remove '{2}'");

    public static readonly DiagnosticDescriptor TooManyParameters = Error(
        "WEIR015",
        "A tracepoint has at most 64 parameters",
        "Tracepoint '{0}' has {1} parameters, and a record holds 64 fields at most: pass an array, or emit two events");

    public static readonly DiagnosticDescriptor FieldNameInvalid = Error(
        "WEIR016",
        "A field's name consists of letters, digits and '_', and is unique",
        "Parameter '{0}' of tracepoint '{1}' cannot name a field: {2}");

    private const string Category = "Weir.Tracing";

    private static string HelpLink(string id) => "docs/tracepoints.md#" + id.ToLowerInvariant();

    private static DiagnosticDescriptor Error(string id, string title, string message) =>
        new(id, title, message, Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: HelpLink(id));
}
