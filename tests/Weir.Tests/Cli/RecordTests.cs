using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Cli;

/// <summary><c>weir record</c> as people call it, on the shop; traces are read with babeltrace2.</summary>
public class RecordTests
{
    private static readonly string[] s_shop = [.. Place.Shop, "--seconds", "0.3"];

    [Theory]
    [InlineData("WEIR_SEQUENCE=", false)]
    [InlineData("WEIR_SEQUENCE=", true)]
    [InlineData("WEIR_SEQUENCE=atomic", false)]
    [InlineData("WEIR_CLOCK=monotonic", false)]
    public void Every_event_that_the_shop_emits_is_in_the_trace(string variable, bool isInMemory)
    {
        using var place = new Place(isInMemory);
        var result = place.Run([Place.Weir, "record", "-o", "trace", "-e", "shop:*", "--", .. s_shop], variable);
        Assert.Equal(0, result.Status);
        Assert.Contains("lost 0 events", result.Error);
        Assert.DoesNotContain("warning", result.Error);
        Assert.Equal(result.ShopCounts(), Babeltrace.Count(place, "trace"));
        place.AssertNothingLeft();
    }

    [Fact]
    public void Rules_choose_by_name_level_and_filter()
    {
        using var place = new Place();
        var result = place.Record(["-o", "level", "-e", "shop:*@warning", "-e", "shop:worker_st?rted", "--", .. s_shop]);
        var expected = result.ShopCounts().Where(item => item.Key is "shop:payment_declined" or "shop:order_cancelled" or "shop:worker_started");
        Assert.Equal(expected, Babeltrace.Count(place, "level"));

        place.Record([
            "-o", "filter",
            "-e", "shop:order_placed if id > 100 && id <= 0x78 && !(symbol == \"TEA*\") && channel == \"Web\"",
            "-e", "shop:payment_requested if attempt >= 2 && amount > 0.5",
            "--", .. s_shop]);
        string[] lines = Babeltrace.Lines(place, "filter");
        Assert.All(lines.Where(line => line.Contains("order_placed")), line =>
        {
            Assert.DoesNotContain("symbol = \"TEA", line);
            Assert.Contains("\"Web\"", line);
        });
        Assert.All(Babeltrace.Values(lines.Where(line => line.Contains("order_placed")), "id"), id => Assert.InRange(id, 101, 120));
        Assert.Equal(
            result.ShopCounts()["shop:payment_requested"] - result.ShopCounts()["shop:order_placed"], Babeltrace.Count(lines)["shop:payment_requested"]);
    }

    [Theory]
    [InlineData("shop", "column 1")]
    [InlineData("shop:*@loud", "column 8")]
    [InlineData("shop:* if", "column 10")]
    [InlineData("shop:* if id >", "column 15")]
    [InlineData("shop:* if id = 3", "column 14")]
    [InlineData("shop:* if (id == 3", "column 19")]
    [InlineData("shop:* if symbol == \"TEA", "column 21")]
    public void A_wrong_rule_is_a_wrong_command_line(string rule, string column)
    {
        using var place = new Place();
        var result = place.Record("-o", "trace", "-e", rule, "--", "true");
        Assert.Equal(2, result.Status);
        Assert.Contains(column, result.Error);
        Assert.False(Directory.Exists(place.In("trace")));
    }

    [Fact]
    public void Only_the_commands_process_tree_is_recorded()
    {
        using var place = new Place();
        using var outside = place.Start(Place.Role(TracedPrograms.Tick));
        string inside = string.Join(' ', Place.Role(TracedPrograms.Emit, "1000").Select(word => $"'{word}'"));
        var result = place.Record("-o", "trace", "--", "sh", "-c", $"sh -c \"{inside}; {inside}\" && {inside}");
        Assert.Equal(0, result.Status);
        Assert.Equal(3000, Babeltrace.Count(place, "trace")["weir_tests.session:tick"]);
        Assert.DoesNotContain("committed", outside.Output);
    }

    [Fact]
    public void With_a_programs_are_recorded_that_ran_before_and_that_start_later()
    {
        using var place = new Place();
        using var earlier = place.Start(Place.Role(TracedPrograms.Tick));
        using var recorder = place.StartRecord("-a", "-o", "trace", "-e", "weir_tests.*:*");
        earlier.WaitForOutput("committed");
        using var later = place.Start(Place.Role(TracedPrograms.Tick));
        later.WaitForOutput("committed");
        earlier.Write("\n");
        long last = LastCommitted(earlier.WaitForEnd());
        recorder.Signal(2);
        Assert.Equal(0, recorder.WaitForEnd().Status);
        long[] ends = [.. Directory.GetDirectories(place.In("trace/ust/pid")).Select(directory => AssertComplete(Babeltrace.Lines(place, directory)))];
        Assert.Equal(2, ends.Length);
        Assert.Contains(ends, end => end >= last);
    }

