namespace Weir.Clock;

/// <summary>One question and its answer, over which two clocks were compared.</summary>
/// <param name="Asked">My clock before the question left.</param>
/// <param name="Received">The other clock when it had come.</param>
/// <param name="Replied">The other clock before the answer left.</param>
/// <param name="Returned">My clock when that had come.</param>
public readonly record struct ClockRound(ulong Asked, ulong Received, ulong Replied, ulong Returned);

/// <summary>
/// What another clock says when mine says something: bounds, from many rounds. Clocks may count in different units and at different,
/// constant rates.
/// <code>
///  other                U         U: (asked, received): the other clock had not come further than this
///    |          U      .  L       L: (returned, replied): it had come at least as far as this
///    |     U  .  - - L            every straight line that passes below all U and above all L is possible;
///    |   .  - - L                 the bounds at a time are the lowest and the highest of them there
///    +--------------------- mine
/// </code>
/// How long the question and the answer took is not assumed to be alike: a slow round is a constraint that does not bind, so the best of
/// many decide. Where no line fits, a rate has changed, and the older half is given up, and so on. Immutable.
/// </summary>
public sealed class ClockRelation
{
    /// <summary>Rates differ from what the clocks say of themselves by no more: crystals by 100 ppm, and NTP steers by 500.</summary>
    private const double MaxRateError = 1000e-6;

    /// <summary>What a rate wanders by, outside of the time of the rounds.</summary>
    private const double Wander = 0.1e-6;

    private const int Steps = 100;

    private readonly ulong _mineZero;
    private readonly ulong _otherZero;
    private readonly ulong _mineHz;
    private readonly ulong _otherHz;
    private readonly (double X, double Y)[] _upper;
    private readonly (double X, double Y)[] _lower;
    private readonly double _leastRate;
    private readonly double _mostRate;
    private readonly double _lastX;

    private ClockRelation(ReadOnlySpan<ClockRound> rounds, ulong mineHz, ulong otherHz)
    {
        (_mineHz, _otherHz) = (mineHz, otherHz);
        (_mineZero, _otherZero) = (rounds[0].Asked, rounds[0].Received);
        var upper = new List<(double X, double Y)>();
        var lower = new List<(double X, double Y)>();
        ulong best = ulong.MaxValue;
        foreach (var round in rounds)
        {
            upper.Add(Place(round.Asked, round.Received));
            lower.Add(Place(round.Returned, round.Replied));
            best = Math.Min(best, round.Returned - round.Asked);
        }
        _lastX = lower[^1].X;
        _upper = Hull(upper, 1);
        _lower = Hull(lower, -1);
        BestRoundTrip = best;
        Rounds = rounds.Length;
        // What is left open is a convex set of lines, so the room between the constraints rises to one rate and falls from there.
        double limit = MaxRateError * otherHz / mineHz;
        double middle = Peak(-limit, limit, Room);
        IsPossible = Room(middle) >= 0;
        if (!IsPossible)
            return;
        _leastRate = Border(middle, -limit);
        _mostRate = Border(middle, limit);
    }

    /// <summary>Rounds that agree on one rate.</summary>
    public int Rounds { get; }

    /// <summary>The shortest round, in my cycles: near it, the bounds are no further apart.</summary>
    public ulong BestRoundTrip { get; }

    /// <summary>By how much the other clock's rate is above what both clocks say of themselves, in millionths: least and most.</summary>
    public (double Least, double Most) RateErrorPpm =>
        (_leastRate * _mineHz / _otherHz * 1e6, _mostRate * _mineHz / _otherHz * 1e6);

    private bool IsPossible { get; }

    /// <summary>Relates two clocks.</summary>
    /// <param name="rounds">Rounds in the order of time.</param>
    /// <param name="mineHz">Cycles in a second of my clock, as far as known.</param>
    /// <param name="otherHz">Of the other.</param>
    /// <exception cref="ArgumentException">
    /// There is no round, or one in which a clock went back, or the newest two cannot both be right.
    /// </exception>
    public static ClockRelation Create(ReadOnlySpan<ClockRound> rounds, ulong mineHz, ulong otherHz)
    {
        ArgumentOutOfRangeException.ThrowIfZero(mineHz);
        ArgumentOutOfRangeException.ThrowIfZero(otherHz);
        for (int i = 0; i < rounds.Length; i++)
        {
            if (rounds[i].Returned < rounds[i].Asked || rounds[i].Replied < rounds[i].Received
                || (i > 0 && (rounds[i].Asked < rounds[i - 1].Returned || rounds[i].Received < rounds[i - 1].Replied)))
                throw new ArgumentException($"In round {i} a clock went back.", nameof(rounds));
        }
        if (rounds.Length == 0)
            throw new ArgumentException("There are no rounds.", nameof(rounds));
        while (true)
        {
            var relation = new ClockRelation(rounds, mineHz, otherHz);
            if (relation.IsPossible)
                return relation;
            if (rounds.Length == 1)
                throw new ArgumentException("The last round cannot be: between its question and its answer the other clock ran at another rate.", nameof(rounds));
            rounds = rounds[(rounds.Length / 2)..];
        }
    }

