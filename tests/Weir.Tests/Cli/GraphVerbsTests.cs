using Weir.Tests.Ctf;
using Weir.Tests.Graph;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Cli;

/// <summary>Graphs from the command line, beside babeltrace2's.</summary>
public sealed class GraphVerbsTests : IDisposable
{
    private static readonly Dictionary<string, string?> s_newYork = new() { ["TZ"] = "America/New_York" };

    private readonly string _root = Directory.CreateTempSubdirectory("weir-tests-").FullName;
    private readonly string _trace;

    public GraphVerbsTests()
    {
        var builder = new LttngTraceBuilder();
        byte[] first = builder.Packet(0, 0, 100, 300, 8, (110, 0, 1), (200, 1, 3));
        byte[] second = builder.Packet(1, 1, 100, 300, 8, (120, 0, 2), (250, 0, 4));
        _trace = builder.WriteTo(Path.Combine(_root, "session", "trace"), first, second);
        Directory.CreateDirectory(Path.Combine(_root, "empty"));
        File.WriteAllText(Path.Combine(_root, "file.lines"), "1.5 hello\n2.25 bye bye\n3 last\n");
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("convert", "TRACE", "--run-args")]
    [InlineData("convert", "TRACE", "--run-args-0")]
    [InlineData("convert", "ROOT/session", "--run-args", "--begin=10:00", "--end=2023-11-14 11:00", "--clock-gmt")]
    [InlineData("convert", "TRACE", "--run-args", "-n", "none", "-f", "loglevel", "--clock-cycles", "--no-delta", "-w", "/tmp/x y", "--clock-offset=3")]
    [InlineData("convert", "TRACE", "--run-args", "--names=ctx,args", "--names=all,payload", "--color=never", "-o", "text")]
    [InlineData("convert", "--run-args", "-c", "source.ctf.fs", "-p", "inputs=[\"a\"]", "-c", "x:sink.utils.dummy", "-l", "D", "-p", "a={b=1, c=\"x y\"}", "TRACE", "-p", "z=3")]
    [InlineData("convert", "--run-args", "-c", "filter.utils.muxer", "-c", "muxer:filter.utils.muxer", "TRACE", "-odummy")]
    [InlineData("convert", "--run-args", "TRACE", "--debug-info-dir=/x", "--debug-info-full-path", "--debug-info-target-prefix=/y")]
    [InlineData("convert", "ROOT")]
    [InlineData("convert", "ROOT/session", "--fields=trace", "--no-delta")]
    [InlineData("convert", "ROOT/session", "/no/such/directory", "ROOT/empty")]
    [InlineData("convert", "TRACE", "-c", "sink.text.pretty", "-p", "no-delta=yes,name-default=hide")]
    [InlineData("convert", "TRACE", "-c", "filter.utils.trimmer", "-p", "begin=\"1700000000.000000120\"", "-c", "sink.text.pretty")]
    [InlineData("convert", "-c", "source.ctf.fs", "-p", "inputs=[\"TRACE\"]", "-p", "clock-class-offset-s=5")]
    [InlineData("convert", "TRACE", "-o", "dummy")]
    [InlineData("convert", "TRACE", "-i", "ctf")]
    [InlineData("run", "-c", "a:source.ctf.fs", "-p", "inputs=[\"TRACE\"]", "-c", "b:sink.text.pretty", "-c", "m:filter.utils.muxer", "-x", "a:m", "-x", "m.o*:b.i*")]
    [InlineData("run", "-b", "no-delta=yes", "-c", "b:sink.text.pretty", "-r", "-c", "a:source.ctf.fs", "-p", "inputs=[\"TRACE\"]", "-c", "m:filter.utils.muxer", "-x", "a:m", "-x", "m:b")]
    [InlineData("query", "source.ctf.fs", "metadata-info", "-p", "path=\"TRACE\"")]
    public void What_babeltrace2_prints_is_printed(params string[] arguments)
    {
        string[] given = [.. arguments.Select(Place)];
        Babeltrace.SkipIfMissing();
        var expected = Command.Run("babeltrace2", given, s_newYork)!;
        Assert.True(expected.Status == 0, expected.Error);
        var actual = Weir(given);
        Assert.True(actual.Status == 0, actual.Error);
        Assert.Equal(WithoutPlaceInTrace(expected.Output), WithoutPlaceInTrace(actual.Output));
    }

    [Fact]
    public void The_arguments_for_run_do_the_same()
    {
        var printed = Weir("convert", _trace, "--run-args-0", "--no-delta", "--begin=1700000000.000000120", "--where=value > 2");
        Assert.Equal(0, printed.Status);
        var converted = Weir("convert", _trace, "--no-delta", "--begin=1700000000.000000120", "--where=value > 2");
        Assert.Single(converted.Output.TrimEnd('\n').Split('\n'));
        Assert.Equal(converted, Weir(["run", .. printed.Output.Split('\0')]));
    }

