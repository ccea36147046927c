namespace Weir.Ctf;

/// <summary>A field that is there or not, as an earlier boolean or integer field (the selector) says. Has no alignment of its own.</summary>
/// <param name="selectorLocation">Where the selector lies.</param>
/// <param name="content">The class of the field where it is there.</param>
public sealed class OptionalFieldClass(FieldLocation selectorLocation, FieldClass content) : FieldClass(1)
{
    /// <summary>Where the selector lies.</summary>
    public FieldLocation SelectorLocation => selectorLocation;

    /// <summary>The class of the field where it is there.</summary>
    public FieldClass Content => content;

    /// <summary>The selector's values with which the field is there; null where the selector is a boolean, with which true means so.</summary>
    public IReadOnlyList<IntegerRange>? Ranges { get; init; }

    /// <summary>Whether an integer selector's values, and so the ranges, are signed.</summary>
    public bool IsSelectorSigned { get; init; }
}
