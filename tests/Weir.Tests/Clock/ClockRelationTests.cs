using CsCheck;
using Weir.Clock;
using Xunit;

namespace Weir.Tests.Clock;

public sealed class ClockRelationTests
{
    private const ulong Hz = 1_000_000_000;

    /// <summary>Rounds between a clock and one that is shifted and drifts, over a way of given delays; times are the first clock's.</summary>
    private static ClockRound Round(double at, double there, double waits, double back, Func<double, double> other) =>
        new((ulong)at, (ulong)other(at + there), (ulong)other(at + there + waits), (ulong)(at + there + waits + back));

    [Fact]
    public void One_round_bounds_the_other_clock_by_its_own_length()
    {
        var relation = ClockRelation.Create([new ClockRound(1000, 501_050, 501_060, 1100)], Hz, Hz);
        // At 1000 it had not passed 501050, and at 1100 it had reached 501060.
        var (earliest, latest) = relation.Bound(1000);
        Assert.InRange(earliest, 500_950UL, 500_961UL);
        Assert.InRange(latest, 501_050UL, 501_053UL);
        Assert.Equal(100UL, relation.BestRoundTrip);
        // 1000 ppm, which is all that one round tells of the rate.
        Assert.InRange(relation.RateErrorPpm.Most, 999, 1001);
        Assert.InRange(relation.RateErrorPpm.Least, -1001, -999);
    }

    [Fact]
    public void Many_rounds_tell_the_rate_and_the_best_of_them_the_offset()
    {
        var random = new Random(7);
        static double Other(double t) => 5e14 + (t * (1 + 80e-6));
        var rounds = new List<ClockRound>();
        for (int i = 0; i < 500; i++)
        {
            // 20 us each way and now and then a millisecond more, in one direction rather than in the other.
            double there = 20_000 + (random.NextDouble() < 0.5 ? 1_000_000 * random.NextDouble() : 500 * random.NextDouble());
            double back = 20_000 + (500 * random.NextDouble());
            rounds.Add(Round(1e15 + (i * 10e6), there, 3_000, back, Other));
        }
        var relation = ClockRelation.Create([.. rounds], Hz, Hz);
        Assert.Equal(500, relation.Rounds);
        Assert.InRange(80, relation.RateErrorPpm.Least, relation.RateErrorPpm.Most);
        Assert.InRange(relation.RateErrorPpm.Most - relation.RateErrorPpm.Least, 0, 40);
        foreach (double at in new[] { 1e15, 1e15 + 2.5e9, 1e15 + 5e9 })
        {
            var (earliest, latest) = relation.Bound((ulong)at);
            Assert.InRange(Other(at), earliest, latest);
            // Two ways of 20 us; nothing of the millisecond.
            Assert.InRange(latest - earliest, 1UL, 80_000UL);
        }
    }

    [Fact]
    public void Clocks_may_count_in_different_units()
    {
        static double Other(double t) => 77 + ((t - 1e9) * 2.6 * (1 - 30e-6));
        var rounds = Enumerable.Range(0, 100).Select(i => Round(1e12 + (i * 1e8), 5_000, 100, 5_000, Other)).ToArray();
        var relation = ClockRelation.Create(rounds, Hz, 2_600_000_000);
        var (earliest, latest) = relation.Bound(1_003_000_000_000);
        Assert.InRange(Other(1.003e12), earliest, latest);
        Assert.InRange(latest - earliest, 1UL, 40_000UL);
        Assert.InRange(-30, relation.RateErrorPpm.Least, relation.RateErrorPpm.Most);
    }

    [Fact]
    public void When_the_rate_has_changed_what_was_before_is_given_up()
    {
        static double Other(double t) => t < 5e9 ? t * (1 + 100e-6) : (5e9 * (1 + 100e-6)) + ((t - 5e9) * (1 - 100e-6));
        var rounds = Enumerable.Range(1, 100).Select(i => Round(i * 1e8, 5_000, 100, 5_000, Other)).ToArray();
        var relation = ClockRelation.Create(rounds, Hz, Hz);
        Assert.InRange(relation.Rounds, 20, 55);
        var (earliest, latest) = relation.Bound((ulong)9e9);
        Assert.InRange(Other(9e9), earliest, latest);
    }

    [Fact]
    public void What_cannot_be_is_refused()
    {
        Assert.Throws<ArgumentException>(() => ClockRelation.Create([], Hz, Hz));
        Assert.Throws<ArgumentException>(() => ClockRelation.Create([new ClockRound(10, 5, 4, 20)], Hz, Hz));
        Assert.Throws<ArgumentException>(() => ClockRelation.Create([new ClockRound(20, 5, 5, 10)], Hz, Hz));
        Assert.Throws<ArgumentException>(() => ClockRelation.Create([new ClockRound(10, 5, 6, 20), new ClockRound(19, 7, 8, 30)], Hz, Hz));
        Assert.Throws<ArgumentException>(() => ClockRelation.Create([new ClockRound(10, 50, 5_000_000, 20)], Hz, Hz));
        Assert.Throws<ArgumentOutOfRangeException>(() => ClockRelation.Create([new ClockRound(10, 5, 6, 20)], 0, Hz));
        Assert.Throws<ArgumentOutOfRangeException>(() => ClockRelation.Create([new ClockRound(10, 5, 6, 20)], Hz, 0));
    }

    /// <summary>Any offset, any drift, any delays: the truth lies within the bounds, in the middle and at both ends.</summary>
    [Fact]
    public void The_truth_lies_within_the_bounds()
    {
        var round =
            from gap in Gen.Double[1_000, 1e8]
            from there in Gen.Double[100, 1e6]
            from waits in Gen.Double[0, 1e4]
            from back in Gen.Double[100, 1e6]
            select (gap, there, waits, back);
        Gen.Select(Gen.Double[0, 1e15], Gen.Double[-400e-6, 400e-6], round.Array[1, 60]).Sample((offset, drift, delays) =>
        {
            double Other(double t) => offset + (t * (1 + drift));
            double at = 1e9;
            var rounds = new List<ClockRound>();
            foreach (var (gap, there, waits, back) in delays)
            {
                rounds.Add(Round(at, there, waits, back, Other));
                at += there + waits + back + gap;
            }
            var relation = ClockRelation.Create([.. rounds], Hz, Hz);
            Assert.Equal(delays.Length, relation.Rounds);
            foreach (double t in new[] { 1e9, (1e9 + at) / 2, at, at + 1e9 })
            {
                var (earliest, latest) = relation.Bound((ulong)t);
                Assert.InRange(Other(Math.Floor(t)), earliest - 1.0, latest + 1.0);
            }
        });
    }
}
