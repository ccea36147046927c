using Weir.Graph;
using Xunit;

namespace Weir.Tests.Graph;

public class ParameterTextTests
{
    [Theory]
    [InlineData("", "{}")]
    [InlineData("a=1", """{"a":1}""")]
    [InlineData(" many=null, fresh=yes , condition=false,squirrel=-782329 ", """{"many":null,"fresh":true,"condition":false,"squirrel":-782329}""")]
    [InlineData("play=+23, observe=3.14, simple=beef, needs-quotes=\"some string\"", """{"play":23,"observe":3.14,"simple":"beef","needs-quotes":"some string"}""")]
    [InlineData("escape.chars-are:allowed=\"a \\\" quote\\t\"", """{"escape.chars-are:allowed":"a \u0022 quote\t"}""")]
    [InlineData("things=[1, \"2\", 3]", """{"things":[1,"2",3]}""")]
    [InlineData("d={x=y, e=[[],{}]}, empty={}", """{"d":{"x":"y","e":[[],{}]},"empty":{}}""")]
    [InlineData("n=0x1f,o=017,b=0b101,m=-0x10", """{"n":31,"o":15,"b":5,"m":-16}""")]
    [InlineData("least=-9223372036854775808,most=+18446744073709551615", """{"least":-9223372036854775808,"most":18446744073709551615}""")]
    [InlineData("e=1e3,n=nul,N=NULL,y=YES,t=TRUE,f=FALSE,o=NO", """{"e":1000,"n":null,"N":null,"y":true,"t":true,"f":false,"o":false}""")]
    [InlineData("a=1,a=2", """{"a":2}""")]
    public void Values_are_read(string text, string json) => Assert.Equal(json, ParameterText.Parse(text).ToJsonString());

    [Theory]
    [InlineData("a", "character 2 there is the end: expected '='")]
    [InlineData("a=", "character 3 there is the end: expected a value")]
    [InlineData("=1", "character 1 there is '='")]
    [InlineData("a=1 b=2", "character 5 there is 'b': expected ','")]
    [InlineData("a=[1", "character 5 there is the end: expected ','")]
    [InlineData("a=\"x", "the text that begins at character 3 has no end")]
    [InlineData("a={b=1", "character 7 there is the end")]
    [InlineData("a=9223372036854775808", "more than 64 bits")]
    [InlineData("a=0xg", "character 3 there is '0': expected a number")]
    [InlineData("a=1.2.3", "expected a number")]
    public void Errors_say_where(string text, string expected)
    {
        var error = Assert.Throws<ComponentParameterException>(() => ParameterText.Parse(text));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Brackets_without_end_are_an_error_and_no_overflow() =>
        Assert.Throws<ComponentParameterException>(() => ParameterText.Parse("a=" + new string('[', 100_000)));
}
