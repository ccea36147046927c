using System.Buffers.Binary;
using System.IO.Enumeration;
using System.Runtime.CompilerServices;
using System.Text;

namespace Weir.Tracing;

/// <summary>
/// A filter bound to the fields of one tracepoint: reads the staged payload and says whether to record it. Immutable, allocates
/// nothing while it matches (but for texts with wildcards that are not ASCII).
/// </summary>
internal abstract class EventFilter
{
    /// <summary>Whether a record with this payload is wanted.</summary>
    public abstract bool Matches(ReadOnlySpan<byte> payload);

    /// <summary>Binds a filter; null with a reason where the tracepoint has no such field, or of another type.</summary>
    public static EventFilter? Bind(FilterExpression expression, IReadOnlyList<TracepointField> fields, out string? error)
    {
        error = null;
        switch (expression)
        {
            case FilterExpression.And and:
                return Both(and.Left, and.Right, fields, isAnd: true, out error);
            case FilterExpression.Or or:
                return Both(or.Left, or.Right, fields, isAnd: false, out error);
            case FilterExpression.Not not:
                return Bind(not.Operand, fields, out error) is { } operand ? new NotFilter(operand) : null;
            case FilterExpression.Compare compare:
                return FilterBinder.Bind(compare, fields, out error);
            default:
                throw new InvalidOperationException($"A filter cannot be {expression}.");
        }
    }

    /// <summary>One of several filters is enough.</summary>
    public static EventFilter Any(EventFilter left, EventFilter right) => new PairFilter(left, right, isAnd: false);

    private static PairFilter? Both(
        FilterExpression left, FilterExpression right, IReadOnlyList<TracepointField> fields, bool isAnd, out string? error) =>
        Bind(left, fields, out error) is { } first && Bind(right, fields, out error) is { } second ? new PairFilter(first, second, isAnd) : null;

    private sealed class PairFilter(EventFilter left, EventFilter right, bool isAnd) : EventFilter
    {
        public override bool Matches(ReadOnlySpan<byte> payload) =>
            isAnd ? left.Matches(payload) && right.Matches(payload) : left.Matches(payload) || right.Matches(payload);
    }

    private sealed class NotFilter(EventFilter operand) : EventFilter
    {
        public override bool Matches(ReadOnlySpan<byte> payload) => !operand.Matches(payload);
    }
}

/// <summary>Where a field lies in a staged payload: at once while only fixed sizes precede it, else by walking over the others.</summary>
internal sealed class FieldPlace(IReadOnlyList<TracepointField> fields, int index)
{
    private readonly TracepointField[] _before = [.. fields.Take(index)];

    public TracepointField Field { get; } = fields[index];

    public ReadOnlySpan<byte> Find(ReadOnlySpan<byte> payload)
    {
        foreach (var field in _before)
            payload = payload[SizeOf(field, payload)..];
        return payload;
    }

    public static int FixedSize(FieldKind kind) => kind switch
    {
        FieldKind.Int8 or FieldKind.UInt8 => 1,
        FieldKind.Int16 or FieldKind.UInt16 => 2,
        FieldKind.Int32 or FieldKind.UInt32 or FieldKind.Single => 4,
        FieldKind.Int64 or FieldKind.UInt64 or FieldKind.Double => 8,
        _ => 0,
    };

    private static int SizeOf(TracepointField field, ReadOnlySpan<byte> bytes)
    {
        if (field.IsSequence)
            return sizeof(uint) + ((int)BinaryPrimitives.ReadUInt32LittleEndian(bytes) * FixedSize(field.Kind));
        return field.Kind == FieldKind.String ? bytes.IndexOf((byte)0) + 1 : FixedSize(field.Kind);
    }
}

/// <summary>Compares numbers: integers exactly, whatever their signs; otherwise as doubles.</summary>
internal sealed class NumberFilter(NumberSource left, FilterComparison comparison, NumberSource right) : EventFilter
{
    public override bool Matches(ReadOnlySpan<byte> payload)
    {
        if (left.IsReal || right.IsReal)
        {
            double a = left.Real(payload);
            double b = right.Real(payload);
            return comparison switch
            {
                FilterComparison.Equal => a == b,
                FilterComparison.NotEqual => a != b,
                FilterComparison.Less => a < b,
                FilterComparison.LessOrEqual => a <= b,
                FilterComparison.Greater => a > b,
                _ => a >= b,
            };
        }
        int order = left.Integer(payload).CompareTo(right.Integer(payload));
        return comparison switch
        {
            FilterComparison.Equal => order == 0,
            FilterComparison.NotEqual => order != 0,
            FilterComparison.Less => order < 0,
            FilterComparison.LessOrEqual => order <= 0,
            FilterComparison.Greater => order > 0,
            _ => order >= 0,
        };
    }
}

/// <summary>A number: a field's, or a literal.</summary>
internal sealed class NumberSource
{
    private readonly FieldPlace? _place;
    private readonly Int128 _integer;
    private readonly double _real;

    public NumberSource(FieldPlace place)
    {
        _place = place;
        IsReal = place.Field.Kind is FieldKind.Single or FieldKind.Double;
    }

    public NumberSource(Int128 integer)
    {
        _integer = integer;
        _real = (double)integer;
    }

    public NumberSource(double real)
    {
        _real = real;
        IsReal = true;
    }

    public bool IsReal { get; }

