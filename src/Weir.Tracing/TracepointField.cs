namespace Weir.Tracing;

/// <summary>What the bytes of a field, or of one element of a sequence, are. Everything is little-endian and byte-aligned.</summary>
public enum FieldKind : byte
{
    /// <summary>Signed, 1 byte.</summary>
    Int8,

    /// <summary>Signed, 2 bytes.</summary>
    Int16,

    /// <summary>Signed, 4 bytes.</summary>
    Int32,

    /// <summary>Signed, 8 bytes.</summary>
    Int64,

    /// <summary>Unsigned, 1 byte.</summary>
    UInt8,

    /// <summary>Unsigned, 2 bytes.</summary>
    UInt16,

    /// <summary>Unsigned, 4 bytes.</summary>
    UInt32,

    /// <summary>Unsigned, 8 bytes.</summary>
    UInt64,

    /// <summary>IEEE 754, 4 bytes.</summary>
    Single,

    /// <summary>IEEE 754, 8 bytes.</summary>
    Double,

    /// <summary>UTF-8, ended by a zero byte.</summary>
    String,
}

/// <summary>One label of an enumeration field.</summary>
/// <param name="Label">The name that a viewer shows.</param>
/// <param name="Value">The value's 64 bits; for an unsigned underlying type, the same bits read as signed.</param>
public readonly record struct EnumerationLabel(string Label, long Value);

/// <summary>One field of a tracepoint.</summary>
/// <param name="Name">The field's name, as filters and viewers show it.</param>
/// <param name="Kind">What one value is.</param>
/// <param name="IsSequence">
/// True for a 4-byte unsigned element count followed by that many values of <paramref name="Kind"/> (never <see cref="FieldKind.String"/>).
/// </param>
/// <param name="Labels">For an enumeration, its labels in declaration order; the kind is then the underlying integer.</param>
public sealed record TracepointField(string Name, FieldKind Kind, bool IsSequence = false, EnumerationLabel[]? Labels = null);
