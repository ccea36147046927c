using System.Globalization;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Cli;

/// <summary>Every way in which a recording can end: what was committed is in the trace, and nothing is left behind.</summary>
public class RecordEndingsTests
{
    private const int Interrupt = 2;
    private const int Kill = 9;
    private const int Terminate = 15;

    [Theory]
    [InlineData(Interrupt, "WEIR_SEQUENCE=")]
    [InlineData(Terminate, "WEIR_SEQUENCE=")]
    [InlineData(Terminate, "WEIR_SEQUENCE=atomic")]
    public void A_signal_to_the_recorder_ends_the_command_and_keeps_the_trace(int signal, string variable)
    {
        using var place = new Place();
        using var recorder = place.Start([Place.Weir, "record", "-o", "trace", "--", .. Place.Role(TracedPrograms.Tick)], variable);
        recorder.WaitForOutput("committed");
        recorder.Signal(signal);
        var result = recorder.WaitForEnd();
        Assert.Equal(128 + signal, result.Status);
        AssertAllThere(place, result);
    }

    [Fact]
    public void A_signal_to_the_whole_group_ends_both()
    {
        using var place = new Place();
        using var recorder = place.Start(["setsid", Place.Weir, "record", "-o", "trace", "--", .. Place.Role(TracedPrograms.Tick)]);
        recorder.WaitForOutput("committed");
        _ = Weir.Sessions.LibC.Kill(-recorder.Id, Interrupt);
        var result = recorder.WaitForEnd();
        Assert.Equal(130, result.Status);
        AssertAllThere(place, result);
    }

    [Fact]
    public void A_script_can_interrupt_a_recording_in_its_background()
    {
        using var place = new Place();
        using var script = place.Start(["sh", "-c", $"'{Place.Weir}' record -a -o trace & echo $!; wait $!"]);
        script.WaitForOutput("\n");
        place.WaitForSessions(1);
        _ = Weir.Sessions.LibC.Kill(int.Parse(script.Output, CultureInfo.InvariantCulture), Interrupt);
        Assert.Contains("trace in", script.WaitForEnd().Error);
        place.AssertNothingLeft();
    }

