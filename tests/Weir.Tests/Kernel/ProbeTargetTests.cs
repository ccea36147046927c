using Weir.Kernel;
using Xunit;

namespace Weir.Tests.Kernel;

public sealed class ProbeTargetTests
{
    [Theory]
    [InlineData("uprobe:/bin/bash:readline", "/bin/bash", "readline", 0UL, null)]
    [InlineData("uprobe:/bin/bash:readline+0x10", "/bin/bash", "readline", 16UL, null)]
    [InlineData("uprobe:/bin/bash:readline+16 as line", "/bin/bash", "readline", 16UL, "line")]
    [InlineData("uprobe:/a:b c:0x1aF", "/a:b c", "", 0x1afUL, null)]
    [InlineData("uprobe:libc.so.6:malloc(size:u64) as c:malloc", "libc.so.6", "malloc", 0UL, "c:malloc")]
    [InlineData("uprobe:/lib (old)/x:f(x=+0(+8(%di)):u32)", "/lib (old)/x", "f", 0UL, null)]
    public void A_place_is_read(string rule, string file, string symbol, ulong offset, string? name)
    {
        var target = Parse(rule);
        Assert.Equal((file, symbol, offset, name), (target.File, target.Symbol, target.Offset, target.Name));
    }

    [Theory]
    [InlineData("uprobe:/bin/bash", "is not FILE:PLACE")]
    [InlineData("uprobe::f", "is not FILE:PLACE")]
    [InlineData("uprobe:/bin/bash:", "is not")]
    [InlineData("uprobe:/bin/bash:f+x", "'x' is no offset")]
    [InlineData("uprobe:/bin/bash:f g", "is no place")]
    [InlineData("uprobe:/bin/bash:+8", "is no place")]
    [InlineData("uprobe:/bin/bash:f)", "a parenthesis that nothing opens")]
    [InlineData("uprobe:/bin/bash:f(a:u8, a:u8)", "two arguments are called 'a'")]
    [InlineData("uprobe:/bin/bash:f(1a:u8)", "'1a' is no name")]
    [InlineData("uprobe:/bin/bash:f(a:)", "no type")]
    [InlineData("uprobe:/bin/bash:f(a=)", "nothing stands behind")]
    [InlineData("uprobe:/bin/bash:f(a,,b)", "'' is no name")]
    [InlineData("uprobe:/bin/bash:f(a=%di x)", "no spaces")]
    [InlineData("uprobe:/bin/bash:f(a=%di\nb)", "no spaces")]
    public void What_is_no_place_is_told(string rule, string why)
    {
        // Some of them are no rules at all.
        if (!KernelRule.TryParse(rule, out var parsed, out string? error))
        {
            Assert.Contains(why, error);
            return;
        }
        var refused = Assert.Throws<KernelException>(() => ProbeTarget.Parse(parsed, hasFile: true));
        Assert.Contains(why, refused.Message);
        Assert.StartsWith($"kernel rule '{rule}'", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("(size:u64, text:string)", " size=%0:u64 text=+0(%1):string")]
    [InlineData("(_, size)", " size=%1:u64")]
    [InlineData("(x=%di:u8, y=+0(%si):string,z:x32)", " x=%di:u8 y=+0(%si):string z=%2:x32")]
    [InlineData("(x=@global, bytes:x8[16], bits=%di:b4@4/32)", " x=@global bytes=+0(%1):x8[16] bits=%di:b4@4/32")]
    [InlineData("( )", "")]
    public void Arguments_become_the_kernels(string arguments, string kernels) =>
        Assert.Equal(kernels, ProbeArgument.Write(Parse("uprobe:/f:g" + arguments).Arguments!, position => ($"%{position}", "u64")));

    [Fact]
    public void A_return_has_one_value()
    {
        Assert.Equal(" ret=$retval:u64", ReturnProbe.Write(null));
        Assert.Equal(" text=+0($retval):string x=%di", ReturnProbe.Write(ProbeArgument.ParseList("text:string, x=%di")));
        Assert.Throws<KernelException>(() => ReturnProbe.Write(ProbeArgument.ParseList("a, b")));
    }

    private static ProbeTarget Parse(string rule)
    {
        Assert.True(KernelRule.TryParse(rule, out var parsed, out string? error), error);
        return ProbeTarget.Parse(parsed, hasFile: true);
    }
}