    [Theory]
    [InlineData(2, "no component before", "run", "-p", "a=1")]
    [InlineData(2, "has no components", "run")]
    [InlineData(2, "names no class of components", "run", "-c", "a:b")]
    [InlineData(2, "expected '='", "run", "-c", "a:sink.utils.dummy", "-p", "nonsense")]
    [InlineData(1, "nothing is connected", "run", "-c", "a:sink.utils.dummy")]
    [InlineData(1, "there is no class 'sink.utils.none': expected sink.utils", "run", "-c", "a:sink.utils.none")]
    [InlineData(1, "the parameter 'x' is not known", "run", "-c", "a:sink.text.pretty", "-p", "x=1")]
    [InlineData(1, "no free input", "run", "-c", "a:source.ctf.fs", "-p", "inputs=[\"TRACE\"]", "-c", "b:sink.text.pretty", "-x", "a:b")]
    [InlineData(2, "two sinks", "convert", "TRACE", "-c", "sink.utils.dummy", "-c", "sink.text.pretty")]
    [InlineData(2, "options for another", "convert", "TRACE", "-c", "sink.utils.dummy", "--no-delta")]
    [InlineData(2, "--run-args", "convert", "TRACE", "--stream-intersection", "--run-args")]
    [InlineData(2, "did you mean 'weir convert ", "TRACE")]
    [InlineData(2, "writes nothing", "convert", "TRACE", "-o", "dummy", "-w", "x")]
    [InlineData(2, "the path is empty", "convert", "TRACE", "-w", "")]
    [InlineData(2, "column 7", "convert", "TRACE", "--where=value ~ 1")]
    [InlineData(2, "--params", "convert", "TRACE", "-p", "a")]
    [InlineData(2, "expected never, auto or always", "convert", "TRACE", "--color=blue")]
    [InlineData(1, "no trace is here", "convert", "ROOT/empty")]
    [InlineData(1, "no such plug-in", "convert", "TRACE", "--plugin-path=/no/such")]
    [InlineData(1, "cannot be read", "convert", "ROOT/empty", "-o", "ctf-metadata")]
    [InlineData(1, "knows no 'nothing'", "query", "source.ctf.fs", "nothing")]
    [InlineData(1, "there is no plug-in 'nothing'", "help", "nothing")]
    public void Errors_say_what_is_wrong(int status, string expected, params string[] arguments)
    {
        var result = Weir([.. arguments.Select(Place)]);
        Assert.Equal(status, result.Status);
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_plug_in_reads_filters_and_writes()
    {
        string option = $"--plugin-path={PluginLoaderTests.Sample}";
        string file = Path.Combine(_root, "file.lines");
        Assert.Equal(
            "[1.500000000] lines:line: { text = \"hello\" }\n[2.250000000] lines:line: { text = \"bye bye\" }\n[3.000000000] lines:line: { text = \"last\" }\n",
            Weir("convert", option, file, "--clock-seconds", "--no-delta").Output);
        Assert.Equal("1 events, the longest text has 7 bytes\n", Weir("convert", option, file, "-c", "filter.lines.every", "-c", "sink.lines.longest").Output);
        Assert.Contains("'filter.lines.every': Pass on each", Weir("list-plugins", option).Output, StringComparison.Ordinal);
        Assert.Contains("count=N  how manieth", Weir("help", "filter.lines.every", option).Output, StringComparison.Ordinal);
        Assert.Contains("expected 1 or more", Weir("convert", option, file, "-c", "filter.lines.every", "-p", "count=0").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_sample_counts_events_by_name()
    {
        string sample = Path.Combine(PluginLoaderTests.Sample, "../../../../CountByName/bin/Release/net10.0/CountByName.dll");
        Assert.Equal("         1 test:mixed\n         3 test:number\n", Command.Run("dotnet", ["exec", sample, _root], s_newYork)!.Output);
        Assert.Equal("         1 test:number\n", Command.Run("dotnet", ["exec", sample, _root, "--where", "value > 2"], s_newYork)!.Output);
    }

    private string Place(string argument) => argument.Replace("TRACE", _trace).Replace("ROOT", _root);

    /// <summary>babeltrace2 2.1 says where a trace lies under the directory that was named, 2.0 does not.</summary>
    private static string WithoutPlaceInTrace(string text) => text.Replace(" --params 'trace-name=\"trace\"'", "").Replace("/trace", "").Replace("session", "");

    private static Finished Weir(params string[] arguments) => Command.Weir(arguments, s_newYork);
}
