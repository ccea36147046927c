namespace Weir.Graph;

/// <summary>The attributes of DWARF that are looked at; others are passed over.</summary>
internal enum DwarfAttribute : byte
{
    None,
    Sibling,
    Name,
    StatementList,
    LowPc,
    HighPc,
    CompilationDirectory,
    AbstractOrigin,
    Specification,
    Ranges,
    CallFile,
    CallLine,
    StringOffsetsBase,
    AddressBase,
    RangeListsBase,
    Count,
}

/// <summary>The value of an attribute, as its form gives it: a number, an offset, an index, or where an inline text begins.</summary>
/// <param name="Form">The form; 0 where the entry has no such attribute.</param>
/// <param name="Bits">The value.</param>
internal readonly record struct DwarfValue(ushort Form, ulong Bits)
{
    public bool IsThere => Form != 0;

    /// <summary>Whether the form is a plain number.</summary>
    public bool IsConstant => Form is DwarfForms.Data1 or DwarfForms.Data2 or DwarfForms.Data4 or DwarfForms.Data8
        or DwarfForms.SignedData or DwarfForms.UnsignedData or DwarfForms.ImplicitConstant;
}

/// <summary>One debugging information entry; read over and over into one object.</summary>
internal sealed class DwarfDie
{
    private readonly DwarfValue[] _values = new DwarfValue[(int)DwarfAttribute.Count];

    public const ulong Subprogram = 0x2E;
    public const ulong InlinedSubroutine = 0x1D;

    /// <summary>The tag; 0 ends a list of children.</summary>
    public ulong Tag { get; private set; }

    public bool HasChildren { get; private set; }

    /// <summary>Where the entry begins in <c>.debug_info</c>.</summary>
    public int Offset { get; private set; }

    /// <summary>Where its children begin, or else what follows it.</summary>
    public int End { get; private set; }

    public ref readonly DwarfValue this[DwarfAttribute attribute] => ref _values[(int)attribute];

    /// <summary>Reads the entry at an offset.</summary>
    public void Read(DwarfUnit unit, DwarfAbbreviations abbreviations, ReadOnlySpan<byte> info, bool isBigEndian, int offset)
    {
        var reader = new ElfReader(info[..unit.End], isBigEndian, (ulong)offset);
        _values.AsSpan().Clear();
        Offset = offset;
        ulong code = reader.Uleb();
        (Tag, HasChildren) = (0, false);
        if (code != 0)
        {
            ref readonly var abbreviation = ref abbreviations.Find(code);
            (Tag, HasChildren) = (abbreviation.Tag, abbreviation.HasChildren);
            foreach (ref readonly var specification in abbreviations.SpecificationsOf(in abbreviation))
            {
                var value = DwarfForms.Read(ref reader, unit, specification.Form, specification.ImplicitValue);
                if (specification.Attribute != DwarfAttribute.None)
                    _values[(int)specification.Attribute] = value;
            }
        }
        End = reader.Position;
    }
}