    public double Real(ReadOnlySpan<byte> payload)
    {
        if (_place == null)
            return _real;
        var bytes = _place.Find(payload);
        return _place.Field.Kind switch
        {
            FieldKind.Single => BinaryPrimitives.ReadSingleLittleEndian(bytes),
            FieldKind.Double => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
            _ => (double)ReadInteger(_place.Field.Kind, bytes),
        };
    }

    public Int128 Integer(ReadOnlySpan<byte> payload) => _place == null ? _integer : ReadInteger(_place.Field.Kind, _place.Find(payload));

    private static Int128 ReadInteger(FieldKind kind, ReadOnlySpan<byte> bytes) => kind switch
    {
        FieldKind.Int8 => (sbyte)bytes[0],
        FieldKind.UInt8 => bytes[0],
        FieldKind.Int16 => BinaryPrimitives.ReadInt16LittleEndian(bytes),
        FieldKind.UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        FieldKind.Int32 => BinaryPrimitives.ReadInt32LittleEndian(bytes),
        FieldKind.UInt32 => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        FieldKind.Int64 => BinaryPrimitives.ReadInt64LittleEndian(bytes),
        _ => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
    };
}

/// <summary>Compares a string field with a text, in which <c>*</c> matches any run of characters.</summary>
internal sealed class TextFilter(FieldPlace place, string text, bool isEqual) : EventFilter
{
    private readonly byte[] _utf8 = Encoding.UTF8.GetBytes(text);
    private readonly bool _hasWildcard = text.Contains('*');

    public override bool Matches(ReadOnlySpan<byte> payload)
    {
        var bytes = place.Find(payload);
        bytes = bytes[..bytes.IndexOf((byte)0)];
        return (_hasWildcard ? MatchesPattern(bytes) : bytes.SequenceEqual(_utf8)) == isEqual;
    }

    [SkipLocalsInit]
    private bool MatchesPattern(ReadOnlySpan<byte> bytes)
    {
        Span<char> chars = stackalloc char[RecordWriter.MaxStringBytes];
        int length = Encoding.UTF8.GetChars(bytes, chars);
        return FileSystemName.MatchesSimpleExpression(text, chars[..length], ignoreCase: false);
    }
}

/// <summary>Turns one comparison into a filter on a tracepoint's fields.</summary>
internal static class FilterBinder
{
    public static EventFilter? Bind(FilterExpression.Compare compare, IReadOnlyList<TracepointField> fields, out string? error)
    {
        if (!TryPlace(compare.Left, fields, out var left, out error) || !TryPlace(compare.Right, fields, out var right, out error))
            return null;

        // "ACME*" == symbol is symbol == "ACME*".
        if (compare.Left is FilterOperand.Text && right != null)
            return BindText(right, compare.Comparison, ((FilterOperand.Text)compare.Left).Value, out error);
        if (compare.Right is FilterOperand.Text text && left != null)
            return BindText(left, compare.Comparison, text.Value, out error);
        var first = Number(compare.Left, left);
        var second = Number(compare.Right, right);
        if (first != null && second != null)
            return new NumberFilter(first, compare.Comparison, second);
        error = $"{Describe(compare.Left, left)} cannot be compared with {Describe(compare.Right, right)}";
        return null;
    }

    private static bool TryPlace(FilterOperand operand, IReadOnlyList<TracepointField> fields, out FieldPlace? place, out string? error)
    {
        place = null;
        error = null;
        if (operand is not FilterOperand.Field named)
            return true;
        for (int i = 0; i < fields.Count; i++)
        {
            if (fields[i].Name == named.Name)
            {
                place = new FieldPlace(fields, i);
                return true;
            }
        }
        error = $"there is no field '{named.Name}'";
        return false;
    }

    private static EventFilter? BindText(FieldPlace place, FilterComparison comparison, string text, out string? error)
    {
        error = null;
        if (comparison is FilterComparison.Equal or FilterComparison.NotEqual)
        {
            if (place.Field is { Kind: FieldKind.String, IsSequence: false })
                return new TextFilter(place, text, comparison == FilterComparison.Equal);
            foreach (var label in place.Field.Labels ?? [])
            {
                if (label.Label == text)
                    return new NumberFilter(new NumberSource(place), comparison, new NumberSource(ValueOf(label, place.Field.Kind)));
            }
            error = place.Field.Labels == null
                ? $"field '{place.Field.Name}' is no text"
                : $"field '{place.Field.Name}' has no label \"{text}\"";
            return null;
        }
        error = $"a text can be compared with == and != only";
        return null;
    }

    private static Int128 ValueOf(EnumerationLabel label, FieldKind kind) => kind == FieldKind.UInt64 ? (ulong)label.Value : label.Value;

    private static NumberSource? Number(FilterOperand operand, FieldPlace? place) => operand switch
    {
        FilterOperand.Integer integer => new NumberSource(integer.Value),
        FilterOperand.Real real => new NumberSource(real.Value),
        FilterOperand.Field when place!.Field is { IsSequence: false } field && field.Kind != FieldKind.String => new NumberSource(place),
        _ => null,
    };

    private static string Describe(FilterOperand operand, FieldPlace? place) => operand switch
    {
        FilterOperand.Field field => place!.Field.IsSequence ? $"the sequence '{field.Name}'" : $"the field '{field.Name}'",
        FilterOperand.Text text => $"the text \"{text.Value}\"",
        _ => "a number",
    };
}
