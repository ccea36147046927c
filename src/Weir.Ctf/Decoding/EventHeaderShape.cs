namespace Weir.Ctf;

/// <summary>Event headers that are decoded by straight-line code.</summary>
internal enum EventHeaderShape : byte
{
    /// <summary>Any other: its program is run.</summary>
    General,

    /// <summary>LTTng's compact header: 5 bits of ID, 27 of time; ID 31 is followed by both in full.</summary>
    Compact,

    /// <summary>LTTng's large header: 16 bits of ID, 32 of time; ID 65535 is followed by both in full.</summary>
    Large,
}

/// <summary>Recognizes LTTng's event headers by their classes, whoever wrote the metadata.</summary>
internal static class EventHeaderShapes
{
    public static EventHeaderShape Recognize(StructureFieldClass? header, Dictionary<FieldLocation, int> slots)
    {
        if (header is not { Members: [{ Class: IntegerFieldClass id }, { Class: VariantFieldClass { Options: [var compact, var extended] } variant }] }
            || header.AlignmentBits != 8
            || id is not { ByteOrder: ByteOrder.LittleEndian, IsSigned: false, IsBitOrderReversed: false, Role: FieldRole.EventClassId, OtherRoles.Count: 0, MappedClock: null }
            || !variant.SelectorLocation.Equals(new FieldLocation(FieldScope.EventHeader, header.Members[0].Name))
            || !IsRange(compact, 0, (1L << id.SizeBits) - 2) || !IsRange(extended, (1L << id.SizeBits) - 1, (1L << id.SizeBits) - 1)
            || HasOtherUsers(slots, variant.SelectorLocation)
            || compact.Class is not StructureFieldClass { Members: [{ Class: IntegerFieldClass time }] } inner
            || time is not { ByteOrder: ByteOrder.LittleEndian, IsSigned: false, IsBitOrderReversed: false, Role: FieldRole.None, MappedClock: not null })
            return EventHeaderShape.General;
        return (id.SizeBits, time.SizeBits) switch
        {
            (5, 27) when inner.AlignmentBits == 1 && id.AlignmentBits <= 8 => EventHeaderShape.Compact,
            (16, 32) when inner.AlignmentBits <= 8 => EventHeaderShape.Large,
            _ => EventHeaderShape.General,
        };
    }

    /// <summary>
    /// LTTng's header that a recognized shape is, if its extended form is laid out as on x86-64 too: byte-aligned and little-endian.
    /// </summary>
    public static LttngEventHeader? ToLttng(EventHeaderShape shape, StructureFieldClass? header)
    {
        if (shape == EventHeaderShape.General
            || ((VariantFieldClass)header!.Members[1].Class).Options[1].Class is not StructureFieldClass
            {
                AlignmentBits: 8,
                Members:
                [
                    { Class: IntegerFieldClass { SizeBits: 32, AlignmentBits: 8, ByteOrder: ByteOrder.LittleEndian, IsSigned: false, Role: FieldRole.EventClassId } },
                    { Class: IntegerFieldClass { SizeBits: 64, AlignmentBits: 8, ByteOrder: ByteOrder.LittleEndian, IsSigned: false, MappedClock: not null } },
                ],
            })
            return null;
        return shape == EventHeaderShape.Compact ? LttngEventHeader.Compact : LttngEventHeader.Large;
    }

    private static bool IsRange(VariantOption option, long lower, long upper) =>
        option.Ranges is [var range] && range == new IntegerRange(lower, upper);

    /// <summary>Whether another field of the header is needed later; the straight-line code keeps none.</summary>
    private static bool HasOtherUsers(Dictionary<FieldLocation, int> slots, FieldLocation selector)
    {
        foreach (var location in slots.Keys)
        {
            if (location.Origin == FieldScope.EventHeader && !location.Equals(selector))
                return true;
        }
        return false;
    }
}
