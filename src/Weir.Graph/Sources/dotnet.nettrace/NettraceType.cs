namespace Weir.Graph;

/// <summary>How a field lies in a payload. The numbers up to 25 are those that metadata has.</summary>
internal enum NettraceTypeKind : byte
{
    Object = 1,

    /// <summary>4 bytes.</summary>
    Boolean = 3,
    Utf16Unit = 4,
    SByte = 5,
    Byte = 6,
    Int16 = 7,
    UInt16 = 8,
    Int32 = 9,
    UInt32 = 10,
    Int64 = 11,
    UInt64 = 12,
    Single = 13,
    Double = 14,
    Decimal = 15,

    /// <summary>8 bytes: 100 ns from the year 1601.</summary>
    DateTime = 16,
    Guid = 17,

    /// <summary>UTF-16 up to its zero.</summary>
    Text16 = 18,

    /// <summary>Elements behind their number in 2 bytes.</summary>
    Array = 19,
    VariableInt = 20,
    VariableUInt = 21,

    /// <summary>As many elements as the type says.</summary>
    FixedArray = 22,
    Utf8Unit = 23,

    /// <summary>Offset (from behind the field) and length of an array elsewhere in the payload, 2 bytes each.</summary>
    RelativeLocation = 24,

    /// <summary>The same, from the payload's beginning.</summary>
    DataLocation = 25,

    /// <summary>One byte a character up to a zero; only in the tables of known events.</summary>
    Text8 = 100,

    /// <summary>As many elements as an earlier field of the same structure says; only in the tables of known events.</summary>
    CountedArray,

    /// <summary>An address, as long as the trace's pointers; only in the tables of known events.</summary>
    Pointer,
}

/// <summary>The type of a field.</summary>
/// <param name="Kind">What it is.</param>
internal sealed record NettraceType(NettraceTypeKind Kind)
{
    /// <summary>Of an array: the type of its elements.</summary>
    public NettraceType? Element { get; init; }

    /// <summary>Of an object: its members.</summary>
    public IReadOnlyList<NettraceField> Members { get; init; } = [];

    /// <summary>Of an array of a fixed length: that length.</summary>
    public int Length { get; init; }

    /// <summary>Of a counted array: the name of the field that counts.</summary>
    public string? LengthName { get; init; }

    /// <summary>Bytes of a number; 0 for everything else.</summary>
    public int NumberBytes(int pointerBytes) => Kind switch
    {
        NettraceTypeKind.SByte or NettraceTypeKind.Byte => 1,
        NettraceTypeKind.Int16 or NettraceTypeKind.UInt16 => 2,
        NettraceTypeKind.Int32 or NettraceTypeKind.UInt32 or NettraceTypeKind.Single => 4,
        NettraceTypeKind.Int64 or NettraceTypeKind.UInt64 or NettraceTypeKind.Double => 8,
        NettraceTypeKind.Pointer => pointerBytes,
        _ => 0,
    };
}

/// <summary>A field of a payload.</summary>
/// <param name="Name">Its name; not always unique, and possibly empty.</param>
/// <param name="Type">Its type.</param>
internal sealed record NettraceField(string Name, NettraceType Type);
