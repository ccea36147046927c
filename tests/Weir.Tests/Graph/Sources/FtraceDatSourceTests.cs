using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Weir.Ctf;
using Weir.Graph;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Graph.Sources;

public partial class FtraceDatSourceTests
{
    private const string Tracing = "/sys/kernel/tracing";

    public static TheoryData<int, ByteOrder, int, string> Kinds => new()
    {
        { 6, ByteOrder.LittleEndian, 8, "none" }, { 6, ByteOrder.BigEndian, 8, "none" }, { 6, ByteOrder.LittleEndian, 4, "none" }, { 6, ByteOrder.BigEndian, 4, "none" },
        { 7, ByteOrder.LittleEndian, 8, "none" }, { 7, ByteOrder.BigEndian, 4, "zstd" }, { 7, ByteOrder.LittleEndian, 8, "zstd" }, { 7, ByteOrder.LittleEndian, 4, "zlib" },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_version_byte_order_size_and_compression_gives_the_same_events(int version, ByteOrder byteOrder, int longBytes, string compression)
    {
        string[] lines = Read(Sample(version, byteOrder, longBytes, compression).Build(), out string warnings, out var error);
        Assert.Null(error);
        Assert.Equal(
            [
                "[0.000001000] number: { cpu_id = 0 }, { tid = 10 }, { comm = \"first\", low = -03, value = 18446744073709551615 }",
                "[0.000001500] number: { cpu_id = 0 }, { tid = 13 }, { comm = \"inst\", low = 004, value = 4 }",
                "[0.000002000] dynamic: { cpu_id = 1 }, { tid = 11 }, { name = \"some text\", _list_length = 3, list = [ [0] = 1, [1] = 2, [2] = 65535 ] }",
                "[0.000003001] unknown: { cpu_id = 0 }, { tid = 12 }, { id = 99, _data_length = 8, data = ",
            ],
            lines.Select((line, i) => i == 3 ? line[..line.IndexOf('[', 1)] : line));
        Assert.Contains("discarded 5 events", warnings, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(6)]
    [InlineData(7)]
    public void Options_give_times_of_day_and_scale_counters(int version)
    {
        var builder = Sample(version, ByteOrder.LittleEndian, 8, "none")
            .Option(1, "0x5f5e100\0"u8.ToArray()) // 100 s in microseconds
            .Option(7, "-1000\0"u8.ToArray())
            .Option(14, [3, 0, 0, 0, 1, 0, 0, 0, .. new byte[8]]); // times 3, shifted by 1
        Assert.Equal("[100.000000500]", Read(builder.Build(), out _, out _)[0].Split(' ')[0]);
    }

    [Fact]
    public void A_recording_of_Weirs_has_the_clock_that_it_names()
    {
        var builder = Sample(6, ByteOrder.LittleEndian, 8, "none")
            .Option(14, [3, 0, 0, 0, 1, 0, 0, 0, .. new byte[8]])
            .Option(9, "weir clock=cpu_counter uuid=63ad4ec3-a144-4b27-922e-f291b0463e43 freq=2000000000 offset_s=100 offset=1000000000\0"u8.ToArray());
        // Cycle 1000, with the clock's own numbers and not trace-cmd's.
        Assert.Equal("[100.500000500]", Read(builder.Build(), out _, out _)[0].Split(' ')[0]);
    }

    [Theory]
    [InlineData("weir clock=x freq=0 offset_s=1 offset=0")]
    [InlineData("weir clock=x freq=10 offset_s=1 offset=10")]
    [InlineData("weir clock=x offset_s=1 offset=0")]
    [InlineData("3.1.6 (weir clock=x freq=10 offset_s=1 offset=0)")]
    public void A_clock_that_makes_no_sense_is_none(string version) => Assert.False(FtraceDatSessionClock.TryRead(version, out _));

    [Fact]
    public void A_guests_times_become_its_hosts()
    {
        byte[] shift = [.. new byte[8], 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, .. Numbers(0, 2000), .. Numbers(100, 300), .. Numbers(1, 1), .. Numbers(0, 0)];
        string[] lines = Read(Sample(7, ByteOrder.LittleEndian, 8, "none").Option(12, shift).Build(), out _, out var error);
        Assert.Null(error);
        Assert.Equal("[0.000001200]", lines[0].Split(' ')[0]);

        static byte[] Numbers(long first, long second) => [.. BitConverter.GetBytes(first), .. BitConverter.GetBytes(second)];
    }

    [Fact]
    public void A_file_that_is_cut_gives_the_events_before_and_says_where()
    {
        byte[] good = Sample(6, ByteOrder.LittleEndian, 8, "none").Build();
        string[] all = Read(good, out _, out _);
        for (int cut = 1; cut < good.Length; cut += 97)
        {
            string[] lines = Read(good[..cut], out _, out var error);
            Assert.True(lines.Length <= all.Length && lines.All(all.Contains));
            Assert.NotNull(error);
        }
    }

    [Theory]
    [InlineData(6, "none", 1500)]
    [InlineData(7, "zstd", 1000)]
    [InlineData(7, "none", 500)]
    public void Changed_files_give_an_error_or_text_and_nothing_else(int version, string compression, int count) =>
        SourceText.Mutate(Sample(version, ByteOrder.LittleEndian, 8, compression).Build(), count, path => FtraceDatSource.Open([path], hasLabels: true));

    [Fact]
    public void The_magic_tells_such_a_file()
    {
        string path = Path.GetTempFileName();
        Assert.Equal(0, FtraceDatSource.Class.Recognize!(path));
        File.WriteAllBytes(path, Sample(7, ByteOrder.LittleEndian, 8, "none").Build());
        Assert.Equal(1, FtraceDatSource.Class.Recognize(path));
        File.Delete(path);
        Assert.Equal(0, FtraceDatSource.Class.Recognize(path));
        Assert.Equal(0, FtraceDatSource.Class.Recognize(Path.GetTempPath()));
    }

    [Fact]
    public void Trace_cmd_prints_the_same_events_of_this_kernel()
    {
        using var place = new Place();
        string recorded = Record(place);
        foreach (string[] form in new string[][] { [], ["--file-version", "6"], ["--file-version", "7", "--compression", "none"] })
        {
            string file = place.In("form.dat");
            File.Delete(file);
            if (form.Length == 0)
                File.Copy(recorded, file);
            else
                Assert.SkipWhen(place.Run(["trace-cmd", "convert", "-i", recorded, "-o", file, .. form]).Status != 0, "trace-cmd cannot convert its files.");
            var report = place.Run(["trace-cmd", "report", "-R", "-t", file]);
            Assert.True(report.Status == 0, report.Error);
            var expected = ReportLine().Matches(report.Output);
            string[] actual = SourceText.Read(() => FtraceDatSource.Open([file]), out _, out var error);
            Assert.Null(error);
            Assert.True(actual.Length > 10 && expected.Count == actual.Length, $"{expected.Count} events of trace-cmd's, {actual.Length} of ours");
            for (int i = 0; i < actual.Length; i++)
                AssertSame(expected[i], actual[i]);
        }
    }

    private static void AssertSame(Match expected, string actual)
    {
        int cpu = int.Parse(expected.Groups[2].Value, CultureInfo.InvariantCulture);
        Assert.StartsWith($"[{expected.Groups[3].Value}] {expected.Groups[4].Value}: {{ cpu_id = {cpu} }}, {{ tid = {expected.Groups[1].Value} }}, ", actual, StringComparison.Ordinal);
        string payload = actual[actual.IndexOf("}, {", actual.IndexOf("tid", StringComparison.Ordinal), StringComparison.Ordinal)..];
        foreach (Match field in PlainField().Matches(expected.Groups[5].Value))
            Assert.Matches($" {field.Groups[1].Value} = {field.Groups[2].Value}[, ]", payload);
    }

    /// <summary>Records into a buffer of this test's own, so that nobody else's tracing is disturbed.</summary>
    private static string Record(Place place)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Only root records the kernel's events.");
        Assert.SkipUnless(Command.IsInstalled("trace-cmd"), "trace-cmd is not installed.");
        if (!Directory.Exists($"{Tracing}/instances"))
            Assert.SkipWhen(place.Run(["mount", "-t", "tracefs", "nodev", Tracing]).Status != 0, "tracefs cannot be mounted here.");
        string name = $"weir-{Guid.NewGuid():N}";
        string instance = $"{Tracing}/instances/{name}";
        try
        {
            Directory.CreateDirectory(instance);
            File.WriteAllText($"{instance}/trace_clock", "mono");
            foreach (string chosen in new[] { "sched/sched_switch", "sched/sched_wakeup", "sched/sched_process_exec", "irq", "timer" })
                File.WriteAllText($"{instance}/events/{chosen}/enable", "1");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Assert.Skip($"The kernel's events cannot be recorded here: {e.Message}");
        }
        try
        {
            place.Run(["sleep", "0.1"]);
            File.WriteAllText($"{instance}/tracing_on", "0");
            string file = place.In("trace.dat");
            var extract = place.Run(["trace-cmd", "extract", "-B", name, "-o", file]);
            Assert.SkipWhen(extract.Status != 0, $"trace-cmd cannot take the buffer: {extract.Error}");
            return file;
        }
        finally
        {
            place.Run(["rmdir", instance]);
        }
    }

    internal static FtraceDatBuilder Sample(int version, ByteOrder byteOrder, int longBytes, string compression)
    {
        var builder = new FtraceDatBuilder(version, byteOrder, longBytes, compression);
        byte[] early = builder.Pages.Begin(1000).Event(0, builder.NumberRecord(10, "first", -3, ulong.MaxValue)).Page();
        var unknown = new List<byte>();
        builder.Pages.Number(unknown, 99, 2);
        builder.Pages.Number(unknown, 0, 2);
        builder.Pages.Number(unknown, 12, 4);
        byte[] late = builder.Pages.Begin(3000).Event(1, [.. unknown]).Page(3u << 30, 5);
        byte[] other = builder.Pages.Begin(1900).Event(100, builder.DynamicRecord(11, "some text", 1, 2, 65535)).Page();
        byte[] instance = builder.Pages.Begin(1500).Event(0, builder.NumberRecord(13, "inst", 4, 4)).Page();
        builder.Buffers.Add(("", "mono", [[.. early, .. late], other]));
        builder.Buffers.Add(("instance", "mono", [instance, []]));
        return builder;
    }

    private static string[] Read(byte[] file, out string warnings, out TraceReadException? error) =>
        SourceText.Read(file, path => FtraceDatSource.Open([path]), out warnings, out error);

    [GeneratedRegex(@"-(\d+) +\[(\d+)\] +(\d+\.\d+): (\w+): +(.*)")]
    private static partial Regex ReportLine();

    [GeneratedRegex(@"(\w+)=(-?\d+)(?= |$)")]
    private static partial Regex PlainField();
}
