using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>How one step of a program is shown.</summary>
internal struct DetailsStep
{
    /// <summary>What stands before the value: the end of the line before, spaces, the name. Null when the field is not shown.</summary>
    public byte[]? Lead;

    /// <summary>What stands before an array's index, or before a line of a blob.</summary>
    public byte[] Inner;

    /// <summary>Whether the step is a structure of which nothing is shown.</summary>
    public bool IsEmpty;

    /// <summary>Whether the step is one of the root structures, which end with the line.</summary>
    public bool IsRoot;

    public bool IsSigned;

    public bool IsBoolean;

    public DisplayBase Base;
}

/// <summary>The constant text around the values of a program.</summary>
internal static class DetailsPlan
{
    /// <summary>Plans a program.</summary>
    /// <param name="program">The program.</param>
    /// <param name="rootNames">The names of its root structures.</param>
    /// <param name="style">Colours.</param>
    /// <returns>Numbered as the program's steps.</returns>
    public static DetailsStep[] Create(DecodeProgram program, ReadOnlySpan<string> rootNames, DetailsStyle style)
    {
        var plan = new DetailsStep[program.Steps.Length];
        for (int i = 0; i < program.RootStarts.Count; i++)
        {
            int start = program.RootStarts[i];
            if (start < 0)
                continue;
            Add(plan, program.Steps, start, $"  {style.Property(rootNames[i])}:", 4, style);
            plan[start].IsRoot = true;
        }
        return plan;
    }

    /// <param name="plan">Takes the steps.</param>
    /// <param name="steps">The program's steps.</param>
    /// <param name="index">The step.</param>
    /// <param name="lead">What stands before the value.</param>
    /// <param name="indent">Spaces before what is inside the field.</param>
    /// <param name="style">Colours.</param>
    private static void Add(DetailsStep[] plan, ReadOnlySpan<DecodeStep> steps, int index, string lead, int indent, DetailsStyle style)
    {
        ref readonly var step = ref steps[index];
        if (!FieldVisibility.IsShown(step.Class))
            return;
        string newLine = "\n" + new string(' ', indent);
        var integer = step.Class as IntegerFieldClass;
        plan[index] = new DetailsStep
        {
            Lead = Encoding.UTF8.GetBytes(lead),
            Inner = Encoding.UTF8.GetBytes(step.Class is StaticArrayFieldClass or DynamicArrayFieldClass ? newLine + style.Cyan + "[" : newLine),
            IsEmpty = step.Class is StructureFieldClass structure && FieldVisibility.CountShown(structure) == 0,
            IsSigned = integer is { IsSigned: true },
            IsBoolean = step.Class is BooleanFieldClass,
            Base = step.Class is BitArrayFieldClass ? DisplayBase.Hexadecimal : integer?.DisplayBase ?? DisplayBase.Decimal,
        };
        switch (step.Class)
        {
            case StructureFieldClass:
                for (int i = index + 1; i < step.End; i = steps[i].End)
                    Add(plan, steps, i, $"{newLine}{style.Member(steps[i].Name)}:", indent + 2, style);
                break;
            case StaticArrayFieldClass or DynamicArrayFieldClass:
                for (int i = index + 1; i < step.End; i = steps[i].End)
                    Add(plan, steps, i, "", indent + 2, style);
                break;
            case VariantFieldClass or OptionalFieldClass:
                // What is inside takes its place.
                for (int i = index + 1; i < step.End; i = steps[i].End)
                    Add(plan, steps, i, "", indent, style);
                break;
        }
    }
}

/// <summary>The constant text of values, which is the same for all fields.</summary>
internal sealed class DetailsValueText(DetailsStyle style)
{
    public byte[] Before { get; } = Encoding.UTF8.GetBytes($" {style.Bold}");

    public byte[] After { get; } = Encoding.UTF8.GetBytes(style.Reset);

    public byte[] AfterIndex { get; } = Encoding.UTF8.GetBytes($"]{style.Reset}:");

    public byte[] Length { get; } = Encoding.UTF8.GetBytes($" Length {style.Bold}");

    public byte[] AfterLength { get; } = Encoding.UTF8.GetBytes($"{style.Reset}:");

    public byte[] Empty { get; } = Encoding.UTF8.GetBytes($" {style.Nothing("Empty")}");

    public byte[] None { get; } = Encoding.UTF8.GetBytes($" {style.Nothing("None")}");

    public byte[] Yes { get; } = Encoding.UTF8.GetBytes($" {style.Boolean(true)}");

    public byte[] No { get; } = Encoding.UTF8.GetBytes($" {style.Boolean(false)}");

    public byte[] BeforeByte { get; } = Encoding.UTF8.GetBytes(style.Bold);
}
