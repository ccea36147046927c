using System.Text.Json.Nodes;

namespace Weir.Ctf;

/// <summary>Order of the bytes of a number; in CTF 1.8 it also gives the order of the bits inside a byte.</summary>
public enum ByteOrder : byte
{
    /// <summary>Least significant byte (and bit) first.</summary>
    LittleEndian,

    /// <summary>Most significant byte (and bit) first.</summary>
    BigEndian,
}

/// <summary>Order in which the bits of a number fill those of a byte.</summary>
public enum BitOrder : byte
{
    /// <summary>The byte order's own: little-endian numbers fill bytes from their least significant bit, big-endian ones from their most significant.</summary>
    Natural,

    /// <summary>From the byte's least significant bit.</summary>
    FirstToLast,

    /// <summary>From the byte's most significant bit.</summary>
    LastToFirst,
}

/// <summary>How text is encoded.</summary>
public enum TextEncoding : byte
{
    /// <summary>UTF-8, of which ASCII is a part.</summary>
    Utf8,

    /// <summary>UTF-16, most significant byte first.</summary>
    Utf16BigEndian,

    /// <summary>UTF-16, least significant byte first.</summary>
    Utf16LittleEndian,

    /// <summary>UTF-32, most significant byte first.</summary>
    Utf32BigEndian,

    /// <summary>UTF-32, least significant byte first.</summary>
    Utf32LittleEndian,
}

/// <summary>Base in which a person wants to see an integer.</summary>
public enum DisplayBase : byte
{
    /// <summary>Base 2.</summary>
    Binary = 2,

    /// <summary>Base 8.</summary>
    Octal = 8,

    /// <summary>Base 10.</summary>
    Decimal = 10,

    /// <summary>Base 16.</summary>
    Hexadecimal = 16,
}

/// <summary>What a field means to the reader of a trace, beside its value.</summary>
public enum FieldRole : byte
{
    /// <summary>Nothing beside its value.</summary>
    None,

    /// <summary>The packet header's constant 0xC1FC1FC1.</summary>
    PacketMagicNumber,

    /// <summary>The packet header's copy of the trace's UUID (16 bytes).</summary>
    TraceUuid,

    /// <summary>The packet header's data stream class ID.</summary>
    DataStreamClassId,

    /// <summary>The packet header's data stream ID.</summary>
    DataStreamId,

    /// <summary>The packet context's total length, in bits.</summary>
    PacketTotalLength,

    /// <summary>The packet context's content length, in bits.</summary>
    PacketContentLength,

    /// <summary>Time at which the packet begins, in clock cycles.</summary>
    PacketBeginTime,

    /// <summary>Time at which the packet ends, in clock cycles.</summary>
    PacketEndTime,

    /// <summary>Events discarded since the stream began, as counted when the packet ended.</summary>
    DiscardedEventCount,

    /// <summary>The packet's number within its stream.</summary>
    PacketSequenceNumber,

    /// <summary>The event header's event class ID.</summary>
    EventClassId,
}

/// <summary>
/// The layout and meaning of one field. Immutable once the trace class that holds it is in use, and then safe to read from several
/// threads. One instance may stand at several places of a trace class.
/// </summary>
public abstract class FieldClass
{
    private protected FieldClass(int alignmentBits)
    {
        if (!IsValidAlignment(alignmentBits))
            throw new ArgumentOutOfRangeException(nameof(alignmentBits), alignmentBits, "An alignment is a power of two, from 1 to 2^30 bits.");
        AlignmentBits = alignmentBits;
    }

    /// <summary>The field begins at a multiple of this many bits from the packet's beginning; a power of two.</summary>
    public int AlignmentBits { get; }

    /// <summary>What the producer has noted on the class, by namespace (CTF 2's <c>attributes</c>), or null.</summary>
    public JsonObject? Attributes { get; init; }

    /// <summary>Whether <paramref name="alignmentBits"/> may be an alignment: a power of two, from 1 to 2^30.</summary>
    public static bool IsValidAlignment(long alignmentBits) =>
        alignmentBits is > 0 and <= 1 << 30 && (alignmentBits & (alignmentBits - 1)) == 0;
}

