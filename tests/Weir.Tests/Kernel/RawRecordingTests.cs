using System.Globalization;
using System.Text.RegularExpressions;
using Weir.Kernel;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Kernel;

/// <summary><c>weir record --raw</c>: the kernel's pages as they are, read by Weir and by trace-cmd.</summary>
[Collection(nameof(Alone))]
public sealed partial class RawRecordingTests
{
    private const int MaxCyclesOfNanosecond = 6;

    private const string Load = "ls -R /usr/share/doc >/dev/null; dd if=/dev/zero of=/dev/null bs=1 count=20000 2>/dev/null; for i in 1 2 3 4; do /bin/true; done";

    private static readonly string[] s_manyCalls = ["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=200000", "status=none"];

    [Theory]
    [InlineData("--raw")]
    [InlineData("--raw", "--compress")]
    public void Trace_cmd_reads_the_same_events_at_the_same_times(params string[] options)
    {
        KernelPlace.SkipIfMissing();
        Assert.SkipUnless(Command.IsInstalled("trace-cmd"), "trace-cmd is not installed.");
        using var place = new Place();
        var result = place.Record([.. options, "--no-state-dump", "-a", "-k", "sched:*", "-k", "raw_syscalls:*", "-o", "trace", "--", "bash", "-c", Load]);
        Assert.True(result.Status == 0, result.Error);
        Assert.Contains("lost 0 events", result.Error);

        var ours = Events(OurLine(), place.Run([Place.Weir, "convert", "--clock-seconds", "trace"]).Output);
        var report = place.Run(["trace-cmd", "report", "-R", "-t", "-N", "trace/kernel/trace.dat"]);
        Assert.DoesNotContain("unknown", report.Error, StringComparison.Ordinal);
        var theirs = Events(TheirLine(), report.Output);
        Assert.True(ours.Count > 40_000, $"{ours.Count} events");
        Assert.Contains($"recorded {ours.Count} events", result.Error);
        Assert.Equal(theirs.Count, ours.Count);
        foreach (var group in ours.GroupBy(item => item.Cpu))
        {
            var pairs = group.Zip(theirs.Where(item => item.Cpu == group.Key)).ToList();
            Assert.Equal(group.Count(), pairs.Count);
            // trace-cmd's offset and each of its times are rounded to a nanosecond, and its scale has 31 bits.
            Assert.All(pairs, pair => Assert.True(pair.First.Text == pair.Second.Text && Math.Abs(pair.First.Time - pair.Second.Time) <= 3, $"{pair.First}, {pair.Second}"));
        }
        Assert.Equal(["trace.dat"], Directory.GetFileSystemEntries(place.In("trace/kernel")).Select(Path.GetFileName));
        Assert.Empty(KernelPlace.Remains());
    }

