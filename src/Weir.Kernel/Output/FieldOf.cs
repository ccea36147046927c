using Weir.Ctf;
using Weir.Graph;

namespace Weir.Kernel;

/// <summary>Describes fields of events that are written one by one, all of them byte-aligned.</summary>
internal static class FieldOf
{
    public static StructureMember Int32(string name) => new(name, new IntegerFieldClass(32, isSigned: true));

    public static StructureMember UInt8(string name) => new(name, new IntegerFieldClass(8));

    public static StructureMember UInt16(string name) => new(name, new IntegerFieldClass(16));

    public static StructureMember UInt32(string name) => new(name, new IntegerFieldClass(32));

    public static StructureMember UInt64(string name) => new(name, new IntegerFieldClass(64));

    public static StructureMember Hex32(string name) => new(name, new IntegerFieldClass(32) { DisplayBase = DisplayBase.Hexadecimal });

    public static StructureMember Hex64(string name) => new(name, new IntegerFieldClass(64) { DisplayBase = DisplayBase.Hexadecimal });

    public static StructureMember Octal32(string name) => new(name, new IntegerFieldClass(32) { DisplayBase = DisplayBase.Octal });

    public static StructureMember Text(string name) => new(name, new StringFieldClass());

    /// <summary>A number with names for its values.</summary>
    public static StructureMember Labelled(string name, int sizeBits, params ReadOnlySpan<(string Label, long Value)> labels)
    {
        var mappings = new List<EnumerationMapping>();
        foreach (var (label, value) in labels)
            mappings.Add(new EnumerationMapping(label, value));
        return new StructureMember(name, new IntegerFieldClass(sizeBits) { Mappings = mappings });
    }

    /// <summary>A sequence of numbers in hexadecimal: two members, the length first.</summary>
    public static StructureMember[] HexSequence(string name, int sizeBits)
    {
        var (length, elements) = LttngLayout.CreateSequence(name, new IntegerFieldClass(sizeBits) { DisplayBase = DisplayBase.Hexadecimal });
        return [length, elements];
    }
}
