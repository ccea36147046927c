using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace Weir.Tracing.Generator;

/// <summary>Which types a tracepoint's parameter may have, and what each becomes in the record.</summary>
internal static class FieldTypes
{
    /// <summary>How messages name what <see cref="TryMap"/> accepts.</summary>
    public const string Supported =
        "the integer types, bool, char, float, double, decimal, Guid, DateTime, TimeSpan, enums, string, "
        + "and arrays and spans of char, bool, float, double and the integer types up to 64 bits";

    /// <summary>The field for a parameter of this type, or null where a trace cannot hold it.</summary>
    public static FieldModel? TryMap(ITypeSymbol type)
    {
        if (type.TypeKind == TypeKind.Enum)
            return MapEnum((INamedTypeSymbol)type);
        if (ElementOfArrayOrSpan(type) is { } element)
        {
            if (element.SpecialType == SpecialType.System_Char)
                return Single("String", cast: "global::System.ReadOnlySpan<char>");
            return element.SpecialType is SpecialType.System_IntPtr or SpecialType.System_UIntPtr || NumberKind(element) is not { } kind
                ? null
                : new FieldModel(
                    kind, IsSequence: true, "WriteSequence", $"global::System.ReadOnlySpan<{element.ToDisplayString()}>", default);
        }
        if (NumberKind(type) is { } numberKind)
            return Single(numberKind);
        switch (type.SpecialType)
        {
            case SpecialType.System_Char:
            case SpecialType.System_Decimal:
            case SpecialType.System_String:
            case SpecialType.System_DateTime:
                return Single("String");
        }
        if (IsSystemType(type, "Guid"))
            return Single("String");
        return IsSystemType(type, "TimeSpan") ? Single("Int64") : null;
    }

    /// <summary>What to do about a type that <see cref="TryMap"/> refuses, as a sentence without its point.</summary>
    public static string MendFor(ITypeSymbol type)
    {
        if (type.TypeKind == TypeKind.Error)
            return "The type is not known here; a type written by another source generator cannot be used";
        if (type.OriginalDefinition.SpecialType == SpecialType.System_Nullable_T)
            return "Pass its GetValueOrDefault(), with a bool parameter beside it if 'none' matters";
        if (type.TypeKind is TypeKind.Pointer or TypeKind.FunctionPointer)
            return "Cast it to nint";
        if (ElementOfArrayOrSpan(type) is { } element)
        {
            if (element.TypeKind == TypeKind.Enum || element.SpecialType is SpecialType.System_IntPtr or SpecialType.System_UIntPtr)
                return "Pass an array or a span of integers";
            if (element.SpecialType == SpecialType.System_String)
                return "Join the strings into one, or emit one event for each";
            return "Emit one event for each element, or pass one array for each part of it";
        }
        switch (type.Name)
        {
            case "Half" when IsSystemType(type, "Half"):
                return "Cast it to float";
            case "DateTimeOffset" when IsSystemType(type, "DateTimeOffset"):
                return "Pass its UtcDateTime";
            case "Memory" or "ReadOnlyMemory" when IsSystemType(type, type.Name):
                return "Pass its Span";
            case "List" when type.ContainingNamespace.ToDisplayString() == "System.Collections.Generic":
                return "Pass CollectionsMarshal.AsSpan(list) through a span parameter, or an array";
        }
        if (Implements(type, "System.Collections.IDictionary")
            || Implements(type, "System.Collections.Generic.IReadOnlyDictionary<TKey, TValue>"))
            return "Emit one event for each entry, or pass one string";
        if (Implements(type, "System.Collections.IEnumerable"))
            return "Pass an array or a span";
        for (var t = type; t != null; t = t.BaseType)
        {
            if (IsSystemType(t, "Exception"))
                return "Pass its type's name and its Message as strings";
        }
        return "Pass the parts that matter as parameters of their own, or pass one string";
    }

    private static FieldModel Single(string kind, string? cast = null) => new(kind, IsSequence: false, "Write", cast, default);

    private static FieldModel? MapEnum(INamedTypeSymbol type)
    {
        if (type.EnumUnderlyingType is not { } underlying || NumberKind(underlying) is not { } kind)
            return null;
        var labels = new List<LabelModel>();
        foreach (var member in type.GetMembers().OfType<IFieldSymbol>())
        {
            if (member.HasConstantValue)
                labels.Add(new LabelModel(member.Name, BitsOf(member.ConstantValue)));
        }
        return new FieldModel(kind, IsSequence: false, "Write", underlying.ToDisplayString(), new EquatableArray<LabelModel>(labels));
    }

    private static long BitsOf(object? value) =>
        value is ulong bits ? unchecked((long)bits) : Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture);

    private static string? NumberKind(ITypeSymbol type) => type.SpecialType switch
    {
        SpecialType.System_SByte => "Int8",
        SpecialType.System_Int16 => "Int16",
        SpecialType.System_Int32 => "Int32",
        SpecialType.System_Int64 or SpecialType.System_IntPtr => "Int64",
        SpecialType.System_Byte or SpecialType.System_Boolean => "UInt8",
        SpecialType.System_UInt16 => "UInt16",
        SpecialType.System_UInt32 => "UInt32",
        SpecialType.System_UInt64 or SpecialType.System_UIntPtr => "UInt64",
        SpecialType.System_Single => "Single",
        SpecialType.System_Double => "Double",
        _ => null,
    };

    private static ITypeSymbol? ElementOfArrayOrSpan(ITypeSymbol type) => type switch
    {
        IArrayTypeSymbol { IsSZArray: true } array => array.ElementType,
        INamedTypeSymbol { Arity: 1, Name: "Span" or "ReadOnlySpan" } span when IsSystemType(span, span.Name) => span.TypeArguments[0],
        _ => null,
    };

    private static bool IsSystemType(ITypeSymbol type, string name) =>
        type.Name == name && type.ContainingType is null
        && type.ContainingNamespace is { Name: "System", ContainingNamespace.IsGlobalNamespace: true };

    private static bool Implements(ITypeSymbol type, string interfaceName) =>
        type.OriginalDefinition.ToDisplayString() == interfaceName
        || type.AllInterfaces.Any(i => i.OriginalDefinition.ToDisplayString() == interfaceName);
}
