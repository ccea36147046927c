using Weir.Ctf;

namespace Weir.Graph;

/// <summary>Writes the fields of a program as JSON.</summary>
internal readonly unsafe struct JsonVisitor(TextBuffer text, JsonStep[] steps) : IFieldVisitor
{
    public void Integer(int step, ulong value)
    {
        ref readonly var plan = ref steps[step];
        if (plan.Prefix is not { } prefix)
            return;
        text.Append(prefix);
        switch (plan.Form)
        {
            case JsonForm.Signed:
                text.AppendSigned((long)value);
                break;
            case JsonForm.Boolean:
                text.Append(value != 0 ? "true"u8 : "false"u8);
                break;
            case JsonForm.Enumeration or JsonForm.Flags:
                AppendLabelled(in plan, value);
                break;
            default:
                text.AppendUnsigned(value);
                break;
        }
    }

    public void Real(int step, double value)
    {
        if (!Open(step, ""u8))
            return;
        text.AppendJsonReal(value, steps[step].Form == JsonForm.Single);
    }

    public void Text(int step, byte* bytes, int lengthBytes)
    {
        if (Open(step, ""u8))
            text.AppendJsonString(new ReadOnlySpan<byte>(bytes, lengthBytes));
    }

    public void Blob(int step, byte* bytes, long lengthBytes)
    {
        if (!Open(step, "{\"base64\":\""u8))
            return;
        // A record is never longer than an integer says, so neither is a byte string.
        text.AppendBase64(new ReadOnlySpan<byte>(bytes, (int)lengthBytes));
        text.Append(steps[step].BlobEnd);
    }

    public void BeginStructure(int step) => Open(step, "{"u8);

    public void EndStructure(int step) => Close(step, (byte)'}');

    public void BeginArray(int step, ulong length) => Open(step, "["u8);

    public void Element(int step, ulong index)
    {
        if (index > 0 && steps[step].Prefix is not null)
            text.Append((byte)',');
    }

    public void EndArray(int step) => Close(step, (byte)']');

    // The option's own text has the bracket that is closed behind it.
    public void BeginVariant(int step) => Open(step, ""u8);

    public void EndVariant(int step) => Close(step, (byte)'}');

    public void BeginOptional(int step, bool isPresent) => Open(step, isPresent ? ""u8 : "null"u8);

    public void EndOptional(int step)
    {
    }

    private bool Open(int step, ReadOnlySpan<byte> bracket)
    {
        if (steps[step].Prefix is not { } prefix)
            return false;
        text.Append(prefix);
        text.Append(bracket);
        return true;
    }

    private void Close(int step, byte bracket)
    {
        if (steps[step].Prefix is not null)
            text.Append(bracket);
    }

    private void AppendLabelled(in JsonStep plan, ulong value)
    {
        text.Append("{\"value\":"u8);
        if (plan.IsSigned)
            text.AppendSigned((long)value);
        else
            text.AppendUnsigned(value);
        text.Append(",\"labels\":["u8);
        bool isFirst = true;
        for (int i = 0; i < plan.Mappings!.Count; i++)
        {
            if (plan.Form == JsonForm.Flags ? !HasFlag(plan.Mappings[i], value) : !plan.Mappings[i].Contains((long)value, plan.IsSigned))
                continue;
            if (!isFirst)
                text.Append((byte)',');
            text.Append(plan.Labels![i]);
            isFirst = false;
        }
        text.Append("]}"u8);
    }

    /// <summary>Whether a bit that the label names is set.</summary>
    private static bool HasFlag(EnumerationMapping flag, ulong value)
    {
        for (int i = 0; i < flag.Ranges.Count; i++)
        {
            var range = flag.Ranges[i];
            for (long bit = Math.Max(0, range.Lower); bit <= Math.Min(63, range.Upper); bit++)
            {
                if ((value >> (int)bit & 1) != 0)
                    return true;
            }
        }
        return false;
    }
}