    [Fact]
    public void Control_C_in_a_terminal_reaches_the_command_once()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "There is no 'script' here, which makes a terminal.");
        using var place = new Place();
        // A shell that stays in between answers Ctrl-C with a status of its own: dash does, which 'script' takes where SHELL is not set.
        string command = "exec " + string.Join(' ', new[] { Place.Weir, "record", "-o", "trace", "--" }.Concat(Place.Role(TracedPrograms.CountInterrupts)).Select(word => $"'{word}'"));
        using var terminal = place.Start(["script", "-qefc", command, "/dev/null"]);
        terminal.WaitForOutput("ready");
        terminal.Write("\x03");
        var result = terminal.WaitForEnd();
        Assert.Contains("interrupted 1 times", result.Output);
        Assert.Equal(7, result.Status);
        Assert.NotEmpty(Babeltrace.Lines(place, "trace"));
        place.AssertNothingLeft();
    }

    [Fact]
    public void A_command_that_does_not_listen_is_left_at_the_third_request()
    {
        using var place = new Place();
        using var recorder = place.StartRecord("-o", "trace", "--", "sh", "-c", "trap '' INT; echo ready; sleep 30");
        recorder.WaitForOutput("ready");
        for (int i = 0; i < 3; i++)
        {
            recorder.Signal(Interrupt);
            Thread.Sleep(50);
        }
        Wait.Until(() => recorder.HasExited, "the recorder's end");
    }

    [Theory]
    [InlineData("WEIR_SEQUENCE=")]
    [InlineData("WEIR_SEQUENCE=atomic")]
    public void A_command_that_is_killed_loses_nothing_that_it_had_committed(string variable)
    {
        using var place = new Place();
        using var recorder = place.Start([Place.Weir, "record", "-o", "trace", "--", .. Place.Role(TracedPrograms.Tick, "1000")], variable);
        recorder.WaitForOutput("committed 20000\n");
        _ = Weir.Sessions.LibC.Kill(TickerOf(place), Kill);
        var result = recorder.WaitForEnd();
        Assert.Equal(137, result.Status);
        AssertAllThere(place, result);
    }

    [Fact]
    public void A_recorder_that_is_killed_harms_nobody()
    {
        using var place = new Place();
        using var recorder = place.StartRecord(["-o", "first", "--subbuf-size", "4k", "--", .. Place.Role(TracedPrograms.Tick, "100")]);
        recorder.WaitForOutput("committed 5000\n");
        string buffers = place.Buffers();
        Assert.StartsWith("/dev/shm/weir-", buffers);
        string pid = place.In("first/ust/pid");
        Wait.Until(
            () => Directory.Exists(pid) && new DirectoryInfo(pid).GetFiles("stream_*", SearchOption.AllDirectories).Any(file => file.Length > 0), "a packet");
        recorder.Signal(Kill);
        // The program learns of it, though nobody rings, and goes on.
        recorder.WaitForOutput("detached");
        Assert.True(Directory.Exists(buffers));

        var next = place.Record(["-o", "second", "--", .. Place.Role(TracedPrograms.Emit, "100")]);
        Assert.Equal(0, next.Status);
        Assert.Equal(100, Babeltrace.Count(place, "second")["weir_tests.session:tick"]);
        Assert.Contains("which a killed recorder had left behind, was removed", next.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(buffers));
        place.AssertNothingLeft();
        recorder.Write("\n");
        recorder.WaitForOutput("done");
        // What it had moved until then can be read: of each CPU whole packets, so not every number.
        Assert.NotEmpty(Babeltrace.Lines(place, "first"));
    }

    [Fact]
    public void Only_abandoned_sessions_are_removed()
    {
        using var place = new Place();
        using var living = place.StartRecord("-a", "-o", "living");
        place.WaitForSessions(1);
        string session = File.ReadAllText(Path.Combine(Directory.GetDirectories(place.Home).Single(), "session"));
        string owner = session.Split('\n').Single(line => line.StartsWith("owner"));
        string Make(string name, string text)
        {
            Directory.CreateDirectory(Path.Combine(place.Home, name));
            File.WriteAllText(Path.Combine(place.Home, name, "session"), text);
            return Path.Combine(place.Home, name);
        }
        // No process has this id: it is beyond what the kernel gives.
        string dead = Make("dead", session.Replace(owner, "owner 2000000000"));
        string foreign = Make("foreign", "something else\nowner 2000000000\n");
        string lasting = Make("lasting", session.Replace(owner, "owner 0"));
        string precious = place.In("precious");
        Directory.CreateDirectory(precious);
        File.CreateSymbolicLink(Path.Combine(dead, "buffers"), precious);
        File.CreateSymbolicLink(Path.Combine(place.Home, "link"), precious);
        File.WriteAllText(Path.Combine(precious, "session"), session.Replace(owner, "owner 2000000000"));
        Assert.Equal(0, place.Record("-o", "trace", "-q", "--", "true").Status);
        Assert.False(Directory.Exists(dead));
        Assert.True(Directory.Exists(foreign));
        Assert.True(Directory.Exists(lasting));
        Assert.True(File.Exists(Path.Combine(precious, "session")));
        living.Signal(Interrupt);
        Assert.Equal(0, living.WaitForEnd().Status);
    }

    [Fact]
    public void A_long_recording_gives_back_what_ended_processes_held()
    {
        using var place = new Place();
        using var recorder = place.StartRecord("-a", "-o", "trace", "-e", "weir_tests.session:*");
        place.WaitForSessions(1);
        for (int i = 0; i < 3; i++)
            place.Run(Place.Role(TracedPrograms.Emit, "1000"));
        string buffers = place.Buffers();
        Wait.Until(() => Directory.GetDirectories(buffers).Length == 0, "the buffers' removal");
        int open = Directory.GetFiles($"/proc/{recorder.Id}/fd").Count(path => File.ResolveLinkTarget(path, false)?.FullName.Contains("stream_") == true);
        Assert.Equal(0, open);
        recorder.Signal(Interrupt);
        Assert.Equal(0, recorder.WaitForEnd().Status);
        Assert.Equal(3000, Babeltrace.Count(place, "trace")["weir_tests.session:tick"]);
    }

    private static int TickerOf(Place place) => int.Parse(
        Directory.GetDirectories(place.Buffers()).Select(Path.GetFileName).Single()!.Split('-')[^3], CultureInfo.InvariantCulture);

    private static void AssertAllThere(Place place, Finished result)
    {
        long committed = result.Output.Split('\n').Where(line => line.StartsWith("committed "))
            .Select(line => long.Parse(line["committed ".Length..], CultureInfo.InvariantCulture)).Last();
        Assert.True(RecordTests.AssertComplete(Babeltrace.Lines(place, "trace")) >= committed);
        Assert.Contains("lost 0 events", result.Error);
        place.AssertNothingLeft();
    }
}
