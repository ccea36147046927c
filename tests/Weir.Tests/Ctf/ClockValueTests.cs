using Weir.Ctf;
using Xunit;

namespace Weir.Tests.Ctf;

public class ClockValueTests
{
    [Theory]
    [InlineData(0x0F00UL, 0x10UL, 8, 0x0F10UL)]
    [InlineData(0x0FF0UL, 0x10UL, 8, 0x1010UL)]
    [InlineData(0x0F10UL, 0x10UL, 8, 0x0F10UL)]
    [InlineData(5UL, 3UL, 64, 3UL)]
    public void A_partial_value_extends_the_running_one_and_wraps_once(ulong running, ulong low, int sizeBits, ulong expected) =>
        Assert.Equal(expected, ClockValue.Extend(running, low, sizeBits));

    [Fact]
    public void Cycles_become_nanoseconds_through_double()
    {
        Assert.Equal(123UL, ClockValue.ToNanoseconds(123, 1_000_000_000));
        // Exactly 384615384467455621.3...: a double near it is a multiple of 64.
        Assert.Equal((ulong)(1e9 * 1e15 / 2600000001.0), ClockValue.ToNanoseconds(1_000_000_000_000_000, 2_600_000_001));
        Assert.Equal(ulong.MaxValue, ClockValue.ToNanoseconds(ulong.MaxValue, 1));
    }

    [Fact]
    public void An_offset_beyond_64_bits_is_refused()
    {
        Assert.False(ClockValue.TryGetOffset(new ClockClass { Name = "c", OffsetSeconds = long.MaxValue }, 0, 0, out _));
        Assert.True(ClockValue.TryGetOffset(new ClockClass { Name = "c", OffsetSeconds = 2, OffsetCycles = 1_500_000_000 }, 1, -1, out long offset));
        Assert.Equal(4_499_999_999, offset);
    }
}
