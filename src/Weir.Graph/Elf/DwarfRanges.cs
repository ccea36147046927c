namespace Weir.Graph;

/// <summary>Reads the ranges of addresses that an entry covers.</summary>
internal static class DwarfRanges
{
    /// <summary>Adds the ranges of an entry; of one that covers nothing, none.</summary>
    public static void AddOf(DwarfSections sections, DwarfUnit unit, DwarfDie die, List<(ulong Low, ulong High)> ranges)
    {
        var (low, high) = (die[DwarfAttribute.LowPc], die[DwarfAttribute.HighPc]);
        if (low.IsThere && high.IsThere)
        {
            ulong start = sections.Address(unit, low);
            ranges.Add((start, high.IsConstant ? unchecked(start + high.Bits) : sections.Address(unit, high)));
            return;
        }
        var list = die[DwarfAttribute.Ranges];
        if (!list.IsThere)
            return;
        if (unit.Version >= 5)
            AddList(sections, unit, list, ranges);
        else
            AddOldList(sections, unit, list.Bits, ranges);
    }

    private static void AddOldList(DwarfSections sections, DwarfUnit unit, ulong offset, List<(ulong Low, ulong High)> ranges)
    {
        var reader = new ElfReader(sections.Ranges, sections.IsBigEndian, offset);
        ulong largest = ulong.MaxValue >> (64 - (unit.AddressSize * 8));
        ulong origin = unit.BaseAddress;
        while (true)
        {
            ulong low = reader.Unsigned(unit.AddressSize);
            ulong high = reader.Unsigned(unit.AddressSize);
            if (low == 0 && high == 0)
                return;
            if (low == largest)
                origin = high;
            else
                Add(ranges, unchecked(origin + low), unchecked(origin + high));
        }
    }

    private static void AddList(DwarfSections sections, DwarfUnit unit, DwarfValue list, List<(ulong Low, ulong High)> ranges)
    {
        ulong offset = list.Bits;
        if (list.Form == DwarfForms.RangeListIndex)
        {
            ulong place = DwarfSections.Place(unit.RangeListsBase, offset, unit.Is64 ? 8 : 4);
            offset = unchecked(unit.RangeListsBase + new ElfReader(sections.RangeLists, sections.IsBigEndian, place).Word(unit.Is64));
        }
        var reader = new ElfReader(sections.RangeLists, sections.IsBigEndian, offset);
        ulong origin = unit.BaseAddress;
        while (true)
        {
            int kind = reader.Byte();
            switch (kind)
            {
                case 0:
                    return;
                case 1:
                    origin = sections.IndexedAddress(unit, reader.Uleb());
                    break;
                case 2 or 3 or 6 or 7:
                    ulong low = kind <= 3 ? sections.IndexedAddress(unit, reader.Uleb()) : reader.Unsigned(unit.AddressSize);
                    ulong high = kind == 2 ? sections.IndexedAddress(unit, reader.Uleb())
                        : kind == 6 ? reader.Unsigned(unit.AddressSize) : unchecked(low + reader.Uleb());
                    Add(ranges, low, high);
                    break;
                case 4:
                    ulong from = reader.Uleb();
                    Add(ranges, unchecked(origin + from), unchecked(origin + reader.Uleb()));
                    break;
                case 5:
                    origin = reader.Unsigned(unit.AddressSize);
                    break;
                default:
                    throw new BadElfException("a range list has an unknown entry");
            }
        }
    }

    private static void Add(List<(ulong Low, ulong High)> ranges, ulong low, ulong high)
    {
        // Of real code nobody has so many pieces; a bad file could name one long list often.
        if (ranges.Count >= 1 << 16)
            throw new BadElfException("an entry covers too many ranges");
        ranges.Add((low, high));
    }
}
