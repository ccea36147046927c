using System.Globalization;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>Writes the fields of a program, a line each.</summary>
internal readonly unsafe struct DetailsVisitor(TextBuffer text, DetailsStep[] steps, DetailsValueText values) : IFieldVisitor
{
    private const int BlobBytesPerLine = 16;
    private const int TextPieceBytes = 32 << 10;

    public void Integer(int step, ulong value)
    {
        ref readonly var plan = ref steps[step];
        if (plan.Lead is not { } lead)
            return;
        text.Append(lead);
        if (plan.IsBoolean)
        {
            text.Append(value != 0 ? values.Yes : values.No);
            return;
        }
        text.Append(values.Before);
        if (plan.IsSigned)
            DetailsNumber.Append(text, (long)value, plan.Base);
        else
            DetailsNumber.Append(text, value, plan.Base);
        text.Append(values.After);
    }

    public void Real(int step, double value)
    {
        if (!Begin(step, values.Before))
            return;
        if (double.IsFinite(value))
        {
            // The longest has 309 digits before the point.
            value.TryFormat(text.Room(320), out int length, "F6", CultureInfo.InvariantCulture);
            text.Advance(length);
        }
        else
        {
            text.Append(double.IsNegative(value) ? "-"u8 : ""u8);
            text.Append(double.IsNaN(value) ? "nan"u8 : "inf"u8);
        }
        text.Append(values.After);
    }

    public void Text(int step, byte* bytes, int lengthBytes)
    {
        if (!Begin(step, values.Before))
            return;
        var rest = new ReadOnlySpan<byte>(bytes, lengthBytes);
        for (; rest.Length > TextPieceBytes; rest = rest[TextPieceBytes..])
            text.Append(rest[..TextPieceBytes]);
        text.Append(rest);
        text.Append(values.After);
    }

    public void BeginStructure(int step) => Begin(step, steps[step].IsEmpty ? values.Empty : []);

    public void EndStructure(int step)
    {
        if (steps[step].IsRoot)
            text.Append((byte)'\n');
    }

    public void BeginArray(int step, ulong length) => BeginLength(step, length);

    public void Element(int step, ulong index)
    {
        ref readonly var plan = ref steps[step];
        if (plan.Lead is null)
            return;
        text.Append(plan.Inner);
        DetailsNumber.Append(text, index, DisplayBase.Decimal);
        text.Append(values.AfterIndex);
    }

    public void EndArray(int step)
    {
    }

    public void BeginVariant(int step) => Begin(step, []);

    public void EndVariant(int step)
    {
    }

    public void Blob(int step, byte* bytes, long lengthBytes)
    {
        if (!BeginLength(step, (ulong)lengthBytes))
            return;
        for (long i = 0; i < lengthBytes; i++)
        {
            if (i % BlobBytesPerLine == 0)
                text.Append(steps[step].Inner);
            else
                text.Append((byte)' ');
            text.Append(values.BeforeByte);
            var room = text.Room(2);
            room[0] = "0123456789abcdef"u8[bytes[i] >> 4];
            room[1] = "0123456789abcdef"u8[bytes[i] & 15];
            text.Advance(2);
            text.Append(values.After);
        }
    }

    public void BeginOptional(int step, bool isPresent) => Begin(step, isPresent ? [] : values.None);

    public void EndOptional(int step)
    {
    }

    private bool Begin(int step, ReadOnlySpan<byte> next)
    {
        if (steps[step].Lead is not { } lead)
            return false;
        text.Append(lead);
        text.Append(next);
        return true;
    }

    private bool BeginLength(int step, ulong length)
    {
        if (!Begin(step, length == 0 ? values.Empty : values.Length))
            return false;
        if (length == 0)
            return true;
        DetailsNumber.Append(text, length, DisplayBase.Decimal);
        text.Append(values.AfterLength);
        return true;
    }
}