    /// <summary>The other clock's reading at a reading of mine: it is not below the first nor above the second.</summary>
    public (ulong Earliest, ulong Latest) Bound(ulong mine)
    {
        double x = (double)((Int128)mine - _mineZero);
        double most = Extreme(_upper, x, 1);
        double least = Extreme(_lower, x, -1);
        double outside = Math.Max(0, Math.Max(-x, x - _lastX)) * Wander * _otherHz / _mineHz;
        Int128 straight = Straight((Int128)mine - _mineZero) + _otherZero;
        // One for each rounding on the way: of the straight line and of this.
        return (Saturate(straight + (Int128)Math.Floor(least - outside) - 2), Saturate(straight + (Int128)Math.Ceiling(most + outside) + 2));
    }

    /// <summary>The highest that a possible line is at x (sign 1), or the lowest (sign -1).</summary>
    private double Extreme((double X, double Y)[] points, double x, int sign)
    {
        double AtRate(double rate)
        {
            double value = double.PositiveInfinity;
            foreach (var point in points)
                value = Math.Min(value, sign * (point.Y - (rate * (point.X - x))));
            return value;
        }
        return sign * AtRate(Peak(_leastRate, _mostRate, AtRate));
    }

    /// <summary>How far the lines of a rate may be shifted between the constraints; negative: there is none.</summary>
    private double Room(double rate)
    {
        double high = double.PositiveInfinity;
        double low = double.NegativeInfinity;
        foreach (var point in _upper)
            high = Math.Min(high, point.Y - (rate * point.X));
        foreach (var point in _lower)
            low = Math.Max(low, point.Y - (rate * point.X));
        // Doubles of this size are rounded by less than a cycle.
        return high - low + 1;
    }

    /// <summary>Where a concave function is highest.</summary>
    private static double Peak(double low, double high, Func<double, double> function)
    {
        for (int i = 0; i < Steps; i++)
        {
            double third = (high - low) / 3;
            if (function(low + third) < function(high - third))
                low += third;
            else
                high -= third;
        }
        return (low + high) / 2;
    }

    /// <summary>The last rate from the middle on towards the limit for which there is a line.</summary>
    private double Border(double middle, double limit)
    {
        if (Room(limit) >= 0)
            return limit;
        for (int i = 0; i < Steps; i++)
        {
            double half = (middle + limit) / 2;
            if (Room(half) >= 0)
                middle = half;
            else
                limit = half;
        }
        return limit;
    }

    /// <summary>A point as its distance from the line that the clocks' own frequencies make, where the numbers are small.</summary>
    private (double X, double Y) Place(ulong mine, ulong other)
    {
        Int128 x = (Int128)mine - _mineZero;
        return ((double)x, (double)((Int128)other - _otherZero - Straight(x)));
    }

    private Int128 Straight(Int128 mine) => _mineHz == _otherHz ? mine : Scale(mine);

    private Int128 Scale(Int128 mine)
    {
        var (whole, rest) = Int128.DivRem(mine, _mineHz);
        return (whole * _otherHz) + (rest * _otherHz / _mineHz);
    }

    /// <summary>The points that may bind: the lower side of their hull (sign 1) or the upper (sign -1). They come in the order of X.</summary>
    private static (double X, double Y)[] Hull(List<(double X, double Y)> points, int sign)
    {
        var hull = new List<(double X, double Y)>();
        foreach (var point in points)
        {
            while (hull.Count >= 2 && !IsCorner(hull[^2], hull[^1], point, sign))
                hull.RemoveAt(hull.Count - 1);
            hull.Add(point);
        }
        return [.. hull];
    }

    private static bool IsCorner((double X, double Y) a, (double X, double Y) b, (double X, double Y) c, int sign) =>
        sign * (((b.X - a.X) * (c.Y - a.Y)) - ((b.Y - a.Y) * (c.X - a.X))) > 0;

    private static ulong Saturate(Int128 value) => (ulong)Int128.Clamp(value, ulong.MinValue, ulong.MaxValue);
}
