using System.Text.Json.Nodes;

namespace Weir.Ctf;

/// <summary>One option of a variant.</summary>
/// <param name="Name">The option's name, empty where it has none (CTF 2); in TSDL also the label of the selector's enumeration.</param>
/// <param name="Class">The option's class.</param>
/// <param name="Ranges">The selector's values that select it.</param>
public sealed record VariantOption(string Name, FieldClass Class, IReadOnlyList<IntegerRange> Ranges)
{
    /// <summary>What the producer has noted on the option, or null.</summary>
    public JsonObject? Attributes { get; init; }
}

/// <summary>One of several classes, as an earlier integer field (the selector) says. Has no alignment of its own.</summary>
public sealed class VariantFieldClass : FieldClass
{
    /// <summary>Creates a variant.</summary>
    /// <exception cref="ArgumentException">There is no option.</exception>
    public VariantFieldClass(FieldLocation selectorLocation, IReadOnlyList<VariantOption> options, bool isSelectorSigned = false)
        : base(1)
    {
        ArgumentNullException.ThrowIfNull(selectorLocation);
        ArgumentNullException.ThrowIfNull(options);
        if (options.Count == 0)
            throw new ArgumentException("A variant has at least one option.", nameof(options));
        SelectorLocation = selectorLocation;
        Options = options;
        IsSelectorSigned = isSelectorSigned;
    }

    /// <summary>Where the selector lies.</summary>
    public FieldLocation SelectorLocation { get; }

    /// <summary>The options in order.</summary>
    public IReadOnlyList<VariantOption> Options { get; }

    /// <summary>Whether the selector's values, and so the options' ranges, are signed.</summary>
    public bool IsSelectorSigned { get; }

    /// <summary>
    /// A variant in TSDL's way: each option is selected by the values of the enumeration's label of the same name.
    /// </summary>
    /// <exception cref="ArgumentException">The selector is no enumeration, or no option is given.</exception>
    public static VariantFieldClass ByLabel(
        FieldLocation selectorLocation, IntegerFieldClass selector, params ReadOnlySpan<StructureMember> options)
    {
        ArgumentNullException.ThrowIfNull(selector);
        if (selector.Mappings is null)
            throw new ArgumentException("The selector of a variant in TSDL is an enumeration.", nameof(selector));
        var bound = new VariantOption[options.Length];
        for (int i = 0; i < options.Length; i++)
            bound[i] = new VariantOption(options[i].Name, options[i].Class, RangesOf(selector.Mappings, options[i].Name));
        return new VariantFieldClass(selectorLocation, bound, selector.IsSigned);
    }

    private static IReadOnlyList<IntegerRange> RangesOf(IReadOnlyList<EnumerationMapping> mappings, string label)
    {
        foreach (var mapping in mappings)
        {
            if (mapping.Label == label)
                return mapping.Ranges;
        }
        return [];
    }
}
