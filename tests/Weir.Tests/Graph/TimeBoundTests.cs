using Weir.Graph;
using Xunit;

namespace Weir.Tests.Graph;

public class TimeBoundTests
{
    [Theory]
    [InlineData("1351532897.5", 1351532897500000000)]
    [InlineData("-2", -2000000000)]
    [InlineData("2012-10-29 17:48:17.000000001", 1351532897000000001)]
    [InlineData("2012-10-29T17:48:17.000000001", 1351532897000000001)]
    [InlineData("2012-10-29T17:48:17Z", 1351532897000000000)]
    [InlineData("2012-10-29", 1351468800000000000)]
    [InlineData("00:00:01", 1351468801000000000)]
    [InlineData("9999-12-31 23:59:59", long.MaxValue)]
    [InlineData("0001-01-01", long.MinValue)]
    public void A_bound_is_read_in_each_form(string text, long expectedNs)
    {
        Assert.True(TimeBound.TryParse(text, out var bound));
        Assert.Equal(expectedNs, bound.Resolve(isUtc: true, firstTimeNs: 1351532897587029529));
    }

    [Fact]
    public void A_bound_that_says_UTC_is_in_no_other_zone()
    {
        Assert.True(TimeBound.TryParse("12:00Z", out var bound));
        Assert.Equal(bound.Resolve(isUtc: true, 0), bound.Resolve(isUtc: false, 0));
    }

    [Theory]
    [InlineData("2012-10-29 12:48:17.1231231231")]
    [InlineData("2012-10-29 12:489:17")]
    [InlineData("2012-10-29 12:48:")]
    [InlineData("2012-10-29 12")]
    [InlineData("20121-10-29")]
    [InlineData("2012-10-29T")]
    [InlineData("2012-10-29Z")]
    [InlineData("2012-10-29T12:48:17ZZ")]
    [InlineData("x")]
    [InlineData("")]
    public void Other_forms_are_refused(string text) => Assert.False(TimeBound.TryParse(text, out _));
}
