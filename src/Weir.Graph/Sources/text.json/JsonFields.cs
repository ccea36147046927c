using System.Text;
using System.Text.Json;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// Makes field classes of shapes and writes values as these lay them out. The length of an array <c>x</c> is the member
/// <c>_x_length</c>, which is taken from the JSON where it stands before the array, as <c>sink.text.json</c> writes it.
/// </summary>
internal static class JsonFields
{
    /// <summary>The class of an object's members at a scope.</summary>
    public static StructureFieldClass CreateClass(JsonShape shape, FieldScope scope) => CreateStructure(shape, scope, []);

    /// <summary>Writes an object's members.</summary>
    public static void Write(JsonShape shape, JsonElement value, BitWriter fields)
    {
        var values = new List<JsonElement>(shape.Members.Count);
        foreach (var member in value.EnumerateObject())
        {
            if (member.Value.ValueKind != JsonValueKind.Null)
                values.Add(member.Value);
        }
        for (int i = 0; i < values.Count; i++)
        {
            if (IsLength(shape, i))
                fields.Write((ulong)values[i + 1].GetArrayLength(), 64);
            else
                WriteMember(shape.Members[i].Shape, values[i], fields, hasLength: i > 0 && IsLength(shape, i - 1));
        }
    }

    /// <summary>Whether a member is the length of the array behind it.</summary>
    private static bool IsLength(JsonShape shape, int index) =>
        index + 1 < shape.Members.Count
        && shape.Members[index].Shape is { Kind: JsonShapeKind.Number, IsReal: false }
        && shape.Members[index + 1].Shape.Kind == JsonShapeKind.Array
        && shape.Members[index].Name == LengthName(shape.Members[index + 1].Name);

    private static string LengthName(string name) => $"_{name}_length";

    private static StructureFieldClass CreateStructure(JsonShape shape, FieldScope scope, string[] path)
    {
        var members = new List<StructureMember>();
        var names = new HashSet<string>(shape.Members.Select(member => member.Name), StringComparer.Ordinal);
        for (int i = 0; i < shape.Members.Count; i++)
        {
            var (name, inner) = shape.Members[i];
            if (IsLength(shape, i))
            {
                members.Add(new StructureMember(name, new IntegerFieldClass(64)));
                continue;
            }
            string? length = null;
            if (inner.Kind == JsonShapeKind.Array)
            {
                length = LengthName(name);
                bool isThere = i > 0 && IsLength(shape, i - 1);
                while (!isThere && !names.Add(length))
                    length = "_" + length;
                if (!isThere)
                    members.Add(new StructureMember(length, new IntegerFieldClass(64)));
            }
            members.Add(new StructureMember(name, CreateClass(inner, scope, [.. path, name], length is null ? null : new FieldLocation(scope, [.. path, length]))));
        }
        return new StructureFieldClass(members, 8);
    }

    private static FieldClass CreateClass(JsonShape shape, FieldScope scope, string[] path, FieldLocation? length)
    {
        switch (shape.Kind)
        {
            case JsonShapeKind.Number or JsonShapeKind.Enumeration:
                return shape.IsReal ? new FloatingPointFieldClass(64) : new IntegerFieldClass(64, shape.IsSigned) { Mappings = shape.CreateMappings() };
            case JsonShapeKind.Boolean:
                return new BooleanFieldClass(8, 8);
            case JsonShapeKind.Object:
                return CreateStructure(shape, scope, path);
            case JsonShapeKind.Array when length is not null:
                return new DynamicArrayFieldClass(shape.Element is { } element ? CreateElementClass(element, scope, path) : new StringFieldClass(), length);
            default:
                return new StringFieldClass();
        }
    }

    /// <summary>An array as an element has no member before it, so it stands in a structure with its length.</summary>
    private static FieldClass CreateElementClass(JsonShape element, FieldScope scope, string[] path) => element.Kind != JsonShapeKind.Array
        ? CreateClass(element, scope, path, null)
        : new StructureFieldClass(
        [
            new("_elements_length", new IntegerFieldClass(64)),
            new("elements", CreateClass(element, scope, [.. path, "elements"], new FieldLocation(scope, [.. path, "_elements_length"]))),
        ], 8);

    private static void WriteMember(JsonShape shape, JsonElement value, BitWriter fields, bool hasLength)
    {
        switch (shape.Kind)
        {
            case JsonShapeKind.Number:
                WriteNumber(shape, value, fields);
                break;
            case JsonShapeKind.Enumeration:
                WriteNumber(shape, value.GetProperty("value"), fields);
                break;
            case JsonShapeKind.Boolean:
                fields.Write(value.GetBoolean() ? 1UL : 0, 8);
                break;
            case JsonShapeKind.Text:
                fields.WriteString(Encoding.UTF8.GetBytes(value.GetString()!));
                break;
            case JsonShapeKind.Object:
                Write(shape, value, fields);
                break;
            case JsonShapeKind.Array:
                if (!hasLength)
                    fields.Write((ulong)value.GetArrayLength(), 64);
                foreach (var element in value.EnumerateArray())
                    WriteMember(shape.Element!, element, fields, hasLength: false);
                break;
            default:
                fields.WriteString(Encoding.UTF8.GetBytes(value.GetRawText()));
                break;
        }
    }

    private static void WriteNumber(JsonShape shape, JsonElement value, BitWriter fields)
    {
        if (shape.IsReal)
            fields.Write(BitConverter.DoubleToUInt64Bits(value.GetDouble()), 64);
        else
            fields.Write(value.TryGetInt64(out long signed) ? (ulong)signed : value.GetUInt64(), 64);
    }
}
