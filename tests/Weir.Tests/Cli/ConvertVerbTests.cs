using Weir.Tests.Ctf;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Cli;

public class ConvertVerbTests
{
    private static readonly Dictionary<string, string?> s_newYork = new() { ["TZ"] = "America/New_York" };

    [Theory]
    [InlineData]
    [InlineData("--clock-cycles")]
    [InlineData("--clock-seconds", "--no-delta")]
    [InlineData("--clock-date", "--clock-gmt")]
    [InlineData("--names=all", "--fields=all")]
    [InlineData("--names=none", "--fields=trace,loglevel,emf")]
    [InlineData("--clock-offset=-3", "--clock-offset-ns=999999999", "--clock-gmt")]
    public void The_text_is_that_of_babeltrace2(params string[] options)
    {
        Babeltrace.SkipIfMissing();
        var builder = new LttngTraceBuilder(2_600_000_001);
        ulong start = 1_000_000_000_000_000;
        byte[] first = [.. builder.Packet(0, 0, start, start + 999, 8, (start + 3, 0, -5), (start + 9, 1, 3), (start + 20, 1, -9)), .. builder.Packet(0, 0, start + 1000, start + 2000, 0, (start + 1500, 0, 8))];
        byte[] second = builder.Packet(1, 1, start, start + 1999, 0, (start + 3, 0, 4), (start + 8, 1, 6), (start + 1500, 1, 70));
        string directory = builder.WriteTo(LttngTraceBuilder.NewDirectory(), first, second);
        try
        {
            var expected = Command.Run("babeltrace2", [.. options, directory], s_newYork)!;
            Assert.True(expected.Status == 0, expected.Error);
            var actual = Weir(["convert", .. options, directory]);
            Assert.Equal(0, actual.Status);
            Assert.Equal(expected.Output.Split('\n'), actual.Output.Split('\n'));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Theory]
    [InlineData(2, "")]
    [InlineData(2, "convert")]
    [InlineData(2, "convert", "--no-such-option", "/")]
    [InlineData(2, "convert", "--names=nonsense", "/tmp")]
    [InlineData(2, "convert", "--fields=none", "/tmp")]
    [InlineData(2, "convert", "--begin=yesterday", "/tmp")]
    [InlineData(2, "convert", "--clock-monotonic", "--clock-realtime", "/tmp")]
    [InlineData(2, "convert", "--clock-cycles", "--clock-realtime", "/tmp")]
    [InlineData(1, "convert", "/no/such/directory")]
    [InlineData(0, "--version")]
    [InlineData(0, "--help")]
    public void The_status_says_what_happened(int status, params string[] arguments)
    {
        var result = Weir([.. arguments.Where(argument => argument.Length > 0)]);
        Assert.Equal(status, result.Status);
        Assert.Equal(status != 0, result.Error.Length > 0);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("dummy")]
    [InlineData("counter")]
    public void An_input_that_cannot_go_on_behind_an_error_ends_there(string format)
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "{\"time\":1,\"name\":\"a\",\"fields\":{}}\nbad\n{\"time\":2,\"name\":\"a\",\"fields\":{}}\n");
            var (status, _, error) = Weir(["convert", "--keep-going", "-i", "json", "-o", format, path]);
            Assert.Equal(1, status);
            Assert.Equal(2, error.Split("line 2").Length);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Losses_are_a_status_of_their_own_where_strict()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "{\"time\":1,\"name\":\"a\"}\n{\"kind\":\"discarded_events\",\"time\":2,\"end_time\":3,\"count\":4}\n");
            string[] graph = ["run", "-c", "in:source.text.json", "-p", $"inputs=[\"{path}\"]", "-c", "out:sink.utils.dummy", "-x", "in:out"];
            foreach (string format in new[] { "text", "dummy", "json" })
            {
                Assert.Equal(0, Weir(["convert", "-i", "json", "-o", format, path]).Status);
                var (status, _, error) = Weir(["convert", "--strict", "-i", "json", "-o", format, path]);
                Assert.Equal(3, status);
                Assert.Contains("lost at 1 place (--strict)", error, StringComparison.Ordinal);
            }
            Assert.Equal(0, Weir(graph).Status);
            Assert.Equal(3, Weir([.. graph, "--strict", "--jobs=1"]).Status);
            File.AppendAllText(path, "bad\n");
            Assert.Equal(1, Weir([.. graph, "--strict", "--keep-going"]).Status);
            File.WriteAllText(path, "{\"time\":1,\"name\":\"a\"}\n");
            Assert.Equal(0, Weir([.. graph, "--strict"]).Status);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("--jobs=0")]
    [InlineData("--retry-duration=-1")]
    public void Both_verbs_that_run_graphs_check_how(string option)
    {
        Assert.Equal(2, Weir(["convert", option, "/tmp"]).Status);
        Assert.Equal(2, Weir(["run", option, "-c", "out:sink.utils.dummy"]).Status);
    }

    private static Finished Weir(params string[] arguments) => Command.Weir(arguments, s_newYork);
}
