namespace Weir.Ctf;

/// <summary>
/// A field class as TSDL declares it, before its references (lengths, tags) are resolved. A named type is one draft that may stand
/// at many places; each place is lowered to a field class of its own, because what a reference means depends on the place.
/// </summary>
internal abstract class TsdlDraft
{
    /// <summary>Alignment that a member of this draft has, in bits.</summary>
    public abstract int AlignmentBits { get; }

    /// <summary>Nesting depth, so that hostile metadata cannot exhaust the stack.</summary>
    public abstract int Depth { get; }
}

/// <summary>An integer, enumeration, floating point number or string: nothing to resolve.</summary>
internal sealed class TsdlLeaf(FieldClass fieldClass, bool isText = false) : TsdlDraft
{
    public FieldClass Class => fieldClass;

    /// <summary>Whether an array of this integer is text: it has an encoding.</summary>
    public bool IsText => isText;

    /// <summary>Whether an array of it is text to the byte; wider integers with an encoding are numbers.</summary>
    public bool IsTextElement => isText && fieldClass is IntegerFieldClass { SizeBits: 8, AlignmentBits: 8, Mappings: null };

    public override int AlignmentBits => fieldClass.AlignmentBits;

    public override int Depth => 1;
}

/// <summary>A member or an option under its name in TSDL.</summary>
internal readonly record struct TsdlMember(string Name, TsdlDraft Draft, int Position);

/// <summary>A structure, or the options of a variant.</summary>
internal abstract class TsdlCompound : TsdlDraft
{
    private int _depth = 1;

    public List<TsdlMember> Members { get; } = [];

    public override int Depth => _depth;

    public void Add(TsdlMember member)
    {
        Members.Add(member);
        _depth = Math.Max(_depth, member.Draft.Depth + 1);
    }

    public int IndexOf(string name)
    {
        for (int i = 0; i < Members.Count; i++)
        {
            if (Members[i].Name == name)
                return i;
        }
        return -1;
    }
}

internal sealed class TsdlStructure : TsdlCompound
{
    public int MinimumAlignmentBits { get; set; } = 1;

    public override int AlignmentBits
    {
        get
        {
            int alignmentBits = MinimumAlignmentBits;
            foreach (var member in Members)
                alignmentBits = Math.Max(alignmentBits, member.Draft.AlignmentBits);
            return alignmentBits;
        }
    }
}

internal sealed class TsdlVariant : TsdlCompound
{
    /// <summary>The path of the tag, or null where the variant has none yet.</summary>
    public string? Tag { get; init; }

    public int Position { get; init; }

    public override int AlignmentBits => 1;

    public TsdlVariant WithTag(string tag, int position)
    {
        var tagged = new TsdlVariant { Tag = tag, Position = position };
        foreach (var member in Members)
            tagged.Add(member);
        return tagged;
    }
}

internal sealed class TsdlArray(TsdlDraft element, ulong length, string? lengthReference, int position) : TsdlDraft
{
    public TsdlDraft Element => element;

    public ulong Length => length;

    /// <summary>The path of the length, or null where the length is constant.</summary>
    public string? LengthReference => lengthReference;

    public int Position => position;

    public override int AlignmentBits => element.AlignmentBits;

    public override int Depth { get; } = element.Depth + 1;
}
