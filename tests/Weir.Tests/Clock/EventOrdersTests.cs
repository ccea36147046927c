using CsCheck;
using Weir.Clock;
using Xunit;

namespace Weir.Tests.Clock;

public sealed class EventOrdersTests
{
    /// <summary>CPU 1 is 10 behind to 20 ahead of CPU 0, CPU 2 is 100 to 130 ahead.</summary>
    private static readonly CounterSkew s_skew = CounterSkew.Of(0, [new CpuOffset(1, -10, 20, 5), new CpuOffset(2, 100, 130, 5)]);

    [Theory]
    [InlineData(0, 1, 1021, EventOrder.Before, 20)]
    [InlineData(0, 1, 1020, EventOrder.Unknown, 20)]
    [InlineData(0, 1, 1000, EventOrder.Unknown, 20)]
    [InlineData(0, 1, 990, EventOrder.Unknown, 10)]
    [InlineData(0, 1, 989, EventOrder.After, 10)]
    [InlineData(0, 2, 1099, EventOrder.After, 130)]
    [InlineData(0, 2, 1100, EventOrder.Unknown, 130)]
    [InlineData(0, 2, 1131, EventOrder.Before, 130)]
    [InlineData(1, 2, 1141, EventOrder.Before, 140)]
    [InlineData(2, 2, 1001, EventOrder.Before, 0)]
    [InlineData(2, 2, 999, EventOrder.After, 0)]
    [InlineData(2, 2, 1000, EventOrder.Unknown, 0)]
    public void Two_CPUs_are_decided_by_the_bounds_of_their_skew(int firstCpu, int secondCpu, ulong secondTime, EventOrder order, int bound)
    {
        var first = new EventPoint(1000, firstCpu);
        var second = new EventPoint(secondTime, secondCpu);
        Assert.Equal(new OrderDecision(order, (ulong)bound), EventOrders.Decide(first, second, s_skew));
    }

    [Fact]
    public void One_stream_is_always_decided()
    {
        var first = new EventPoint(1000, 0, "stream", 7);
        Assert.Equal(EventOrder.Before, EventOrders.Decide(first, first with { Cycles = 1001, Position = 8 }, s_skew).Order);
        Assert.Equal(EventOrder.Before, EventOrders.Decide(first, first with { Position = 8 }, s_skew).Order);
        Assert.Equal(EventOrder.After, EventOrders.Decide(first, first with { Position = 6 }, s_skew).Order);
        // Also where the packet does not tell its CPU.
        Assert.Equal(EventOrder.Before, EventOrders.Decide(first with { Cpu = -1 }, first with { Cpu = -1, Cycles = 1001 }, s_skew).Order);
    }

    [Fact]
    public void One_thread_is_decided_across_CPUs()
    {
        var first = new EventPoint(1000, 0, "a", 0, 42L);
        var second = new EventPoint(1005, 1, "b", 0, 42L);
        Assert.Equal(new OrderDecision(EventOrder.Before, 0), EventOrders.Decide(first, second, s_skew));
        Assert.Equal(EventOrder.Unknown, EventOrders.Decide(first, second with { Thread = 43L }, s_skew).Order);
        Assert.Equal(EventOrder.Unknown, EventOrders.Decide(first with { Thread = null }, second with { Thread = null }, s_skew).Order);
    }

    [Fact]
    public void A_CPU_that_was_not_measured_has_no_bound_and_without_a_measure_the_clock_is_taken_at_its_word()
    {
        var first = new EventPoint(1000, 0);
        var second = new EventPoint(1_000_000, 7);
        Assert.Equal(new OrderDecision(EventOrder.Unknown, null), EventOrders.Decide(first, second, s_skew));
        // A CPU that is not named is any of them: from 10 behind to 130 ahead.
        Assert.Equal(new OrderDecision(EventOrder.Before, 130), EventOrders.Decide(first, second with { Cpu = -1 }, s_skew));
        Assert.Equal(new OrderDecision(EventOrder.Unknown, 140), EventOrders.Decide(first with { Cpu = -1 }, first with { Cpu = -1 }, s_skew));
        Assert.Equal(new OrderDecision(EventOrder.Before, 0), EventOrders.Decide(first, second, null));
        Assert.Equal(EventOrder.Unknown, EventOrders.Decide(first, second with { Cycles = 1000 }, null).Order);
    }

    [Theory]
    [InlineData(100, 10, 131, 20, EventOrder.Before)]
    [InlineData(100, 10, 130, 20, EventOrder.Unknown)]
    [InlineData(130, 20, 100, 10, EventOrder.Unknown)]
    [InlineData(131, 20, 100, 10, EventOrder.After)]
    [InlineData(long.MinValue, long.MaxValue, long.MaxValue, long.MaxValue, EventOrder.Before)]
    public void Two_clocks_are_decided_by_their_uncertainties(long first, long firstUncertainty, long second, long secondUncertainty, EventOrder order) =>
        Assert.Equal(order, EventOrders.Decide(new ConvertedTime(first, firstUncertainty), new ConvertedTime(second, secondUncertainty)).Order);

    [Theory]
    [InlineData(0.0, EventOrder.Unknown)]
    [InlineData(0.5, EventOrder.Before)]
    [InlineData(-0.5, EventOrder.After)]
    public void Two_hosts_are_decided_by_an_exchange(double seconds, EventOrder order)
    {
        // The other clock is ahead by 1000 s and fast by 20 ppm; a message takes 50 us each way.
        static double Other(double mine) => 1e12 + (mine * 1.00002);
        var rounds = Enumerable.Range(1, 50).Select(i => i * 1e8)
            .Select(at => new ClockRound((ulong)at, (ulong)Other(at + 50_000), (ulong)Other(at + 51_000), (ulong)(at + 101_000))).ToArray();
        var relation = ClockRelation.Create(rounds, 1_000_000_000, 1_000_000_000);
        const double Here = 2e9;
        var decision = EventOrders.Decide((ulong)Here, (ulong)Other(Here + (seconds * 1e9)), relation);
        Assert.Equal(order, decision.Order);
        Assert.InRange(decision.Bound!.Value, 90_000UL, 120_000UL);
    }

    /// <summary>Events at true times on CPUs with a true skew within its bounds: what is decided is right.</summary>
    [Fact]
    public void What_is_decided_is_right()
    {
        var cpu = Gen.Int[0, 3];
        var offset =
            from least in Gen.Long[-500, 500]
            from width in Gen.Long[0, 300]
            from inside in Gen.Long[0, width]
            select (Least: least, Most: least + width, True: least + inside);
        Gen.Select(offset.Array[3], cpu, cpu, Gen.Long[-1000, 1000]).Sample((offsets, first, second, distance) =>
        {
            var skew = CounterSkew.Of(0, offsets.Select((o, i) => new CpuOffset(i + 1, o.Least, o.Most, 1)));
            long TrueOffset(int c) => c == 0 ? 0 : offsets[c - 1].True;
            var a = new EventPoint((ulong)(100_000 + TrueOffset(first)), first);
            var b = new EventPoint((ulong)(100_000 + distance + TrueOffset(second)), second);
            var decision = EventOrders.Decide(a, b, skew);
            if (decision.Order != EventOrder.Unknown)
                Assert.Equal(distance > 0 ? EventOrder.Before : EventOrder.After, decision.Order);
            // And the other way round it is the other way round.
            var reverse = EventOrders.Decide(b, a, skew).Order;
            Assert.Equal(decision.Order switch { EventOrder.Before => EventOrder.After, EventOrder.After => EventOrder.Before, _ => EventOrder.Unknown }, reverse);
        });
    }
}
