namespace Weir.Ctf;

/// <summary>How a field is written.</summary>
internal enum EncodeStepKind : byte
{
    /// <summary>Not at all: the output has no such field.</summary>
    Nothing,

    /// <summary>An integer, a boolean or a bit array of a fixed length.</summary>
    Integer,

    /// <summary>An integer in LEB128.</summary>
    VariableInteger,

    /// <summary>A floating point number.</summary>
    Real,

    /// <summary>Text up to a zero code unit.</summary>
    String,

    /// <summary>Text in a number of bytes that is known before it.</summary>
    Text,

    /// <summary>Bytes that mean nothing.</summary>
    Blob,

    /// <summary>What only has an alignment: a structure or an array.</summary>
    Aligned,

    /// <summary>What has no bits of its own: a variant or an optional field.</summary>
    Wrapper,
}

/// <summary>How the field of one step of a <see cref="DecodeProgram"/> is written.</summary>
internal struct EncodeStep
{
    public EncodeStepKind Kind;

    /// <summary>Size in bits of a number.</summary>
    public byte SizeBits;

    /// <summary>Whether a variable-length integer is signed.</summary>
    public bool IsSigned;

    /// <summary>Whether a number is big-endian.</summary>
    public bool IsBigEndian;

    /// <summary>How text is encoded.</summary>
    public TextEncoding Encoding;

    /// <summary>
    /// Bits of a field that the input lacks and that is written before this one: an array's or a text's length, an optional field's selector;
    /// or 0.
    /// </summary>
    public byte CompanionBits;

    /// <summary>
    /// Bits of a selector that the input lacks, written before this option of a variant; or 0. Its value is <see cref="OptionNumber"/>.
    /// </summary>
    public byte SelectorBits;

    /// <summary>What the option's selector says.</summary>
    public ushort OptionNumber;

    /// <summary>Alignment, less one, of a structure that holds the companion and the field, in bits.</summary>
    public long LeadMask;

    /// <summary>Alignment less one, in bits.</summary>
    public long AlignmentMask;

    /// <summary>Bytes of a text of a fixed length.</summary>
    public ulong LengthBytes;

    /// <summary>The input's slot that holds a text's length, or -1.</summary>
    public int LengthSlot;
}

/// <summary>
/// How the fields of a decode program are written: one step for each of its steps. Made by <see cref="FieldLowering"/>, or by
/// <see cref="CreateCopy"/> where the output has the input's classes. Immutable; may be used by several threads.
/// </summary>
public sealed class EncodeProgram
{
    internal EncodeProgram(EncodeStep[] steps, int[] roots, bool isCopy)
    {
        Steps = steps;
        RootOfStep = new Dictionary<int, int>();
        for (int i = 0; i < roots.Length; i++)
        {
            if (roots[i] >= 0)
                RootOfStep.Add(roots[i], i);
        }
        IsCopy = isCopy;
        foreach (ref readonly var step in steps.AsSpan())
            AlignmentMask |= step.AlignmentMask;
        // Bytes are copied, not bits.
        AlignmentMask |= 7;
    }

    /// <summary>
    /// Whether the fields are laid out as in the input, so that their bytes may be copied to where the position is congruent modulo
    /// <see cref="AlignmentMask"/> + 1.
    /// </summary>
    public bool IsCopy { get; }

    /// <summary>The largest alignment of the fields in bits, less one; at least 7.</summary>
    public long AlignmentMask { get; }

    internal EncodeStep[] Steps { get; }

    /// <summary>The number of the root structure that a step begins.</summary>
    internal Dictionary<int, int> RootOfStep { get; }

    /// <summary>The program that writes the fields of <paramref name="program"/> with the classes that they have.</summary>
    public static EncodeProgram CreateCopy(DecodeProgram program)
    {
        ArgumentNullException.ThrowIfNull(program);
        var steps = new EncodeStep[program.StepArray.Length];
        for (int i = 0; i < steps.Length; i++)
            steps[i] = FieldLowering.CreateStep(program.StepArray[i], program.StepArray[i].Class);
        return new EncodeProgram(steps, [.. program.RootStarts], isCopy: true);
    }
}
