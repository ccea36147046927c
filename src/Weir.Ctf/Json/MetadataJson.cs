using System.Text;
using System.Text.Json;

namespace Weir.Ctf;

/// <summary>Kind of a JSON value of metadata; CTF 2 tells integers from other numbers.</summary>
internal enum MetadataJsonKind : byte
{
    Null,
    Boolean,
    Integer,
    Real,
    Text,
    Array,
    Object,
}

/// <summary>
/// A JSON value of a metadata fragment that knows where it stands, which the runtime's own trees do not.
/// </summary>
internal sealed class MetadataJson
{
    private const int MaxPathLength = 256;

    private static readonly List<MetadataJson> s_none = [];

    private MetadataJson(MetadataJsonKind kind, MetadataJson? parent, string name, int position)
    {
        Kind = kind;
        Parent = parent;
        Name = name;
        Position = position;
    }

    public MetadataJsonKind Kind { get; }

    /// <summary>The object or array around this value; null for a fragment.</summary>
    public MetadataJson? Parent { get; }

    /// <summary>The property's name, or an element's index in brackets.</summary>
    public string Name { get; }

    /// <summary>Offset in the metadata's text at which the value begins.</summary>
    public int Position { get; }

    /// <summary>Bytes that the value takes.</summary>
    public int Length { get; private set; }

    public string Text { get; private set; } = "";

    /// <summary>The 64 bits of an integer.</summary>
    public ulong Bits { get; private set; }

    public bool IsNegative { get; private set; }

    /// <summary>Elements of an array, or an object's properties in order.</summary>
    public List<MetadataJson> Items { get; private init; } = s_none;

    /// <summary>Where the value stands in its fragment, such as <c>payload-field-class.member-classes[2]</c>.</summary>
    public string Path
    {
        get
        {
            var path = new StringBuilder();
            for (var at = this; at.Parent is not null; at = at.Parent)
            {
                bool isElement = at.Parent.Kind == MetadataJsonKind.Array;
                path.Insert(0, at.Name.Length <= 64 ? at.Name : at.Name[..64] + "...");
                if (!isElement && at.Parent.Parent is not null)
                    path.Insert(0, '.');
            }
            // Deep down, the end says more than the beginning.
            return path.Length <= MaxPathLength ? path.ToString() : $"...{path.ToString(path.Length - MaxPathLength, MaxPathLength)}";
        }
    }

    public MetadataJson? Find(string name)
    {
        foreach (var item in Items)
        {
            if (item.Name == name)
                return item;
        }
        return null;
    }

    /// <summary>Reads one JSON text.</summary>
    /// <param name="text">The metadata.</param>
    /// <param name="start">Where the JSON text begins.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="maxDepth">Deepest nesting.</param>
    /// <param name="error">Makes an error at an offset.</param>
    public static MetadataJson Read(byte[] text, int start, int end, int maxDepth, Func<int, string, CtfMetadataException> error)
    {
        var reader = new Utf8JsonReader(text.AsSpan(start, end - start), new JsonReaderOptions { MaxDepth = maxDepth });
        try
        {
            if (!reader.Read())
                throw error(start, "expected a JSON object");
            var value = Read(ref reader, start, null, "", error);
            return reader.Read() ? throw error(start + (int)reader.TokenStartIndex, "expected the end of the fragment") : value;
        }
        catch (JsonException e)
        {
            throw error(start + (int)reader.BytesConsumed, $"no JSON: {FirstSentence(e.Message)}");
        }
        catch (InvalidOperationException)
        {
            throw error(start + (int)reader.TokenStartIndex, "this text is no valid UTF-8, or half of a surrogate pair");
        }
    }

    /// <summary>The runtime's message goes on with a place that counts from the fragment's beginning.</summary>
    private static string FirstSentence(string message)
    {
        int end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }

    private static MetadataJson Read(
        ref Utf8JsonReader reader, int start, MetadataJson? parent, string name, Func<int, string, CtfMetadataException> error)
    {
        int position = start + (int)reader.TokenStartIndex;
        MetadataJson value;
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                value = ReadObject(ref reader, start, parent, name, error);
                break;
            case JsonTokenType.StartArray:
                value = new MetadataJson(MetadataJsonKind.Array, parent, name, position) { Items = [] };
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    value.Items.Add(Read(ref reader, start, value, $"[{value.Items.Count}]", error));
                break;
            case JsonTokenType.String:
                value = new MetadataJson(MetadataJsonKind.Text, parent, name, position) { Text = reader.GetString()! };
                break;
            case JsonTokenType.Number:
                value = ReadNumber(ref reader, parent, name, position, error);
                break;
            case JsonTokenType.True or JsonTokenType.False:
                value = new MetadataJson(MetadataJsonKind.Boolean, parent, name, position);
                break;
            default:
                value = new MetadataJson(MetadataJsonKind.Null, parent, name, position);
                break;
        }
        value.Length = start + (int)reader.BytesConsumed - position;
        return value;
    }

    private static MetadataJson ReadObject(
        ref Utf8JsonReader reader, int start, MetadataJson? parent, string name, Func<int, string, CtfMetadataException> error)
    {
        var value = new MetadataJson(MetadataJsonKind.Object, parent, name, start + (int)reader.TokenStartIndex) { Items = [] };
        HashSet<string>? names = null;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            string property = reader.GetString()!;
            int position = start + (int)reader.TokenStartIndex;
            if (!(names ??= new HashSet<string>(StringComparer.Ordinal)).Add(property))
                throw error(position, $"the property '{property}' stands there twice");
            reader.Read();
            value.Items.Add(Read(ref reader, start, value, property, error));
        }
        return value;
    }

    private static MetadataJson ReadNumber(
        ref Utf8JsonReader reader, MetadataJson? parent, string name, int position, Func<int, string, CtfMetadataException> error)
    {
        var digits = reader.ValueSpan;
        if (digits.IndexOfAny(".eE"u8) >= 0)
            return new MetadataJson(MetadataJsonKind.Real, parent, name, position);
        bool isNegative = digits[0] == '-';
        if (isNegative ? !reader.TryGetInt64(out long signed) : !reader.TryGetUInt64(out ulong _))
            throw error(position, "this integer does not fit into 64 bits");
        ulong bits = isNegative ? (ulong)reader.GetInt64() : reader.GetUInt64();
        return new MetadataJson(MetadataJsonKind.Integer, parent, name, position) { Bits = bits, IsNegative = isNegative && bits != 0 };
    }
}
