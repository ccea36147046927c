using System.Globalization;
using System.Text.RegularExpressions;
using Weir.Graph;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Graph.Elf;

/// <summary>Functions and loaded segments of files, as readelf prints them.</summary>
public class ElfFunctionsTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Functions_and_segments_are_readelfs(bool isStripped)
    {
        Assert.SkipUnless(Command.IsInstalled("readelf"), "readelf (binutils) is not installed.");
        Assert.SkipUnless(Command.IsInstalled("gcc"), "gcc is not installed.");
        using var place = new Place();
        File.WriteAllText(place.In("a.c"), "static int __attribute__((noinline)) hidden(int x) { return x * 3; } int shown(int x) { return hidden(x); } int main(void) { return shown(1); }");
        var built = place.Run(["gcc", "-rdynamic", "-o", "a.out", "a.c"]);
        Assert.True(built.Status == 0, built.Error);
        if (isStripped)
            Assert.Equal(0, place.Run(["strip", "a.out"]).Status);

        using var file = ElfFile.Open(place.In("a.out"));
        var functions = file.ReadFunctions();
        Assert.Equal(!isStripped, functions.Any(function => function.Name == "hidden"));
        Assert.Contains(functions, function => function.Name == "shown");
        string table = isStripped ? ".dynsym" : ".symtab";
        string symbols = place.Run(["readelf", "-sW", "a.out"]).Output;
        symbols = symbols[symbols.IndexOf($"'{table}'", StringComparison.Ordinal)..];
        var expected = Regex.Matches(symbols, @"^ *\d+: ([0-9a-f]+) +(\d+) I?FUNC +\w+ +\w+ +\d+ (\S+)$", RegexOptions.Multiline)
            .Select(match => (Hex(match.Groups[1].Value), ulong.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture), match.Groups[3].Value.Split('@')[0]));
        Assert.Equal(expected.Order(), functions.Select(function => (function.Address, function.SizeBytes, function.Name)).Order());

        var segments = Regex.Matches(place.Run(["readelf", "-lW", "a.out"]).Output, @"^ +LOAD +0x([0-9a-f]+) 0x([0-9a-f]+) 0x[0-9a-f]+ 0x([0-9a-f]+)", RegexOptions.Multiline)
            .Select(match => new ElfSegment(Hex(match.Groups[1].Value), Hex(match.Groups[2].Value), Hex(match.Groups[3].Value)));
        Assert.Equal(segments, file.ReadLoadedSegments());
    }

    private static ulong Hex(string digits) => ulong.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
