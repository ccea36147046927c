using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>How a value of one step is written as JSON.</summary>
internal enum JsonForm : byte
{
    Unsigned,
    Signed,
    Boolean,
    Enumeration,
    Flags,
    Single,
    Double,
    Other,
}

/// <summary>One step of a <see cref="JsonPlan"/>.</summary>
internal struct JsonStep
{
    /// <summary>The text before the value (comma, name, colon), or null when the value is not shown.</summary>
    public byte[]? Prefix;

    public JsonForm Form;

    /// <summary>Whether an enumeration's values are signed.</summary>
    public bool IsSigned;

    /// <summary>The labels of an enumeration or of flags.</summary>
    public IReadOnlyList<EnumerationMapping>? Mappings;

    /// <summary>The labels in quotes, in the order of the mappings.</summary>
    public byte[][]? Labels;

    /// <summary>What stands behind the base 64 text of a byte string.</summary>
    public byte[]? BlobEnd;
}

/// <summary>The constant text before each value of a program, as <c>docs/graph.md</c> lays it out. See <see cref="JsonVisitor"/>.</summary>
internal sealed class JsonPlan
{
    private JsonPlan(int stepCount) => Steps = new JsonStep[stepCount];

    /// <summary>The steps, numbered as the program's.</summary>
    public JsonStep[] Steps { get; }

    /// <summary>Whether the roots' values are shown at all.</summary>
    public bool ShowsAnything { get; private set; }

    /// <summary>Plans a program.</summary>
    /// <param name="program">The program.</param>
    /// <param name="rootPrefixes">For each root the text before its object.</param>
    /// <param name="leftOut">A member of the roots that is not shown, or null.</param>
    public static JsonPlan Create(DecodeProgram program, ReadOnlySpan<string> rootPrefixes, string? leftOut = null)
    {
        var plan = new JsonPlan(program.Steps.Length);
        for (int i = 0; i < program.RootStarts.Count; i++)
        {
            int start = program.RootStarts[i];
            if (start >= 0 && !program.Steps[start].IsHidden && HasOtherMember(program.Steps, start, leftOut))
                plan.Add(program.Steps, start, rootPrefixes[i], leftOut);
        }
        return plan;
    }

    /// <summary>Plans one field alone, without text before it.</summary>
    public static JsonPlan CreateForField(DecodeProgram program, int step)
    {
        var plan = new JsonPlan(program.Steps.Length);
        plan.Add(program.Steps, step, "");
        return plan;
    }

    private static bool HasOtherMember(ReadOnlySpan<DecodeStep> steps, int root, string? leftOut)
    {
        if (leftOut is null)
            return true;
        for (int i = root + 1; i < steps[root].End; i = steps[i].End)
        {
            if (!steps[i].IsHidden && steps[i].Name != leftOut)
                return true;
        }
        return false;
    }

    private void Add(ReadOnlySpan<DecodeStep> steps, int index, string prefix, string? leftOut = null)
    {
        ref readonly var step = ref steps[index];
        ShowsAnything = true;
        Steps[index] = CreateStep(in step, prefix);
        bool isStructure = step.Kind == DecodeStepKind.Structure;
        bool isVariant = step.Kind == DecodeStepKind.Variant;
        bool isFirst = true;
        for (int i = index + 1; i < step.End; i = steps[i].End)
        {
            // An option or an element stands where a value has to be, so only members can be left out.
            if (isStructure && (steps[i].IsHidden || steps[i].Name == leftOut))
                continue;
            string name = Encoding.UTF8.GetString(JsonText.Quote(steps[i].Name));
            Add(steps, i, isStructure ? $"{(isFirst ? "" : ",")}{name}:" : isVariant ? $"{{{name}:" : "");
            isFirst = false;
        }
    }

    private static JsonStep CreateStep(in DecodeStep step, string prefix)
    {
        var planned = new JsonStep { Prefix = Encoding.UTF8.GetBytes(prefix), Form = JsonForm.Other };
        switch (step.Class)
        {
            case IntegerFieldClass integer:
                planned.Form = integer.Mappings is not null ? JsonForm.Enumeration : integer.IsSigned ? JsonForm.Signed : JsonForm.Unsigned;
                planned.IsSigned = integer.IsSigned;
                planned.Mappings = integer.Mappings;
                break;
            case BooleanFieldClass:
                planned.Form = JsonForm.Boolean;
                break;
            case BitArrayFieldClass bits:
                planned.Form = bits.Flags is null ? JsonForm.Unsigned : JsonForm.Flags;
                planned.Mappings = bits.Flags;
                break;
            case FloatingPointFieldClass real:
                planned.Form = real.SizeBits == 32 ? JsonForm.Single : JsonForm.Double;
                break;
            case StaticBlobFieldClass blob:
                planned.BlobEnd = BlobEnd(blob.MediaType);
                break;
            case DynamicBlobFieldClass blob:
                planned.BlobEnd = BlobEnd(blob.MediaType);
                break;
        }
        if (planned.Mappings is not null)
            planned.Labels = [.. planned.Mappings.Select(mapping => JsonText.Quote(mapping.Label))];
        return planned;
    }

    private static byte[] BlobEnd(string mediaType) => mediaType == StaticBlobFieldClass.DefaultMediaType
        ? "\"}"u8.ToArray()
        : [.. "\",\"media_type\":"u8, .. JsonText.Quote(mediaType), (byte)'}'];
}
