namespace Weir.Graph;

/// <summary>How two values are compared.</summary>
internal enum WhereComparison
{
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// <summary>An expression as it was written.</summary>
internal abstract record WhereExpression
{
    public sealed record And(WhereExpression Left, WhereExpression Right) : WhereExpression;

    public sealed record Or(WhereExpression Left, WhereExpression Right) : WhereExpression;

    public sealed record Not(WhereExpression Operand) : WhereExpression;

    public sealed record Compare(WhereOperand Left, WhereComparison Comparison, WhereOperand Right) : WhereExpression;

    /// <summary>A value alone: whether it is there and neither zero nor empty.</summary>
    public sealed record IsTrue(WhereOperand Operand) : WhereExpression;

    /// <summary>Whether the event has the field.</summary>
    public sealed record Has(WhereOperand.Field Field) : WhereExpression;
}

/// <summary>Where a field is looked for.</summary>
internal enum WhereScope
{
    /// <summary>In the payload, then in the event's own context, then in that of its stream's events.</summary>
    Event,

    /// <summary>In the contexts.</summary>
    Context,

    /// <summary>In the packet's context.</summary>
    Packet,
}

/// <summary>What an event or its surroundings tell beside fields.</summary>
internal enum WhereFact
{
    /// <summary>The event's name.</summary>
    Name,

    /// <summary>Its time in nanoseconds from the clock's origin.</summary>
    Time,

    /// <summary>The stream's ID.</summary>
    Stream,

    /// <summary>The trace's name.</summary>
    Trace,

    /// <summary>Its log level as a number.</summary>
    LogLevel,
}

/// <summary>One side of a comparison.</summary>
internal abstract record WhereOperand
{
    public sealed record Integer(Int128 Value) : WhereOperand;

    public sealed record Real(double Value) : WhereOperand;

    /// <summary>A text; where it has several parts, anything may stand between two of them.</summary>
    public sealed record Text(byte[][] Parts) : WhereOperand
    {
        /// <summary>Whether a text is of this pattern.</summary>
        public bool Matches(ReadOnlySpan<byte> text)
        {
            if (!text.StartsWith(Parts[0]))
                return false;
            text = text[Parts[0].Length..];
            if (Parts.Length == 1)
                return text.IsEmpty;
            foreach (byte[] part in Parts.AsSpan(1, Parts.Length - 2))
            {
                int at = text.IndexOf(part);
                if (at < 0)
                    return false;
                text = text[(at + part.Length)..];
            }
            return text.EndsWith(Parts[^1]);
        }
    }

    /// <summary>A field; with dots, one of a structure.</summary>
    public sealed record Field(WhereScope Scope, string Name) : WhereOperand;

    public sealed record Fact(WhereFact Kind) : WhereOperand;
}