    [Fact]
    public void Two_recordings_at_once_have_each_their_own_trace()
    {
        using var place = new Place();
        using var first = place.StartRecord("-a", "-o", "first", "-e", "shop:order_*");
        using var second = place.StartRecord("-a", "-o", "second", "-e", "shop:payment_*", "-e", "shop:order_placed if id <= 50");
        place.WaitForSessions(2);
        var counts = place.Run(s_shop).ShopCounts();
        first.Signal(2);
        second.Signal(15);
        Assert.Equal(0, first.WaitForEnd().Status);
        Assert.Equal(0, second.WaitForEnd().Status);
        Assert.Equal(counts.Where(item => item.Key.StartsWith("shop:order_")), Babeltrace.Count(place, "first"));
        var expected = counts.Where(item => item.Key.StartsWith("shop:payment_")).Prepend(new("shop:order_placed", 50));
        Assert.Equal(expected, Babeltrace.Count(place, "second"));
        place.AssertNothingLeft();
    }

    [Theory]
    [InlineData("exit 0", 0)]
    [InlineData("exit 3", 3)]
    [InlineData("kill -KILL $$", 137)]
    [InlineData("kill -TERM $$", 143)]
    public void The_commands_status_is_passed_on(string script, int status)
    {
        using var place = new Place();
        Assert.Equal(status, place.Record("-o", "trace", "-q", "--", "sh", "-c", script).Status);
        place.AssertNothingLeft();
    }

    [Fact]
    public void A_command_that_cannot_be_started_is_said_so()
    {
        using var place = new Place();
        var missing = place.Record("-o", "trace", "--", "no-such-command");
        Assert.Equal((1, "weir: no-such-command: command not found; is it installed, and in a directory of PATH?\n"), (missing.Status, missing.Error));
        File.WriteAllText(place.In("data"), "no program");
        var data = place.Record("-o", "trace", "--", "./data");
        Assert.Equal(1, data.Status);
        Assert.Contains("./data", data.Error);
        Assert.False(Directory.Exists(place.In("trace")));
        place.AssertNothingLeft();
    }

    [Fact]
    public void After_the_duration_the_command_goes_on_and_its_status_is_passed_on()
    {
        using var place = new Place();
        var result = place.Record("-o", "trace", "--duration", "200ms", "--", "sh", "-c", "sleep 1; echo still here; exit 5");
        Assert.Equal(5, result.Status);
        Assert.Contains("still here", result.Output);
    }

    [Fact]
    public void Losses_are_counted_and_strict_says_so()
    {
        using var place = new Place();
        string[] command = ["--subbuf-size", "4k", "--num-subbuf", "2", "--json", "--", .. Place.Role(TracedPrograms.Emit, "1000000")];
        var loose = place.Record(Join("-o", "loose", command));
        var report = loose.Report();
        long lost = report.GetProperty("lost").GetProperty("buffer_full").GetInt64();
        long recorded = report.GetProperty("events").GetInt64();
        Assert.Equal(0, loose.Status);
        Assert.True(lost > 0);
        Assert.Equal(1_000_000, recorded + lost);
        Assert.Equal(recorded, Babeltrace.Count(place, "loose")["weir_tests.session:tick"]);
        Assert.Equal(3, place.Record(Join("--strict", "-o", "strict", command)).Status);
        Assert.Equal(4, place.Record("--strict", "-o", "status", "-q", "--", "sh", "-c", "exit 4").Status);
    }

    [Fact]
    public void Quiet_prints_nothing_and_json_prints_the_report()
    {
        using var place = new Place();
        var quiet = place.Record(Join("-q", "-o", "quiet", "--", s_shop));
        Assert.Equal("", quiet.Error);
        Assert.Equal(2, quiet.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        var report = place.Record(Join("--json", "-o", "json", "--", s_shop)).Report();
        Assert.Equal(Babeltrace.Count(place, "json").Values.Sum(), report.GetProperty("events").GetInt64());
        Assert.All(report.GetProperty("lost").EnumerateObject(), cause => Assert.Equal(0, cause.Value.GetInt64()));
        Assert.Empty(report.GetProperty("problems").EnumerateArray());
    }

    private static long LastCommitted(Finished ticker) =>
        long.Parse(ticker.Output.Split('\n').Last(line => line.StartsWith("committed"))["committed ".Length..]);

    /// <summary>Numbered events without a gap; returns the last number.</summary>
    internal static long AssertComplete(string[] lines)
    {
        long[] numbers = [.. Babeltrace.Values(lines, "number").Order()];
        Assert.NotEmpty(numbers);
        Assert.Equal(numbers.Length, numbers[^1] - numbers[0] + 1);
        Assert.Equal(numbers.Length, numbers.Distinct().Count());
        return numbers[^1];
    }

    private static string[] Join(params object[] words) => [.. words.SelectMany(word => word as string[] ?? [(string)word])];

    [Fact]
    public void A_filter_that_fits_no_event_is_said_to_choose_nothing()
    {
        using var place = new Place();
        var result = place.Record(
            ["-o", "trace", "-e", "shop:order_* if nosuch > 3", "-e", "shop:order_placed if symbol > 3", "-e", "shop:* if quantity > 2", "--", .. Place.Shop, "--orders", "100"]);
        Assert.Equal(0, result.Status);
        Assert.Contains("rule 'shop:order_* if nosuch > 3' chooses nothing: of shop:order_placed, there is no field 'nosuch' (it has id, quantity, symbol, channel)", result.Error, StringComparison.Ordinal);
        Assert.Contains("rule 'shop:order_placed if symbol > 3' chooses nothing", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("'shop:* if quantity > 2' chooses nothing", result.Error, StringComparison.Ordinal);
    }
}
