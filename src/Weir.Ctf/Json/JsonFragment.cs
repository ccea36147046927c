using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weir.Ctf;

/// <summary>One fragment of CTF 2 metadata, and the checks that values of all fragments have in common; errors say where they stand.</summary>
internal sealed class JsonFragment
{
    /// <summary>Deepest nesting of JSON: a level of field classes takes up to four, and attributes may lie in the deepest.</summary>
    public const int MaxDepth = 1024;

    private readonly byte[] _text;
    private readonly int _number;

    private JsonFragment(byte[] text, int number) => (_text, _number) = (text, number);

    public MetadataJson Root { get; private set; } = null!;

    /// <summary>The fragment's <c>type</c>.</summary>
    public string Type { get; private set; } = "";

    /// <summary>Reads a fragment.</summary>
    /// <param name="text">The metadata.</param>
    /// <param name="start">Where the fragment begins, behind its record separator.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="number">Its number, from 1.</param>
    public static JsonFragment Read(byte[] text, int start, int end, int number)
    {
        var fragment = new JsonFragment(text, number);
        fragment.Root = MetadataJson.Read(text, start, end, MaxDepth, fragment.Error);
        fragment.RequireKind(fragment.Root, MetadataJsonKind.Object, "an object");
        fragment.Type = fragment.RequireText(fragment.Require(fragment.Root, "type"));
        return fragment;
    }

    public CtfMetadataException Error(MetadataJson at, string message)
    {
        string path = at.Path;
        return Error(at.Position, path.Length > 0 ? $"{path}: {message}" : message);
    }

    public CtfMetadataException Error(int position, string message)
    {
        var (line, column) = TsdlLexer.Locate(_text, Math.Min(position, _text.Length));
        return new CtfMetadataException(line, column, $"fragment {_number}{(Type.Length is > 0 and < 64 ? $" ({Type})" : "")}: {message}");
    }

    /// <summary>Rejects properties that are not among <paramref name="names"/>; <c>type</c>, attributes and extensions always are.</summary>
    public void CheckProperties(MetadataJson json, bool hasType, params ReadOnlySpan<string> names)
    {
        RequireKind(json, MetadataJsonKind.Object, "an object");
        foreach (var property in json.Items)
        {
            if (property.Name is "attributes" or "extensions" || (hasType && property.Name == "type"))
                continue;
            if (names.IndexOf(property.Name) < 0)
                throw Error(property, "this property is not known here");
        }
        if (json.Find("extensions") is not { } extensions)
            return;
        RequireKind(extensions, MetadataJsonKind.Object, "an object");
        if (extensions.Items.Count > 0)
            throw Error(extensions.Items[0], "this extension of CTF 2 is not known, so the trace cannot be read");
    }

    public MetadataJson Require(MetadataJson json, string name) =>
        json.Find(name) ?? throw Error(json, $"expected a property '{name}'");

    public void RequireKind(MetadataJson json, MetadataJsonKind kind, string what)
    {
        if (json.Kind != kind)
            throw Error(json, $"expected {what}");
    }

    public string RequireText(MetadataJson json)
    {
        RequireKind(json, MetadataJsonKind.Text, "a text");
        return json.Text;
    }

    public string? FindText(MetadataJson json, string name) => json.Find(name) is { } value ? RequireText(value) : null;

    public ulong RequireUnsigned(MetadataJson json)
    {
        if (json.Kind != MetadataJsonKind.Integer || json.IsNegative)
            throw Error(json, "expected an integer that is not negative");
        return json.Bits;
    }

    public ulong? FindUnsigned(MetadataJson json, string name) => json.Find(name) is { } value ? RequireUnsigned(value) : null;

    /// <summary>The word's value in a list of words.</summary>
    public T RequireWord<T>(MetadataJson json, params ReadOnlySpan<(string Word, T Value)> words)
    {
        foreach (var (word, value) in words)
        {
            if (json.Kind == MetadataJsonKind.Text && json.Text == word)
                return value;
        }
        var expected = new List<string>();
        foreach (var (word, _) in words)
            expected.Add(word);
        throw Error(json, $"expected {(expected.Count > 1 ? "one of " : "")}{string.Join(", ", expected)}");
    }

    public int FindAlignment(MetadataJson json, string name)
    {
        if (json.Find(name) is not { } value)
            return 1;
        ulong alignmentBits = RequireUnsigned(value);
        return alignmentBits <= 1 << 30 && FieldClass.IsValidAlignment((long)alignmentBits)
            ? (int)alignmentBits
            : throw Error(value, $"expected a power of two of at most 2^30, found {alignmentBits}");
    }

    public JsonObject? FindAttributes(MetadataJson json)
    {
        if (json.Find("attributes") is not { } value)
            return null;
        RequireKind(value, MetadataJsonKind.Object, "an object");
        var node = JsonNode.Parse(
            _text.AsSpan(value.Position, value.Length), null, new JsonDocumentOptions { MaxDepth = MaxDepth });
        return value.Items.Count == 0 ? null : (JsonObject?)node;
    }

    /// <summary>A set of ranges.</summary>
    /// <param name="json">The array.</param>
    /// <param name="isSigned">Whether the values are signed; null where that is not known yet.</param>
    public List<IntegerRange> RequireRanges(MetadataJson json, bool? isSigned)
    {
        RequireKind(json, MetadataJsonKind.Array, "an array of ranges");
        if (json.Items.Count == 0)
            throw Error(json, "expected at least one range");
        var ranges = new List<IntegerRange>(json.Items.Count);
        foreach (var range in json.Items)
        {
            if (range.Kind != MetadataJsonKind.Array || range.Items.Count != 2)
                throw Error(range, "expected a range: an array of two integers");
            foreach (var bound in range.Items)
            {
                RequireKind(bound, MetadataJsonKind.Integer, "an integer");
                if (isSigned == false && bound.IsNegative)
                    throw Error(bound, "expected an integer that is not negative");
                if (isSigned == true && !bound.IsNegative && bound.Bits > long.MaxValue)
                    throw Error(bound, "this integer does not fit into 64 bits with a sign");
            }
            var (lower, upper) = (range.Items[0], range.Items[1]);
            bool isReversed = lower.IsNegative == upper.IsNegative ? lower.Bits > upper.Bits : upper.IsNegative;
            if (isReversed)
                throw Error(range, "the range ends before it begins");
            ranges.Add(new IntegerRange((long)lower.Bits, (long)upper.Bits));
        }
        return ranges;
    }

    /// <summary>Names and their sets of ranges.</summary>
    public List<EnumerationMapping> RequireMappings(MetadataJson json, bool isSigned)
    {
        RequireKind(json, MetadataJsonKind.Object, "an object");
        var mappings = new List<EnumerationMapping>(json.Items.Count);
        foreach (var mapping in json.Items)
            mappings.Add(new EnumerationMapping(mapping.Name, RequireRanges(mapping, isSigned)));
        return mappings;
    }
}
