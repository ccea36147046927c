using Weir.Kernel;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Kernel;

/// <summary>Recordings of a compiled program, compared with what it says of itself.</summary>
public sealed class UprobeRecordingTests
{
    [Fact]
    public void Calls_and_returns_have_their_arguments()
    {
        using var place = new Place();
        string program = ProbedProgram.Compile(place);
        var result = place.Record(
            "-o", "trace", "-k", $"uprobe:{program}:work(number:u64, size:s32, text:string)", "-k", "uretprobe:./probed:work(ret:s32)", "--", program);
        Assert.True(result.Status == 0, result.Error);
        string[] lines = ProbedProgram.Lines(place);
        Assert.Equal(20, lines.Length);
        for (int i = 0; i < 10; i++)
        {
            Assert.Contains(" work: ", lines[2 * i]);
            Assert.Matches("__probe_ip = 0x[0-9A-F]+, ", lines[2 * i]);
            Assert.Contains($"number = {1000 + i}, size = {i * 50}, text = \"{(i % 2 == 0 ? "even" : "odd")}\" }}", lines[2 * i]);
            Assert.Contains(" work__return: ", lines[(2 * i) + 1]);
            Assert.EndsWith($"ret = {result.Output.Split('\n')[i]["work ".Length..]} }}", lines[(2 * i) + 1], StringComparison.Ordinal);
        }
        ProbedProgram.AssertNothingLeft(place);
    }

