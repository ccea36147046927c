using System.Text.RegularExpressions;
using Weir.Kernel;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Kernel;

/// <summary><c>weir recover INSTANCE</c>, without a panic: that is in tests/vm/kernel-recover.</summary>
[Collection(nameof(Alone))]
public sealed partial class KernelRecoveryTests
{
    [Theory]
    [InlineData("x86-tsc")]
    [InlineData("mono")]
    [InlineData("global")]
    public void What_an_instance_holds_becomes_a_trace(string clock)
    {
        KernelPlace.SkipIfMissing();
        using var place = new Place();
        string name = $"kept_{Environment.ProcessId}";
        string instance = Path.Combine(TracefsMount.UsualPath, "instances", name);
        Directory.CreateDirectory(instance);
        try
        {
            Assert.SkipUnless(File.ReadAllText(Path.Combine(instance, "trace_clock")).Contains(clock, StringComparison.Ordinal), $"This kernel has no trace clock {clock}.");
            File.WriteAllText(Path.Combine(instance, "trace_clock"), clock);
            File.WriteAllText(Path.Combine(instance, "events/sched/sched_process_exec/enable"), "1");
            var before = DateTime.UtcNow;
            for (int i = 0; i < 5; i++)
            {
                Assert.Equal(0, place.Run(["true"]).Status);
                File.WriteAllText(Path.Combine(instance, "trace_marker"), $"mark {i}\n");
            }
            File.WriteAllText(Path.Combine(instance, "tracing_on"), "0");
            string[] held = [.. File.ReadAllLines(Path.Combine(instance, "trace")).Where(line => !line.StartsWith('#'))];

            var result = place.Run([Place.Weir, "recover", name, "-o", "trace"]);
            Assert.True(result.Status == 0, result.Error);
            Assert.Contains($"recovered {held.Length} events", result.Error);
            string[] lines = Babeltrace.Lines(place, "trace");
            Assert.Equal(held.Select(line => line.Contains("sched_process_exec", StringComparison.Ordinal)), lines.Select(line => line.Contains("sched_process_exec", StringComparison.Ordinal)));
            Assert.Equal("01234", string.Concat(lines.Select(line => Mark().Match(line).Groups[1].Value)));
            if (clock != "global")
            {
                // This boot's clock: the times are those of the day.
                string first = place.Run(["babeltrace2", "--clock-seconds", "trace"]).Output.Split(']')[0].TrimStart('[');
                Assert.InRange(double.Parse(first, System.Globalization.CultureInfo.InvariantCulture), (before - DateTime.UnixEpoch).TotalSeconds - 1, (DateTime.UtcNow - DateTime.UnixEpoch).TotalSeconds);
            }
            Assert.Equal("0\n", File.ReadAllText(Path.Combine(instance, "tracing_on")));
        }
        finally
        {
            File.WriteAllText(Path.Combine(instance, "events/enable"), "0");
            Directory.Delete(instance);
        }
    }

    [Fact]
    public void What_is_not_there_is_refused()
    {
        KernelPlace.SkipIfMissing();
        using var place = new Place();
        var result = place.Run([Place.Weir, "recover", "no-such-instance", "-o", "trace"]);
        Assert.Equal(1, result.Status);
        Assert.Contains("no such instance", result.Error);
        Assert.False(Directory.Exists(place.In("trace")));
        Assert.Contains("no session", place.Run([Place.Weir, "recover", place.Directory, "-o", "trace"]).Error);
    }

    [Fact]
    public void A_recording_that_goes_on_keeps_what_is_its_own()
    {
        KernelPlace.SkipIfMissing();
        using var place = new Place();
        using var running = place.StartRecord("-a", "-k", "sched:sched_process_exec", "-o", "trace", "--", "sh", "-c", "echo begun; exec sleep 60");
        running.WaitForOutput("begun");
        var result = place.Run([Place.Weir, "recover", Assert.Single(KernelPlace.InstancesOf(running.Id)), "-o", "recovered"]);
        Assert.Equal(1, result.Status);
        Assert.Contains("a recording that goes on", result.Error);
        running.Signal(2);
        Assert.NotEqual(1, running.WaitForEnd().Status);
    }

    [GeneratedRegex(@"mark (\d)")]
    private static partial Regex Mark();
}
