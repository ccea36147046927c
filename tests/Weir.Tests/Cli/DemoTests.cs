using System.Globalization;
using System.Text.RegularExpressions;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Cli;

public class DemoTests
{
    [Fact]
    public void The_demo_shows_both_ends_of_a_complete_trace_and_what_it_took()
    {
        using var place = new Place();
        var result = place.Run([Place.Weir, "demo", "-o", place.In("trace")]);
        Assert.True(result.Status == 0, result.Error);
        string[] lines = result.Output.Split('\n');

        long emitted = long.Parse(Regex.Match(result.Output, @"^events: (\d+)", RegexOptions.Multiline).Groups[1].Value, CultureInfo.InvariantCulture);
        long between = long.Parse(Regex.Match(result.Output, @"^… (\d+) more …", RegexOptions.Multiline).Groups[1].Value, CultureInfo.InvariantCulture);
        Assert.Equal(40, lines.Count(line => Regex.IsMatch(line, @"^\[\d\d:\d\d:\d\d\.\d{9}\] .* shop:\w+: \{ cpu_id = ")));
        Assert.Equal(emitted, between + 40);
        long counted = Regex.Matches(result.Output, @"^\s*shop:\w+\s+(\d+)", RegexOptions.Multiline).Sum(m => long.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture));
        Assert.Equal(emitted, counted);
        Assert.Contains(lines, line => line.StartsWith("lost ", StringComparison.Ordinal) && line.EndsWith(" 0 events", StringComparison.Ordinal));
        Assert.Contains(lines, line => Regex.IsMatch(line, @"^cost +\d+\.\d ns an event"));
        Assert.Contains(lines, line => line.EndsWith(place.In("trace"), StringComparison.Ordinal));
        place.AssertNothingLeft();
    }
}
