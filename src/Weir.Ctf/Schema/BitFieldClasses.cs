namespace Weir.Ctf;

/// <summary>A truth value: false when all its bits are zero.</summary>
/// <param name="sizeBits">Length, 1 to 64 bits.</param>
/// <param name="alignmentBits">Alignment; a power of two.</param>
public sealed class BooleanFieldClass(int sizeBits, int alignmentBits = 1) : BitsFieldClass(sizeBits, alignmentBits);

/// <summary>Bits that are no number.</summary>
/// <param name="sizeBits">Length, 1 to 64 bits.</param>
/// <param name="alignmentBits">Alignment; a power of two.</param>
public sealed class BitArrayFieldClass(int sizeBits, int alignmentBits = 1) : BitsFieldClass(sizeBits, alignmentBits)
{
    /// <summary>Names of bits: the ranges are numbers of bits, the least significant is 0. Null for a plain bit array.</summary>
    public IReadOnlyList<EnumerationMapping>? Flags { get; init; }
}
