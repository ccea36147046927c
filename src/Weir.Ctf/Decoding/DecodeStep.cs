namespace Weir.Ctf;

/// <summary>What a step of a program does.</summary>
public enum DecodeStepKind : byte
{
    /// <summary>Passes over fields of a fixed total size; only in programs that skip.</summary>
    Skip,

    /// <summary>A byte-aligned little-endian integer of 1 byte.</summary>
    Integer8,

    /// <summary>A byte-aligned little-endian integer of 2 bytes.</summary>
    Integer16,

    /// <summary>A byte-aligned little-endian integer of 4 bytes.</summary>
    Integer32,

    /// <summary>A byte-aligned little-endian integer of 8 bytes.</summary>
    Integer64,

    /// <summary>An integer or a bit array of any size, alignment, byte order and bit order.</summary>
    IntegerBits,

    /// <summary>An integer in LEB128.</summary>
    VariableLengthInteger,

    /// <summary>A boolean.</summary>
    Boolean,

    /// <summary>A floating point number.</summary>
    Real,

    /// <summary>A string that ends with a zero byte.</summary>
    String,

    /// <summary>Text of a fixed or a dynamic number of bytes.</summary>
    Text,

    /// <summary>A string of UTF-16 or UTF-32 that ends with a zero code unit.</summary>
    WideString,

    /// <summary>Text of UTF-16 or UTF-32, of a fixed or a dynamic number of bytes.</summary>
    WideText,

    /// <summary>A fixed or a dynamic number of bytes.</summary>
    Blob,

    /// <summary>A structure; its members follow, up to <see cref="DecodeStep.End"/>.</summary>
    Structure,

    /// <summary>An array; the steps of one element follow, up to <see cref="DecodeStep.End"/>.</summary>
    Array,

    /// <summary>A variant; the steps of its options follow, up to <see cref="DecodeStep.End"/>.</summary>
    Variant,

    /// <summary>An optional field; the steps of its content follow, up to <see cref="DecodeStep.End"/>.</summary>
    Optional,
}

/// <summary>One step of a <see cref="DecodeProgram"/>.</summary>
#pragma warning disable CA1051 // Fields, because steps are read by reference, field by field, for each value of a trace.
public struct DecodeStep
{
    /// <summary>What the step does.</summary>
    public DecodeStepKind Kind;

    /// <summary>Size in bits of a number, 1 to 64.</summary>
    public byte SizeBits;

    /// <summary>Whether an integer is signed.</summary>
    public bool IsSigned;

    /// <summary>Whether a number is big-endian.</summary>
    public bool IsBigEndian;

    /// <summary>Whether a number's bits are in the order that is not its byte order's own.</summary>
    internal bool IsReversed;

    /// <summary>
    /// Whether the field serves the reader only (a length of the packet, a timestamp), as babeltrace2 judges it: viewers do not
    /// show it.
    /// </summary>
    public bool IsHidden;

    /// <summary>The value's meaning for the reader; with several, the first.</summary>
    public FieldRole Role;

    /// <summary>Its other meanings, or null.</summary>
    internal FieldRole[]? OtherRoles;

    /// <summary>Whether decoding must do more with the value than hand it on: a role, a clock or a slot.</summary>
    internal bool IsSpecial;

    /// <summary>Whether the value updates the clock.</summary>
    internal bool UpdatesClock;

    /// <summary>The slot that keeps the value for a later length or selector, or -1.</summary>
    public int StoreSlot;

    /// <summary>The slot that holds this field's length or selector, or -1 when the length is fixed.</summary>
    public int LoadSlot;

    /// <summary>How text is encoded.</summary>
    internal TextEncoding Encoding;

    /// <summary>Alignment less one, in bits.</summary>
    internal long AlignmentMask;

    /// <summary>Elements of a fixed array or bytes of a fixed text or BLOB; bits of a <see cref="DecodeStepKind.Skip"/>.</summary>
    public ulong Length;

    /// <summary>Bits from one element to the next where they all take the same, 0 where they do not or take nothing.</summary>
    internal long StrideBits;

    /// <summary>Index of the step behind this one and all that is inside it.</summary>
    public int End;

    /// <summary>For a variant: first step of each option, and the end of the last.</summary>
    internal int[]? OptionStarts;

    /// <summary>The member's or option's name; empty for elements.</summary>
    public string Name;

    /// <summary>The field's class; null for <see cref="DecodeStepKind.Skip"/>.</summary>
    public FieldClass Class;
}
#pragma warning restore CA1051

/// <summary>
/// The steps that decode one or several structures, in the order of their fields. Immutable; may be run by several threads.
/// </summary>
public sealed class DecodeProgram
{
    internal DecodeProgram(DecodeStep[] steps, int[] rootStarts)
    {
        StepArray = steps;
        RootStarts = rootStarts;
    }

    /// <summary>The steps.</summary>
    public ReadOnlySpan<DecodeStep> Steps => StepArray;

    /// <summary>
    /// First step of each root structure (for an event: common context, specific context, payload), or -1 where there is none.
    /// </summary>
    public IReadOnlyList<int> RootStarts { get; }

    internal DecodeStep[] StepArray { get; }
}
