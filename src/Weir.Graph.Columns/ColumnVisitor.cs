using System.Text;
using System.Text.Unicode;
using Apache.Arrow.Types;
using Weir.Ctf;

namespace Weir.Graph.Columns;

/// <summary>JSON on its way into a column; of a text that is too long nothing more is kept. One serves all columns of a sink.</summary>
internal sealed class JsonValue : MemoryStream
{
    private const int MaxBytes = 64 << 20;

    private Column? _column;
    private int _start;
    private bool _isTooLong;

    public JsonValue()
        : base([], writable: false) => Text = new TextBuffer(this);

    public override bool CanWrite => true;

    public TextBuffer Text { get; }

    public void Begin(Column column)
    {
        _column = column;
        _start = column.Bytes.Count;
        _isTooLong = false;
    }

    /// <summary>Ends the value; false where it was too long and is now missing.</summary>
    public bool End()
    {
        Text.WriteOut();
        if (!_isTooLong)
        {
            _column!.End();
            return true;
        }
        _column!.Bytes.CutTo(_start);
        _column.AppendNull();
        return false;
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _isTooLong |= _column!.Bytes.Count - _start + (long)buffer.Length > MaxBytes;
        if (!_isTooLong)
            _column.Bytes.Append(buffer);
    }
}

#pragma warning disable CA1001 // The JSON value is the sink's, and holds nothing that has to be given back.
/// <summary>What a walk over fields carries along: the columns, and whether it is inside something that becomes one text or is left out.</summary>
internal sealed class ColumnVisit(ColumnStep[] steps, Column[] columns, JsonValue jsonValue)
#pragma warning restore CA1001
{
    private JsonVisitor _json;

    public ColumnStep[] Steps => steps;

    /// <summary>The step that is being written as JSON, or -1.</summary>
    public int JsonStep { get; private set; } = -1;

    /// <summary>The array that is being left out, or -1.</summary>
    public int SkippedStep { get; set; } = -1;

    /// <summary>Values that were left out because they are too long.</summary>
    public long LeftOutCount { get; set; }

    public ref JsonVisitor Json => ref _json;

    public Column? ColumnOf(int step) => steps[step].Column is >= 0 and int column ? columns[column] : null;

    public Column? LabelColumnOf(int step) => steps[step].LabelColumn is >= 0 and int column ? columns[column] : null;

    public void BeginJson(int step)
    {
        JsonStep = step;
        jsonValue.Begin(ColumnOf(step)!);
        _json = new JsonVisitor(jsonValue.Text, steps[step].Json!.Steps);
    }

    public void EndJson()
    {
        LeftOutCount += jsonValue.End() ? 0 : 1;
        JsonStep = -1;
    }
}

/// <summary>Puts the fields of a program into columns.</summary>
internal readonly unsafe struct ColumnVisitor(ColumnVisit visit) : IFieldVisitor
{
    /// <summary>An array of more elements is left out.</summary>
    private const ulong MaxElements = 16 << 20;

    private bool IsInJson => visit.JsonStep >= 0;

    private bool IsInSkipped => visit.SkippedStep >= 0;

    public void Integer(int step, ulong value)
    {
        if (IsInJson)
        {
            visit.Json.Integer(step, value);
            return;
        }
        if (IsInSkipped || visit.ColumnOf(step) is not { } column)
            return;
        column.Append(column.Type is BooleanType && value != 0 ? 1 : value);
        if (visit.LabelColumnOf(step) is { } labels)
            AppendLabel(in visit.Steps[step], labels, value);
    }

    public void Real(int step, double value)
    {
        if (IsInJson)
            visit.Json.Real(step, value);
        else if (!IsInSkipped && visit.ColumnOf(step) is { } column)
            column.Append(column.Type is FloatType ? BitConverter.SingleToUInt32Bits((float)value) : BitConverter.DoubleToUInt64Bits(value));
    }

    public void Text(int step, byte* text, int lengthBytes)
    {
        if (IsInJson)
        {
            visit.Json.Text(step, text, lengthBytes);
            return;
        }
        if (IsInSkipped || visit.ColumnOf(step) is not { } column)
            return;
        var utf8 = new ReadOnlySpan<byte>(text, lengthBytes);
        // Readers rely on texts being UTF-8.
        column.Append(Utf8.IsValid(utf8) ? utf8 : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(utf8)));
    }

    public void Blob(int step, byte* bytes, long lengthBytes)
    {
        if (IsInJson)
            visit.Json.Blob(step, bytes, lengthBytes);
        else if (!IsInSkipped && visit.ColumnOf(step) is { } column)
            column.Append(new ReadOnlySpan<byte>(bytes, (int)lengthBytes));
    }

    public void BeginStructure(int step)
    {
        if (TryBeginJson(step))
            visit.Json.BeginStructure(step);
    }

    public void EndStructure(int step)
    {
        if (IsInJson)
        {
            visit.Json.EndStructure(step);
            EndJson(step);
        }
        else if (!IsInSkipped)
        {
            var column = visit.ColumnOf(step);
            if (column is { Children: [{ Name: "empty" } empty] } && empty.Count == column.Count)
                empty.AppendNull();
            column?.End();
        }
    }

    public void BeginArray(int step, ulong length)
    {
        if (TryBeginJson(step))
        {
            visit.Json.BeginArray(step, length);
        }
        else if (!IsInSkipped && length > MaxElements && visit.ColumnOf(step) is not null)
        {
            visit.SkippedStep = step;
            visit.LeftOutCount++;
        }
    }

    public void Element(int step, ulong index)
    {
        if (IsInJson)
            visit.Json.Element(step, index);
    }

    public void EndArray(int step)
    {
        if (IsInJson)
        {
            visit.Json.EndArray(step);
            EndJson(step);
        }
        else if (!IsInSkipped)
        {
            visit.ColumnOf(step)?.End();
        }
        else if (visit.SkippedStep == step)
        {
            visit.SkippedStep = -1;
            visit.ColumnOf(step)!.AppendNull();
        }
    }

    public void BeginVariant(int step)
    {
        if (TryBeginJson(step))
            visit.Json.BeginVariant(step);
    }

    public void EndVariant(int step)
    {
        if (!IsInJson)
            return;
        visit.Json.EndVariant(step);
        EndJson(step);
    }

    public void BeginOptional(int step, bool isPresent)
    {
        if (TryBeginJson(step))
        {
            visit.Json.BeginOptional(step, isPresent);
        }
        else if (!isPresent && !IsInSkipped)
        {
            visit.ColumnOf(step)?.AppendNull();
            visit.LabelColumnOf(step)?.AppendNull();
        }
    }

    public void EndOptional(int step)
    {
        if (!IsInJson)
            return;
        visit.Json.EndOptional(step);
        EndJson(step);
    }

    private static void AppendLabel(in ColumnStep step, Column labels, ulong value)
    {
        for (int i = 0; i < step.Mappings!.Count; i++)
        {
            if (!step.Mappings[i].Contains((long)value, step.IsSigned))
                continue;
            labels.Append(step.Labels![i]);
            return;
        }
        labels.AppendNull();
    }

    /// <summary>Whether the step is inside a JSON text, which it may begin.</summary>
    private bool TryBeginJson(int step)
    {
        if (!IsInJson && !IsInSkipped && visit.Steps[step].Json is not null)
            visit.BeginJson(step);
        return IsInJson;
    }

    private void EndJson(int step)
    {
        if (visit.JsonStep == step)
            visit.EndJson();
    }
}