    [Fact]
    public void Programs_and_kernel_have_one_clock()
    {
        KernelPlace.SkipIfMissing();
        using var place = new Place();
        var result = place.Record(["--raw", "-e", "shop:*", "-k", "sched:sched_process_ex*", "-o", "trace", "--", .. Place.Shop, "--seconds", "0.3"]);
        Assert.True(result.Status == 0, result.Error);
        string[] lines = place.Run([Place.Weir, "convert", "--clock-cycles", "trace"]).Output.Split('\n');
        // The process's first and last moments are the kernel's to tell, and all it does itself lies between them, by the same counter.
        int exec = Array.FindIndex(lines, line => line.Contains("sched_process_exec", StringComparison.Ordinal));
        int exit = Array.FindLastIndex(lines, line => line.Contains("sched_process_exit", StringComparison.Ordinal));
        int first = Array.FindIndex(lines, line => line.Contains(" shop:", StringComparison.Ordinal));
        int last = Array.FindLastIndex(lines, line => line.Contains(" shop:", StringComparison.Ordinal));
        Assert.True(exec >= 0 && exec < first && first < last && last < exit, $"exec {exec}, shop {first} to {last}, exit {exit}");
        long[] cycles = [.. lines.Select(line => Cycles().Match(line)).Where(match => match.Success).Select(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];
        // Streams are merged by nanoseconds: within one, events of two streams may come in either order.
        Assert.All(cycles.Zip(cycles.Skip(1)), pair => Assert.InRange(pair.Second, pair.First - MaxCyclesOfNanosecond, long.MaxValue));
        Assert.True(cycles.Length > last);
    }

    [Fact]
    public void Packed_pages_take_no_more_than_trace_cmds_own()
    {
        KernelPlace.SkipIfMissing();
        Assert.SkipUnless(Command.IsInstalled("trace-cmd"), "trace-cmd is not installed.");
        using var place = new Place();
        foreach (string[] options in new string[][] { ["--raw", "-o", "plain"], ["--raw", "--compress", "-o", "packed"] })
        {
            var result = place.Record([.. options, "--no-state-dump", "-a", "-k", "raw_syscalls:*", "--kernel-buffer-size", "32M", "--", .. s_manyCalls]);
            Assert.True(result.Status == 0, result.Error);
        }
        // What trace-cmd makes of the same pages, by its own choice of how to pack.
        var converted = place.Run(["trace-cmd", "convert", "-i", "plain/kernel/trace.dat", "-o", "theirs.dat", "--file-version", "7", "--compression", "zstd"]);
        Assert.True(converted.Status == 0, converted.Error);
        long plain = new FileInfo(place.In("plain/kernel/trace.dat")).Length;
        long packed = new FileInfo(place.In("packed/kernel/trace.dat")).Length;
        long theirs = new FileInfo(place.In("theirs.dat")).Length;
        Assert.True(packed < plain / 5, $"{plain} bytes became {packed}");
        Assert.True(packed < theirs + (theirs / 4), $"{packed} bytes, {theirs} of trace-cmd");
    }

    [Fact]
    public void Packing_needs_pages()
    {
        using var place = new Place();
        var result = place.Record(["--compress", "-k", "sched:*", "--", "true"]);
        Assert.Equal(2, result.Status);
        Assert.Contains("--raw", result.Error);
    }

    [Theory]
    [InlineData("--raw")]
    [InlineData("--raw", "--compress")]
    public void A_disk_that_fills_keeps_what_was_written_and_counts_the_rest(params string[] options)
    {
        KernelPlace.SkipIfMissing();
        using var place = new Place();
        string disk = place.MountMemory("disk", "size=20m");
        string trace = Path.Combine(disk, "trace");
        var result = place.Record([.. options, "--json", "--no-state-dump", "-a", "-k", "raw_syscalls:*", "--kernel-buffer-size", "32M", "-o", trace, "--", .. s_manyCalls]);
        Assert.True(result.Status == 0, result.Error);
        var report = result.Report();
        long recorded = report.GetProperty("events").GetInt64();
        long notWritten = report.GetProperty("lost").GetProperty("not_written").GetInt64();
        Assert.True(recorded > 10_000 && notWritten > 10_000, $"{recorded} recorded, {notWritten} not written");
        Assert.True(recorded + notWritten >= 800_000, $"{recorded} recorded, {notWritten} not written");
        Assert.Equal(["trace.dat"], Directory.GetFileSystemEntries(Path.Combine(trace, "kernel")).Select(Path.GetFileName));
        Assert.Contains(report.GetProperty("problems").EnumerateArray(), problem => problem.GetString()!.Contains("cannot be written", StringComparison.Ordinal));
        Assert.Equal(recorded, Events(OurLine(), place.Run([Place.Weir, "convert", "--clock-seconds", trace]).Output).Count);
    }

    [Fact]
    public void Losses_are_counted_and_told_where_they_are()
    {
        KernelPlace.SkipIfMissing();
        Assert.SkipUnless(Command.IsInstalled("trace-cmd"), "trace-cmd is not installed.");
        using var place = new Place();
        var result = place.Record(["--raw", "--json", "--no-state-dump", "-a", "-k", "raw_syscalls:*", "-k", "sched:*", "--kernel-buffer-size", "16k", "-o", "trace", "--", .. s_manyCalls]);
        Assert.True(result.Status == 0, result.Error);
        long lost = result.Report().GetProperty("lost").GetProperty("kernel_buffer_full").GetInt64();
        long told = Sum(Discarded(), place.Run([Place.Weir, "convert", "--clock-seconds", "trace"]).Error);
        // The kernel's pages do not tell all that it counts.
        Assert.InRange(told, 1, lost);
        Assert.Equal(told, Sum(Dropped(), place.Run(["trace-cmd", "report", "trace/kernel/trace.dat"]).Output));

        static long Sum(Regex form, string text) => form.Matches(text).Sum(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
    }

    [Fact]
    public void It_needs_a_rule_for_the_kernel()
    {
        using var place = new Place();
        var result = place.Record(["--raw", "--", "true"]);
        Assert.Equal(2, result.Status);
        Assert.Contains("-k SYSTEM:EVENT", result.Error);
    }

    [Theory]
    [InlineData(2_596_122_129, 100_516_689_136_136)]
    [InlineData(1_000_000_000, 5)]
    [InlineData(24_000_000, 864_000UL * 24_000_000)]
    [InlineData(6_000_000_000, 1UL << 55)]
    public void Trace_cmds_numbers_give_the_clocks_time(ulong frequency, ulong cycles)
    {
        var clock = new global::Weir.Clock.ClockCorrelation(frequency, 1_795_428_841, 7);
        var time = TraceDatTime.Of(global::Weir.Clock.ClockKind.Counter, clock, cycles);
        Assert.Equal(clock.ToRealtimeNs(cycles), At(cycles));
        // A minute later by less than the rate's rounding.
        Assert.InRange(At(cycles + (60 * frequency)) - clock.ToRealtimeNs(cycles + (60 * frequency)), -60, 60);
        Assert.InRange(time.Multiplier, 1U << 29, (uint)int.MaxValue);

        long At(ulong value) => (long)(((UInt128)value * time.Multiplier) >> time.Shift) + time.OffsetNs;
    }

    private static List<Event> Events(Regex form, string text) =>
    [
        .. text.Split('\n').Select(line => form.Match(line)).Where(match => match.Success).Select(match => new Event(
            int.Parse(match.Groups["cpu"].Value, CultureInfo.InvariantCulture),
            long.Parse(match.Groups["s"].Value + match.Groups["ns"].Value, CultureInfo.InvariantCulture),
            $"{match.Groups["name"].Value} {match.Groups["tid"].Value}")),
    ];

    private sealed record Event(int Cpu, long Time, string Text);

    [GeneratedRegex(@"^\[(?<s>\d+)\.(?<ns>\d+)\] .*? ?(?<name>\w+): \{ cpu_id = (?<cpu>\d+) \}, \{ tid = (?<tid>-?\d+)")]
    private static partial Regex OurLine();

    [GeneratedRegex(@"^ *.*-(?<tid>\d+) +\[(?<cpu>\d+)\] *(?<s>\d+)\.(?<ns>\d+): (?<name>\w+): +")]
    private static partial Regex TheirLine();

    [GeneratedRegex(@"^\[(\d+)\]")]
    private static partial Regex Cycles();

    [GeneratedRegex(@"\[(\d+) EVENTS DROPPED\]")]
    private static partial Regex Dropped();

    [GeneratedRegex(@"discarded (\d+) event")]
    private static partial Regex Discarded();
}
