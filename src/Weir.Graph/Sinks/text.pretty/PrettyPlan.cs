using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>The constant text before each value of a program; a step without one is not shown.</summary>
internal sealed class PrettyPlan
{
    private readonly PrettyStep[] _steps;

    private readonly PrettyColors _colors;

    private PrettyPlan(DecodeProgram program, PrettyColors colors)
    {
        _steps = new PrettyStep[program.Steps.Length];
        _colors = colors;
    }

    /// <summary>The steps, numbered as the program's.</summary>
    public PrettyStep[] Steps => _steps;

    /// <summary>Plans a program.</summary>
    /// <param name="program">The program.</param>
    /// <param name="scopeNames">For each root: its name, as <c>--names=scope</c> shows it.</param>
    /// <param name="showNames">For each root: whether to show the names of its fields.</param>
    /// <param name="options">Whether to show names of scopes.</param>
    /// <param name="colors">The colours of names and values.</param>
    /// <param name="isFirst">Whether nothing stands before the first root.</param>
    public static PrettyPlan Create(
        DecodeProgram program, ReadOnlySpan<string> scopeNames, ReadOnlySpan<bool> showNames, PrettyOptions options, PrettyColors colors, bool isFirst)
    {
        var plan = new PrettyPlan(program, colors);
        for (int i = 0; i < program.RootStarts.Count; i++)
        {
            int start = program.RootStarts[i];
            if (start < 0 || program.Steps[start].IsHidden)
                continue;
            string prefix = (isFirst ? "" : ", ") + (options.NameScope ? colors.Named(scopeNames[i]) : "");
            isFirst = false;
            plan.Add(program.Steps, start, prefix, showNames[i]);
        }
        return plan;
    }

    private void Add(ReadOnlySpan<DecodeStep> steps, int index, string prefix, bool showNames)
    {
        ref readonly var step = ref steps[index];
        if (step.IsHidden)
            return;
        int digits = step.Class is IntegerFieldClass ? MinimumDigits.Of(step.Class) : 0;
        bool isEnumeration = step.Class is IntegerFieldClass { Mappings: not null };
        bool isColored = step.Kind is not (DecodeStepKind.Structure or DecodeStepKind.Array or DecodeStepKind.Optional or DecodeStepKind.Variant)
            && !isEnumeration && step.Kind != DecodeStepKind.Blob;
        _steps[index] = new PrettyStep
        {
            Prefix = Encoding.UTF8.GetBytes(isColored ? prefix + _colors.Bold : prefix),
            HasParts = isEnumeration || step.Class is BitArrayFieldClass,
            Bits = step.Class as BitsFieldClass,
            ShowNames = showNames,
            IsPlainUnsigned = digits == 0 && step.Class is IntegerFieldClass { IsSigned: false, DisplayBase: DisplayBase.Decimal, Mappings: null },
            IsPlainSigned = digits == 0 && step.Class is IntegerFieldClass { IsSigned: true, DisplayBase: DisplayBase.Decimal, Mappings: null },
            MinimumDigits = digits,
        };
        switch (step.Kind)
        {
            case DecodeStepKind.Structure:
                bool isFirst = true;
                for (int i = index + 1; i < step.End; i = steps[i].End)
                {
                    if (steps[i].IsHidden)
                        continue;
                    Add(steps, i, (isFirst ? " " : ", ") + (showNames ? _colors.Field(steps[i].Name) : ""), showNames);
                    isFirst = false;
                }
                break;
            case DecodeStepKind.Array or DecodeStepKind.Optional:
                Add(steps, index + 1, "", showNames);
                break;
            case DecodeStepKind.Variant:
                for (int i = index + 1; i < step.End; i = steps[i].End)
                    Add(steps, i, "", showNames);
                break;
        }
    }
}

/// <summary>How one step is shown.</summary>
internal struct PrettyStep
{
    /// <summary>The text before the value, or null when the value is not shown.</summary>
    public byte[]? Prefix;

    /// <summary>The class of what is not shown as a plain number.</summary>
    public BitsFieldClass? Bits;

