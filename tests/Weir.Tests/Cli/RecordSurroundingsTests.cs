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

    /// <summary>An open packet whose head is not one, and a stream of another size than the session's: named, and the trace stays readable.</summary>
    [Fact]
    public void An_open_packet_that_is_none_does_not_spoil_the_trace()
    {
        using var place = new Place();
        using var recorder = place.StartRecord(["-o", "trace", "-e", "weir_tests.*:*", "--subbuf-size", "64k", "--", .. Place.Role(TracedPrograms.Tick)]);
        recorder.WaitForOutput("committed");
        Thread.Sleep(1000);
        string process = Directory.GetDirectories(place.Buffers()).Single();
        byte[] stream = File.ReadAllBytes(Path.Combine(process, "stream_0"));
        string other = $"{place.Buffers()}-aside";
        Directory.CreateDirectory(other);
        File.Copy(Path.Combine(process, "metadata"), Path.Combine(other, "metadata"));
        byte[] headless = [.. stream];
        BitConverter.TryWriteBytes(headless.AsSpan(StreamLayout.Control + StreamLayout.Position), 5000UL);
        BitConverter.TryWriteBytes(headless.AsSpan(StreamLayout.Control + StreamLayout.Consumed), 0UL);
        headless.AsSpan(StreamLayout.HeadBytes, 65536).Clear();
        File.WriteAllBytes(Path.Combine(other, "stream_0"), headless);
        byte[] larger = [.. stream];
        BitConverter.TryWriteBytes(larger.AsSpan(StreamLayout.Cpu), 1u);
        BitConverter.TryWriteBytes(larger.AsSpan(StreamLayout.PacketBytes), 2UL * 65536);
        BitConverter.TryWriteBytes(larger.AsSpan(StreamLayout.PacketCount), 2u);
        File.WriteAllBytes(Path.Combine(other, "stream_1"), larger);
        string moved = Path.Combine(place.Buffers(), "other-1-20250101-000000");
        Directory.Move(other, moved);
        recorder.Write("\n");
        var result = recorder.WaitForEnd();
        Assert.Contains($"{Path.Combine(moved, "stream_0")}: offset 0: not a packet's head", result.Error);
        Assert.Contains($"{Path.Combine(moved, "stream_1")}: offset {StreamLayout.PacketBytes}: ", result.Error);
        long last = RecordTests.AssertComplete(Babeltrace.Lines(place, "trace"));
        Assert.Contains($"done {last}", result.Output);
    }

    [Theory]
    [InlineData("ring", "mkfifo")]
    [InlineData("ring", "zero")]
    [InlineData("metadata", "zero")]
    [InlineData("metadata", "mkfifo")]
    [InlineData("metadata", "mkdir")]
    [InlineData("metadata", "secret")]
    [InlineData("metadata", "")]
    public void Special_files_among_the_buffers_cost_nothing_that_was_read_before(string name, string kind)
    {
        using var place = new Place();
        using var recorder = place.StartRecord(["-o", "trace", "-e", "weir_tests.*:*", "--", .. Place.Role(TracedPrograms.Tick)]);
        recorder.WaitForOutput("committed");
        // The recorder looks again twice a second, and has to have seen what the program wrote last.
        Thread.Sleep(1000);
        string path = Path.Combine(Directory.GetDirectories(place.Buffers()).Single(), name);
        Replace(place, path, kind);
        Thread.Sleep(700);
        recorder.Write("\n");
        var result = recorder.WaitForEnd();
        Assert.Equal(0, result.Status);
        Assert.Contains($"warning: {path}", result.Error);
        Assert.Contains("lost 0 events\n", result.Error);
        long last = RecordTests.AssertComplete(Babeltrace.Lines(place, "trace"));
        Assert.Contains($"done {last}", result.Output);
        long bytes = Directory.GetFiles(place.In("trace"), "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
        Assert.InRange(bytes, 1, 64 << 20);
        place.AssertNothingLeft();
    }

    [Fact]
    public void Special_files_of_another_process_are_named_and_not_copied()
    {
        using var place = new Place();
        using var recorder = place.StartRecord(["-o", "trace", "-e", "weir_tests.*:*", "--strict", "--", .. Place.Role(TracedPrograms.Tick)]);
        recorder.WaitForOutput("committed");
        string buffers = place.Buffers();
        byte[] stream = File.ReadAllBytes(Path.Combine(Directory.GetDirectories(buffers).Single(), "stream_0"));
        BitConverter.TryWriteBytes(stream.AsSpan(StreamLayout.Control + StreamLayout.Position), 4096UL);
        foreach (string kind in new[] { "mkfifo", "zero", "secret", "mkdir", "" })
        {
            // Made aside and moved in, so that the recorder never sees a part of it.
            string other = $"{buffers}-{kind}";
            Directory.CreateDirectory(other);
            Replace(place, Path.Combine(other, "metadata"), kind);
            Replace(place, Path.Combine(other, "ring"), kind);
            Replace(place, Path.Combine(other, "stream_1"), kind);
            File.WriteAllBytes(Path.Combine(other, "stream_0"), stream);
            Directory.Move(other, Path.Combine(buffers, $"other{kind}-1-20250101-000000"));
        }
        Thread.Sleep(200);
        recorder.Write("\n");
        var result = recorder.WaitForEnd();
        Assert.Equal(3, result.Status);
        foreach (string kind in new[] { "mkfifo", "zero", "secret", "mkdir" })
        {
            string other = Path.Combine(buffers, $"other{kind}-1-20250101-000000");
            foreach (string name in new[] { "metadata", "ring", "stream_1" })
                Assert.True(result.Error.Contains($"{Path.Combine(other, name)}: ", StringComparison.Ordinal), $"{other}/{name} is not named in:\n{result.Error}");
        }
        Assert.Contains("could not be counted", result.Error);
        Assert.Contains("events (", result.Error);
        Assert.Contains("of 1 process in", result.Error);
        Assert.DoesNotContain(Directory.GetFiles(place.In("trace"), "*", SearchOption.AllDirectories), file => File.ReadAllText(file).Contains("secret words", StringComparison.Ordinal));
        long last = RecordTests.AssertComplete(Babeltrace.Lines(place, "trace"));
        Assert.Contains($"done {last}", result.Output);
    }

    [Fact]
    public void Buffers_that_are_removed_while_recording_are_read_to_their_end_and_named()
    {
        using var place = new Place();
        using var recorder = place.StartRecord(["-o", "trace", "-e", "weir_tests.*:*", "--", .. Place.Role(TracedPrograms.Tick)]);
        recorder.WaitForOutput("committed");
        // The recorder looks again twice a second, and has to have seen what the program wrote last.
        Thread.Sleep(1000);
        string buffers = place.Buffers();
        Directory.Delete(buffers, recursive: true);
        Thread.Sleep(200);
        recorder.Write("\n");
        var result = recorder.WaitForEnd();
        Assert.Equal(0, result.Status);
        Assert.Contains($"warning: {buffers}: was removed", result.Error);
        long last = RecordTests.AssertComplete(Babeltrace.Lines(place, "trace"));
        Assert.Contains($"done {last}", result.Output);
    }

    [Fact]
    public void An_output_that_is_removed_while_recording_is_a_loss()
    {
        using var place = new Place();
        using var recorder = place.StartRecord(
            ["-o", "trace", "-e", "weir_tests.*:*", "--subbuf-size", "4k", "--strict", "--json", "--", .. Place.Role(TracedPrograms.Tick, "1000")]);
        recorder.WaitForOutput("committed 2000\n");
        // Until then a stream's file would be made anew, with the directory around it.
        string traces = place.In("trace/ust/pid");
        Wait.Until(
            () => Directory.Exists(traces) && new DirectoryInfo(traces).GetFiles("stream_*", SearchOption.AllDirectories).Any(file => file.Length > 0), "a packet");
        // All at once: a file that is made while others are deleted would be in the way.
        Directory.Move(place.In("trace"), place.In("removed"));
        Thread.Sleep(300);
        recorder.Write("\n");
        var result = recorder.WaitForEnd();
        Assert.Equal(3, result.Status);
        var report = result.Report();
        Assert.NotEqual(0, report.GetProperty("uncounted_streams").GetInt64());
        Assert.NotEqual(0, report.GetProperty("uncounted_bytes").GetInt64());
        Assert.Contains(report.GetProperty("problems").EnumerateArray(), problem => problem.GetString()!.Contains("was removed", StringComparison.Ordinal));
    }

    [Fact]
    public void Bad_entries_of_a_home_hold_nobody_up()
    {
        using var place = new Place();
        foreach (string kind in new[] { "mkfifo", "zero", "secret", "mkdir" })
        {
            Directory.CreateDirectory(Path.Combine(place.Home, kind));
            Replace(place, Path.Combine(place.Home, kind, "session"), kind);
            Replace(place, Path.Combine(place.Home, kind, "alive"), kind);
        }
        Replace(place, Path.Combine(place.Home, "a-pipe"), "mkfifo");
        Replace(place, Path.Combine(place.Home, "a-device"), "zero");
        string closed = Path.Combine(place.Home, "closed");
        Directory.CreateDirectory(closed);
        File.WriteAllText(Path.Combine(closed, "session"), "");
        Assert.Equal(0, place.Run(["chmod", "000", closed]).Status);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var result = place.Record(["-o", "trace", "-e", "weir_tests.*:*", "--strict", "--", .. Place.Role(TracedPrograms.Emit, "10")]);
        Assert.Equal(0, result.Status);
        Assert.DoesNotContain("nhandled", result.Error);
        AssertRunsUntraced(place);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 15);
        Assert.Equal(10, Babeltrace.Count(place, "trace").Values.Sum());
    }

    [Fact]
    public void Processes_without_room_for_their_buffers_are_refused_and_not_recorded()
    {
        using var place = new Place();
        place.Home = Path.Combine(place.MountMemory("small", "size=12m,mode=700"), "home");
        string emit = string.Join(' ', Place.Role(TracedPrograms.Emit, "250").Select(part => $"'{part}'"));
        var result = place.Record(
            "-o", "trace", "-e", "weir_tests.*:*", "--json", "--", "sh", "-c", $"for i in 1 2 3 4; do {emit} & done; wait");
        var report = result.Report();
        long refused = report.GetProperty("processes_refused").GetInt64();
        Assert.InRange(refused, 1, 4);
        Assert.Equal(4 - refused, report.GetProperty("traces").GetArrayLength());
        Assert.Equal(4 - refused, Directory.Exists(place.In("trace/ust/pid")) ? Directory.GetDirectories(place.In("trace/ust/pid")).Length : 0);
        Assert.Equal((4 - refused) * 250, report.GetProperty("events").GetInt64() + report.GetProperty("lost").EnumerateObject().Sum(cause => cause.Value.GetInt64()));
    }

    /// <summary>Puts something in a file's place: a pipe, a directory, links to a device and to a file, or nothing.</summary>
    private static void Replace(Place place, string path, string kind)
    {
        File.Delete(path);
        if (kind is "mkfifo" or "mkdir")
        {
            Assert.Equal(0, place.Run([kind, path]).Status);
        }
        else if (kind == "zero")
        {
            File.CreateSymbolicLink(path, "/dev/zero");
        }
        else if (kind == "secret")
        {
            File.WriteAllText(place.In("secret"), "secret words");
            File.CreateSymbolicLink(path, place.In("secret"));
        }
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