/// <summary>A field of a fixed number of bits, which may begin at any bit.</summary>
public abstract class BitsFieldClass : FieldClass
{
    private protected BitsFieldClass(int sizeBits, int alignmentBits)
        : base(alignmentBits)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sizeBits, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sizeBits, 64);
        SizeBits = sizeBits;
    }

    /// <summary>Length in bits, 1 to 64.</summary>
    public int SizeBits { get; }

    /// <summary>Order of bytes.</summary>
    public ByteOrder ByteOrder { get; init; }

    /// <summary>Order of bits inside a byte.</summary>
    public BitOrder BitOrder { get; init; }

    /// <summary>Whether the order of bits is not the byte order's own.</summary>
    public bool IsBitOrderReversed => BitOrder == (ByteOrder == ByteOrder.LittleEndian ? BitOrder.LastToFirst : BitOrder.FirstToLast);
}

/// <summary>
/// An integer of a fixed or a variable length. With <see cref="Mappings"/> it is an enumeration.
/// </summary>
public sealed class IntegerFieldClass : BitsFieldClass
{
    /// <summary>Creates an integer field class.</summary>
    /// <param name="sizeBits">Length, 1 to 64 bits.</param>
    /// <param name="isSigned">Whether values are two's complement.</param>
    /// <param name="alignmentBits">Alignment; a power of two.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size or the alignment is out of its range.</exception>
    public IntegerFieldClass(int sizeBits, bool isSigned = false, int alignmentBits = 8)
        : base(sizeBits, alignmentBits) => IsSigned = isSigned;

    /// <summary>Whether values are two's complement.</summary>
    public bool IsSigned { get; }

    /// <summary>
    /// Whether values are in LEB128 (CTF 2's variable-length integers): as many bytes as the value needs. <see cref="BitsFieldClass.SizeBits"/>
    /// is then 64, the most that a value may have.
    /// </summary>
    public bool IsVariableLength { get; init; }

    /// <summary>Base for display.</summary>
    public DisplayBase DisplayBase { get; init; } = DisplayBase.Decimal;

    /// <summary>The clock whose value this field updates, or null. The field then holds the value's low bits.</summary>
    public ClockClass? MappedClock { get; init; }

    /// <summary>The labels of an enumeration in declaration order, or null for a plain integer.</summary>
    public IReadOnlyList<EnumerationMapping>? Mappings { get; init; }

    /// <summary>What the value means to the reader; with several roles, the first.</summary>
    public FieldRole Role { get; init; }

    /// <summary>What else the value means (CTF 2 allows several roles), mostly nothing.</summary>
    public IReadOnlyList<FieldRole> OtherRoles { get; init; } = [];

    /// <summary>This class with other options: every property that is not given keeps its value.</summary>
    public IntegerFieldClass With(
        FieldRole? role = null, IReadOnlyList<EnumerationMapping>? mappings = null, ClockClass? mappedClock = null, int? alignmentBits = null) =>
        new(SizeBits, IsSigned, alignmentBits ?? AlignmentBits)
        {
            ByteOrder = ByteOrder,
            BitOrder = BitOrder,
            Attributes = Attributes,
            IsVariableLength = IsVariableLength,
            DisplayBase = DisplayBase,
            MappedClock = mappedClock ?? MappedClock,
            Mappings = mappings ?? Mappings,
            Role = role ?? Role,
            OtherRoles = OtherRoles,
        };
}

/// <summary>An IEEE 754 binary floating point number of 32 or 64 bits.</summary>
public sealed class FloatingPointFieldClass : BitsFieldClass
{
    /// <summary>Creates a floating point field class.</summary>
    /// <param name="sizeBits">32 or 64.</param>
    /// <param name="alignmentBits">Alignment; a power of two.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size is neither 32 nor 64, or the alignment is no power of two.</exception>
    public FloatingPointFieldClass(int sizeBits, int alignmentBits = 8)
        : base(sizeBits, alignmentBits)
    {
        if (sizeBits is not (32 or 64))
            throw new ArgumentOutOfRangeException(nameof(sizeBits), sizeBits, "A floating point number has 32 or 64 bits.");
    }
}

/// <summary>Text that ends with a zero code unit; byte-aligned.</summary>
public sealed class StringFieldClass() : FieldClass(8)
{
    /// <summary>How the text is encoded.</summary>
    public TextEncoding Encoding { get; init; }
}

/// <summary>A fixed number of elements.</summary>
public sealed class StaticArrayFieldClass : FieldClass
{
    /// <summary>Creates an array of <paramref name="length"/> elements.</summary>
    /// <param name="element">The class of each element.</param>
    /// <param name="length">Number of elements.</param>
    /// <param name="minimumAlignmentBits">The array begins at a multiple of at least this.</param>
    public StaticArrayFieldClass(FieldClass element, ulong length, int minimumAlignmentBits = 1)
        : base(LargerAlignment(element, minimumAlignmentBits))
    {
        Element = element;
        Length = length;
        MinimumAlignmentBits = minimumAlignmentBits;
    }

