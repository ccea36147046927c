using Weir.Ring;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Cli;

/// <summary>Bad surroundings: said before the command starts where they can be known, survived and counted where not.</summary>
public class RecordSurroundingsTests
{
    private static readonly string[] s_shop = [.. Place.Shop, "--seconds", "0.3"];

    [Fact]
    public void A_home_that_is_a_file()
    {
        using var place = new Place();
        File.WriteAllText(place.Home, "");
        AssertRefused(place, place.Home, "WEIR_HOME");
        AssertRunsUntraced(place);
    }

    [Fact]
    public void A_home_that_cannot_be_written()
    {
        using var place = new Place();
        // Modes do not bind root; a file system that is read-only does.
        string mount = place.MountMemory("readonly", "ro,size=1m");
        place.Home = Path.Combine(mount, "home");
        AssertRefused(place, place.Home, "WEIR_HOME");
        AssertRunsUntraced(place);
    }

    [Fact]
    public void A_home_of_another_user()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can make a directory for another user.");
        using var place = new Place();
        Directory.CreateDirectory(place.Home);
        Assert.Equal(0, place.Run(["chown", "65534", place.Home]).Status);
        AssertRefused(place, place.Home, "WEIR_HOME");
    }

    [Fact]
    public void A_home_without_room()
    {
        using var place = new Place();
        place.Home = Path.Combine(place.MountMemory("tiny", "size=256k,mode=700"), "home");
        AssertRefused(place, place.Home, "--subbuf-size");
        // With the mend it goes.
        Assert.Equal(0, place.Record(["-o", "trace", "--subbuf-size", "4k", "--num-subbuf", "2", "-q", "--", .. Place.Role(TracedPrograms.Emit, "10")]).Status);
    }

    [Fact]
    public void A_home_that_is_full()
    {
        using var place = new Place();
        string mount = place.MountMemory("full", "size=64k,mode=700");
        place.Home = Path.Combine(mount, "home");
        Directory.CreateDirectory(place.Home);
        File.WriteAllBytes(Path.Combine(mount, "fill"), new byte[64 * 1024 - 8192]);
        AssertRefused(place, place.Home, "WEIR_HOME");
        AssertRunsUntraced(place);
    }

    [Fact]
    public void A_home_that_fills_while_recording()
    {
        using var place = new Place();
        string mount = place.MountMemory("filling", "size=8m,mode=700");
        place.Home = Path.Combine(mount, "home");
        using var recorder = place.StartRecord(["-o", "trace", "--subbuf-size", "64k", "--", .. Place.Role(TracedPrograms.Tick)]);
        recorder.WaitForOutput("committed");
        File.WriteAllBytes(Path.Combine(mount, "some"), []);
        Assert.NotEqual(0, place.Run(["dd", "if=/dev/zero", $"of={Path.Combine(mount, "fill")}", "bs=4k"]).Status);
        recorder.Write("\n");
        var result = recorder.WaitForEnd();
        Assert.Equal(0, result.Status);
        Assert.Contains("lost 0 events", result.Error);
        RecordTests.AssertComplete(Babeltrace.Lines(place, "trace"));
        place.AssertNothingLeft();
    }

    [Fact]
    public void A_home_that_is_removed_while_recording()
    {
        using var place = new Place();
        using var recorder = place.StartRecord(["-o", "trace", "--", .. Place.Role(TracedPrograms.Tick)]);
        recorder.WaitForOutput("committed");
        Directory.Delete(place.Home, recursive: true);
        recorder.Write("\n");
        Assert.Equal(0, recorder.WaitForEnd().Status);
        // And the next has a home again.
        Assert.Equal(0, place.Record(["-o", "next", "-q", "--", .. Place.Role(TracedPrograms.Emit, "10")]).Status);
        Assert.Equal(10, Babeltrace.Count(place, "next").Values.Sum());
    }

    [Fact]
    public void An_output_that_cannot_be_used()
    {
        using var place = new Place();
        File.WriteAllText(place.In("file"), "");
        Directory.CreateDirectory(place.In("used/inner"));
        string mount = place.MountMemory("readonly", "ro,size=1m");
        foreach (string output in new[] { "file", "used", "file/below", Path.Combine(mount, "trace") })
        {
            var result = place.Record("-o", output, "--", "touch", place.In("started"));
            Assert.Equal(1, result.Status);
            Assert.Contains(output, result.Error);
            Assert.False(File.Exists(place.In("started")), "The command must not start.");
        }
    }

    [Theory]
    [InlineData("1100k")]
    [InlineData("3m")]
    public void A_disk_that_fills_costs_counted_events_and_nothing_else(string size)
    {
        using var place = new Place();
        string disk = place.MountMemory("disk", $"size={size}");
        string trace = Path.Combine(disk, "trace");
        var result = place.Record(
            ["-o", trace, "-e", "shop:*", "--subbuf-size", "64k", "--num-subbuf", "64", "--json", "--", .. Place.Shop, "--seconds", "1"]);
        Assert.Equal(0, result.Status);
        long emitted = result.ShopCounts().Values.Sum();
        var report = result.Report();
        long recorded = report.GetProperty("events").GetInt64();
        long lost = report.GetProperty("lost").EnumerateObject().Sum(cause => cause.Value.GetInt64());
        Assert.Equal(emitted, recorded + lost);
        Assert.InRange(recorded, 1, emitted - 1);
        Assert.NotEmpty(report.GetProperty("problems").EnumerateArray());
        Assert.Equal(recorded, Babeltrace.Count(place, trace).Values.Sum());
        place.AssertNothingLeft();
    }

    [Fact]
    public void Corrupt_files_among_the_buffers_are_reported_and_the_others_complete()
    {
        using var place = new Place();
        using var recorder = place.StartRecord(["-o", "trace", "-e", "weir_tests.*:*", "--subbuf-size", "64k", "--", .. Place.Role(TracedPrograms.Tick)]);
        recorder.WaitForOutput("committed");
        string process = Directory.GetDirectories(place.Buffers()).Single();
        byte[] stream = File.ReadAllBytes(Path.Combine(process, "stream_0"));
        Corrupt(process, stream);
        string other = Path.Combine(place.Buffers(), "other-1-20250101-000000");
        Directory.CreateDirectory(other);
        File.WriteAllText(Path.Combine(other, "metadata"), "/* CTF 1.8 */\ntrace { this is wrong };\n");
        Corrupt(other, stream);
        File.WriteAllText(Path.Combine(place.Buffers(), "a-file"), "");
        Thread.Sleep(200);
        recorder.Write("\n");
        var result = recorder.WaitForEnd();
        Assert.Equal(0, result.Status);
        foreach (string name in new[] { "stream_7", "stream_8", "stream_9", "stream_10", "stream_11", "metadata" })
            Assert.Contains($"warning: {Path.Combine(other, name)}", result.Error);
        Assert.Contains("lost 0 events", result.Error);
        long last = RecordTests.AssertComplete(Babeltrace.Lines(place, "trace"));
        Assert.Contains($"done {last}", result.Output);
        place.AssertNothingLeft();
    }

    /// <summary>Random bytes, a stream cut short, positions that cannot be, another CPU's name, and a packet that is none.</summary>
    private static void Corrupt(string directory, byte[] stream)
    {
        var random = new Random(7);
        byte[] noise = new byte[100_000];
        random.NextBytes(noise);
        byte[] cut = stream[..(stream.Length / 2)];
        byte[] absurd = [.. stream];
        BitConverter.TryWriteBytes(absurd.AsSpan(StreamLayout.Cpu), 9u);
        BitConverter.TryWriteBytes(absurd.AsSpan(StreamLayout.Control + StreamLayout.Position), ulong.MaxValue - 5);
        BitConverter.TryWriteBytes(absurd.AsSpan(StreamLayout.Control + StreamLayout.LostFull), ulong.MaxValue / 2);
        byte[] torn = [.. stream];
        BitConverter.TryWriteBytes(torn.AsSpan(StreamLayout.Cpu), 11u);
        BitConverter.TryWriteBytes(torn.AsSpan(StreamLayout.Control + StreamLayout.Position), 70_000UL);
        BitConverter.TryWriteBytes(torn.AsSpan(StreamLayout.Control + StreamLayout.Consumed), 0UL);
        torn.AsSpan(StreamLayout.HeadBytes, 65536).Fill(0xA5);
        foreach (var (name, bytes) in new[] { ("stream_7", noise), ("stream_8", cut), ("stream_9", absurd), ("stream_10", stream), ("stream_11", torn) })
            File.WriteAllBytes(Path.Combine(directory, name), bytes);
        File.WriteAllBytes(Path.Combine(directory, "stream_12"), []);
        Directory.CreateDirectory(Path.Combine(directory, "stream_13"));
    }

    private static void AssertRefused(Place place, string where, string mend)
    {
        var result = place.Record("-o", "trace", "--", "touch", place.In("started"));
        Assert.Equal(1, result.Status);
        Assert.Contains(where, result.Error);
        Assert.Contains(mend, result.Error);
        Assert.DoesNotContain("   at ", result.Error);
        Assert.False(File.Exists(place.In("started")), "The command must not start.");
        Assert.False(Directory.Exists(place.In("trace")));
    }

    /// <summary>A program that links the SDK does not notice any of it.</summary>
    private static void AssertRunsUntraced(Place place)
    {
        var result = place.Run(s_shop);
        Assert.Equal(0, result.Status);
        Assert.Equal("", result.Error);
        result.ShopCounts();
    }
}
