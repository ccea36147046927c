using Weir.Graph;
using Xunit;

namespace Weir.Tests.Graph.Elf;

/// <summary>ELF and DWARF of every class, byte order and version, good and bad.</summary>
public class DwarfFileTests
{
    public static TheoryData<bool, bool, int, bool> Shapes
    {
        get
        {
            var shapes = new TheoryData<bool, bool, int, bool>();
            foreach (bool is64 in new[] { false, true })
            {
                foreach (bool isBigEndian in new[] { false, true })
                {
                    for (int version = 2; version <= 5; version++)
                    {
                        shapes.Add(is64, isBigEndian, version, false);
                        shapes.Add(is64, isBigEndian, version, true);
                    }
                }
            }
            return shapes;
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void An_address_has_a_function_and_a_line(bool is64, bool isBigEndian, int version, bool isCompressed)
    {
        using var file = new ElfFile(new MemoryStream(new ElfBuilder(is64, isBigEndian, version, isCompressed).Build()));
        Assert.Equal(ElfBuilder.BuildId, file.FindBuildId());
        Assert.Equal(("work_symbol", 0x1000UL), file.FindFunction(0x1050));
        Assert.Null(file.FindFunction(0xFFF));

        var dwarf = DwarfFile.Open(file);
        Assert.NotNull(dwarf);
        Assert.Equal(("work", 0x1000UL), dwarf.FindFunction(0x10FF));
        Assert.Null(dwarf.FindFunction(0x1100));
        Assert.Equal(("/src/work.c", 5L), dwarf.FindSource(0x1000));
        Assert.Equal(("/src/work.c", 7L), dwarf.FindSource(0x1010));
        Assert.Equal(("/src/work.c", 9L), dwarf.FindSource(0x1018));
        // Only an address that begins a line has one, as babeltrace2 has it.
        Assert.Null(dwarf.FindSource(0x1011));
        Assert.Null(dwarf.FindSource(0x1100));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_bad_file_is_told_by_one_exception(bool is64, bool isBigEndian, int version, bool isCompressed)
    {
        byte[] good = new ElfBuilder(is64, isBigEndian, version, isCompressed).Build();
        for (int length = 0; length < good.Length; length++)
            Ask(good[..length]);
        int seed = Environment.TickCount;
        TestContext.Current.SendDiagnosticMessage($"seed {seed}");
        var random = new Random(seed);
        for (int i = 0; i < 2000; i++)
        {
            byte[] bad = [.. good];
            for (int changes = random.Next(1, 8); changes > 0; changes--)
            {
                int at = random.Next(bad.Length);
                bad[at] = random.Next(3) switch { 0 => 0xFF, 1 => 0, _ => (byte)random.Next(256) };
            }
            try
            {
                Ask(bad);
            }
            catch (Exception error)
            {
                Assert.Fail($"seed {seed}, change {i}: {error}");
            }
        }
    }

    [Fact]
    public void What_is_no_regular_file_is_not_opened()
    {
        foreach (string path in new[] { "/dev/zero", "/proc/self/status", "/", "/nowhere/at/all", "" })
            Assert.Throws<BadElfException>(() => ElfFile.Open(path));
    }

    [Fact]
    public void The_checksum_is_that_of_zlib() => Assert.Equal(0xCBF43926, Crc32.Of(new MemoryStream("123456789"u8.ToArray())));

    private static void Ask(byte[] bytes)
    {
        Try(() =>
        {
            using var file = new ElfFile(new MemoryStream(bytes));
            Try(() => file.FindBuildId());
            Try(() => file.FindFunction(0x1050));
            Try(() =>
            {
                if (DwarfFile.Open(file) is not { } dwarf)
                    return;
                foreach (ulong address in new ulong[] { 0, 0x1000, 0x1010, 0x1018, 0x1100, ulong.MaxValue })
                {
                    Try(() => dwarf.FindFunction(address));
                    Try(() => dwarf.FindSource(address));
                }
            });
        });
    }

    private static void Try(Action action)
    {
        try
        {
            action();
        }
        catch (BadElfException)
        {
        }
    }
}
