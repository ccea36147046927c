using Weir.Kernel;
using Xunit;

namespace Weir.Tests.Kernel;

public sealed class KernelFunctionsTests
{
    private static readonly string[] s_lines =
    [
        "ffffffff81000000 T _stext", "ffffffff81000000 T first", "ffffffff81000100 t second", "ffffffff81000180 D data", "ffffffff81000200 W third",
        "ffffffffc0000000 t of_a_module\t[ext4]", "nonsense", "",
    ];

    [Fact]
    public void An_address_lies_in_the_function_before_it()
    {
        var symbols = KernelFunctions.Parse(s_lines);
        Assert.Equal(4, symbols.Count);
        Assert.Null(symbols.Find(0xffffffff80ffffff));
        Assert.Equal(new SymbolTable.Entry(0xffffffff81000000, 0x100, "first", "[kernel]"), symbols.Find(0xffffffff81000000));
        Assert.Equal("first", symbols.Find(0xffffffff810000ff)!.Value.Name);
        Assert.Equal(new SymbolTable.Entry(0xffffffff81000100, 0x100, "second", "[kernel]"), symbols.Find(0xffffffff810001ff));
        Assert.Equal(("of_a_module", "[ext4]"), symbols.Find(ulong.MaxValue) is { } last ? (last.Name, last.Module) : default);
        Assert.True(symbols.Contains("_stext"));
        Assert.False(symbols.Contains("data"));
    }

    [Fact]
    public void Hidden_addresses_leave_the_names()
    {
        var symbols = KernelFunctions.Parse(["0000000000000000 T first", "0000000000000000 T second"]);
        Assert.Equal(0, symbols.Count);
        Assert.True(symbols.Contains("second"));
    }

    [Fact]
    public void Addresses_are_kept_once()
    {
        var addresses = new KernelAddresses();
        Parallel.For(0, 4, _ =>
        {
            for (ulong i = 0; i < 40_000; i++)
                addresses.Add(0xffffffff81000000 + (i % 10_000 * 16));
        });
        Assert.Equal(Enumerable.Range(0, 10_000).Select(i => 0xffffffff81000000 + ((ulong)i * 16)), addresses.All.Order());
    }
}
