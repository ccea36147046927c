using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weir.Ctf;

/// <summary>Writes field classes as CTF 2 metadata has them (CTF2-SPEC-2.0, section 5.3).</summary>
internal sealed class JsonFieldClassWriter(Utf8JsonWriter json)
{
    private static readonly string[] s_encodings = ["utf-8", "utf-16be", "utf-16le", "utf-32be", "utf-32le"];
    private static readonly string[] s_scopes =
    [
        "packet-header", "packet-context", "event-record-header", "event-record-common-context", "event-record-specific-context", "event-record-payload",
    ];

    public static void WriteAttributes(Utf8JsonWriter json, JsonObject? attributes)
    {
        if (attributes is null)
            return;
        json.WritePropertyName("attributes");
        attributes.WriteTo(json);
    }

    public void Write(FieldClass fieldClass)
    {
        if (fieldClass is StaticArrayFieldClass { Role: FieldRole.TraceUuid, Length: 16 })
        {
            Write(new StaticBlobFieldClass(16) { Role = FieldRole.TraceUuid });
            return;
        }
        json.WriteStartObject();
        switch (fieldClass)
        {
            case IntegerFieldClass integer:
                WriteInteger(integer);
                break;
            case BitsFieldClass bits:
                WriteBits(bits);
                break;
            case StringFieldClass or StaticStringFieldClass or DynamicStringFieldClass:
                WriteText(fieldClass);
                break;
            case StaticBlobFieldClass or DynamicBlobFieldClass:
                WriteBlob(fieldClass);
                break;
            case StructureFieldClass structure:
                WriteStructure(structure);
                break;
            case StaticArrayFieldClass array:
                json.WriteString("type", "static-length-array");
                json.WriteNumber("length", array.Length);
                WriteElement(array.Element, array.MinimumAlignmentBits);
                break;
            case DynamicArrayFieldClass array:
                json.WriteString("type", "dynamic-length-array");
                WriteLocation("length-field-location", array.LengthLocation);
                WriteElement(array.Element, array.MinimumAlignmentBits);
                break;
            case OptionalFieldClass optional:
                WriteOptional(optional);
                break;
            case VariantFieldClass variant:
                WriteVariant(variant);
                break;
            default:
                throw new InvalidOperationException("Every class of the schema is listed above.");
        }
        WriteAttributes(json, fieldClass.Attributes);
        json.WriteEndObject();
    }

    private void WriteInteger(IntegerFieldClass integer)
    {
        string sign = integer.IsSigned ? "signed" : "unsigned";
        json.WriteString("type", integer.IsVariableLength ? $"variable-length-{sign}-integer" : $"fixed-length-{sign}-integer");
        if (!integer.IsVariableLength)
            WriteLayout(integer);
        if (integer.DisplayBase != DisplayBase.Decimal)
            json.WriteNumber("preferred-display-base", (int)integer.DisplayBase);
        if (integer.Mappings is { } mappings)
            WriteMappings("mappings", mappings, integer.IsSigned);
        WriteRoles(integer);
    }

    private void WriteBits(BitsFieldClass bits)
    {
        json.WriteString("type", bits switch
        {
            BooleanFieldClass => "fixed-length-boolean",
            BitArrayFieldClass { Flags: not null } => "fixed-length-bit-map",
            BitArrayFieldClass => "fixed-length-bit-array",
            _ => "fixed-length-floating-point-number",
        });
        WriteLayout(bits);
        if (bits is BitArrayFieldClass { Flags: { } flags })
            WriteMappings("flags", flags, isSigned: false);
    }

    private void WriteLayout(BitsFieldClass bits)
    {
        json.WriteNumber("length", bits.SizeBits);
        json.WriteString("byte-order", bits.ByteOrder == ByteOrder.LittleEndian ? "little-endian" : "big-endian");
        if (bits.BitOrder != BitOrder.Natural)
            json.WriteString("bit-order", bits.BitOrder == BitOrder.FirstToLast ? "first-to-last" : "last-to-first");
        if (bits.AlignmentBits > 1)
            json.WriteNumber("alignment", bits.AlignmentBits);
    }

    private void WriteRoles(IntegerFieldClass integer)
    {
        var roles = new List<string>();
        // Of a field that updates the clock the packet's beginning is but where it stands.
        if (integer.MappedClock is not null && integer.Role is FieldRole.None or FieldRole.PacketBeginTime)
            roles.Add("default-clock-timestamp");
        if (NameOf(integer.Role) is { } name)
            roles.Add(name);
        foreach (var other in integer.OtherRoles)
        {
            if (NameOf(other) is { } otherName)
                roles.Add(otherName);
        }
        if (roles.Count == 0)
            return;
        json.WriteStartArray("roles");
        foreach (string role in roles)
            json.WriteStringValue(role);
        json.WriteEndArray();
    }

