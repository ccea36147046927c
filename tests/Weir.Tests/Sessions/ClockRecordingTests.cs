using System.Globalization;
using System.Text.RegularExpressions;
using Weir.Tests.Clock;
using Xunit;

namespace Weir.Tests.Sessions;

/// <summary>What a recording tells about its clock. One test sets the machine's clock, by 20 us and back.</summary>
[Collection(nameof(Alone))]
public sealed partial class ClockRecordingTests
{
    [Theory]
    [InlineData("WEIR_CLOCK=")]
    [InlineData("WEIR_CLOCK=monotonic")]
    public void Samples_are_before_the_first_event_and_after_the_last(string variable)
    {
        using var place = new Place();
        var result = place.Run([Place.Weir, "record", "-o", "trace", "--", .. Place.Shop, "--seconds", "0.2"], variable);
        Assert.Equal(0, result.Status);
        string[] lines = Convert(place, "--clock-cycles", "--no-delta", "trace");
        ulong[] samples = [.. lines.Where(line => line.Contains("weir_clock:sample", StringComparison.Ordinal)).Select(Cycles)];
        ulong[] events = [.. lines.Where(line => !line.Contains("weir_clock:", StringComparison.Ordinal)).Select(Cycles)];
        Assert.InRange(samples.Length, 3, 100);
        Assert.True(samples[0] < events[0] && events[^1] < samples[^1]);
        // The trace's summary and its counts are the application's.
        Assert.Contains($"recorded {events.Length} events", result.Error, StringComparison.Ordinal);
        Assert.Equal(variable.Length > "WEIR_CLOCK=".Length, result.Error.Contains("weir: clock monotonic, not the CPU's counter: WEIR_CLOCK=monotonic", StringComparison.Ordinal));
        // The clock classes are one and the same, in the trace of the clock too.
        var clocks = Directory.GetFiles(place.In("trace"), "metadata", SearchOption.AllDirectories).Select(path => ClockClass().Match(File.ReadAllText(path)).Value).ToList();
        Assert.Equal(2, clocks.Count);
        Assert.NotEqual("", clocks[0]);
        Assert.Equal(clocks[0], clocks[1]);
        Assert.Equal(["clock", "ust"], Directory.GetFileSystemEntries(place.In("trace")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Every_reader_prints_the_same_lines_of_all_of_it()
    {
        Babeltrace.SkipIfMissing();
        using var place = new Place();
        Assert.Equal(0, place.Run([Place.Weir, "record", "-o", "trace", "-e", "shop:order_*", "--", .. Place.Shop, "--seconds", "0.3"]).Status);
        var expected = place.Run(["babeltrace2", "trace"]);
        Assert.Equal(expected.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), Convert(place, "trace"));
        // Without marks, what is marked is the same.
        string[] marked = Convert(place, "--ordering", "trace");
        Assert.Equal(Convert(place, "trace"), marked.Select(line => Mark().Replace(line, "")));
    }

    /// <summary>
    /// Each event is told CLOCK_MONOTONIC as it was before it; so its own time lies between what it was told and what the next one was, but
    /// for the brackets of the samples.
    /// </summary>
    [Theory]
    [InlineData("WEIR_CLOCK=")]
    [InlineData("WEIR_CLOCK=monotonic")]
    public void Converted_times_lie_where_the_program_saw_the_clock(string variable)
    {
        const long BracketNs = 1000;
        using var place = new Place();
        Assert.Equal(0, place.Run([Place.Weir, "record", "-q", "-o", "trace", "--", .. Place.Role(TracedPrograms.EmitTimes, "1500")], variable).Status);
        string[] lines = [.. Convert(place, "--clock-monotonic", "trace").Where(line => line.Contains("session:tick", StringComparison.Ordinal))];
        long[] told = Babeltrace.Values(lines, "number");
        long[] times = [.. lines.Select(line => (long)(decimal.Parse(line[1..line.IndexOf(']', StringComparison.Ordinal)], CultureInfo.InvariantCulture) * 1_000_000_000))];
        Assert.True(times.Length > 100);
        for (int i = 0; i + 1 < times.Length; i++)
        {
            Assert.InRange(times[i] - told[i], -BracketNs, long.MaxValue);
            Assert.InRange(told[i + 1] - times[i], -BracketNs, long.MaxValue);
        }
    }

    [Fact]
    public void The_samples_are_there_while_the_recording_runs_and_when_its_recorder_was_killed()
    {
        using var place = new Place();
        using var program = place.Start(Place.Role(TracedPrograms.Tick));
        using var recorder = place.StartRecord("-a", "-o", "trace", "-e", "weir_tests.*:*");
        program.WaitForOutput("committed");
        Wait.Until(() => File.Exists(place.In("trace/clock/stream")) && new FileInfo(place.In("trace/clock/stream")).Length > 0, "the first sample");
        Assert.Contains("weir_clock:sample", string.Join('\n', Convert(place, "trace/clock")), StringComparison.Ordinal);
        string buffers = place.Buffers();
        recorder.Signal(9);
        Assert.Equal(137, recorder.WaitForEnd().Status);
        Assert.Contains("weir_clock:sample", string.Join('\n', Convert(place, "trace/clock")), StringComparison.Ordinal);
        program.Write("\n");
        program.WaitForEnd();
        // The next recording of the same home would do it.
        Directory.Delete(buffers, recursive: true);
    }

    [Fact]
    public void A_step_of_the_real_time_clock_is_in_the_trace_and_moves_no_event()
    {
        using var place = new Place();
        using var program = place.Start(Place.Role(TracedPrograms.Tick));
        using var recorder = place.StartRecord("-a", "-o", "trace", "-e", "weir_tests.*:*");
        program.WaitForOutput("committed");
        Wait.Until(() => File.Exists(place.In("trace/clock/stream")) && new FileInfo(place.In("trace/clock/stream")).Length > 0, "the first sample");
        Thread.Sleep(50);
        Assert.SkipUnless(Realtime.TryStep(20_000), "the clock cannot be set by this user");
        Thread.Sleep(50);
        Assert.True(Realtime.TryStep(-20_000));
        Thread.Sleep(50);
        recorder.Signal(2);
        Assert.Equal(0, recorder.WaitForEnd().Status);
        program.Write("\n");
        program.WaitForEnd();
        string[] lines = Convert(place, "--clock-realtime", "--clock-seconds", "trace");
        long[] steps = [.. lines.Select(line => Step().Match(line)).Where(match => match.Success).Select(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];
        Assert.Equal(2, steps.Length);
        Assert.InRange(steps[0], 18_000, 22_000);
        Assert.InRange(steps[1], -22_000, -18_000);
        // Events are in their order: their numbers rise, as they did in the program, and no time between two is negative.
        long[] numbers = Babeltrace.Values(lines, "number");
        Assert.Equal(numbers.Order(), numbers);
        Assert.All(lines.Skip(1), line => Assert.Matches(@" \(\+\d\.\d{9}\) ", line));
    }

    private static string[] Convert(Place place, params string[] arguments)
    {
        var result = place.Run([Place.Weir, "convert", .. arguments]);
        Assert.True(result.Status == 0, result.Error);
        return result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static ulong Cycles(string line) => ulong.Parse(line[1..line.IndexOf(']', StringComparison.Ordinal)], CultureInfo.InvariantCulture);

    [GeneratedRegex(@"clock \{.*?\};", RegexOptions.Singleline)]
    private static partial Regex ClockClass();

    [GeneratedRegex(@"\(\?\d+ns\) ")]
    private static partial Regex Mark();

    [GeneratedRegex(@"realtime_step: \{ delta_ns = (-?\d+) \}")]
    private static partial Regex Step();
}
