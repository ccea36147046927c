using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Weir.Tracing.Generator;

/// <summary>What parsing a provider class gives.</summary>
/// <param name="Model">What to generate; null where the class cannot be completed.</param>
/// <param name="Site">Where its name stands.</param>
/// <param name="Diagnostics">What is wrong with the class and its methods.</param>
internal sealed record ParsedProvider(ProviderModel? Model, ProviderSite Site, EquatableArray<DiagnosticModel> Diagnostics);

/// <summary>Reads one provider class out of the compilation into a <see cref="ProviderModel"/> and diagnostics.</summary>
internal sealed class ProviderParser
{
    public const string ProviderAttribute = "Weir.Tracing.TracepointProviderAttribute";
    public const string TracepointAttribute = "Weir.Tracing.TracepointAttribute";

    /// <summary>The same number as <c>RecordWriter.MaxFields</c>, which a netstandard2.0 assembly cannot reference.</summary>
    private const int MaxFields = 64;

    private static readonly SymbolDisplayFormat s_typeFormat = SymbolDisplayFormat.FullyQualifiedFormat
        .AddMiscellaneousOptions(SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier);

    private static readonly SymbolDisplayFormat s_namespaceFormat = SymbolDisplayFormat.FullyQualifiedFormat
        .WithGlobalNamespaceStyle(SymbolDisplayGlobalNamespaceStyle.Omitted);

    private static readonly SymbolDisplayFormat s_nameFormat = new(
        typeQualificationStyle: SymbolDisplayTypeQualificationStyle.NameAndContainingTypesAndNamespaces);

    private readonly INamedTypeSymbol _class;
    private readonly List<DiagnosticModel> _diagnostics = [];
    private readonly HashSet<string> _classNames;
    private readonly HashSet<string> _holderNames = ["Provider"];
    private readonly CancellationToken _cancellation;

    private ProviderParser(INamedTypeSymbol providerClass, CancellationToken cancellation)
    {
        _class = providerClass;
        _cancellation = cancellation;
        _classNames = [.. providerClass.MemberNames, providerClass.Name];
    }

    public static ParsedProvider Parse(GeneratorAttributeSyntaxContext attributed, CancellationToken cancellation)
    {
        var parser = new ProviderParser((INamedTypeSymbol)attributed.TargetSymbol, cancellation);
        var place = ((BaseTypeDeclarationSyntax)attributed.TargetNode).Identifier.GetLocation();
        return parser.ParseClass(attributed.Attributes[0], place);
    }

    /// <summary>What is wrong with where a tracepoint stands; the rest is found with its class.</summary>
    public static IEnumerable<DiagnosticModel> CheckPlacement(GeneratorAttributeSyntaxContext attributed)
    {
        if (attributed.TargetSymbol is not IMethodSymbol method)
            yield break;
        var place = method.Locations.FirstOrDefault();
        if (method.MethodKind is MethodKind.LocalFunction or MethodKind.AnonymousFunction)
            yield return new(Diagnostics.TracepointNotStaticPartialVoid, place, method.Name, "it is a local function");
        else if (!HasAttribute(method.ContainingType, ProviderAttribute))
            yield return new(Diagnostics.TracepointOutsideProvider, place, method.Name, method.ContainingType.Name);
    }

    private ParsedProvider ParseClass(AttributeData attribute, Location place)
    {
        string className = _class.ToDisplayString(s_nameFormat);
        var argument = attribute.ConstructorArguments.FirstOrDefault();
        string? name = argument.Kind == TypedConstantKind.Primitive ? argument.Value as string : null;
        var nameNode = (attribute.ApplicationSyntaxReference?.GetSyntax(_cancellation) as AttributeSyntax)?.ArgumentList;
        if (!Names.IsValid(name))
            Report(Diagnostics.ProviderNameInvalid, nameNode?.GetLocation() ?? place, name ?? "(null)");

        var types = new List<INamedTypeSymbol>();
        for (var type = _class; type != null; type = type.ContainingType)
            types.Insert(0, type);
        bool canComplete = CheckTypes(types, place);

        var tracepoints = ParseMethods(out int declared);
        if (declared == 0)
            Report(Diagnostics.ProviderEmpty, place, _class.Name);

        ProviderModel? model = null;
        if (canComplete)
        {
            string mangled = Names.Mangle(className);
            string? ns = _class.ContainingNamespace is { IsGlobalNamespace: false } n ? n.ToDisplayString(s_namespaceFormat) : null;
            model = new ProviderModel(
                name ?? "",
                mangled + "Tracepoints",
                $"{className}.{Names.Hash(className)}.g.cs",
                ns,
                new EquatableArray<string>(types.Select(HeaderOf)),
                new EquatableArray<TracepointModel>(tracepoints));
        }
        var site = new ProviderSite(name ?? "", className, PlaceModel.Of(nameNode?.GetLocation() ?? place));
        return new ParsedProvider(model, site, new EquatableArray<DiagnosticModel>(_diagnostics));
    }

