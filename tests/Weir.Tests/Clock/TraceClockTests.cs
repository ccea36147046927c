using Weir.Clock;
using Weir.Tests.Ring;
using Xunit;

namespace Weir.Tests.Clock;

public sealed class TraceClockTests
{
    [Theory]
    [InlineData("monotonic", false)]
    [InlineData("counter", true)]
    [InlineData("", true)]
    public void The_variable_asks_for_the_fallback_and_for_nothing_else(string value, bool isBest)
    {
        string[] lines = Child.Run(RingBufferTests.PrintChoices, [], new() { [TraceClock.Variable] = value });
        var expected = isBest && CpuCounter.IsTrusted ? ClockKind.Counter : ClockKind.Monotonic;
        Assert.StartsWith(expected.ToString(), lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public void The_clock_as_a_struct_and_by_its_kind_is_the_same()
    {
        Assert.Equal(ClockKind.Monotonic, MonotonicClock.Kind);
        Assert.Equal(ClockKind.Counter, CounterClock.Kind);
        ulong before = MonotonicClock.Read();
        ulong between = TraceClock.Read(ClockKind.Monotonic);
        Assert.InRange(between, before, MonotonicClock.ReadOrdered());
    }
}