    public bool ShowNames;

    /// <summary>Whether there are labels, with colours of their own.</summary>
    public bool HasParts;

    public bool IsPlainUnsigned;

    public bool IsPlainSigned;

    /// <summary>Digits to show at least, or 0.</summary>
    public int MinimumDigits;
}

/// <summary>Writes the fields of a program as text.</summary>
internal unsafe struct PrettyVisitor(TextBuffer text, PrettyStep[] steps, PrettyColors colors) : IFieldVisitor
{
    /// <summary>Whether the optional field that began last is not there; its end then comes next.</summary>
    private bool _isAbsent;

    public readonly void Integer(int step, ulong value)
    {
        ref readonly var plan = ref steps[step];
        if (plan.Prefix is not { } prefix)
            return;
        text.Append(prefix);
        if (plan.IsPlainUnsigned)
            text.AppendUnsigned(value);
        else if (plan.IsPlainSigned)
            text.AppendSigned((long)value);
        else if (plan.MinimumDigits > 0 && plan.Bits is IntegerFieldClass { Mappings: null, DisplayBase: DisplayBase.Decimal } integer)
            AppendPadded(value, integer.IsSigned && (long)value < 0, plan.MinimumDigits);
        else
            AppendBits(plan.Bits!, value);
    }

    public readonly void Real(int step, double value)
    {
        if (steps[step].Prefix is not { } prefix)
            return;
        text.Append(prefix);
        text.AppendReal(value);
    }

    public readonly void Text(int step, byte* bytes, int lengthBytes)
    {
        if (steps[step].Prefix is not { } prefix)
            return;
        text.Append(prefix);
        text.AppendQuoted(new ReadOnlySpan<byte>(bytes, lengthBytes));
    }

    public readonly void BeginStructure(int step) => Open(step, "{"u8);

    public readonly void EndStructure(int step) => Close(step, " }"u8);

    public readonly void BeginArray(int step, ulong length) => Open(step, "["u8);

    public readonly void Element(int step, ulong index)
    {
        if (steps[step].Prefix is null)
            return;
        text.Append(index == 0 ? " "u8 : ", "u8);
        if (!steps[step].ShowNames)
            return;
        text.Append((byte)'[');
        text.AppendUnsigned(index);
        text.Append("] = "u8);
    }

    public readonly void EndArray(int step) => Close(step, " ]"u8);

    public readonly void BeginVariant(int step) => Open(step, "{ "u8);

    public readonly void EndVariant(int step) => Close(step, " }"u8);

    private readonly void Open(int step, ReadOnlySpan<byte> bracket)
    {
        if (steps[step].Prefix is not { } prefix)
            return;
        text.Append(prefix);
        text.Append(bracket);
    }

    public readonly void Blob(int step, byte* bytes, long lengthBytes)
    {
        if (steps[step].Prefix is not { } prefix)
            return;
        text.Append(prefix);
        text.Append("{ "u8);
        for (long i = 0; i < lengthBytes; i++)
        {
            text.AppendHexadecimalByte(bytes[i]);
            text.Append((byte)' ');
        }
        text.Append((byte)'}');
    }

    public void BeginOptional(int step, bool isPresent)
    {
        _isAbsent = !isPresent;
        Open(step, isPresent ? "{ "u8 : "<none>"u8);
    }

    public void EndOptional(int step)
    {
        if (!_isAbsent)
            Close(step, " }"u8);
        _isAbsent = false;
    }

    private readonly void Close(int step, ReadOnlySpan<byte> bracket)
    {
        if (steps[step].Prefix is not null)
            text.Append(bracket);
    }

    /// <summary>As C's <c>%03d</c>: a sign is one of the digits.</summary>
    private readonly void AppendPadded(ulong value, bool isNegative, int digits)
    {
        if (isNegative)
            text.Append((byte)'-');
        text.AppendPadded(isNegative ? 0 - value : value, isNegative ? digits - 1 : digits);
    }

