using Weir.Graph;
using Xunit;

namespace Weir.Tests.Graph;

public class PortPatternTests
{
    [Theory]
    [InlineData("*", "", true)]
    [InlineData("*", "anything", true)]
    [InlineData("in*", "in0", true)]
    [InlineData("in*", "out", false)]
    [InlineData("a*b*c", "a-b-b-c", true)]
    [InlineData("a*b*c", "a-b-b", false)]
    [InlineData("*0 | 1", "uuid | 0 | 1", true)]
    [InlineData("a\\*", "a*", true)]
    [InlineData("a\\*", "ab", false)]
    [InlineData("", "", true)]
    [InlineData("", "a", false)]
    public void A_star_stands_for_anything(string pattern, string name, bool isMatch) => Assert.Equal(isMatch, PortPattern.Matches(pattern, name));

    [Theory]
    [InlineData("a:b", "a", "*", "b", "*")]
    [InlineData("a.out*:b.in0", "a", "out*", "b", "in0")]
    [InlineData("sink\\.text\\.pretty:b\\:c", "sink.text.pretty", "*", "b:c", "*")]
    [InlineData("a.x\\:y:b", "a", "x\\:y", "b", "*")]
    public void Connections_are_read(string text, string upstream, string output, string downstream, string input) =>
        Assert.Equal(new ConnectionText(upstream, output, downstream, input), ConnectionText.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("a:")]
    [InlineData(":b")]
    [InlineData("a:b:c")]
    [InlineData("a.:b")]
    public void What_is_no_connection_is_an_error(string text) => Assert.Throws<GraphException>(() => ConnectionText.Parse(text));

    [Fact]
    public void Escaped_names_come_back()
    {
        string name = @"a.b:c\d";
        Assert.Equal(name, ConnectionText.Parse($"{ConnectionText.Escape(name)}:x").Upstream);
        Assert.True(PortPattern.Matches(PortPattern.Escape(@"x*\y"), @"x*\y"));
        Assert.False(PortPattern.Matches(PortPattern.Escape("x*"), "xy"));
    }
}
