using System.Globalization;
using System.Text;
using System.Text.Json;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>What a JSON value is to the schema.</summary>
internal enum JsonShapeKind : byte
{
    Number,
    Boolean,
    Text,

    /// <summary>A number with labels: <c>{"value":3,"labels":["A"]}</c>.</summary>
    Enumeration,
    Object,
    Array,

    /// <summary>Values of different kinds in one array: their JSON as text.</summary>
    Any,
}

/// <summary>
/// The shape of the values that stand at one place of the events of one class. Values of one signature make one shape, which learns of each
/// whether there are negative, large or fractional numbers and which labels there are.
/// </summary>
internal sealed class JsonShape
{
    /// <summary>Labels that one enumeration may have; those above are left out.</summary>
    private const int MaxLabels = 4096;

    private readonly Dictionary<string, SortedSet<long>> _labels = [];
    private readonly List<string> _labelOrder = [];
    private bool _isNegative;
    private bool _isLarge;
    private bool _isReal;
    private int _labelledCount;

    private JsonShape(JsonShapeKind kind) => Kind = kind;

    public JsonShapeKind Kind { get; }

    /// <summary>Of an object: its members, without those that are null.</summary>
    public List<(string Name, JsonShape Shape)> Members { get; } = [];

    /// <summary>Of an array: its elements; null for one that is empty.</summary>
    public JsonShape? Element { get; private set; }

    public bool IsReal => _isReal || (_isNegative && _isLarge);

    public bool IsSigned => !_isLarge;

    /// <summary>Text that values of one shape have in common, and of no other.</summary>
    public static void AppendSignature(StringBuilder text, JsonElement value)
    {
        switch (KindOf(value))
        {
            case JsonShapeKind.Object:
                text.Append('{');
                foreach (var member in value.EnumerateObject())
                {
                    if (member.Value.ValueKind == JsonValueKind.Null)
                        continue;
                    text.Append(CultureInfo.InvariantCulture, $"{member.Name.Length}:{member.Name}");
                    AppendSignature(text, member.Value);
                }
                text.Append('}');
                break;
            case JsonShapeKind.Array:
                text.Append('[').Append(ElementSignature(value)).Append(']');
                break;
            case var kind:
                text.Append("nbtexxx"[(int)kind]);
                break;
        }
    }

    /// <summary>A shape for a value, which has learnt nothing yet.</summary>
    public static JsonShape Create(JsonElement value)
    {
        var shape = new JsonShape(KindOf(value));
        if (shape.Kind == JsonShapeKind.Object)
        {
            foreach (var member in value.EnumerateObject())
            {
                if (member.Value.ValueKind != JsonValueKind.Null)
                    shape.Members.Add((member.Name, Create(member.Value)));
            }
        }
        else if (shape.Kind == JsonShapeKind.Array && value.GetArrayLength() > 0)
        {
            shape.Element = ElementSignature(value) == "*" ? new JsonShape(JsonShapeKind.Any) : Create(value[0]);
        }
        return shape;
    }

    /// <summary>Learns of a value of this shape.</summary>
    public void Learn(JsonElement value)
    {
        switch (Kind)
        {
            case JsonShapeKind.Number:
                LearnNumber(value);
                break;
            case JsonShapeKind.Enumeration:
                var number = value.GetProperty("value");
                LearnNumber(number);
                LearnLabels(number, value.GetProperty("labels"));
                break;
            case JsonShapeKind.Object:
                int i = 0;
                foreach (var member in value.EnumerateObject())
                {
                    if (member.Value.ValueKind != JsonValueKind.Null)
                        Members[i++].Shape.Learn(member.Value);
                }
                break;
            case JsonShapeKind.Array when Element is { } element:
                foreach (var item in value.EnumerateArray())
                    element.Learn(item);
                break;
        }
    }

    /// <summary>The labels in the order in which they were met, or null for a number that is written as one.</summary>
    public IReadOnlyList<EnumerationMapping>? CreateMappings() => Kind != JsonShapeKind.Enumeration ? null
        : [.. _labelOrder.Select(label => new EnumerationMapping(label, [.. _labels[label].Select(value => new IntegerRange(value))]))];

    private static JsonShapeKind KindOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => JsonShapeKind.Number,
        JsonValueKind.True or JsonValueKind.False => JsonShapeKind.Boolean,
        JsonValueKind.String => JsonShapeKind.Text,
        JsonValueKind.Array => JsonShapeKind.Array,
        JsonValueKind.Object => IsEnumeration(value) ? JsonShapeKind.Enumeration : JsonShapeKind.Object,
        _ => JsonShapeKind.Any,
    };

    private static bool IsEnumeration(JsonElement value) =>
        value.GetPropertyCount() == 2
        && value.TryGetProperty("value", out var number) && number.ValueKind == JsonValueKind.Number
        && (number.TryGetInt64(out _) || number.TryGetUInt64(out _))
        && value.TryGetProperty("labels", out var labels) && labels.ValueKind == JsonValueKind.Array
        && labels.EnumerateArray().All(label => label.ValueKind == JsonValueKind.String);

    /// <summary>What all elements have in common; a star where they differ.</summary>
    private static string ElementSignature(JsonElement array)
    {
        string? common = null;
        var text = new StringBuilder();
        foreach (var element in array.EnumerateArray())
        {
            text.Clear();
            AppendSignature(text, element);
            common ??= text.ToString();
            if (!text.Equals(common))
                return "*";
        }
        return common ?? "";
    }

    private void LearnNumber(JsonElement value)
    {
        if (value.GetRawText().AsSpan().IndexOfAny(".eE") >= 0)
            _isReal = true;
        else if (value.TryGetInt64(out long signed))
            _isNegative |= signed < 0;
        else if (value.TryGetUInt64(out _))
            _isLarge = true;
        else
            _isReal = true;
    }

    private void LearnLabels(JsonElement number, JsonElement labels)
    {
        long value = number.TryGetInt64(out long signed) ? signed : (long)number.GetUInt64();
        foreach (var label in labels.EnumerateArray())
        {
            string name = label.GetString()!;
            if (_labels.TryGetValue(name, out var values) && values.Contains(value))
                continue;
            if (_labelledCount++ >= MaxLabels)
                return;
            if (values is null)
            {
                _labels.Add(name, values = []);
                _labelOrder.Add(name);
            }
            values.Add(value);
        }
    }
}
