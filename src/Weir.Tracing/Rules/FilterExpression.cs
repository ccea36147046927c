namespace Weir.Tracing;

/// <summary>A filter as it was written, before it is bound to an event's fields.</summary>
internal abstract record FilterExpression
{
    public sealed record And(FilterExpression Left, FilterExpression Right) : FilterExpression;

    public sealed record Or(FilterExpression Left, FilterExpression Right) : FilterExpression;

    public sealed record Not(FilterExpression Operand) : FilterExpression;

    public sealed record Compare(FilterOperand Left, FilterComparison Comparison, FilterOperand Right) : FilterExpression;
}

internal enum FilterComparison
{
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// <summary>One side of a comparison: a field's name, or a literal.</summary>
internal abstract record FilterOperand
{
    public sealed record Field(string Name) : FilterOperand;

    public sealed record Integer(Int128 Value) : FilterOperand;

    public sealed record Real(double Value) : FilterOperand;

    /// <summary>Text, split at each <c>*</c> that is not escaped: between two parts any run of characters may stand.</summary>
    public sealed record Text(string[] Parts) : FilterOperand;
}