    [Fact]
    public void Filters_names_and_paths_with_spaces_are_as_asked()
    {
        using var place = new Place();
        string program = ProbedProgram.Compile(place, "pro bed");
        var result = place.Record("-o", "trace", "-k", "uprobe:./pro bed:work(_, size:s32) as small if size < 100 && size != 0", "-k", "uprobe:./pro bed:work", "-k", "uprobe:./pro bed:work", "--", program);
        Assert.True(result.Status == 0, result.Error);
        string[] lines = ProbedProgram.Lines(place);
        Assert.EndsWith("size = 50 }", Assert.Single(lines, line => line.Contains(" small: ", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Equal(10, lines.Count(line => line.Contains(" work: ", StringComparison.Ordinal)));
        Assert.Equal(10, lines.Count(line => line.Contains(" work_2: ", StringComparison.Ordinal)));
        Assert.DoesNotContain("/fd/", File.ReadAllText("/sys/kernel/tracing/uprobe_events"));
    }

    [Fact]
    public void A_place_may_be_an_offset_or_lie_behind_a_symbol_and_a_pattern_is_many()
    {
        using var place = new Place();
        string program = ProbedProgram.Compile(place);
        using var file = ProbedFile.Open(program);
        var work = Assert.Single(file.Find(Target($"uprobe:{program}:work")));
        ulong offset = Assert.Single(work.Offsets);
        Assert.Equal(offset + 4, Assert.Single(Assert.Single(file.Find(Target($"uprobe:{program}:work+4"))).Offsets));
        var result = place.Record("-o", "trace", "-k", $"uprobe:{program}:0x{offset:x}", "-k", $"uprobe:{program}:w?rk as one", "-k", "uprobe:probed:main", "--", program);
        Assert.Equal(1, result.Status);
        Assert.Contains("no library or command 'probed'", result.Error);
        result = place.Record("-o", "trace", "-k", $"uprobe:{program}:0x{offset:x}", "-k", $"uprobe:{program}:[fw]*", "-k", $"uprobe:{program}:?ork", "--", program);
        Assert.Equal(1, result.Status);
        result = place.Record("-o", "trace", "-k", $"uprobe:{program}:0x{offset:x}", "-k", $"uprobe:{program}:?ork", "--", program);
        Assert.True(result.Status == 0, result.Error);
        string[] lines = ProbedProgram.Lines(place);
        Assert.Equal(10, lines.Count(line => line.Contains($" probed_0x{offset:x}: ", StringComparison.Ordinal)));
        Assert.Equal(10, lines.Count(line => line.Contains(" work: ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("uprobe:libc.so.6:mallok", "no function 'mallok'; the nearest are malloc")]
    [InlineData("uprobe:/nowhere/at/all:f", "/nowhere/at/all: ")]
    [InlineData("uprobe:/dev/zero:f", "': /dev/zero: this is a device")]
    [InlineData("uprobe:/etc/passwd:f", "/etc/passwd: no ELF file")]
    [InlineData("uprobe:libc.so.6:malloc+4(size:u64)", "name them")]
    [InlineData("uprobe:libc.so.6:malloc(a,b,c,d,e,f,g,h,i)", "arguments are in registers")]
    [InlineData("uprobe:libc.so.6:malloc(x=%nonsense)", "Invalid register name")]
    [InlineData("uprobe:libc.so.6:malloc(x:u63)", "the kernel refuses")]
    [InlineData("uprobe:libc.so.6:malloc(size:u64) if length > 5", "no field 'length'; its fields are __probe_ip, size")]
    [InlineData("uprobe:libc.so.6:0xffffffffffff", "and no offset 0xffffffffffff")]
    [InlineData("uretprobe:libc.so.6:malloc(a,b)", "a function returns one value")]
    [InlineData("uretprobe:libc.so.6:malloc+4", "no return behind an offset")]
    [InlineData("usdt:libc.so.6:malloc", "is not FILE:PROVIDER:NAME")]
    [InlineData("marker:hello", "markers have no names")]
    [InlineData("marker:* if x == 1", "filters no markers")]
    public void What_cannot_be_had_is_refused_before_anything_starts(string rule, string why)
    {
        ProbedProgram.SkipWithoutTracefs();
        using var place = new Place();
        // The rule before it can be had, and is taken back.
        var result = place.Record("-o", "trace", "-k", $"uprobe:{Copy(place)}:0x100", "-k", rule, "--", "touch", place.In("ran"));
        Assert.Equal(1, result.Status);
        Assert.Contains(why, result.Error);
        Assert.DoesNotContain("   at ", result.Error);
        Assert.False(File.Exists(place.In("ran")));
        Assert.False(Directory.Exists(place.In("trace/kernel")));
        ProbedProgram.AssertNothingLeft(place);
    }

    [Fact]
    public void What_a_killed_recording_leaves_the_next_removes()
    {
        using var place = new Place();
        string program = ProbedProgram.Compile(place);
        using (var killed = place.StartRecord("-o", "killed", "-k", $"uprobe:{program}:work", "--", program, "wait"))
        {
            killed.WaitForOutput("semaphore");
            killed.Signal(9);
            Wait.Until(() => killed.HasExited, "the recorder's end");
            // Any recording that begins now removes it, one of another test as well as this.
            var next = place.Record("-o", "trace", "-k", $"uprobe:{program}:fire", "--", program);
            Assert.True(next.Status == 0, next.Error);
            Assert.Equal(10, ProbedProgram.Lines(place).Length);
            ProbedProgram.AssertNothingLeft(place);
            // The command has outlived its recorder, and waits for a line.
            killed.Write("\n");
        }
    }

    [Fact]
    public void Only_the_command_and_its_descendants_are_recorded()
    {
        using var place = new Place();
        string program = ProbedProgram.Compile(place);
        File.WriteAllText(place.In("both.sh"), $"{program} >/dev/null\n");
        using var other = place.StartRecord("-o", "trace", "-k", $"uprobe:{program}:work", "--", "sh", "-c", $"sh both.sh; echo once; read line; sh both.sh");
        other.WaitForOutput("once");
        Assert.Equal(0, place.Run([program]).Status);
        other.Write("\n");
        Assert.Equal(0, other.WaitForEnd().Status);
        Assert.Equal(20, ProbedProgram.Lines(place).Length);
    }

    private static string Copy(Place place)
    {
        File.WriteAllBytes(place.In("file"), new byte[4096]);
        return place.In("file");
    }

    private static ProbeTarget Target(string rule)
    {
        Assert.True(KernelRule.TryParse(rule, out var parsed, out string? error), error);
        return ProbeTarget.Parse(parsed, hasFile: true);
    }
}
