using Weir.Ctf;

namespace Weir.Graph;

/// <summary>An expression as it is asked of the events of one class: what is the same for all of them has been decided.</summary>
internal abstract class WhereTest
{
    public abstract bool IsTrue(WhereValues values);

    public sealed class Constant(bool value) : WhereTest
    {
        public bool Value => value;

        public override bool IsTrue(WhereValues values) => value;
    }

    public sealed class And(WhereTest left, WhereTest right) : WhereTest
    {
        public override bool IsTrue(WhereValues values) => left.IsTrue(values) && right.IsTrue(values);
    }

    public sealed class Or(WhereTest left, WhereTest right) : WhereTest
    {
        public override bool IsTrue(WhereValues values) => left.IsTrue(values) || right.IsTrue(values);
    }

    public sealed class Not(WhereTest operand) : WhereTest
    {
        public override bool IsTrue(WhereValues values) => !operand.IsTrue(values);
    }

    public sealed class Truth(int place) : WhereTest
    {
        public override bool IsTrue(WhereValues values)
        {
            ref readonly var value = ref values.Items[place];
            return value.Kind switch
            {
                WhereValueKind.Integer => value.Bits != 0,
                WhereValueKind.Real => value.Real != 0,
                WhereValueKind.Text => value.TextLength != 0,
                WhereValueKind.Other => true,
                _ => false,
            };
        }
    }

    public sealed class Presence(int place) : WhereTest
    {
        public override bool IsTrue(WhereValues values) => values.Items[place].Kind != WhereValueKind.Missing;
    }

    public sealed class WithInteger(int place, WhereComparison comparison, Int128 literal) : WhereTest
    {
        public override bool IsTrue(WhereValues values)
        {
            ref readonly var value = ref values.Items[place];
            return value.Kind switch
            {
                WhereValueKind.Integer => Decide(comparison, value.Integer.CompareTo(literal)),
                WhereValueKind.Real => DecideReals(comparison, value.Real, (double)literal),
                _ => false,
            };
        }
    }

    public sealed class WithReal(int place, WhereComparison comparison, double literal) : WhereTest
    {
        public override bool IsTrue(WhereValues values)
        {
            ref readonly var value = ref values.Items[place];
            return value.Kind is WhereValueKind.Integer or WhereValueKind.Real && DecideReals(comparison, value.AsReal, literal);
        }
    }

    /// <summary>A text, or an enumeration by its labels: by step the labels that the pattern takes.</summary>
    public sealed class WithText(int place, bool isEqual, WhereOperand.Text pattern, IReadOnlyList<EnumerationMapping>?[] labels) : WhereTest
    {
        public override bool IsTrue(WhereValues values)
        {
            ref readonly var value = ref values.Items[place];
            return value.Kind switch
            {
                WhereValueKind.Text => pattern.Matches(values.TextOf(in value)) == isEqual,
                WhereValueKind.Integer when value.Step >= 0 && labels[value.Step] is { } taken => Names(taken, in value) == isEqual,
                _ => false,
            };
        }

        private static bool Names(IReadOnlyList<EnumerationMapping> labels, in WhereValue value)
        {
            for (int i = 0; i < labels.Count; i++)
            {
                if (labels[i].Contains((long)value.Bits, value.IsSigned))
                    return true;
            }
            return false;
        }
    }

    public sealed class Both(int left, WhereComparison comparison, int right) : WhereTest
    {
        public override bool IsTrue(WhereValues values)
        {
            ref readonly var first = ref values.Items[left];
            ref readonly var second = ref values.Items[right];
            bool areNumbers = first.Kind is WhereValueKind.Integer or WhereValueKind.Real && second.Kind is WhereValueKind.Integer or WhereValueKind.Real;
            if (areNumbers && first.Kind == WhereValueKind.Integer && second.Kind == WhereValueKind.Integer)
                return Decide(comparison, first.Integer.CompareTo(second.Integer));
            if (areNumbers)
                return DecideReals(comparison, first.AsReal, second.AsReal);
            if (first.Kind != WhereValueKind.Text || second.Kind != WhereValueKind.Text || comparison is not (WhereComparison.Equal or WhereComparison.NotEqual))
                return false;
            return values.TextOf(in first).SequenceEqual(values.TextOf(in second)) == (comparison == WhereComparison.Equal);
        }
    }

    internal static bool Decide(WhereComparison comparison, int order) => comparison switch
    {
        WhereComparison.Equal => order == 0,
        WhereComparison.NotEqual => order != 0,
        WhereComparison.Less => order < 0,
        WhereComparison.LessOrEqual => order <= 0,
        WhereComparison.Greater => order > 0,
        _ => order >= 0,
    };

    /// <summary>By the numbers themselves, so that what is no number is like nothing.</summary>
    internal static bool DecideReals(WhereComparison comparison, double left, double right) => comparison switch
    {
        WhereComparison.Equal => left == right,
        WhereComparison.NotEqual => left != right,
        WhereComparison.Less => left < right,
        WhereComparison.LessOrEqual => left <= right,
        WhereComparison.Greater => left > right,
        _ => left >= right,
    };
}
