namespace Weir.Graph;

/// <summary>How the values of attributes are encoded (DWARF 5, 7.5.6, and GNU's own).</summary>
internal static class DwarfForms
{
    public const ushort Address = 0x01;
    public const ushort Data2 = 0x05;
    public const ushort Data4 = 0x06;
    public const ushort Data8 = 0x07;
    public const ushort String = 0x08;
    public const ushort Data1 = 0x0B;
    public const ushort SignedData = 0x0D;
    public const ushort StringOffset = 0x0E;
    public const ushort UnsignedData = 0x0F;
    public const ushort ReferenceAddress = 0x10;
    public const ushort Reference1 = 0x11;
    public const ushort Reference2 = 0x12;
    public const ushort Reference4 = 0x13;
    public const ushort Reference8 = 0x14;
    public const ushort ReferenceUnsigned = 0x15;
    public const ushort Indirect = 0x16;
    public const ushort StringIndex = 0x1A;
    public const ushort AddressIndex = 0x1B;
    public const ushort Data16 = 0x1E;
    public const ushort LineStringOffset = 0x1F;
    public const ushort ImplicitConstant = 0x21;
    public const ushort RangeListIndex = 0x23;
    public const ushort StringIndex1 = 0x25;
    public const ushort StringIndex4 = 0x28;
    public const ushort AddressIndex1 = 0x29;
    public const ushort AddressIndex4 = 0x2C;

    /// <summary>Reads a value, or passes over one that means nothing here.</summary>
    /// <param name="reader">At the value.</param>
    /// <param name="unit">The unit, for the sizes of addresses and offsets.</param>
    /// <param name="form">The form.</param>
    /// <param name="implicitValue">The value of <see cref="ImplicitConstant"/>, which stands with the abbreviation.</param>
    public static DwarfValue Read(ref ElfReader reader, DwarfUnit unit, ulong form, long implicitValue)
    {
        if (form == Indirect)
        {
            form = reader.Uleb();
            if (form is Indirect or ImplicitConstant)
                throw new BadElfException("a form leads nowhere");
        }
        ulong bits = form switch
        {
            String => (ulong)reader.Position,
            SignedData => (ulong)reader.Sleb(),
            UnsignedData or ReferenceUnsigned or StringIndex or AddressIndex or 0x22 or RangeListIndex or 0x1F01 or 0x1F02 => reader.Uleb(),
            ImplicitConstant => (ulong)implicitValue,
            // A flag that is there.
            0x19 => 1,
            Address => reader.Unsigned(unit.AddressSize),
            ReferenceAddress => reader.Unsigned(unit.Version < 3 ? unit.AddressSize : unit.Is64 ? 8 : 4),
            StringOffset or LineStringOffset or 0x17 or 0x1D or 0x1F20 or 0x1F21 => reader.Word(unit.Is64),
            // A checksum's 16 bytes, and blocks with their length before them.
            Data16 => Pass(ref reader, 16),
            0x0A => Pass(ref reader, reader.Byte()),
            0x03 => Pass(ref reader, reader.UInt16()),
            0x04 => Pass(ref reader, reader.UInt32()),
            0x09 or 0x18 => Pass(ref reader, reader.Uleb()),
            _ => reader.Unsigned(SizeOf(form)),
        };
        if (form == String)
            reader.Text();
        return new DwarfValue((ushort)form, bits);
    }

    private static int SizeOf(ulong form) => form switch
    {
        Data1 or 0x0C or Reference1 or StringIndex1 or AddressIndex1 => 1,
        Data2 or Reference2 or 0x26 or 0x2A => 2,
        0x27 or 0x2B => 3,
        Data4 or Reference4 or 0x1C or StringIndex4 or AddressIndex4 => 4,
        Data8 or Reference8 or 0x20 or 0x24 => 8,
        _ => throw new BadElfException($"an attribute has the unknown form 0x{form:x}"),
    };

    private static ulong Pass(ref ElfReader reader, ulong lengthBytes)
    {
        reader.Take(lengthBytes);
        return lengthBytes;
    }
}
