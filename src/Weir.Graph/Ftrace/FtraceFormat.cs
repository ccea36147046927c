namespace Weir.Graph;

/// <summary>Where the bytes of a kernel event's field lie.</summary>
public enum FtraceFieldPlace : byte
{
    /// <summary>At the field's offset.</summary>
    Fixed,

    /// <summary>At the field's offset stand the data's offset from the record's beginning (low half) and length (high half): <c>__data_loc</c>.</summary>
    DataLocation,

    /// <summary>The same with an offset from the field's own end: <c>__rel_loc</c>.</summary>
    RelativeLocation,

    /// <summary>From the field's offset to the record's end.</summary>
    Tail,
}

/// <summary>A label of a field's value, as <c>__print_symbolic</c> or <c>__print_flags</c> lists it.</summary>
/// <param name="Value">The value, or the bits that must be set.</param>
/// <param name="Label">The label.</param>
public readonly record struct FtraceLabel(long Value, string Label);

/// <summary>One field of a kernel event.</summary>
public sealed record FtraceField
{
    /// <summary>The field's name.</summary>
    public required string Name { get; init; }

    /// <summary>The C type of the field, or of its elements.</summary>
    public required string Type { get; init; }

    /// <summary>Offset from the record's beginning.</summary>
    public required int OffsetBytes { get; init; }

    /// <summary>Size in the record; 0 for a field that takes what is left of it.</summary>
    public required int SizeBytes { get; init; }

    /// <summary>Whether its numbers are two's complement.</summary>
    public bool IsSigned { get; init; }

    /// <summary>Where its bytes lie.</summary>
    public FtraceFieldPlace Place { get; init; }

    /// <summary>Whether it has several elements (or bytes of text).</summary>
    public bool IsArray { get; init; }

    /// <summary>Size of one element; of a field that is no array, the field's own.</summary>
    public int ElementBytes { get; init; }

    /// <summary>Whether it is text: an array of <c>char</c>.</summary>
    public bool IsText => IsArray && Type is "char" or "const char";

    /// <summary>Whether it is a pointer.</summary>
    public bool IsPointer => Type.EndsWith('*');

    /// <summary>Whether the kernel prints it in base 16.</summary>
    public bool IsHexadecimal { get; init; }

    /// <summary>Digits that the kernel fills with zeros (<c>%03d</c>), or 0.</summary>
    public int MinimumDigits { get; init; }

    /// <summary>What is added to its value, of a number of 4 bytes that lies at its offset.</summary>
    public int Addend { get; init; }

    /// <summary>Labels of its values, or null.</summary>
    public IReadOnlyList<FtraceLabel>? Symbols { get; init; }

    /// <summary>Labels of its bits, or null.</summary>
    public IReadOnlyList<FtraceLabel>? Flags { get; init; }
}

/// <summary>What the kernel says of one kind of event in its file <c>format</c>.</summary>
public sealed record FtraceFormat
{
    /// <summary>The event's name.</summary>
    public required string Name { get; init; }

    /// <summary>What the field <c>common_type</c> of its records says.</summary>
    public required int Id { get; init; }

    /// <summary>The fields that all events have.</summary>
    public required IReadOnlyList<FtraceField> SharedFields { get; init; }

    /// <summary>The event's own fields.</summary>
    public required IReadOnlyList<FtraceField> Fields { get; init; }

    /// <summary>How the kernel prints it: a format as printf's, then C expressions; empty where the file does not say.</summary>
    public required string PrintFormat { get; init; }

    /// <summary>The shared field of this name, or null.</summary>
    public FtraceField? FindShared(string name)
    {
        foreach (var field in SharedFields)
        {
            if (field.Name == name)
                return field;
        }
        return null;
    }
}
