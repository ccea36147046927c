using System.Globalization;
using System.Text.RegularExpressions;
using Weir.Ctf;
using Weir.Graph;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Graph.Sources;

public partial class PerfDataSourceTests
{
    // Bits of PERF_SAMPLE_*, and types of PERF_RECORD_*.
    private const ulong Ip = 1 << 0;
    private const ulong Time = 1 << 2;
    private const ulong CallChain = 1 << 5;
    private const ulong Usual = Ip | (1 << 1) | Time | (1 << 7) | (1 << 8) | (1 << 16);
    private const ulong Everything = (1 << 25) - 1;
    private const uint Lost = 2;
    private const uint Comm = 3;
    private const uint FinishedRound = 68;

    public static TheoryData<ByteOrder, bool> Kinds => new()
    {
        { ByteOrder.LittleEndian, false }, { ByteOrder.LittleEndian, true }, { ByteOrder.BigEndian, false }, { ByteOrder.BigEndian, true },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Samples_of_all_cpus_come_in_order_of_time_with_what_was_lost(ByteOrder byteOrder, bool isPipe)
    {
        string[] lines = Read(Sample(byteOrder, isPipe).Build(), out string warnings, out var error);
        Assert.Null(error);
        Assert.Equal(
            [
                "[0.000000100] cycles: { cpu_id = 0 }, { perf_id = 7, perf_ip = 0x1000, perf_pid = 1, perf_tid = 2, perf_period = 9 }",
                "[0.000000150] other:event: { cpu_id = 1 }, { perf_id = 8, perf_ip = 0x1000, perf_pid = 1, perf_tid = 2, perf_period = 9 }",
                "[0.000000200] cycles: { cpu_id = 0 }, { perf_id = 7, perf_ip = 0x1000, perf_pid = 1, perf_tid = 2, perf_period = 9 }",
                "[0.000000300] other:event: { cpu_id = 1 }, { perf_id = 9, perf_ip = 0x1000, perf_pid = 1, perf_tid = 2, perf_period = 9 }",
            ],
            lines);
        Assert.Contains("discarded 42 events", warnings, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(60_000)]
    public void Packed_records_may_go_on_in_the_next(int pieceBytes)
    {
        string[] lines = Read(Sample(ByteOrder.LittleEndian, false).Build(), out _, out _);
        string[] unpacked = Read(Sample(ByteOrder.LittleEndian, false).Pack(pieceBytes).Build(), out _, out var error);
        Assert.Null(error);
        Assert.Equal(lines, unpacked);
    }

    [Theory]
    [InlineData(ByteOrder.LittleEndian)]
    [InlineData(ByteOrder.BigEndian)]
    public void Every_field_that_a_sample_may_have_is_shown(ByteOrder byteOrder)
    {
        var builder = new PerfDataBuilder(byteOrder).Event("all", 0, 0, Everything, 0b11111, 5).Sample(
            (5, 8), (0x10, 8), (1, 4), (2, 4), (100, 8), (0x20, 8), (5, 8), (6, 8), (1, 4), (0, 4), (9, 8), // up to the period
            (2, 8), (30, 8), (31, 8), (1000, 8), (5, 8), (0, 8), (2000, 8), (6, 8), (1, 8), // a group of two
            (2, 8), (0xaa, 8), (0xbb, 8), // call chain
            (4, 4), (1, 1), (2, 1), (3, 1), (4, 1), // raw
            (1, 8), (77, 8), (0xf, 8), (0x7, 8), (3, 8), // a branch, behind an index
            (2, 8), (0xd1, 8), (0xd2, 8), // user registers
            (8, 8), (0x1122334455667788, 8), (8, 8), // user stack
            ((40UL << 48) | (50UL << 32) | 60, 8), (0x70, 8), (0x80, 8), // weight, data source, transaction
            (0, 8), // no interrupt registers
            (0x90, 8), (11, 8), (4096, 8), (8192, 8), // physical address to code page
            (2, 8), (9, 1), (8, 1)); // aux
        string line = Assert.Single(Read(builder.Build(), out _, out var error));
        Assert.Null(error);
        string stack = string.Join(", ", (byteOrder == ByteOrder.BigEndian ? "11 22 33 44 55 66 77 88" : "88 77 66 55 44 33 22 11").Split(' ').Select((one, i) => $"[{i}] = 0x{one}"));
        Assert.Equal(
            "[0.000000100] all: { cpu_id = 1 }, { perf_identifier = 5, perf_ip = 0x10, perf_pid = 1, perf_tid = 2, perf_addr = 0x20, perf_id = 5, perf_stream_id = 6, perf_period = 9, "
            + "perf_time_enabled = 30, perf_time_running = 31, perf_read_size = 2, perf_read = [ [0] = { value = 1000, id = 5, lost = 0 }, [1] = { value = 2000, id = 6, lost = 1 } ], "
            + "perf_callchain_size = 2, perf_callchain = [ [0] = 0xAA, [1] = 0xBB ], perf_branch_stack_size = 1, perf_branch_stack = [ [0] = { from = 0xF, to = 0x7, flags = 0x3 } ], "
            + "perf_user_regs_abi = 2, perf_user_regs_size = 2, perf_user_regs = [ [0] = 0xD1, [1] = 0xD2 ], "
            + $"perf_user_stack_size = 8, perf_user_stack = [ {stack} ], perf_weight = 60, perf_ins_lat = 50, perf_p_stage_cyc = 40, perf_data_src = 0x70, perf_transaction = 0x80, "
            + "perf_intr_regs_abi = 0, perf_intr_regs_size = 0, perf_intr_regs = [ ], perf_phys_addr = 0x90, perf_cgroup = 11, perf_data_page_size = 4096, perf_code_page_size = 8192, "
            + "perf_aux_size = 2, perf_aux = [ [0] = 0x9, [1] = 0x8 ] }, { _raw_length = 4, raw = [ [0] = 0x1, [1] = 0x2, [2] = 0x3, [3] = 0x4 ] }",
            line);
    }

    [Fact]
    public void Samples_without_a_cpu_or_a_time_come_as_they_stand()
    {
        var builder = new PerfDataBuilder(ByteOrder.LittleEndian).Event("plain", 1, 0, Ip, 0).Sample((2, 8)).Sample((1, 8));
        Assert.Equal(["plain: { perf_ip = 0x2 }", "plain: { perf_ip = 0x1 }"], Read(builder.Build(), out _, out var error));
        Assert.Null(error);
    }

    [Fact]
    public void A_sample_that_ends_too_early_comes_after_those_before_and_says_where()
    {
        var builder = new PerfDataBuilder(ByteOrder.LittleEndian)
            .Event("chain", 1, 0, Time | CallChain, 0).Sample((1, 8), (1, 8), (5, 8)).Sample((2, 8), (9, 8), (5, 8));
        Assert.Single(Read(builder.Build(), out _, out var error));
        Assert.Contains("'chain'", error!.Message, StringComparison.Ordinal);
        Assert.True(error.OffsetBytes > 0);
    }

    [Fact]
    public void A_file_that_is_cut_gives_the_samples_before_it()
    {
        byte[] good = Sample(ByteOrder.LittleEndian, false).Build();
        string[] all = Read(good, out _, out _);
        for (int cut = 0; cut < good.Length; cut += 3)
        {
            string[] lines = Read(good[..cut], out _, out _);
            Assert.All(lines, line => Assert.Contains(line[..line.IndexOf(' ')], all.Select(one => one[..one.IndexOf(' ')])));
        }
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(false, 13)]
    public void Changed_files_give_an_error_or_text_and_nothing_else(bool isPipe, int pieceBytes)
    {
        var builder = Sample(ByteOrder.LittleEndian, isPipe);
        SourceText.Mutate((pieceBytes > 0 ? builder.Pack(pieceBytes) : builder).Build(), 1000, path => PerfDataSource.Open([path]));
    }

    [Theory]
    [InlineData("task-clock", "-g")]
    [InlineData("task-clock,page-faults", "-d")]
    [InlineData("sched:sched_switch,sched:sched_process_exec,irq:*", "-a")]
    [InlineData("task-clock", "-z")]
    [InlineData("task-clock", "pipe")]
    public void Perf_prints_the_same_samples(string events, string option)
    {
        Assert.SkipUnless(Command.IsInstalled("perf"), "perf is not installed.");
        using var place = new Place();
        string file = place.In("perf.data");
        const string work = "dd if=/dev/zero of=/dev/null bs=1k count=100000";
        var record = place.Run(["sh", "-c", option == "pipe" ? $"perf record -e {events} -o - -- {work} > {file}" : $"perf record {option} -e '{events}' -o {file} -- {work}"]);
        Assert.SkipWhen(record.Status != 0, $"perf cannot record '{events}' here: {record.Error}");
        var script = place.Run(["perf", "script", "-i", file, "--ns", "-G", "-F", events.Contains(':', StringComparison.Ordinal) ? "tid,cpu,time,event,trace" : option == "-d" ? "tid,time,event,period,addr" : "tid,time,event,period"]);
        Assert.True(script.Status == 0, script.Error);
        var expected = ScriptLine().Matches(script.Output);
        string[] actual = SourceText.Read(() => PerfDataSource.Open([file]), out _, out var error);
        Assert.Null(error);
        Assert.True(actual.Length > 0 && expected.Count == actual.Length, $"{expected.Count} samples of perf's, {actual.Length} of ours");
        for (int i = 0; i < actual.Length; i++)
            AssertSame(expected[i], actual[i]);
    }

    private static void AssertSame(Match expected, string actual)
    {
        Assert.StartsWith($"[{expected.Groups["time"].Value}] {expected.Groups["event"].Value}: ", actual, StringComparison.Ordinal);
        Assert.Matches($"perf_tid = {expected.Groups["tid"].Value}[, ]", actual);
        if (expected.Groups["cpu"].Success)
            Assert.Contains($"{{ cpu_id = {int.Parse(expected.Groups["cpu"].Value, CultureInfo.InvariantCulture)} }}", actual, StringComparison.Ordinal);
        if (expected.Groups["period"].Success)
            Assert.Contains($"perf_period = {expected.Groups["period"].Value}", actual, StringComparison.Ordinal);
        foreach (Match field in PlainField().Matches(expected.Groups["trace"].Value))
            Assert.Matches($" {field.Groups[1].Value} = {field.Groups[2].Value}[, ]", actual);
    }

    internal static PerfDataBuilder Sample(ByteOrder byteOrder, bool isPipe)
    {
        var builder = new PerfDataBuilder(byteOrder, isPipe).Event("cycles", 0, 0, Usual, 0, 7).Event("other:event", 4, 1, Usual, 0, 8, 9);
        // Two CPUs' buffers, one after the other, in two rounds.
        Add(7, 100, 0);
        Add(7, 200, 0);
        Add(8, 150, 1);
        builder.Record(FinishedRound);
        builder.Record(Lost, (7, 8), (42, 8), (1, 4), (2, 4), (250, 8), (0, 4), (0, 4), (7, 8));
        builder.Record(Comm, (1, 4), (2, 4), (0, 8), (1, 4), (2, 4), (250, 8), (0, 4), (0, 4), (7, 8));
        Add(9, 300, 1);
        builder.Record(FinishedRound);
        return builder;

        void Add(ulong id, ulong time, ulong cpu) => builder.Sample((id, 8), (0x1000, 8), (1, 4), (2, 4), (time, 8), (cpu, 4), (0, 4), (9, 8));
    }

    private static string[] Read(byte[] file, out string warnings, out TraceReadException? error) =>
        SourceText.Read(file, path => PerfDataSource.Open([path]), out warnings, out error);

    [GeneratedRegex(@"^ *(?<tid>-?\d+) +(?:\[(?<cpu>\d+)\] +)?(?<time>\d+\.\d+): +(?:(?<period>\d+) +)?(?<event>[a-z][\w:-]*): *(?<trace>.*)$", RegexOptions.Multiline)]
    private static partial Regex ScriptLine();

    [GeneratedRegex(@"(\w+_(?:pid|prio)|pid|irq|vec)=(\d+)(?= |$)")]
    private static partial Regex PlainField();
}
