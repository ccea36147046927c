using System.Text.Json;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Cli;

public sealed class DoctorTests
{
    private static readonly string[] s_names =
    [
        "restartable sequences", "CPU counter", "skew between CPUs", "correlation", "steps of the clock", "guests' clocks", "huge pages",
        "locked memory", "room for buffers", "kernel events", "remains in the kernel",
    ];

    [Fact]
    public void Each_check_says_yes_or_how_to_get_it()
    {
        using var place = new Place();
        var result = place.Run([Place.Weir, "doctor"]);
        Assert.Equal((0, ""), (result.Status, result.Error));
        string[] lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(s_names, lines.Where(line => line[0] != ' ').Select(line => s_names.Single(name => line[5..].StartsWith(name + " ", StringComparison.Ordinal))));
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].StartsWith("no ", StringComparison.Ordinal))
                Assert.StartsWith("to get it: ", lines[i + 1].Trim(), StringComparison.Ordinal);
        }
        Assert.False(Directory.Exists(place.Home), "it only looks");
    }

    [Fact]
    public void The_report_for_programs_has_the_same_and_numbers()
    {
        using var place = new Place();
        var checks = JsonDocument.Parse(place.Run([Place.Weir, "doctor", "--json"]).Output).RootElement.GetProperty("checks").EnumerateArray().ToList();
        Assert.Equal(s_names, checks.Select(check => check.GetProperty("name").GetString()));
        Assert.All(checks, check => Assert.Equal(!check.GetProperty("ok").GetBoolean(), check.TryGetProperty("remedy", out _)));
        Assert.InRange(Of("correlation").GetProperty("frequency_hz").GetInt64(), 1_000_000, 20_000_000_000);
        Assert.Equal(File.Exists("/sys/devices/system/clocksource/clocksource0/current_clocksource")
            ? File.ReadAllText("/sys/devices/system/clocksource/clocksource0/current_clocksource").Trim() : "unknown", Of("CPU counter").GetProperty("clock_source").GetString());

        JsonElement Of(string name) => checks.Single(check => check.GetProperty("name").GetString() == name);
    }

    [Fact]
    public void What_was_turned_off_is_a_no_with_its_reason()
    {
        using var place = new Place();
        var result = place.Run([Place.Weir, "doctor"], "WEIR_CLOCK=monotonic", "WEIR_SEQUENCE=atomic");
        Assert.Equal(0, result.Status);
        Assert.Matches(@"(?m)^no +CPU counter +the clock is CLOCK_MONOTONIC instead, .*: WEIR_CLOCK=monotonic$", result.Output);
        Assert.Matches(@"(?m)^no +restartable sequences .*WEIR_SEQUENCE", result.Output);
    }
}
