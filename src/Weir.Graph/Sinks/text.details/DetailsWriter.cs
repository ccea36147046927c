using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weir.Graph;

/// <summary>Text of nested properties that is made once: of trace classes, of traces.</summary>
internal sealed class DetailsWriter(DetailsStyle style)
{
    /// <summary>The namespace of what babeltrace2 notes for itself, which is shown in words of its own.</summary>
    private const string OwnNamespace = "babeltrace.org,2020";

    private readonly StringBuilder _text = new();

    public DetailsStyle Style => style;

    /// <summary>Spaces before what begins a line from now on.</summary>
    public int Indent { get; set; }

    public override string ToString() => _text.ToString();

    public DetailsWriter Append(string text)
    {
        _text.Append(text);
        return this;
    }

    public DetailsWriter EndLine() => Append("\n");

    public DetailsWriter BeginLine()
    {
        _text.Append(' ', Indent);
        return this;
    }

    public void Line(string name, string styledValue) => BeginLine().Append($"{style.Property(name)}: {styledValue}\n");

    public void Line(string name, bool value) => Line(name, style.Boolean(value));

    public void Line(string name, ulong value) => Line(name, style.Value(value));

    public void Line(string name, long value) => Line(name, style.Value(value));

    /// <summary>A line for a text, unless it is null.</summary>
    public void OptionalLine(string name, string? value)
    {
        if (value is not null)
            Line(name, style.Value(value));
    }

    /// <summary>What identifies an object, in brackets: the parts that there are.</summary>
    public DetailsWriter Identity(string? nameSpace, string? uid, ulong? id)
    {
        var parts = new List<string>(3);
        if (nameSpace is not null)
            parts.Add($"Namespace `{style.Value(nameSpace)}`");
        if (uid is not null)
            parts.Add($"UID `{style.Value(uid)}`");
        if (id is { } number)
            parts.Add($"ID {style.Value(number)}");
        return parts.Count == 0 ? this : Append($" ({string.Join(", ", parts)})");
    }

    public static bool HasShown(JsonObject? attributes)
    {
        foreach (var (name, _) in attributes ?? [])
        {
            if (name != OwnNamespace)
                return true;
        }
        return false;
    }

    /// <summary>What a producer has noted on an object, if anything; no end of line.</summary>
    public void Attributes(JsonObject? attributes)
    {
        if (!HasShown(attributes))
            return;
        BeginLine().Append(style.Property("User attributes")).Append(":");
        Map(attributes!, isRoot: true);
    }

    /// <summary>The same on lines of its own.</summary>
    public void AttributeLines(JsonObject? attributes)
    {
        if (!HasShown(attributes))
            return;
        Attributes(attributes);
        EndLine();
    }

    private void Map(JsonObject map, bool isRoot)
    {
        var names = new List<string>(map.Count);
        foreach (var (name, _) in map)
        {
            if (!isRoot || name != OwnNamespace)
                names.Add(name);
        }
        if (names.Count == 0)
        {
            Append($" {style.Nothing("Empty")}");
            return;
        }
        names.Sort(StringComparer.Ordinal);
        Indent += 2;
        foreach (string name in names)
        {
            EndLine().BeginLine().Append(style.Property(name)).Append(":");
            Node(map[name]);
        }
        Indent -= 2;
    }

    private void Array(JsonArray array)
    {
        if (array.Count == 0)
        {
            Append($" {style.Nothing("Empty")}");
            return;
        }
        Append($" Length {style.Value((ulong)array.Count)}:");
        Indent += 2;
        for (int i = 0; i < array.Count; i++)
        {
            EndLine().BeginLine().Append(style.Property($"[{DetailsNumber.ToText((ulong)i)}]")).Append(":");
            Node(array[i]);
        }
        Indent -= 2;
    }

    private void Node(JsonNode? node)
    {
        switch (node)
        {
            case null:
                Append($" {style.Nothing("Null")}");
                break;
            case JsonObject map:
                Map(map, isRoot: false);
                break;
            case JsonArray array:
                Array(array);
                break;
            default:
                Append(" ").Append(Scalar(node.AsValue()));
                break;
        }
    }

    private string Scalar(JsonValue value)
    {
        switch (value.GetValueKind())
        {
            case JsonValueKind.True or JsonValueKind.False:
                return style.Boolean(value.GetValueKind() == JsonValueKind.True);
            case JsonValueKind.String:
                return style.Value(value.GetValue<string>());
        }
        string digits = value.ToJsonString();
        if (ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out ulong unsigned))
            return style.Value(unsigned);
        if (long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long signed))
            return style.Value(signed);
        return style.Value(double.Parse(digits, CultureInfo.InvariantCulture).ToString("F6", CultureInfo.InvariantCulture));
    }
}
