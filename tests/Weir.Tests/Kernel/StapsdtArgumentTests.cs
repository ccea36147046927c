using Weir.Kernel;
using Xunit;

namespace Weir.Tests.Kernel;

public sealed class StapsdtArgumentTests
{
    [Theory]
    [InlineData("-4@%edi", "%di:s32")]
    [InlineData("8@%rax 1@%r10b 2@%si 1@%bpl", "%ax:u64 %r10:u8 %si:u16 %bp:u8")]
    [InlineData("8@-8(%rbp) -4@(%rax) 4@16(%rsp)", "-8(%bp):u64 +0(%ax):s32 +16(%sp):u32")]
    [InlineData("-4@$5 8@$-1 4@$0x10", @"\5:s32 \-1:u64 \0x10:u32")]
    [InlineData("4@known(%rip) 4@unknown(%rip)", "@known:u32 !")]
    [InlineData("8@x0 -4@w19 8@[sp, 16] 4@[x1] 8@[x29, #-24] 8@5", @"%x0:u64 %x19:s32 +16(%sp):u64 +0(%x1):u32 -24(%x29):u64 \5:u64")]
    [InlineData("8f@%xmm0 4@%eax", "! %ax:u32")]
    [InlineData("8@(%rax,%rbx,8) 4@%ah 16@%rax 8@w31 4@%rip 4@known+4(%rip) 4@8", @"! ! ! ! ! ! \8:u32")]
    [InlineData("", "")]
    [InlineData("nonsense @ 4 @", "")]
    public void Operands_become_the_kernels(string text, string kernels)
    {
        var arguments = StapsdtArgument.ParseList(text, name => name == "known" ? "@known" : null);
        Assert.Equal(kernels, string.Join(' ', arguments.Select(argument => argument.Place is null ? "!" : $"{argument.Place}:{argument.Type}")));
    }
}
