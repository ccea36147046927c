using System.Globalization;
using Weir.Tracing;
using Xunit;

namespace Weir.Tests.Sessions;

/// <summary>What a running program notices of sessions: soon, without polling, at no cost for the collector.</summary>
public class SessionTests
{
    private const int LimitMs = 2000;

    [Fact]
    public void A_running_program_sees_start_change_and_stop_soon()
    {
        using var place = new Place();
        var result = place.Run(Place.Role(TracedPrograms.MeasureLatency, "9"));
        Assert.True(result.Status == 0, result.Error);
        var all = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' '))
            .ToLookup(parts => parts[0], parts => double.Parse(parts[1], CultureInfo.InvariantCulture));
        foreach (var kind in all)
        {
            double[] times = [.. kind.Order()];
            TestContext.Current.TestOutputHelper?.WriteLine($"{kind.Key}: median {times[times.Length / 2]:F1} ms, at most {times[^1]:F1} ms");
            Assert.All(times, time => Assert.InRange(time, 0, LimitMs));
        }
        Assert.Equal(["start", "change", "stop"], all.Select(kind => kind.Key));
    }

    [Fact]
    public void The_program_sleeps_while_nothing_changes()
    {
        using var place = new Place();
        using var program = place.Start(Place.Role(TracedPrograms.WaitForLine));
        program.WaitForOutput("ready");
        string thread = Directory.GetDirectories($"/proc/{program.Id}/task")
            .Single(directory => File.ReadAllText(Path.Combine(directory, "comm")).StartsWith("Weir session"));
        long before = Switches(thread);
        Thread.Sleep(500);
        Assert.Equal(before, Switches(thread));
    }

    [Theory]
    [InlineData("weir_tests.session:*")]
    [InlineData("weir_tests.session:tick if number > 0x10", "weir_tests.session:rich if text == \"pl*n\" && (day == \"Mon*\" || chars != \"x\") && value >= 0.5")]
    public void An_enabled_call_allocates_nothing_and_a_number_takes_twelve_bytes(params string[] rules)
    {
        using var place = new Place(isInMemory: true);
        var result = place.Run(Place.Role(TracedPrograms.MeasureCalls, rules));
        Assert.True(result.Status == 0, result.Error);
        string[] lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("allocated 0", lines[0]);
        // A thread that moves to a CPU whose last event is long ago writes one longer head.
        Assert.InRange(double.Parse(lines[1]["bytes ".Length..], CultureInfo.InvariantCulture), 12, 12.05);
    }

    [Fact]
    public void Session_files_that_are_none_do_not_hurt_a_program()
    {
        using var place = new Place();
        const int Seed = 20250211;
        var random = new Random(Seed);
        using var living = place.StartRecord("-a", "-o", "trace", "-e", "weir_tests.session:*");
        place.WaitForSessions(1);
        byte[] valid = File.ReadAllBytes(Path.Combine(Directory.GetDirectories(place.Home).Single(), "session"));
        using var program = place.Start(Place.Role(TracedPrograms.Tick));
        program.WaitForOutput("committed");

        for (int i = 0; i < 200; i++)
        {
            byte[] file = [.. valid];
            for (int flips = random.Next(1, 8); flips > 0; flips--)
                file[random.Next(file.Length)] = (byte)random.Next(256);
            Make(place, $"flipped-{i}", i % 4 == 0 ? file[..random.Next(file.Length)] : file);
        }
        byte[] noise = new byte[5000];
        random.NextBytes(noise);
        string text = System.Text.Encoding.UTF8.GetString(valid);
        Make(place, "noise", noise);
        Make(place, "huge", new byte[5 << 20]);
        Make(place, "empty", []);
        Make(place, "version", [.. System.Text.Encoding.UTF8.GetBytes(text.Replace("weir-session 1", "weir-session 2"))]);
        Make(place, "rules", [.. valid, .. System.Text.Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("event *:* if number==1\n", 40_000)))]);
        Make(place, "deep", [.. valid, .. System.Text.Encoding.UTF8.GetBytes($"event *:* if {new string('(', 4000)}")]);
        Make(place, "chain", [.. valid, .. System.Text.Encoding.UTF8.GetBytes($"event *:* if {string.Join("||", Enumerable.Repeat("a==1", 600))}")]);
        Make(place, "no-buffers", valid);
        File.WriteAllText(Path.Combine(Make(place, "file-buffers", valid), "buffers"), "");
        File.CreateSymbolicLink(Path.Combine(Make(place, "dangling", valid), "buffers"), "/nowhere/at/all");
        Directory.CreateDirectory(Path.Combine(place.Home, "directory", "session"));
        Directory.CreateDirectory(Path.Combine(place.Home, "pipe"));
        Assert.Equal(0, place.Run(["mkfifo", Path.Combine(place.Home, "pipe", "session")]).Status);
        Directory.CreateDirectory(Path.Combine(place.Home, "device"));
        File.CreateSymbolicLink(Path.Combine(place.Home, "device", "session"), "/dev/zero");

        // A program that is running, and one that starts among all this.
        var later = place.Run(Place.Role(TracedPrograms.Emit, "100"));
        Assert.True(later.Status == 0, $"seed {Seed}: {later.Error}");
        Assert.Equal("emitted 100\n", later.Output);
        program.Write("\n");
        var result = program.WaitForEnd();
        Assert.True(result.Status == 0, $"seed {Seed}: {result.Error}");
        Assert.Equal("", result.Error);
        living.Signal(2);
        var recorded = living.WaitForEnd();
        Assert.Equal(0, recorded.Status);
        Assert.Contains("lost 0 events", recorded.Error);
        RecordsOf(place, "trace", result);
    }

    [Fact]
    public void A_session_written_and_read_again_is_the_same()
    {
        using var place = new Place();
        Directory.CreateDirectory(place.Home);
        Assert.True(EventRule.TryParse("a:b*@warning if x == \"y z\" && n != -3", out var rule, out _));
        var session = new SessionDescription
        {
            IsStarted = false,
            Scope = SessionScope.Descendants,
            OwnerProcessId = 77,
            Clock = Weir.Clock.ClockKind.Monotonic,
            Correlation = new Weir.Clock.ClockCorrelation { FrequencyHz = 2_500_000_000, OffsetSeconds = 1_700_000_000, OffsetCycles = 12345 },
            PacketBytes = 8192,
            PacketCount = 4,
            Rules = [rule],
        };
        session.Write(place.Home);
        Assert.True(SessionDescription.TryRead(place.Home, out var read, out string? error), error);
        Assert.Equal(rule.Text, Assert.Single(read.Rules).Text);
        Assert.Equal(session with { Rules = [] }, read with { Rules = [] });
    }

    private static void RecordsOf(Place place, string trace, Finished ticker)
    {
        string directory = Directory.GetDirectories(place.In($"{trace}/ust/pid")).OrderBy(path => Babeltrace.Lines(place, path).Length).Last();
        long last = Babeltrace.Values(Babeltrace.Lines(place, directory), "number").Max();
        Assert.Contains($"done {last}", ticker.Output);
    }

    private static string Make(Place place, string name, byte[] session)
    {
        string directory = Path.Combine(place.Home, name);
        Directory.CreateDirectory(directory);
        File.WriteAllBytes(Path.Combine(directory, "session"), session);
        return directory;
    }

    private static long Switches(string thread) => File.ReadLines(Path.Combine(thread, "status"))
        .Where(line => line.Contains("ctxt_switches")).Sum(line => long.Parse(line.Split(':')[1], CultureInfo.InvariantCulture));
}
