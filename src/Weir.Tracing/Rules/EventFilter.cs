using System.Buffers.Binary;
using System.Text;

namespace Weir.Tracing;

/// <summary>
/// A filter bound to the fields of one tracepoint: reads the staged payload and says whether to record it. Immutable, allocates
/// nothing while it matches.
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
    public static EventFilter Any(IReadOnlyList<EventFilter> filters) => filters.Count == 1 ? filters[0] : new AnyFilter([.. filters]);

    /// <summary>The opposite of a filter.</summary>
    public static EventFilter Not(EventFilter filter) => new NotFilter(filter);

    private static PairFilter? Both(
        FilterExpression left, FilterExpression right, IReadOnlyList<TracepointField> fields, bool isAnd, out string? error) =>
        Bind(left, fields, out error) is { } first && Bind(right, fields, out error) is { } second ? new PairFilter(first, second, isAnd) : null;

    private sealed class PairFilter(EventFilter left, EventFilter right, bool isAnd) : EventFilter
    {
        public override bool Matches(ReadOnlySpan<byte> payload) =>
            isAnd ? left.Matches(payload) && right.Matches(payload) : left.Matches(payload) || right.Matches(payload);
    }

    private sealed class AnyFilter(EventFilter[] filters) : EventFilter
    {
        public override bool Matches(ReadOnlySpan<byte> payload)
        {
            foreach (var filter in filters)
            {
                if (filter.Matches(payload))
                    return true;
            }
            return false;
        }
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

    /// <summary>The text of a string field.</summary>
    public ReadOnlySpan<byte> FindText(ReadOnlySpan<byte> payload)
    {
        var bytes = Find(payload);
        return bytes[..bytes.IndexOf((byte)0)];
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

/// <summary>Compares a string field with a text, between whose parts any run of characters may stand.</summary>
internal sealed class TextFilter(FieldPlace place, string[] parts, bool isEqual) : EventFilter
{
    // In UTF-8 no character's bytes begin inside another's, so bytes can be compared as they are.
    private readonly byte[][] _parts = [.. parts.Select(Encoding.UTF8.GetBytes)];

    public override bool Matches(ReadOnlySpan<byte> payload) => IsMatch(place.FindText(payload)) == isEqual;

    private bool IsMatch(ReadOnlySpan<byte> text)
    {
        if (_parts.Length == 1)
            return text.SequenceEqual(_parts[0]);
        if (!text.StartsWith(_parts[0]))
            return false;
        text = text[_parts[0].Length..];
        // Whatever stands between, the first place for a part leaves the most room for those after it.
        foreach (byte[] part in _parts.AsSpan(1..^1))
        {
            int at = text.IndexOf(part);
            if (at < 0)
                return false;
            text = text[(at + part.Length)..];
        }
        return text.EndsWith(_parts[^1]);
    }
}

/// <summary>Compares two string fields.</summary>
internal sealed class TextPairFilter(FieldPlace left, FieldPlace right, bool isEqual) : EventFilter
{
    public override bool Matches(ReadOnlySpan<byte> payload) => left.FindText(payload).SequenceEqual(right.FindText(payload)) == isEqual;
}

/// <summary>Turns one comparison into a filter on a tracepoint's fields.</summary>
internal static class FilterBinder
{
    private const string TextComparisons = "texts can be compared with == and != only";

    public static EventFilter? Bind(FilterExpression.Compare compare, IReadOnlyList<TracepointField> fields, out string? error)
    {
        if (!TryPlace(compare.Left, fields, out var left, out error) || !TryPlace(compare.Right, fields, out var right, out error))
            return null;

        // "ACME*" == symbol is symbol == "ACME*".
        if (compare.Left is FilterOperand.Text && right != null)
            return BindText(right, compare.Comparison, ((FilterOperand.Text)compare.Left).Parts, out error);
        if (compare.Right is FilterOperand.Text text && left != null)
            return BindText(left, compare.Comparison, text.Parts, out error);
        if (IsText(left) && IsText(right))
        {
            if (IsEquality(compare.Comparison))
                return new TextPairFilter(left!, right!, compare.Comparison == FilterComparison.Equal);
            error = TextComparisons;
            return null;
        }
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

    private static bool IsEquality(FilterComparison comparison) => comparison is FilterComparison.Equal or FilterComparison.NotEqual;

    private static bool IsText(FieldPlace? place) => place?.Field is { Kind: FieldKind.String, IsSequence: false };

    private static EventFilter? BindText(FieldPlace place, FilterComparison comparison, string[] parts, out string? error)
    {
        error = null;
        if (!IsEquality(comparison))
        {
            error = TextComparisons;
            return null;
        }
        bool isEqual = comparison == FilterComparison.Equal;
        if (IsText(place))
            return new TextFilter(place, parts, isEqual);
        if (place.Field is not { Labels: { } labels, IsSequence: false })
        {
            error = $"field '{place.Field.Name}' is no text";
            return null;
        }
        var values = labels.Where(label => IsLabel(label.Label, parts)).Select(label => ValueOf(label, place.Field.Kind)).Distinct().ToList();
        if (values.Count == 0)
        {
            error = $"field '{place.Field.Name}' has no label \"{string.Join('*', parts)}\"; its labels are {string.Join(", ", labels.Select(label => label.Label))}";
            return null;
        }
        var any = EventFilter.Any([.. values.Select(value => new NumberFilter(new NumberSource(place), FilterComparison.Equal, new NumberSource(value)))]);
        return isEqual ? any : EventFilter.Not(any);
    }

    /// <summary>Labels are matched as texts of events are: as the bytes of one string field.</summary>
    private static bool IsLabel(string label, string[] parts) =>
        new TextFilter(new FieldPlace([new TracepointField("label", FieldKind.String)], 0), parts, isEqual: true)
            .Matches([.. Encoding.UTF8.GetBytes(label), 0]);

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
        FilterOperand.Text text => $"the text \"{string.Join('*', text.Parts)}\"",
        _ => "a number",
    };
}
