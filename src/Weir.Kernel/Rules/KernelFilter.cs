using System.Globalization;
using System.Text;
using Weir.Graph;
using Weir.Tracing;

namespace Weir.Kernel;

/// <summary>
/// Writes a rule's filter in the kernel's words, for the file <c>filter</c> of an event. The kernel wants the field left and the constant
/// right, knows no negation of a comparison of texts but <c>!=</c> and <c>!</c> before parentheses, and matches patterns with <c>~</c>.
/// Source: linux, Documentation/trace/events.rst, section 5.
/// </summary>
internal static class KernelFilter
{
    private static readonly Dictionary<string, string> s_sharedFields = new() { ["tid"] = "common_pid", ["cpu"] = "CPU", ["comm"] = "COMM" };

    /// <summary>The filter in the kernel's words.</summary>
    /// <param name="filter">The rule's filter.</param>
    /// <param name="format">The event, by the kernel's description.</param>
    /// <param name="system">The system of an event that the trace renames as <see cref="LttngNames"/> says; null where it renames nothing.</param>
    /// <exception cref="KernelException">The event lacks a field, or the kernel has no words for it.</exception>
    public static string Write(FilterExpression filter, FtraceFormat format, string? system = null)
    {
        var text = new StringBuilder();
        new Writer(text, format, system).Write(filter, isNegated: false);
        return text.ToString();
    }

    private sealed class Writer(StringBuilder text, FtraceFormat format, string? system)
    {
        public void Write(FilterExpression filter, bool isNegated)
        {
            switch (filter)
            {
                case FilterExpression.Not not:
                    Write(not.Operand, !isNegated);
                    break;
                // Negations go down to the comparisons: De Morgan.
                case FilterExpression.And and:
                    WritePair(and.Left, isNegated ? "||" : "&&", and.Right, isNegated);
                    break;
                case FilterExpression.Or or:
                    WritePair(or.Left, isNegated ? "&&" : "||", or.Right, isNegated);
                    break;
                case FilterExpression.Compare compare:
                    WriteComparison(compare, isNegated);
                    break;
                default:
                    throw new InvalidOperationException($"There is no filter {filter.GetType().Name}.");
            }
        }

        private void WritePair(FilterExpression left, string word, FilterExpression right, bool isNegated)
        {
            text.Append('(');
            Write(left, isNegated);
            text.Append(' ').Append(word).Append(' ');
            Write(right, isNegated);
            text.Append(')');
        }

        private void WriteComparison(FilterExpression.Compare compare, bool isNegated)
        {
            var (left, comparison, right) = (compare.Left, compare.Comparison, compare.Right);
            if (left is not FilterOperand.Field)
                (left, comparison, right) = (right, Turn(comparison), left);
            if (left is not FilterOperand.Field named)
                throw Refuse("a comparison needs a field on one side");
            if (isNegated)
                comparison = Negate(comparison);
            string field = Find(named.Name);
            switch (right)
            {
                case FilterOperand.Integer integer:
                    // A number in a rule is what the trace shows.
                    var value = integer.Value - (system is null ? 0 : LttngNames.AddendOf(system, format.Name, field));
                    if (value < long.MinValue || value > ulong.MaxValue)
                        throw Refuse($"{integer.Value} is no number of 64 bits");
                    text.Append(CultureInfo.InvariantCulture, $"{field} {Word(comparison)} {value}");
                    break;
                case FilterOperand.Text constant:
                    WriteText(field, comparison, constant);
                    break;
                case FilterOperand.Field:
                    throw Refuse("the kernel compares a field with a constant only, not with another field");
                default:
                    throw Refuse("the kernel compares no numbers with a fraction");
            }
        }

        private void WriteText(string field, FilterComparison comparison, FilterOperand.Text constant)
        {
            if (comparison is not (FilterComparison.Equal or FilterComparison.NotEqual))
                throw Refuse("texts are compared with == and != only");
            if (constant.Parts.Any(part => part.Contains('"', StringComparison.Ordinal)))
                throw Refuse("the kernel has no way to write a quotation mark in a text");
            bool isPattern = constant.Parts.Length > 1;
            if (isPattern && constant.Parts.Any(part => part.AsSpan().IndexOfAny("*?[") >= 0))
                throw Refuse("the kernel takes *, ? and [ in a pattern as wildcards always");
            string literal = string.Join('*', constant.Parts);
            string word = !isPattern ? Word(comparison) : "~";
            string comparisonText = $"{field} {word} \"{literal}\"";
            text.Append(isPattern && comparison == FilterComparison.NotEqual ? $"!({comparisonText})" : comparisonText);
        }

        private string Find(string name)
        {
            string kernelName = system is null ? name : LttngNames.KernelField(system, format.Name, name);
            if (format.Fields.Any(field => field.Name == kernelName) || format.FindShared(kernelName) is not null)
                return kernelName;
            if (s_sharedFields.TryGetValue(name, out string? shared))
                return shared;
            throw Refuse($"it has no field '{name}'; its fields are {string.Join(", ", format.Fields.Select(field => field.Name))}, and tid, cpu and comm");
        }

        private KernelException Refuse(string why) => new($"event '{format.Name}' cannot be filtered so: {why}");

        private static FilterComparison Turn(FilterComparison comparison) => comparison switch
        {
            FilterComparison.Less => FilterComparison.Greater,
            FilterComparison.LessOrEqual => FilterComparison.GreaterOrEqual,
            FilterComparison.Greater => FilterComparison.Less,
            FilterComparison.GreaterOrEqual => FilterComparison.LessOrEqual,
            _ => comparison,
        };

        private static FilterComparison Negate(FilterComparison comparison) => comparison switch
        {
            FilterComparison.Equal => FilterComparison.NotEqual,
            FilterComparison.NotEqual => FilterComparison.Equal,
            FilterComparison.Less => FilterComparison.GreaterOrEqual,
            FilterComparison.LessOrEqual => FilterComparison.Greater,
            FilterComparison.Greater => FilterComparison.LessOrEqual,
            _ => FilterComparison.Less,
        };

        private static string Word(FilterComparison comparison) => comparison switch
        {
            FilterComparison.Equal => "==",
            FilterComparison.NotEqual => "!=",
            FilterComparison.Less => "<",
            FilterComparison.LessOrEqual => "<=",
            FilterComparison.Greater => ">",
            _ => ">=",
        };
    }
}