    private readonly void AppendBits(BitsFieldClass bits, ulong value)
    {
        switch (bits)
        {
            case BooleanFieldClass:
                text.Append(value != 0 ? "true"u8 : "false"u8);
                break;
            case BitArrayFieldClass array:
                text.Append("0x"u8);
                text.AppendHexadecimal(value);
                text.Append(colors.End);
                if (array.Flags is { } flags)
                    AppendFlags(flags, value);
                break;
            case IntegerFieldClass { Mappings: { } mappings } enumeration:
                AppendEnumeration(enumeration, mappings, value);
                break;
            case IntegerFieldClass integer:
                AppendInteger(integer, value);
                break;
        }
    }

    /// <summary>The names of bits that are set, if any is.</summary>
    private readonly void AppendFlags(IReadOnlyList<EnumerationMapping> flags, ulong value)
    {
        bool isFirst = true;
        for (int i = 0; i < flags.Count; i++)
        {
            if (!HasAny(flags[i], value))
                continue;
            text.Append(isFirst ? " { "u8 : ", "u8);
            AppendLabel(flags[i]);
            isFirst = false;
        }
        if (!isFirst)
            text.Append(" }"u8);
    }

    private static bool HasAny(EnumerationMapping flag, ulong value)
    {
        for (int i = 0; i < flag.Ranges.Count; i++)
        {
            var range = flag.Ranges[i];
            ulong mask = (ulong.MaxValue >> (63 - (int)(range.Upper - range.Lower))) << (int)range.Lower;
            if ((value & mask) != 0)
                return true;
        }
        return false;
    }

    private readonly void AppendInteger(IntegerFieldClass integer, ulong value)
    {
        int sizeBits = integer.SizeBits;
        switch (integer.DisplayBase)
        {
            case DisplayBase.Binary:
                text.Append("0b"u8);
                for (int bit = sizeBits - 1; bit >= 0; bit--)
                    text.Append((byte)('0' + ((value >> bit) & 1)));
                break;
            case DisplayBase.Octal:
                // A negative value keeps the bits of its digits only.
                int octalBits = (((sizeBits - 1) / 3) + 1) * 3;
                text.Append((byte)'0');
                text.AppendOctal(integer.IsSigned && octalBits < 64 ? value & ((1UL << octalBits) - 1) : value);
                break;
            case DisplayBase.Hexadecimal:
                int hexadecimalBits = (sizeBits + 3) & ~3;
                text.Append("0x"u8);
                text.AppendHexadecimal(hexadecimalBits < 64 ? value & ((1UL << hexadecimalBits) - 1) : value);
                break;
            default:
                if (integer.IsSigned)
                    text.AppendSigned((long)value);
                else
                    text.AppendUnsigned(value);
                break;
        }
    }

    private readonly void AppendEnumeration(IntegerFieldClass integer, IReadOnlyList<EnumerationMapping> mappings, ulong value)
    {
        int labels = 0;
        for (int i = 0; i < mappings.Count; i++)
            labels += mappings[i].Contains((long)value, integer.IsSigned) ? 1 : 0;
        text.Append(labels > 1 ? "( { "u8 : "( "u8);
        bool isFirst = true;
        for (int i = 0; i < mappings.Count && labels > 0; i++)
        {
            if (!mappings[i].Contains((long)value, integer.IsSigned))
                continue;
            text.Append(isFirst ? ""u8 : ", "u8);
            AppendLabel(mappings[i]);
            isFirst = false;
        }
        if (labels == 0)
        {
            text.Append(colors.Unknown);
            text.Append("<unknown>"u8);
            text.Append(colors.End);
        }
        text.Append(labels > 1 ? " } : container = "u8 : " : container = "u8);
        text.Append(colors.Value);
        AppendInteger(integer, value);
        text.Append(colors.End);
        text.Append(" )"u8);
    }

    private readonly void AppendLabel(EnumerationMapping mapping)
    {
        text.Append(colors.Value);
        text.AppendQuoted(Encoding.UTF8.GetBytes(mapping.Label));
        text.Append(colors.End);
    }
}