    /// <summary>The class of each element.</summary>
    public FieldClass Element { get; }

    /// <summary>Number of elements; a value from metadata, so never a size to allocate.</summary>
    public ulong Length { get; }

    /// <summary>What the bytes mean to the reader (<see cref="FieldRole.TraceUuid"/> or nothing).</summary>
    public FieldRole Role { get; init; }

    /// <summary>The alignment that was asked for beside the elements' own (CTF 2).</summary>
    public int MinimumAlignmentBits { get; }

    internal static int LargerAlignment(FieldClass element, int minimumAlignmentBits)
    {
        ArgumentNullException.ThrowIfNull(element);
        return Math.Max(element.AlignmentBits, minimumAlignmentBits);
    }
}

/// <summary>As many elements as an earlier unsigned integer field says.</summary>
public sealed class DynamicArrayFieldClass : FieldClass
{
    /// <summary>Creates an array whose length lies at <paramref name="lengthLocation"/>.</summary>
    /// <param name="element">The class of each element.</param>
    /// <param name="lengthLocation">Where the number of elements lies.</param>
    /// <param name="minimumAlignmentBits">The array begins at a multiple of at least this.</param>
    public DynamicArrayFieldClass(FieldClass element, FieldLocation lengthLocation, int minimumAlignmentBits = 1)
        : base(StaticArrayFieldClass.LargerAlignment(element, minimumAlignmentBits))
    {
        ArgumentNullException.ThrowIfNull(lengthLocation);
        Element = element;
        LengthLocation = lengthLocation;
        MinimumAlignmentBits = minimumAlignmentBits;
    }

    /// <summary>The class of each element.</summary>
    public FieldClass Element { get; }

    /// <summary>Where the number of elements lies.</summary>
    public FieldLocation LengthLocation { get; }

    /// <summary>The alignment that was asked for beside the elements' own (CTF 2).</summary>
    public int MinimumAlignmentBits { get; }
}

/// <summary>One member of a structure.</summary>
/// <param name="Name">
/// The name as people see it. TSDL's leading underscore is no part of it: the reader takes one off, the writer puts it on where a
/// keyword could clash.
/// </param>
/// <param name="Class">The member's class.</param>
public sealed record StructureMember(string Name, FieldClass Class)
{
    /// <summary>What the producer has noted on the member, or null.</summary>
    public JsonObject? Attributes { get; init; }
}

/// <summary>Named members, one after the other, each at its own alignment.</summary>
public sealed class StructureFieldClass : FieldClass
{
    /// <summary>Creates a structure.</summary>
    /// <param name="members">The members in order; names are unique.</param>
    /// <param name="minimumAlignmentBits">The structure's alignment is at least this and at least each member's.</param>
    /// <exception cref="ArgumentException">Two members have one name.</exception>
    public StructureFieldClass(IReadOnlyList<StructureMember> members, int minimumAlignmentBits = 1)
        : base(LargestAlignment(members, minimumAlignmentBits))
    {
        Members = members;
        MinimumAlignmentBits = minimumAlignmentBits;
        var names = new HashSet<string>(members.Count, StringComparer.Ordinal);
        foreach (var member in members)
        {
            if (!names.Add(member.Name))
                throw new ArgumentException($"Two members of a structure are named '{member.Name}'.", nameof(members));
        }
    }

    /// <summary>The members in order.</summary>
    public IReadOnlyList<StructureMember> Members { get; }

    /// <summary>The alignment that was asked for beside the members' own.</summary>
    public int MinimumAlignmentBits { get; }

    /// <summary>The class of the member named <paramref name="name"/>, or null.</summary>
    public FieldClass? Find(string name)
    {
        foreach (var member in Members)
        {
            if (member.Name == name)
                return member.Class;
        }
        return null;
    }

    private static int LargestAlignment(IReadOnlyList<StructureMember> members, int minimumAlignmentBits)
    {
        ArgumentNullException.ThrowIfNull(members);
        int alignmentBits = minimumAlignmentBits;
        foreach (var member in members)
            alignmentBits = Math.Max(alignmentBits, member.Class.AlignmentBits);
        return alignmentBits;
    }
}
