namespace Weir.Ctf;

/// <summary>
/// Which fields viewers show: those that say something about the trace's subject. What serves the reader only (lengths, times, IDs) is
/// left out, as babeltrace2 2.1 leaves it out of its trace IR.
/// </summary>
public static class FieldVisibility
{
    /// <summary>Whether fields of this class are shown.</summary>
    public static bool IsShown(FieldClass fieldClass) => fieldClass switch
    {
        // Only unsigned fields have a meaning for babeltrace2.
        IntegerFieldClass integer => integer.IsSigned || (integer.Role == FieldRole.None && integer.MappedClock is null),
        StaticArrayFieldClass array => array.Role == FieldRole.None && IsShown(array.Element),
        StaticBlobFieldClass blob => blob.Role == FieldRole.None,
        DynamicArrayFieldClass array => IsShown(array.Element),
        OptionalFieldClass optional => IsShown(optional.Content),
        VariantFieldClass variant => IsAnyShown(variant),
        // A structure of which nothing is left is shown empty.
        _ => true,
    };

    /// <summary>Whether a data stream class's packet context is shown: it is there, and something of it is left.</summary>
    public static bool IsContextShown(StructureFieldClass? packetContext) => packetContext is not null && CountShown(packetContext) > 0;

    /// <summary>Number of members that are shown.</summary>
    public static int CountShown(StructureFieldClass structure)
    {
        ArgumentNullException.ThrowIfNull(structure);
        int count = 0;
        foreach (var member in structure.Members)
            count += IsShown(member.Class) ? 1 : 0;
        return count;
    }

    private static bool IsAnyShown(VariantFieldClass variant)
    {
        foreach (var option in variant.Options)
        {
            if (IsShown(option.Class))
                return true;
        }
        return false;
    }
}
