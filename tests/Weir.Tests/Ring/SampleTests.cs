using System.Globalization;
using System.Text.RegularExpressions;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Ring;

/// <summary>The samples do what the README says of them, and other projects' programs read what they write.</summary>
[Collection(nameof(Alone))]
public partial class SampleTests
{
    private static readonly string s_root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Place.Weir)!, "../.."));

    [Theory]
    [InlineData("FlightRecorder")]
    [InlineData("LargeHeaders")]
    [InlineData("LogPipe")]
    [InlineData("FtracePages")]
    [InlineData("PerfBuffer")]
    public void The_README_says_how_to_run_it(string sample) =>
        Assert.Contains($"`dotnet run --project samples/{sample}`", File.ReadAllText(Path.Combine(s_root, "README.md")), StringComparison.Ordinal);

    [Fact]
    public void The_flight_recorder_gives_the_newest_events_to_its_own_and_to_another_process()
    {
        Babeltrace.SkipIfMissing();
        using var place = new Place();
        string[] traces = Lines(Run(place, "FlightRecorder", place.In("out")));
        Assert.Equal([place.In("out/own"), place.In("out/other")], traces);
        foreach (string trace in traces)
        {
            string[] lines = ReadBoth(place, trace);
            Assert.Equal(["request:begin", "request:end"], Babeltrace.Count(lines).Keys);
            foreach (var cpu in lines.GroupBy(line => Cpu().Match(line).Value))
            {
                foreach (var worker in cpu.Select(line => Request().Match(line)).GroupBy(match => match.Groups[1].Value))
                {
                    long[] requests = [.. worker.Select(match => long.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture))];
                    Assert.Equal(requests.Order(), requests);
                }
            }
        }
    }

    [Fact]
    public void Large_headers_carry_every_id_and_packets_go_to_files_whole()
    {
        Babeltrace.SkipIfMissing();
        using var place = new Place();
        string output = Run(place, "LargeHeaders", place.In("out"));
        Assert.Contains("31500 events of 105 kinds, 0 lost", output, StringComparison.Ordinal);
        var counts = Babeltrace.Count(ReadBoth(place, place.In("out")));
        uint[] ids = [.. Enumerable.Range(1, 100).Select(id => (uint)id), 65_533, 65_534, 65_535, 65_536, 1_000_000];
        Assert.Equal(ids.Select(id => $"kind:{id}").Order(StringComparer.Ordinal), counts.Keys);
        Assert.All(counts.Values, count => Assert.Equal(300, count));
    }

    [Fact]
    public void Every_line_comes_through_the_log_pipe_or_is_counted()
    {
        using var place = new Place();
        using var running = Start(place, "LogPipe");
        var result = running.WaitForEnd();
        Assert.True(result.Status == 0, result.Error);
        Assert.Equal(4 * 2000, CheckLines(result) + Lost(result));
    }

    [Fact]
    public void What_was_committed_when_the_writing_process_is_killed_comes_through()
    {
        using var place = new Place();
        using var running = Start(place, "LogPipe", "100000000");
        running.WaitForOutput("line 1000\n");
        int producer = int.Parse(ProcessId().Match(running.Error).Groups[1].Value, CultureInfo.InvariantCulture);
        Assert.Equal(0, Native.Kill(producer, Native.SigKill));
        var result = running.WaitForEnd();
        Assert.True(result.Status == 0, result.Error);
        // Of each thread all lines up to its last are there or were lost for want of room.
        long last = LogLine().Matches(result.Output).GroupBy(match => match.Groups[1].Value)
            .Sum(thread => thread.Max(match => long.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture)) + 1);
        Assert.InRange(last, 1001, CheckLines(result) + Lost(result));
    }

    [Fact]
    public void Trace_cmd_prints_pages_of_the_kernels_shape()
    {
        using var place = new Place();
        string output = Run(place, "FtracePages", place.In("trace.dat"));
        Assert.Contains("3000 events, 0 lost", output, StringComparison.Ordinal);
        Assert.SkipUnless(IsInstalled("trace-cmd"), "trace-cmd is not installed; the pages were written and not read by it.");
        var report = place.Run(["trace-cmd", "report", place.In("trace.dat")]);
        Assert.True(report.Status == 0 && report.Error.Length == 0, report.Error);
        var steps = Step().Matches(report.Output);
        Assert.Equal(3000, steps.Count);
        foreach (var worker in steps.GroupBy(match => match.Groups[1].Value))
            Assert.Equal(Enumerable.Range(0, 1000), worker.Select(match => int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void A_reader_written_for_perf_takes_every_sample()
    {
        Assert.SkipUnless(Weir.Ring.RseqSection.IsAvailable, Weir.Ring.RseqSection.Verdict);
        using var place = new Place();
        var counts = Samples().Match(Run(place, "PerfBuffer"));
        Assert.True(counts.Success);
        Assert.Equal(counts.Groups[1].Value, counts.Groups[2].Value);
        Assert.Equal(20_000, long.Parse(counts.Groups[2].Value, CultureInfo.InvariantCulture) + long.Parse(counts.Groups[3].Value, CultureInfo.InvariantCulture));
    }

    private static Running Start(Place place, string sample, params string[] arguments) =>
        place.Start(["dotnet", Path.Combine(s_root, "samples", sample, "bin", Configuration, "net10.0", $"{sample}.dll"), .. arguments]);

    private static string Run(Place place, string sample, params string[] arguments)
    {
        using var running = Start(place, sample, arguments);
        var result = running.WaitForEnd();
        Assert.True(result.Status == 0 && result.Error.Length == 0, result.Error);
        return result.Output;
    }

    /// <summary>The text that babeltrace2 gives of a trace, without a warning; ours must be the same.</summary>
    private static string[] ReadBoth(Place place, string trace)
    {
        var expected = place.Run(["babeltrace2", trace]);
        Assert.True(expected.Status == 0 && expected.Error.Length == 0, expected.Error);
        var actual = place.Run(["dotnet", Path.Combine(AppContext.BaseDirectory, "weir.dll"), "convert", trace]);
        Assert.True(actual.Status == 0 && actual.Error.Length == 0, actual.Error);
        string[] lines = Lines(expected.Output);
        Assert.NotEmpty(lines);
        Assert.Equal(lines, Lines(actual.Output));
        return lines;
    }

    /// <summary>Checks that each thread's lines come in order; returns how many lines there are.</summary>
    private static long CheckLines(Finished result)
    {
        var next = new Dictionary<string, long>();
        string[] lines = Lines(result.Output);
        foreach (string line in lines)
        {
            var match = LogLine().Match(line);
            Assert.True(match.Success, line);
            long number = long.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
            Assert.True(number >= next.GetValueOrDefault(match.Groups[1].Value), line);
            next[match.Groups[1].Value] = number + 1;
        }
        return lines.Length;
    }

    private static long Lost(Finished result) => long.Parse(LostLines().Match(result.Error).Groups[1].Value, CultureInfo.InvariantCulture);

    private static bool IsInstalled(string program) =>
        Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(directory => File.Exists(Path.Combine(directory, program)));

    private static string Configuration => Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd('/')))!;

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    [GeneratedRegex(@"cpu_id = \d+")]
    private static partial Regex Cpu();

    [GeneratedRegex(@"worker = (\d+), request = (\d+)")]
    private static partial Regex Request();

    [GeneratedRegex(@"^thread (\d+): line (\d+)$", RegexOptions.Multiline)]
    private static partial Regex LogLine();

    [GeneratedRegex(@"(\d+) lines lost")]
    private static partial Regex LostLines();

    [GeneratedRegex(@"lines from process (\d+)")]
    private static partial Regex ProcessId();

    [GeneratedRegex(@"step: +worker=(\d+) step=(\d+)")]
    private static partial Regex Step();

    [GeneratedRegex(@"read: (\d+) samples from \d+ CPUs\nwritten: (\d+) samples, (\d+) more lost")]
    private static partial Regex Samples();
}
