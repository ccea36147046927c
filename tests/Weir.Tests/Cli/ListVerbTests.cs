using System.Text.Json;
using Weir.Tests.Kernel;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Cli;

public sealed class ListVerbTests
{
    [Fact]
    public void Running_programs_and_sessions_are_listed()
    {
        using var place = new Place();
        using var program = place.StartRecord(["-o", "trace", "-e", "weir_tests.*:tick", "--", .. Place.Role(TracedPrograms.Tick)]);
        program.WaitForOutput("committed");
        var list = place.Run([Place.Weir, "list", "--json", "--fields"]);
        Assert.Equal((0, ""), (list.Status, list.Error));
        var root = JsonDocument.Parse(list.Output).RootElement;
        var found = Assert.Single(root.GetProperty("programs").EnumerateArray());
        Assert.StartsWith("Weir.Tests", found.GetProperty("name").GetString());
        var tick = Assert.Single(found.GetProperty("events").EnumerateArray(), item => item.GetProperty("name").GetString() == "weir_tests.session:tick");
        Assert.NotEmpty(tick.GetProperty("fields").EnumerateArray());
        var session = Assert.Single(root.GetProperty("sessions").EnumerateArray());
        Assert.Equal("weir_tests.*:tick", Assert.Single(session.GetProperty("rules").EnumerateArray()).GetString());
        Assert.Single(session.GetProperty("processes").EnumerateArray());
        Assert.StartsWith("weir_tests.session:tick   (-e, ", place.Run([Place.Weir, "list", "weir_tests.*:t?ck"]).Output, StringComparison.Ordinal);
        program.Write("\n");
        Assert.Equal(0, program.WaitForEnd().Status);
        place.AssertNothingLeft();
    }

    [Fact]
    public void The_kernels_events_and_kinds_are_listed()
    {
        ProbedProgram.SkipWithoutTracefs();
        using var place = new Place();
        string[] events = place.Run([Place.Weir, "list", "sched:*"]).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] kernels = [.. File.ReadLines("/sys/kernel/tracing/available_events").Where(line => line.StartsWith("sched:", StringComparison.Ordinal))];
        Assert.Equal(kernels.Select(name => $"{name}   (-k)"), events);
        Assert.Contains("    prev_comm: char[]\n", place.Run([Place.Weir, "list", "sched:sched_switch", "--fields"]).Output);
        string overview = place.Run([Place.Weir, "list"]).Output;
        Assert.Contains("uprobe:FILE:FUNCTION", overview);
        Assert.Matches("(?m)^  (yes|no ) kprobe:", overview);
        Assert.Contains($"sched {kernels.Length}", overview);
        Assert.False(Directory.Exists(place.Home), "it only looks");
    }

    [Fact]
    public void What_is_not_there_is_told_with_what_may_have_been_meant()
    {
        ProbedProgram.SkipWithoutTracefs();
        using var place = new Place();
        var result = place.Run([Place.Weir, "list", "sched:sched_swich"]);
        Assert.Equal((1, ""), (result.Status, result.Output));
        Assert.Contains("no event 'sched:sched_swich' here; the nearest are sched:sched_switch", result.Error);
    }
}