    /// <summary>Whether generated code can add a part to the class.</summary>
    private bool CheckTypes(List<INamedTypeSymbol> types, Location place)
    {
        if (types.FirstOrDefault(t => t.IsFileLocal) is { } fileLocal)
        {
            Report(Diagnostics.ProviderFileLocal, place, _class.Name, fileLocal.Name);
            return false;
        }
        if (types.LastOrDefault(t => t.Arity > 0) is { } generic)
        {
            Report(Diagnostics.ProviderGeneric, place, _class.Name, generic.Name);
            return false;
        }
        var missing = new List<string>();
        if (!_class.IsStatic)
            missing.Add($"'{_class.Name}' is not static");
        bool allPartial = true;
        foreach (var type in types.Where(t => !IsPartial(t)))
        {
            missing.Add($"'{type.Name}' is not partial");
            allPartial = false;
        }
        if (missing.Count > 0)
            Report(Diagnostics.ProviderNotStaticPartial, place, _class.Name, string.Join(", ", missing));
        return allPartial;
    }

    private List<TracepointModel> ParseMethods(out int declared)
    {
        var tracepoints = new List<TracepointModel>();
        var methodOfName = new Dictionary<string, string>();
        declared = 0;
        foreach (var method in _class.GetMembers().OfType<IMethodSymbol>())
        {
            _cancellation.ThrowIfCancellationRequested();
            if (method.GetAttributes().FirstOrDefault(a => IsClass(a.AttributeClass, TracepointAttribute)) is not { } attribute)
                continue;
            declared++;
            if (method.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax(_cancellation) is not MethodDeclarationSyntax syntax)
            {
                var place = method.Locations.FirstOrDefault();
                Report(Diagnostics.TracepointNotStaticPartialVoid, place, method.Name, "it is an accessor or an operator");
                continue;
            }
            if (ParseMethod(method, syntax, attribute, methodOfName) is { } tracepoint)
                tracepoints.Add(tracepoint);
        }
        return tracepoints;
    }

    private TracepointModel? ParseMethod(
        IMethodSymbol method, MethodDeclarationSyntax syntax, AttributeData attribute, Dictionary<string, string> methodOfName)
    {
        var place = syntax.Identifier.GetLocation();
        int reported = _diagnostics.Count;
        bool canImplement = CheckSignature(method, syntax, place);

        string eventName = Names.ToSnakeCase(method.Name);
        int level = 6;
        foreach (var argument in attribute.NamedArguments)
        {
            if (argument.Key == "Name" && argument.Value is { Kind: TypedConstantKind.Primitive, Value: string given })
                eventName = given;
            else if (argument.Key == "Level" && argument.Value is { Kind: TypedConstantKind.Enum, Value: int number })
                level = number;
        }
        if (!Names.IsValid(eventName))
            Report(Diagnostics.EventNameInvalid, place, eventName, method.Name);
        else if (methodOfName.TryGetValue(eventName, out string? other))
            Report(Diagnostics.EventNameDuplicate, place, eventName, method.Name, other);
        else
            methodOfName.Add(eventName, method.Name);
        string? levelName = LevelName(level);
        if (levelName is null)
            Report(Diagnostics.LevelInvalid, place, level.ToString(System.Globalization.CultureInfo.InvariantCulture), method.Name);
        var parameters = canImplement ? ParseParameters(method, syntax, place) : null;
        return parameters is null
            ? null
            : ToModel(method, syntax, eventName, levelName ?? "Info", parameters, isStub: _diagnostics.Count > reported);
    }

    private TracepointModel ToModel(
        IMethodSymbol method, MethodDeclarationSyntax syntax, string eventName, string level, List<ParameterModel> parameters, bool isStub)
    {
        string emit = Unique("Emit" + method.Name, n => !_classNames.Contains(n) && parameters.All(p => p.Name != n));
        _classNames.Add(emit);
        string field = Unique(method.Name, n => !_holderNames.Contains(n));
        _holderNames.Add(field);
        return new TracepointModel(
            eventName,
            level,
            Names.Escape(field),
            emit,
            string.Join(" ", syntax.Modifiers.Select(m => m.ValueText)),
            Names.Escape(method.Name),
            isStub,
            new EquatableArray<ParameterModel>(parameters));
    }

    /// <summary>Whether an implementation of the method can be written, be it an empty one.</summary>
    private bool CheckSignature(IMethodSymbol method, MethodDeclarationSyntax syntax, Location place)
    {
        bool isPartial = syntax.Modifiers.Any(SyntaxKind.PartialKeyword);
        var wrong = new List<string>();
        if (!method.IsStatic)
            wrong.Add("it is not static");
        if (!isPartial)
            wrong.Add("it is not partial");
        if (!method.ReturnsVoid)
            wrong.Add($"it returns '{method.ReturnType.ToDisplayString()}'");
        if (method.Arity > 0)
            wrong.Add("it has type parameters");
        if (wrong.Count > 0)
        {
            Report(Diagnostics.TracepointNotStaticPartialVoid, place, method.Name, string.Join(", ", wrong));
            return false;
        }
        if (method.PartialImplementationPart is null && syntax is { Body: null, ExpressionBody: null })
            return true;
        Report(Diagnostics.TracepointHasBody, place, method.Name);
        return false;
    }

