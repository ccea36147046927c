namespace Weir.Ctf;

/// <summary>
/// Integers from <paramref name="Lower"/> to <paramref name="Upper"/>, both included. For an unsigned class they are the value's
/// 64 bits read as signed.
/// </summary>
public readonly record struct IntegerRange(long Lower, long Upper)
{
    /// <summary>A range of one value.</summary>
    public IntegerRange(long value)
        : this(value, value)
    {
    }

    /// <summary>Whether <paramref name="value"/> (64 bits) lies in the range.</summary>
    public bool Contains(long value, bool isSigned) => isSigned
        ? value >= Lower && value <= Upper
        : (ulong)value >= (ulong)Lower && (ulong)value <= (ulong)Upper;
}

/// <summary>One label of an enumeration and the values that it names; several labels may name one value.</summary>
/// <param name="Label">The label.</param>
/// <param name="Ranges">The values, in declaration order.</param>
public sealed record EnumerationMapping(string Label, IReadOnlyList<IntegerRange> Ranges)
{
    /// <summary>A label of one value.</summary>
    public EnumerationMapping(string label, long value)
        : this(label, [new IntegerRange(value)])
    {
    }

    /// <summary>A label of one range, both ends included.</summary>
    public EnumerationMapping(string label, long lower, long upper)
        : this(label, [new IntegerRange(lower, upper)])
    {
    }

    /// <summary>Whether the label names <paramref name="value"/> (64 bits).</summary>
    public bool Contains(long value, bool isSigned)
    {
        // By index: this is called for each value that is printed, and must not allocate.
        for (int i = 0; i < Ranges.Count; i++)
        {
            if (Ranges[i].Contains(value, isSigned))
                return true;
        }
        return false;
    }
}
