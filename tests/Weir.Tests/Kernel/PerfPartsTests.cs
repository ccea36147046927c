using System.Text;
using Weir.Clock;
using Weir.Kernel;
using Xunit;

namespace Weir.Tests.Kernel;

/// <summary>The parts of sampling that need no kernel: rules, times, stacks, address spaces, names.</summary>
public class PerfPartsTests
{
    [Theory]
    [InlineData("cpu-clock", "cpu-clock", 997, true)]
    [InlineData("page-faults", "page-faults", 1, false)]
    [InlineData("faults@1000", "page-faults", 1000, false)]
    [InlineData("cs@99hz", "context-switches", 99, true)]
    [InlineData("cycles@99Hz", "cycles", 99, true)]
    public void A_rule_names_a_counter_and_a_rate(string target, string counter, ulong rate, bool isFrequency)
    {
        Assert.True(PerfRequest.TryParse(target, out var request, out string? wrong), wrong);
        Assert.Equal((counter, rate, isFrequency), (request.Counter.Name, request.Rate, request.IsFrequency));
    }

    [Theory]
    [InlineData("cpu-clok", "the nearest are cpu-clock")]
    [InlineData("xyzzy", "there are cpu-clock, task-clock")]
    [InlineData("cpu-clock@", "'' is no rate")]
    [InlineData("cpu-clock@-1", "'-1' is no rate")]
    [InlineData("cpu-clock@9223372036854775808", "is no rate")]
    public void A_wrong_rule_says_what_is_wrong(string target, string part)
    {
        Assert.False(PerfRequest.TryParse(target, out _, out string? wrong));
        Assert.Contains(part, wrong, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(1UL)]
    [InlineData(123_456_789_012UL)]
    [InlineData(9_876_543_210_987_654UL)]
    public void The_kernels_scale_is_undone_to_the_nanosecond(ulong cycles)
    {
        // 2.6 GHz: 2^31 / 2.6 of a nanosecond for a cycle.
        var scale = new PerfTimeScale(Zero: 77_000_000_123, Multiplier: 825_955_249, Shift: 31);
        ulong ns = scale.Zero + ((cycles >> 31) * scale.Multiplier) + (((cycles & ((1UL << 31) - 1)) * scale.Multiplier) >> 31);
        Assert.InRange((long)(cycles - scale.ToCycles(ns)), 0, 3);
    }

    [Fact]
    public void Times_lie_on_the_line_between_two_readings()
    {
        var before = new PerfClock.Reading(1_000_000, 5_000_000);
        var after = new PerfClock.Reading(1_000_000 + 2_600_000_000, 5_000_000 + 1_000_000_000);
        Assert.Equal(before.Cycles, PerfClock.Interpolate(before, after, 5_000_000));
        Assert.Equal(after.Cycles, PerfClock.Interpolate(before, after, 1_005_000_000));
        Assert.Equal(before.Cycles + 1_300_000_000, PerfClock.Interpolate(before, after, 505_000_000));
        Assert.Equal(before.Cycles - 2600, PerfClock.Interpolate(before, after, 4_999_000));
        Assert.Equal(after.Cycles + 26, PerfClock.Interpolate(before, after, 1_005_000_010));
        Assert.Equal(before.Cycles, PerfClock.Interpolate(before, before, 5_000_100));
    }

    [Fact]
    public void A_reading_is_bracketed_within_microseconds()
    {
        Assert.SkipUnless(CpuCounter.IsTrusted, "The CPU's counter is not the clock here.");
        var clock = new PerfClock(ClockKind.Counter, scale: null);
        Assert.Equal(PerfEventFile.RawClock, clock.RecordClock);
        Assert.InRange(clock.UncertaintyCycles, 1u, 100_000u);
        Assert.Equal(PerfEventFile.OwnClock, new PerfClock(ClockKind.Counter, new PerfTimeScale(0, 1, 0)).RecordClock);
        Assert.Equal(PerfEventFile.MonotonicClock, new PerfClock(ClockKind.Monotonic, new PerfTimeScale(0, 1, 0)).RecordClock);
        Assert.Equal(77u, new PerfClock(ClockKind.Monotonic, null).ToCycles(77));
    }

    [Fact]
    public void A_stack_is_parted_into_the_kernels_and_the_programs()
    {
        ulong kernel = unchecked((ulong)-128);
        ulong user = unchecked((ulong)-512);
        ulong[] both = [kernel, 0xffffffff81000001, 0xffffffff81000002, user, 0x1000, 0x2000];
        Assert.Equal([0xffffffff81000001, 0xffffffff81000002], PerfRecords.Part(both, kernel).ToArray());
        Assert.Equal([0x1000, 0x2000], PerfRecords.Part(both, user).ToArray());
        Assert.Empty(PerfRecords.Part([user, 0x1000], kernel).ToArray());
        Assert.Empty(PerfRecords.Part([kernel, user], kernel).ToArray());
    }

    [Fact]
    public void What_is_seen_before_the_exec_is_told_belongs_to_the_program_that_ran_then()
    {
        var spaces = new AddressSpaces();
        spaces.Map(1, 10, 0x1000, 0x2000, 0, "/old");
        spaces.See(1, 20, [0x1100]);
        // Another CPU's records, which were read first.
        spaces.See(1, 40, [0x1200]);
        spaces.Map(1, 35, 0x1000, 0x3000, 0x500, "/new");
        spaces.Exec(1, 30);
        var seen = spaces.All.SelectMany(space => space.Addresses.Keys.Select(address => (address, space.Find(address)!.Path))).Order();
        Assert.Equal([(0x1100UL, "/old"), (0x1200UL, "/new")], seen);
    }

    [Fact]
    public void A_child_has_what_its_parent_has_until_it_maps_something_itself()
    {
        var spaces = new AddressSpaces();
        spaces.Map(1, 10, 0x1000, 0x2000, 0, "/parent");
        spaces.See(2, 25, [0x1100]);
        spaces.Map(2, 24, 0x1800, 0x2000, 0, "/own");
        spaces.Fork(2, 1, 20);
        spaces.See(2, 26, [0x1900]);
        var space = Assert.Single(spaces.All);
        Assert.Equal("/parent", space.Find(0x1100)!.Path);
        Assert.Equal("/own", space.Find(0x1900)!.Path);
        Assert.Null(space.Find(0x2000));
    }

    [Fact]
    public void Processes_that_have_ended_are_forgotten_but_not_what_was_seen_of_them()
    {
        var spaces = new AddressSpaces();
        spaces.Map(1, 10, 0x1000, 0x2000, 0, "/a");
        spaces.Exit(1);
        spaces.BeginRound();
        // Still in the round in which the other CPUs' records are read.
        spaces.See(1, 15, [0x1100]);
        spaces.BeginRound();
        spaces.BeginRound();
        spaces.Map(1, 50, 0x1000, 0x2000, 0, "/b");
        spaces.See(1, 60, [0x1100]);
        Assert.Equal(["/a", "/b"], spaces.All.Select(space => space.Find(0x1100)!.Path).Order());
    }

    [Fact]
    public void A_table_finds_the_function_that_an_address_lies_in()
    {
        SymbolTable.Entry[] entries = [new(0x300, 0, "c", ""), new(0x100, 0x10, "a", ""), new(0x200, 0, "b", ""), new(0x200, 0, "alias", "")];
        var table = new SymbolTable(entries, goesOn: false);
        Assert.Null(table.Find(0xff));
        Assert.Equal("a", table.Find(0x10f)?.Name);
        Assert.Null(table.Find(0x110));
        Assert.Equal("b", table.Find(0x2ff)?.Name);
        Assert.Equal(0x100UL, new SymbolTable(entries, goesOn: true).Find(0x2ff)?.SizeBytes);
    }

    [Fact]
    public void The_map_of_a_runtime_is_read_with_what_it_has_compiled_last()
    {
        const string Map = "0x7f10 20 void [Shop] Order::Place()[Tier0]\nnonsense\n7f40 10 stub\n0x7f10 18 void [Shop] Order::Place()[Tier1]\nzz 1 x\n";
        var table = RuntimeMap.Parse(new StringReader(Map), "/tmp/perf-1.map");
        Assert.Equal("void [Shop] Order::Place()[Tier1]", table.Find(0x7f11)?.Name);
        Assert.Equal("stub", table.Find(0x7f4f)?.Name);
        Assert.Null(table.Find(0x7f30));
    }

    [Fact]
    public void A_mapping_is_parsed_with_any_path()
    {
        Assert.True(MapsLine.TryParse("55d0c0a02000-55d0c0a07000 r-xp 00002000 08:01 131                        /usr/bin/a  b (deleted)"u8, out var map));
        Assert.Equal((0x55d0c0a02000UL, 0x55d0c0a07000UL, 5u, 0x2000UL, 131UL), (map.Start, map.End, map.Flags, map.Offset, map.Inode));
        Assert.Equal("/usr/bin/a  b (deleted)", Encoding.UTF8.GetString(map.Path));
        Assert.True(map.IsExecutable);
        Assert.True(MapsLine.TryParse("7fff0000-7fff1000 rw-s 00000000 00:00 0 "u8, out map));
        Assert.True(map.Path.IsEmpty);
        Assert.False(MapsLine.TryParse(""u8, out _));
        Assert.False(MapsLine.TryParse("zz rw-p 0 0 0"u8, out _));
    }

    [Theory]
    [InlineData("0100007F:1F90", "127.0.0.1", 8080)]
    [InlineData("00000000000000000000000001000000:0016", "::1", 22)]
    [InlineData("0000000000000000FFFF00000100007F:0050", "::ffff:127.0.0.1", 80)]
    public void An_address_of_a_socket_is_parsed(string text, string address, int port)
    {
        Assert.True(SocketDump.TryParse(Encoding.ASCII.GetBytes(text), out var parsed, out int parsedPort));
        Assert.Equal((address, port), (parsed.ToString(), parsedPort));
        Assert.False(SocketDump.TryParse("0100007F"u8, out _, out _));
    }
}
