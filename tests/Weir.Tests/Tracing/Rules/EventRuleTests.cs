using CsCheck;
using Weir.Tracing;
using Xunit;

namespace Weir.Tests.Tracing.Rules;

public class EventRuleTests
{
    [Theory]
    [InlineData("*", true)]
    [InlineData("shop:order_placed", true)]
    [InlineData("shop:order_*", true)]
    [InlineData("s*p:*", true)]
    [InlineData("sh?p:order?placed", true)]
    [InlineData("shop:order_?", false)]
    [InlineData("Shop:order_placed", false)]
    [InlineData("shop:order", false)]
    [InlineData("other:*", false)]
    [InlineData("shop:*@notice", true)]
    [InlineData("shop:*@WARNING", false)]
    [InlineData("shop:* @ debug", true)]
    [InlineData("*@notice", true)]
    [InlineData("  shop:order_placed  ", true)]
    public void A_rule_chooses_by_name_and_level(string text, bool isChosen)
    {
        var tracepoint = new TracepointProvider("shop").Add("order_placed", TracepointLevel.Notice);
        Assert.True(EventRule.TryParse(text, out var rule, out string? error), error);
        Assert.Equal(isChosen, rule.Matches(tracepoint));
    }

    [Theory]
    [InlineData("", "column 1: '' is not provider:name")]
    [InlineData("shop", "column 1: 'shop' is not provider:name (such as shop:order_placed or shop:*)")]
    [InlineData(":x", "column 1")]
    [InlineData("shop:", "column 1")]
    [InlineData("shop:a b", "column 1")]
    [InlineData("shop:*@3", "column 8: '3' is no level; the levels are emergency, alert, critical")]
    [InlineData("shop:*@", "column 8")]
    [InlineData("shop:* if", "column 10: expected a field")]
    [InlineData("shop:* if id", "column 13: expected a comparison")]
    [InlineData("shop:* if id == 12x", "column 17: '12x' is not a number")]
    [InlineData("shop:* if id == --5", "column 17: '-' is not a number")]
    [InlineData("shop:* if id == 1 2", "column 19: expected '&&', '||' or the end")]
    [InlineData("shop:* if (id == 1", "column 19: expected ')'")]
    [InlineData("shop:* if s == \"x", "column 16: the text has no closing quote")]
    [InlineData("shop:* if id & 1", "column 14: expected a comparison")]
    [InlineData("shop:* if !", "column 12")]
    public void A_wrong_rule_names_the_column_and_what_is_expected_there(string text, string part)
    {
        Assert.False(EventRule.TryParse(text, out _, out string? error));
        Assert.StartsWith($"rule '{text}': ", error);
        Assert.Contains(part, error);
    }

    [Fact]
    public void A_rule_too_deep_or_too_long_is_refused()
    {
        Assert.False(EventRule.TryParse($"a:b if {new string('(', 100)}x == 1{new string(')', 100)}", out _, out string? error));
        Assert.Contains("nested too deeply", error);
        Assert.False(EventRule.TryParse($"a:b if x == \"{new string('y', 5000)}\"", out _, out error));
        Assert.Contains("too long", error);
    }

    [Fact]
    public void Whatever_is_typed_there_is_a_rule_or_a_reason()
    {
        string[] all =
        [
            "shop", ":", "*", "@", "warning", " if ", "if", "(", ")", "!", "&&", "||", "==", "!=", "<", ">=", "\"", "\\", "x", "-", "1", "0x", ".", "e", " ", "é", "\0",
        ];
        var words = Gen.Int[0, all.Length - 1].Select(index => all[index]);
        words.Array[0, 12].Select(string.Concat).Sample(text => EventRule.TryParse(text, out _, out string? error) || error!.Length > 0);
    }
}