    private static string? NameOf(FieldRole role) => role switch
    {
        FieldRole.PacketMagicNumber => "packet-magic-number",
        FieldRole.DataStreamClassId => "data-stream-class-id",
        FieldRole.DataStreamId => "data-stream-id",
        FieldRole.PacketTotalLength => "packet-total-length",
        FieldRole.PacketContentLength => "packet-content-length",
        FieldRole.PacketEndTime => "packet-end-default-clock-timestamp",
        FieldRole.DiscardedEventCount => "discarded-event-record-counter-snapshot",
        FieldRole.PacketSequenceNumber => "packet-sequence-number",
        FieldRole.EventClassId => "event-record-class-id",
        _ => null,
    };

    private void WriteMappings(string property, IReadOnlyList<EnumerationMapping> mappings, bool isSigned)
    {
        json.WriteStartObject(property);
        foreach (var mapping in mappings)
        {
            json.WritePropertyName(mapping.Label);
            WriteRanges(mapping.Ranges, isSigned);
        }
        json.WriteEndObject();
    }

    private void WriteRanges(IReadOnlyList<IntegerRange> ranges, bool isSigned)
    {
        json.WriteStartArray();
        foreach (var range in ranges)
        {
            json.WriteStartArray();
            WriteNumber(range.Lower, isSigned);
            WriteNumber(range.Upper, isSigned);
            json.WriteEndArray();
        }
        json.WriteEndArray();
    }

    private void WriteNumber(long value, bool isSigned)
    {
        if (isSigned)
            json.WriteNumberValue(value);
        else
            json.WriteNumberValue((ulong)value);
    }

    private void WriteText(FieldClass text)
    {
        var encoding = TextEncoding.Utf8;
        switch (text)
        {
            case StringFieldClass terminated:
                json.WriteString("type", "null-terminated-string");
                encoding = terminated.Encoding;
                break;
            case StaticStringFieldClass fixedText:
                json.WriteString("type", "static-length-string");
                json.WriteNumber("length", fixedText.LengthBytes);
                encoding = fixedText.Encoding;
                break;
            case DynamicStringFieldClass dynamicText:
                json.WriteString("type", "dynamic-length-string");
                WriteLocation("length-field-location", dynamicText.LengthLocation);
                encoding = dynamicText.Encoding;
                break;
        }
        if (encoding != TextEncoding.Utf8)
            json.WriteString("encoding", s_encodings[(int)encoding]);
    }

    private void WriteBlob(FieldClass blob)
    {
        string mediaType = StaticBlobFieldClass.DefaultMediaType;
        switch (blob)
        {
            case StaticBlobFieldClass fixedBlob:
                json.WriteString("type", "static-length-blob");
                json.WriteNumber("length", fixedBlob.LengthBytes);
                mediaType = fixedBlob.MediaType;
                if (fixedBlob.Role == FieldRole.TraceUuid)
                {
                    json.WriteStartArray("roles");
                    json.WriteStringValue(JsonRoles.MetadataStreamUuid);
                    json.WriteEndArray();
                }
                break;
            case DynamicBlobFieldClass dynamicBlob:
                json.WriteString("type", "dynamic-length-blob");
                WriteLocation("length-field-location", dynamicBlob.LengthLocation);
                mediaType = dynamicBlob.MediaType;
                break;
        }
        if (mediaType != StaticBlobFieldClass.DefaultMediaType)
            json.WriteString("media-type", mediaType);
    }

    private void WriteStructure(StructureFieldClass structure)
    {
        json.WriteString("type", "structure");
        if (structure.MinimumAlignmentBits > 1)
            json.WriteNumber("minimum-alignment", structure.MinimumAlignmentBits);
        json.WriteStartArray("member-classes");
        foreach (var member in structure.Members)
        {
            json.WriteStartObject();
            json.WriteString("name", member.Name);
            json.WritePropertyName("field-class");
            Write(member.Class);
            WriteAttributes(json, member.Attributes);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private void WriteElement(FieldClass element, int minimumAlignmentBits)
    {
        if (minimumAlignmentBits > 1)
            json.WriteNumber("minimum-alignment", minimumAlignmentBits);
        json.WritePropertyName("element-field-class");
        Write(element);
    }

    private void WriteOptional(OptionalFieldClass optional)
    {
        json.WriteString("type", "optional");
        WriteLocation("selector-field-location", optional.SelectorLocation);
        if (optional.Ranges is { } ranges)
        {
            json.WritePropertyName("selector-field-ranges");
            WriteRanges(ranges, optional.IsSelectorSigned);
        }
        json.WritePropertyName("field-class");
        Write(optional.Content);
    }

    private void WriteVariant(VariantFieldClass variant)
    {
        json.WriteString("type", "variant");
        WriteLocation("selector-field-location", variant.SelectorLocation);
        json.WriteStartArray("options");
        foreach (var option in variant.Options)
        {
            json.WriteStartObject();
            if (option.Name.Length > 0)
                json.WriteString("name", option.Name);
            json.WritePropertyName("selector-field-ranges");
            WriteRanges(option.Ranges, variant.IsSelectorSigned);
            json.WritePropertyName("field-class");
            Write(option.Class);
            WriteAttributes(json, option.Attributes);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private void WriteLocation(string property, FieldLocation location)
    {
        json.WriteStartObject(property);
        json.WriteString("origin", s_scopes[(int)location.Origin]);
        json.WriteStartArray("path");
        foreach (string name in location.Path)
            json.WriteStringValue(name);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