    /// <summary>The parameters, or null where a signature that repeats them could not be compiled.</summary>
    private List<ParameterModel>? ParseParameters(IMethodSymbol method, MethodDeclarationSyntax syntax, Location place)
    {
        if (method.Parameters.Length > MaxFields)
        {
            Report(
                Diagnostics.TooManyParameters, place, method.Name,
                method.Parameters.Length.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
        bool canRepeat = true;
        var parameters = new List<ParameterModel>();
        for (int i = 0; i < method.Parameters.Length; i++)
        {
            var parameter = method.Parameters[i];
            var parameterSyntax = syntax.ParameterList.Parameters[i];
            if (FieldNameProblem(parameter) is { } problem)
                Report(Diagnostics.FieldNameInvalid, parameterSyntax.Identifier.GetLocation(), parameter.Name, method.Name, problem);
            string modifiers = string.Join(" ", parameterSyntax.Modifiers.Select(m => m.ValueText));
            FieldModel? field = null;
            if (parameter.RefKind != RefKind.None || parameter.IsParams)
            {
                Report(Diagnostics.ParameterByReference, parameterSyntax.GetLocation(), parameter.Name, method.Name, modifiers);
                canRepeat &= parameter.RefKind != RefKind.Out;
            }
            else
            {
                field = ParseField(parameter, parameterSyntax, method);
            }
            canRepeat &= parameter.Type.TypeKind is not (TypeKind.Error or TypeKind.Pointer or TypeKind.FunctionPointer);
            string identifier = Names.Escape(parameter.Name);
            string type = parameter.Type.ToDisplayString(s_typeFormat);
            parameters.Add(new ParameterModel(parameter.Name, identifier, $"{modifiers} {type} {identifier}".TrimStart(), field));
        }
        return canRepeat ? parameters : null;
    }

    private FieldModel? ParseField(IParameterSymbol parameter, ParameterSyntax syntax, IMethodSymbol method)
    {
        var field = FieldTypes.TryMap(parameter.Type);
        if (field is null)
        {
            Report(
                Diagnostics.ParameterTypeUnsupported, syntax.Type?.GetLocation(),
                parameter.Name, method.Name, parameter.Type.ToDisplayString(), FieldTypes.MendFor(parameter.Type));
        }
        return field;
    }

    /// <summary>
    /// Why the parameter cannot name a field. A trace keeps the length of a sequence <c>a</c> in a field <c>_a_length</c> before it.
    /// </summary>
    private static string? FieldNameProblem(IParameterSymbol parameter)
    {
        if (!Names.IsValid(parameter.Name))
            return "use 1 to 128 ASCII letters, digits and '_'";
        var sequence = ((IMethodSymbol)parameter.ContainingSymbol).Parameters.FirstOrDefault(
            p => $"_{p.Name}_length" == parameter.Name && FieldTypes.TryMap(p.Type) is { IsSequence: true });
        return sequence is null ? null : $"the trace keeps the length of '{sequence.Name}' under this name; choose another";
    }

    private void Report(DiagnosticDescriptor descriptor, Location? place, params string[] arguments) =>
        _diagnostics.Add(new DiagnosticModel(descriptor, place, arguments));

    private static string Unique(string name, System.Func<string, bool> isFree)
    {
        while (!isFree(name))
            name += "_";
        return name;
    }

    /// <summary>The members of <c>TracepointLevel</c>.</summary>
    private static string? LevelName(int level) => level switch
    {
        0 => "Emergency",
        1 => "Alert",
        2 => "Critical",
        3 => "Error",
        4 => "Warning",
        5 => "Notice",
        6 => "Info",
        14 => "Debug",
        _ => null,
    };

    private static string HeaderOf(INamedTypeSymbol type)
    {
        string kind = type switch
        {
            { IsRecord: true, TypeKind: TypeKind.Struct } => "record struct",
            { IsRecord: true } => "record",
            { TypeKind: TypeKind.Struct } => "struct",
            { TypeKind: TypeKind.Interface } => "interface",
            _ => "class",
        };
        return $"partial {kind} {Names.Escape(type.Name)}";
    }

    private bool IsPartial(INamedTypeSymbol type) => type.DeclaringSyntaxReferences.All(
        r => r.GetSyntax(_cancellation) is TypeDeclarationSyntax syntax && syntax.Modifiers.Any(SyntaxKind.PartialKeyword));

    private static bool HasAttribute(ISymbol symbol, string attributeName) =>
        symbol.GetAttributes().Any(a => IsClass(a.AttributeClass, attributeName));

    private static bool IsClass(INamedTypeSymbol? type, string fullName) => type?.ToDisplayString() == fullName;
}
