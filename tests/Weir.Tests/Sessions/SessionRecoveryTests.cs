using System.Globalization;
using System.Text.RegularExpressions;
using Weir.Tests.Cli;
using Xunit;

namespace Weir.Tests.Sessions;

/// <summary><c>weir recover DIR</c>: what the buffers hold of a session whose recorder was killed.</summary>
public sealed class SessionRecoveryTests
{
    [Fact]
    public void Of_a_killed_recorder_the_buffers_become_a_trace()
    {
        Babeltrace.SkipIfMissing();
        using var place = new Place();
        using var running = place.StartRecord(["-o", "trace", "--", .. Place.Role(TracedPrograms.Tick)]);
        running.WaitForOutput("committed 50");
        string session = Directory.GetDirectories(place.Home).Single();

        var refused = place.Run([Place.Weir, "recover", session, "-o", "recovered"]);
        Assert.Equal(1, refused.Status);
        Assert.Contains("is at work", refused.Error);
        Assert.False(Directory.Exists(place.In("recovered")));

        running.Signal(9);
        Wait.Until(() => running.HasExited, "the recorder's end");
        long committed = Regex.Matches(running.Output, @"^committed (\d+)$", RegexOptions.Multiline).Max(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
        var result = place.Run([Place.Weir, "recover", Path.GetFileName(session), "-o", "recovered"]);
        Assert.True(result.Status == 0, result.Error);
        string[] lines = Babeltrace.Lines(place, "recovered");
        Assert.Contains($"recovered {lines.Length} events", result.Error);
        Assert.True(RecordTests.AssertComplete(lines) >= committed, $"{lines.Length} events, {committed} committed");
        running.Write("\n");
    }
}
