using System.Globalization;
using Weir.Clock;
using Xunit;

namespace Weir.Tests.Clock;

public sealed unsafe class ExecutableMemoryTests
{
    [Fact]
    public void Code_is_relocated_while_it_can_be_written_and_never_after()
    {
        // mov eax, imm32; ret
        nint code = ExecutableMemory.Map([0xb8, 0, 0, 0, 0, 0xc3], static address => *(int*)(address + 1) = 42, out string? refusal);
        Assert.SkipWhen(code == 0, refusal ?? "");
        Assert.Equal(42, ((delegate* unmanaged[SuppressGCTransition]<int>)code)());
        Assert.Equal("r-xp", Protection(code));
    }

    [Fact]
    public void Code_longer_than_a_page_is_mapped_whole()
    {
        var code = new byte[5000];
        code.AsSpan().Fill(0x90); // nop
        code[^1] = 0xc3;
        nint address = ExecutableMemory.Map(code, null, out string? refusal);
        Assert.SkipWhen(address == 0, refusal ?? "");
        ((delegate* unmanaged[SuppressGCTransition]<void>)address)();
    }

    private static string Protection(nint address)
    {
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            string[] range = line.Split(' ', 3);
            var bounds = range[0].Split('-').Select(b => nint.Parse(b, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToArray();
            if (address >= bounds[0] && address < bounds[1])
                return range[1];
        }
        return "unmapped";
    }
}
