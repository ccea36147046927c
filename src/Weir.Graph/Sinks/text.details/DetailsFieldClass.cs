using System.Text;
using System.Text.Json.Nodes;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>Field classes in words: what babeltrace2's trace IR makes of them.</summary>
internal sealed class DetailsFieldClass(DetailsWriter writer)
{
    private readonly DetailsStyle _style = writer.Style;

    /// <summary>A root structure on lines of its own, if it is there.</summary>
    public void Root(string name, StructureFieldClass? structure)
    {
        if (structure is null)
            return;
        writer.BeginLine().Append($"{_style.Property(name)}: ");
        Write(structure);
        writer.EndLine();
    }

    private void Write(FieldClass fieldClass)
    {
        switch (fieldClass)
        {
            case IntegerFieldClass integer:
                Integer(integer);
                break;
            case BitArrayFieldClass bits:
                // The bracket that is missing is missing in babeltrace2 2.1 too.
                ulong flagCount = (ulong)(bits.Flags?.Count ?? 0);
                Mapped("Bit array", $" {_style.Value(flagCount)} flag{Plural(flagCount)})", bits, "Flags", bits.Flags, isSigned: false);
                break;
            case BooleanFieldClass:
                Plain("Boolean", "", fieldClass);
                break;
            case FloatingPointFieldClass real:
                Plain(real.SizeBits == 32 ? "Single-precision real" : "Double-precision real", "", real);
                break;
            case StringFieldClass or StaticStringFieldClass or DynamicStringFieldClass:
                Plain("String", "", fieldClass);
                break;
            case StaticBlobFieldClass blob:
                Plain("Static BLOB", $" (Length {_style.Value(blob.LengthBytes)}, Media type `{_style.Value(blob.MediaType)}`)", blob);
                break;
            case DynamicBlobFieldClass blob:
                string? length = Location(blob.LengthLocation);
                string media = $"Media type `{_style.Value(blob.MediaType)}`";
                Plain(
                    $"Dynamic BLOB ({(length is null ? "no" : "with")} length field)",
                    length is null ? $" ({media})" : $" (Length field location {length}, {media})", blob);
                break;
            case StructureFieldClass structure:
                Structure(structure);
                break;
            case StaticArrayFieldClass array:
                Container("Static array", $" (Length {_style.Value(array.Length)})", array, "Element", array.Element);
                break;
            case DynamicArrayFieldClass array:
                length = Location(array.LengthLocation);
                Container(
                    $"Dynamic array ({(length is null ? "no" : "with")} length field)", length is null ? "" : $" (Length field location {length})",
                    array, "Element", array.Element);
                break;
            case OptionalFieldClass optional:
                Optional(optional);
                break;
            case VariantFieldClass variant:
                Variant(variant);
                break;
            default:
                throw new InvalidOperationException("Every class of the schema is listed above.");
        }
    }

    private static string Plural(ulong count) => count == 1 ? "" : "s";

    private void Type(string name, string properties) => writer.Append(_style.FieldClass(name)).Append(properties);

    /// <summary>A class without lines of its own but for its attributes.</summary>
    private void Plain(string name, string properties, FieldClass fieldClass)
    {
        Type(name, properties);
        BeginInside(fieldClass.Attributes);
        writer.Indent -= 2;
    }

    /// <summary>Goes one level in, and writes what the producer has noted; whether there was any.</summary>
    private bool BeginInside(JsonObject? attributes)
    {
        writer.Indent += 2;
        if (!DetailsWriter.HasShown(attributes))
            return false;
        writer.Append(":\n").Attributes(attributes);
        return true;
    }

    /// <summary>Begins a list, which has a title only where attributes stand before it; returns how far it is indented for that.</summary>
    private int BeginList(bool hasAttributes, string title)
    {
        if (!hasAttributes)
        {
            writer.Append(":");
            return 0;
        }
        writer.EndLine().BeginLine().Append($"{_style.Property(title)}:");
        writer.Indent += 2;
        return 2;
    }

    private void Integer(IntegerFieldClass integer)
    {
        string sign = integer.IsSigned ? "Signed" : "Unsigned";
        string properties = $" ({_style.Bold}{integer.SizeBits}-bit{_style.Reset}, Base {_style.Value((ulong)integer.DisplayBase)}"
            + (integer.IsVariableLength ? ", Expect small values" : "");
        if (integer.Mappings is not { } mappings)
        {
            Plain($"{sign} integer", $"{properties})", integer);
            return;
        }
        ulong count = (ulong)mappings.Count;
        Mapped($"{sign} enumeration", $"{properties}, {_style.Value(count)} mapping{Plural(count)})", integer, "Mappings", mappings, integer.IsSigned);
    }

    private void Mapped(
        string name, string properties, FieldClass fieldClass, string title, IReadOnlyList<EnumerationMapping>? mappings, bool isSigned)
    {
        Type(name, properties);
        bool hasAttributes = BeginInside(fieldClass.Attributes);
        if (mappings is { Count: > 0 })
        {
            int indent = BeginList(hasAttributes, title);
            foreach (var mapping in mappings.OrderBy(mapping => mapping.Label, StringComparer.Ordinal))
            {
                writer.EndLine().BeginLine().Append($"{_style.Property(mapping.Label)}:");
                Ranges(mapping.Ranges, isSigned);
            }
            writer.Indent -= indent;
        }
        writer.Indent -= 2;
    }

