using System.Runtime.InteropServices;

namespace Weir.Graph;

/// <summary>One table of <c>.debug_abbrev</c>: what the entries of units look like.</summary>
internal sealed class DwarfAbbreviations
{
    private readonly Dictionary<ulong, Abbreviation> _byCode = [];
    private readonly List<Specification> _specifications = [];

    /// <summary>Reads the table at an offset.</summary>
    public DwarfAbbreviations(byte[] section, bool isBigEndian, ulong offset)
    {
        Offset = offset;
        var reader = new ElfReader(section, isBigEndian, offset);
        int start = reader.Position;
        for (ulong code = reader.Uleb(); code != 0; code = reader.Uleb())
        {
            ulong tag = reader.Uleb();
            bool hasChildren = reader.Byte() != 0;
            int first = _specifications.Count;
            while (true)
            {
                ulong attribute = reader.Uleb();
                ulong form = reader.Uleb();
                long implicitValue = form == DwarfForms.ImplicitConstant ? reader.Sleb() : 0;
                if (attribute == 0 && form == 0)
                    break;
                _specifications.Add(new Specification(Known(attribute), form, implicitValue));
            }
            _byCode.TryAdd(code, new Abbreviation(tag, hasChildren, first, _specifications.Count - first));
        }
        LengthBytes = reader.Position - start;
    }

    /// <summary>Where the table begins.</summary>
    public ulong Offset { get; }

    /// <summary>Bytes of the table.</summary>
    public int LengthBytes { get; }

    public ref readonly Abbreviation Find(ulong code)
    {
        ref var found = ref CollectionsMarshal.GetValueRefOrNullRef(_byCode, code);
        if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref found))
            throw new BadElfException("an entry's abbreviation is missing");
        return ref found;
    }

    public ReadOnlySpan<Specification> SpecificationsOf(in Abbreviation abbreviation) =>
        CollectionsMarshal.AsSpan(_specifications).Slice(abbreviation.First, abbreviation.Count);

    private static DwarfAttribute Known(ulong attribute) => attribute switch
    {
        0x01 => DwarfAttribute.Sibling,
        0x03 => DwarfAttribute.Name,
        0x10 => DwarfAttribute.StatementList,
        0x11 => DwarfAttribute.LowPc,
        0x12 => DwarfAttribute.HighPc,
        0x1B => DwarfAttribute.CompilationDirectory,
        0x31 => DwarfAttribute.AbstractOrigin,
        0x47 => DwarfAttribute.Specification,
        0x55 => DwarfAttribute.Ranges,
        0x58 => DwarfAttribute.CallFile,
        0x59 => DwarfAttribute.CallLine,
        0x72 => DwarfAttribute.StringOffsetsBase,
        0x73 => DwarfAttribute.AddressBase,
        0x74 => DwarfAttribute.RangeListsBase,
        _ => DwarfAttribute.None,
    };

    internal readonly record struct Abbreviation(ulong Tag, bool HasChildren, int First, int Count);

    internal readonly record struct Specification(DwarfAttribute Attribute, ulong Form, long ImplicitValue);
}
