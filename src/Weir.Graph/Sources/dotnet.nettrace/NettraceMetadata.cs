namespace Weir.Graph;

/// <summary>What a file says about one kind of event.</summary>
internal sealed record NettraceMetadata
{
    private const int MaxNesting = 32;

    /// <summary>By what events refer to it.</summary>
    public uint Id { get; private init; }

    public string Provider { get; private init; } = "";

    /// <summary>The event's number in its provider.</summary>
    public uint EventId { get; private init; }

    /// <summary>The event's name; empty for events that the provider's manifest names.</summary>
    public string Name { get; private init; } = "";

    public uint Version { get; private set; }

    /// <summary>0 always, 1 critical to 5 verbose.</summary>
    public uint Level { get; private set; }

    public byte Opcode { get; private set; }

    /// <summary>The payload's fields; empty where the file does not say them.</summary>
    public IReadOnlyList<NettraceField> Fields { get; private set; } = [];

    /// <summary>Reads the payload of a metadata event of version 4 or 5.</summary>
    public static NettraceMetadata ReadVersion5(ref NettraceReader reader)
    {
        var metadata = new NettraceMetadata { Id = reader.ReadUInt32(), Provider = reader.ReadText16(), EventId = reader.ReadUInt32() & 0xffff, Name = reader.ReadText16() };
        reader.ReadUInt64();
        metadata.Version = reader.ReadUInt32();
        metadata.Level = reader.ReadUInt32();
        if (reader.IsAtEnd || !TryReadFields(ref reader, ReadFieldsFirst, out var fields))
            return metadata;
        metadata.Fields = fields!;
        while (!reader.IsAtEnd)
        {
            uint length = reader.ReadUInt32();
            byte kind = reader.ReadByte();
            var tag = reader.Inner(length);
            if (kind == 1)
                metadata.Opcode = tag.ReadByte();
            else if (kind == 2 && TryReadFields(ref tag, ReadFieldsSized, out var later))
                metadata.Fields = later!;
        }
        return metadata;
    }

    /// <summary>Reads a row of a metadata block of version 6.</summary>
    public static NettraceMetadata ReadVersion6(ref NettraceReader reader)
    {
        var metadata = new NettraceMetadata
        {
            Id = reader.ReadVariable32(),
            Provider = reader.ReadText8(),
            EventId = reader.ReadVariable32(),
            Name = reader.ReadText8(),
            Fields = ReadFieldsNamed(ref reader, 0),
        };
        var options = reader.Inner(reader.ReadUInt16());
        while (!options.IsAtEnd)
        {
            byte kind = options.ReadByte();
            switch (kind)
            {
                case 1:
                    metadata.Opcode = options.ReadByte();
                    break;
                case 3:
                    options.ReadUInt64();
                    break;
                case 4 or 5:
                    options.ReadText8();
                    break;
                case 6:
                    options.ReadText8();
                    options.ReadText8();
                    break;
                case 7:
                    options.ReadGuid();
                    break;
                case 8:
                    metadata.Level = options.ReadByte();
                    break;
                case 9:
                    metadata.Version = options.ReadByte();
                    break;
                default:
                    // One of a later minor version, whose length nobody knows; nothing behind it is needed.
                    return metadata;
            }
        }
        return metadata;
    }

    private delegate List<NettraceField> FieldReader(ref NettraceReader reader, int nesting);

    /// <summary>Fields of a type that is not known are as if there were none: the payload is then shown as bytes.</summary>
    private static bool TryReadFields(ref NettraceReader reader, FieldReader read, out List<NettraceField>? fields)
    {
        try
        {
            fields = read(ref reader, 0);
            return true;
        }
        catch (UnknownTypeException)
        {
            fields = null;
            return false;
        }
    }

    /// <summary>Type before name, as version 4 has it.</summary>
    private static List<NettraceField> ReadFieldsFirst(ref NettraceReader reader, int nesting)
    {
        var fields = new List<NettraceField>();
        for (int count = reader.ReadCount(reader.ReadUInt32(), "a list of fields"); count > 0; count--)
        {
            var type = ReadType(ref reader, reader.ReadUInt32(), ReadFieldsFirst, nesting);
            fields.Add(new NettraceField(reader.ReadText16(), type));
        }
        return fields;
    }

    /// <summary>Length, name, type, as version 5's tag has it.</summary>
    private static List<NettraceField> ReadFieldsSized(ref NettraceReader reader, int nesting)
    {
        var fields = new List<NettraceField>();
        for (int count = reader.ReadCount(reader.ReadUInt32(), "a list of fields"); count > 0; count--)
        {
            var field = reader.Inner(reader.ReadUInt32() - 4L);
            string name = field.ReadText16();
            fields.Add(new NettraceField(name, ReadType(ref field, field.ReadUInt32(), ReadFieldsSized, nesting)));
        }
        return fields;
    }

    /// <summary>The same as version 6 has it.</summary>
    private static List<NettraceField> ReadFieldsNamed(ref NettraceReader reader, int nesting)
    {
        var fields = new List<NettraceField>();
        for (int count = reader.ReadCount(reader.ReadUInt16(), "a list of fields"); count > 0; count--)
        {
            var field = reader.Inner(reader.ReadUInt16());
            string name = field.ReadText8();
            fields.Add(new NettraceField(name, ReadType(ref field, field.ReadByte(), ReadFieldsNamed, nesting)));
        }
        return fields;
    }

    private static NettraceType ReadType(ref NettraceReader reader, uint code, FieldReader readMembers, int nesting)
    {
        if (nesting > MaxNesting)
            throw reader.Error($"types are nested more than {MaxNesting} deep");
        bool isVersion6 = readMembers == ReadFieldsNamed;
        if (code > (isVersion6 ? (uint)NettraceTypeKind.DataLocation : (uint)NettraceTypeKind.Array) || !Enum.IsDefined((NettraceTypeKind)code))
            throw isVersion6 ? reader.Error($"type {code} is not known") : new UnknownTypeException();
        var kind = (NettraceTypeKind)code;
        switch (kind)
        {
            case NettraceTypeKind.Object:
                return new NettraceType(kind) { Members = readMembers(ref reader, nesting + 1) };
            case NettraceTypeKind.Array or NettraceTypeKind.FixedArray or NettraceTypeKind.RelativeLocation or NettraceTypeKind.DataLocation:
                if (readMembers == ReadFieldsFirst)
                    throw new UnknownTypeException();
                var element = ReadType(ref reader, isVersion6 ? reader.ReadByte() : reader.ReadUInt32(), readMembers, nesting + 1);
                return new NettraceType(kind) { Element = element, Length = kind == NettraceTypeKind.FixedArray ? reader.ReadUInt16() : 0 };
            default:
                return new NettraceType(kind);
        }
    }

    /// <summary>Metadata of a version to come, not bad metadata.</summary>
    private sealed class UnknownTypeException : Exception;
}