    private void Ranges(IReadOnlyList<IntegerRange> ranges, bool isSigned)
    {
        var sorted = isSigned
            ? ranges.OrderBy(range => range.Lower).ThenBy(range => range.Upper)
            : ranges.OrderBy(range => (ulong)range.Lower).ThenBy(range => (ulong)range.Upper);
        foreach (var range in sorted)
        {
            writer.Append($" [{Bound(range.Lower)}");
            if (range.Upper != range.Lower)
                writer.Append($", {Bound(range.Upper)}");
            writer.Append("]");
        }

        string Bound(long value) => isSigned ? _style.Value(value) : _style.Value((ulong)value);
    }

    private void Structure(StructureFieldClass structure)
    {
        ulong count = (ulong)FieldVisibility.CountShown(structure);
        Type("Structure", $" ({_style.Value(count)} member{Plural(count)})");
        bool hasAttributes = BeginInside(structure.Attributes);
        if (count > 0)
        {
            int indent = BeginList(hasAttributes, "Members");
            foreach (var member in structure.Members)
            {
                if (!FieldVisibility.IsShown(member.Class))
                    continue;
                writer.EndLine().BeginLine().Append($"{_style.Member(member.Name)}:");
                Inner(member.Class, member.Attributes, " ");
            }
            writer.Indent -= indent;
        }
        writer.Indent -= 2;
    }

    /// <summary>The class of a member or an option: in the line, unless something is noted on the member or the option itself.</summary>
    private void Inner(FieldClass fieldClass, JsonObject? attributes, string gap)
    {
        if (!DetailsWriter.HasShown(attributes))
        {
            writer.Append(gap);
            Write(fieldClass);
            return;
        }
        writer.EndLine();
        writer.Indent += 2;
        writer.BeginLine().Append($"{_style.Property("Field class")}: ");
        Write(fieldClass);
        writer.EndLine();
        writer.Attributes(attributes);
        writer.Indent -= 2;
    }

    /// <summary>A class around one other.</summary>
    private void Container(string name, string properties, FieldClass fieldClass, string title, FieldClass inner, Action? others = null)
    {
        Type(name, properties);
        bool hasAttributes = BeginInside(fieldClass.Attributes);
        writer.Append(hasAttributes ? "\n" : ":\n");
        others?.Invoke();
        writer.BeginLine().Append($"{_style.Property(title)}: ");
        Write(inner);
        writer.Indent -= 2;
    }

    private void Optional(OptionalFieldClass optional)
    {
        string? selector = Location(optional.SelectorLocation);
        string kind = selector is null ? "no" : optional.Ranges is null ? "boolean" : optional.IsSelectorSigned ? "signed integer" : "unsigned integer";
        Container(
            $"Option ({kind} selector)", selector is null ? "" : $" (Selector field location {selector})", optional, "Content", optional.Content,
            selector is null ? null : Selection);

        void Selection()
        {
            if (optional.Ranges is null)
            {
                writer.Line("Selector is reversed", false);
                return;
            }
            writer.BeginLine().Append($"{_style.Property("Selector ranges")}:");
            Ranges(optional.Ranges, optional.IsSelectorSigned);
            writer.EndLine();
        }
    }

    private void Variant(VariantFieldClass variant)
    {
        string? selector = Location(variant.SelectorLocation);
        var options = variant.Options.Where(option => FieldVisibility.IsShown(option.Class)).ToList();
        string kind = selector is null ? "no" : variant.IsSelectorSigned ? "signed integer" : "unsigned integer";
        Type(
            $"Variant ({kind} selector)",
            $" ({_style.Value((ulong)options.Count)} option{Plural((ulong)options.Count)}{(selector is null ? "" : $", Selector field location {selector}")})");
        bool hasAttributes = BeginInside(variant.Attributes);
        int indent = BeginList(hasAttributes, "Options");
        foreach (var option in options)
        {
            writer.EndLine().BeginLine().Append($"{(option.Name.Length == 0 ? _style.Nothing("Unnamed") : _style.Member(option.Name))}:");
            if (selector is not null)
            {
                Ranges(option.Ranges, variant.IsSelectorSigned);
                writer.Append(":");
            }
            Option(option);
        }
        writer.Indent -= indent + 2;
    }

    private void Option(VariantOption option)
    {
        // Where lines of its own follow, this one ends with a space in babeltrace2 2.1 too.
        if (DetailsWriter.HasShown(option.Attributes))
            writer.Append(" ");
        Inner(option.Class, option.Attributes, " ");
    }

    /// <summary>A location in words; null for one in a scope that may not be shown.</summary>
    private string? Location(FieldLocation location)
    {
        string? scope = location.Origin switch
        {
            FieldScope.EventCommonContext => "Event common context",
            FieldScope.EventSpecificContext => "Event specific context",
            FieldScope.EventPayload => "Event payload",
            _ => null,
        };
        if (scope is null)
            return null;
        var text = new StringBuilder($"[{_style.Value(scope)}: ");
        for (int i = 0; i < location.Path.Count; i++)
            text.Append(i == 0 ? "" : ", ").Append(_style.Value(location.Path[i]));
        return text.Append(']').ToString();
    }
}
