using Weir.Cli;
using Xunit;

namespace Weir.Tests.Cli;

public class CommandLineValuesTests
{
    [Theory]
    [InlineData("500ms", 0.5)]
    [InlineData("10s", 10)]
    [InlineData("10", 10)]
    [InlineData("1.5m", 90)]
    [InlineData("2h", 7200)]
    [InlineData("00:01:02", 62)]
    [InlineData("1:00:00:01", 86401)]
    public void Durations(string text, double seconds)
    {
        Assert.True(CommandLineValues.TryParseDuration(text, out var duration));
        Assert.Equal(seconds, duration.TotalSeconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0s")]
    [InlineData("-1s")]
    [InlineData("ten")]
    [InlineData("10d")]
    [InlineData("1:2:3:4:5")]
    [InlineData("99999:00:00:00")]
    [InlineData("1e300s")]
    [InlineData("::")]
    public void What_is_no_duration(string text) => Assert.False(CommandLineValues.TryParseDuration(text, out _));

    [Theory]
    [InlineData("4096", 4096)]
    [InlineData("512k", 512 << 10)]
    [InlineData("4M", 4 << 20)]
    [InlineData("1g", 1 << 30)]
    public void Sizes(string text, int bytes)
    {
        Assert.True(CommandLineValues.TryParseSize(text, out int parsed));
        Assert.Equal(bytes, parsed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("k")]
    [InlineData("0")]
    [InlineData("-4k")]
    [InlineData("2G")]
    [InlineData("4x")]
    [InlineData("99999999999999999999")]
    public void What_is_no_size(string text) => Assert.False(CommandLineValues.TryParseSize(text, out _));
}
