namespace Weir.Ctf;

/// <content>Numbers.</content>
internal sealed partial class FieldLowering
{
    private IntegerFieldClass LowerInteger(IntegerFieldClass integer)
    {
        bool is18 = _version == CtfVersion.Ctf18;
        bool isFixed = integer.IsVariableLength && is18;
        var mappings = LowerMappings(integer.Mappings);
        bool isTurned = MustTurn(integer);
        if (!isFixed && !isTurned && integer is { Role: FieldRole.None, OtherRoles.Count: 0, MappedClock: null } && mappings == integer.Mappings)
            return integer;
        _isCopy &= !isFixed && !isTurned && integer.MappedClock is null;
        return new IntegerFieldClass(integer.SizeBits, integer.IsSigned, integer.AlignmentBits)
        {
            ByteOrder = isFixed || isTurned ? ByteOrder.LittleEndian : integer.ByteOrder,
            IsVariableLength = integer.IsVariableLength && !isFixed,
            DisplayBase = integer.DisplayBase,
            Mappings = mappings,
            Attributes = integer.Attributes,
        };
    }

    /// <summary>Neither version can write a label without values, nor TSDL an enumeration without labels.</summary>
    private IReadOnlyList<EnumerationMapping>? LowerMappings(IReadOnlyList<EnumerationMapping>? mappings)
    {
        if (mappings is null)
            return null;
        var kept = new List<EnumerationMapping>();
        foreach (var mapping in mappings)
        {
            if (mapping.Ranges.Count > 0)
                kept.Add(mapping);
        }
        if (kept.Count == 0 && _version == CtfVersion.Ctf18)
            return null;
        return kept.Count == mappings.Count ? mappings : kept;
    }

    private FieldClass LowerBoolean(BooleanFieldClass boolean)
    {
        bool isTurned = MustTurn(boolean);
        _isCopy &= !isTurned;
        var order = isTurned ? ByteOrder.LittleEndian : boolean.ByteOrder;
        if (_version == CtfVersion.Ctf2)
            return isTurned ? new BooleanFieldClass(boolean.SizeBits, boolean.AlignmentBits) { Attributes = boolean.Attributes } : boolean;
        // Whatever bits are set, true is 1.
        _isCopy = false;
        return new IntegerFieldClass(boolean.SizeBits, alignmentBits: boolean.AlignmentBits) { ByteOrder = order };
    }

    private FieldClass LowerBitArray(BitArrayFieldClass bits)
    {
        bool isTurned = MustTurn(bits);
        _isCopy &= !isTurned;
        if (_version == CtfVersion.Ctf2)
            return isTurned ? new BitArrayFieldClass(bits.SizeBits, bits.AlignmentBits) { Flags = bits.Flags, Attributes = bits.Attributes } : bits;
        return new IntegerFieldClass(bits.SizeBits, alignmentBits: bits.AlignmentBits)
        {
            ByteOrder = isTurned ? ByteOrder.LittleEndian : bits.ByteOrder,
            // babeltrace2 prints 0x0 for any integer of 61 to 63 bits.
            DisplayBase = bits.SizeBits is > 60 and < 64 ? DisplayBase.Decimal : DisplayBase.Hexadecimal,
        };
    }

    private FloatingPointFieldClass LowerReal(FloatingPointFieldClass real)
    {
        if (!MustTurn(real))
            return real;
        _isCopy = false;
        return new FloatingPointFieldClass(real.SizeBits, real.AlignmentBits) { Attributes = real.Attributes };
    }

    /// <summary>Whether a number is written little-endian, with the bits' own order, whatever it was.</summary>
    private static bool MustTurn(BitsFieldClass number) =>
        number.IsBitOrderReversed || (number.ByteOrder == ByteOrder.BigEndian && number.AlignmentBits < 8);
}
