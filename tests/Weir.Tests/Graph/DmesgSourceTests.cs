using System.Text;
using System.Text.Json.Nodes;
using Weir.Graph;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Graph;

/// <summary>Of the same text the source and babeltrace2's must make the same lines.</summary>
public class DmesgSourceTests
{
    public static TheoryData<string> Texts =>
    [
        "[    0.000000] Linux version 6.1\n[    1.234567] usb 1-1: new\n\n[12345.678901]nospace\n[12346.5] x \"q\" café\n   \t\n[ 12346. 000006]  two spaces",
        "no time at first\n[    1.000000] then one\n  [   2.5] x\n",
        "[2023-01-02 03:04:05.678] date\n[2023-02-31 03:04:05.9] later\n[1700000000.000001] uptime\r\n",
        "[ 1.0\n[ 2.0] line\n",
        "\n",
        "",
    ];

    [Theory]
    [MemberData(nameof(Texts))]
    public void The_lines_are_those_of_babeltrace2(string text)
    {
        string path = WriteText(Encoding.UTF8.GetBytes(text));
        try
        {
            foreach (bool takesNoTime in new[] { false, true })
            {
                // babeltrace2 crashes on a time without its closing bracket.
                if (!takesNoTime && text.StartsWith("[ 1.0\n", StringComparison.Ordinal))
                    continue;
                var expected = RunBabeltrace($"path=\"{path}\",no-extract-timestamp={(takesNoTime ? "yes" : "no")}");
                Assert.Equal(0, expected.Status);
                Assert.Equal(expected.Output, Convert(path, takesNoTime, out var error));
                Assert.Null(error);
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("[ 1.0] a\n[ 0.5] b\n", "line 2: this line's time is before")]
    [InlineData("[ 1.0] a\n[ 2.5] b\nwithout\n", "line 3: this line has no time")]
    public void A_line_that_is_out_of_order_is_named(string text, string expected)
    {
        string path = WriteText(Encoding.UTF8.GetBytes(text));
        Assert.Equal(text.Count(c => c == '\n') - 1, Convert(path, takesNoTime: false, out var error).Count(c => c == '\n'));
        Assert.Contains(expected, error!.Message, StringComparison.Ordinal);
        File.Delete(path);
    }

    [Fact]
    public void Any_bytes_give_lines_or_an_error()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        byte[] good = "[    0.000000] a\n[    1.234567] b\n[2023-01-02 03:04:05.678] c\n"u8.ToArray();
        string path = WriteText(good);
        for (int i = 0; i < 1000; i++)
        {
            byte[] bad = [.. good];
            for (int changes = random.Next(5); changes >= 0; changes--)
                bad[random.Next(bad.Length)] = "[]0123456789.: -\nx"u8[random.Next(18)];
            File.WriteAllBytes(path, bad);
            var failure = Record.Exception(() => Convert(path, takesNoTime: false, out _));
            Assert.True(failure is null, $"seed {seed}, round {i}: {failure}");
        }
        File.Delete(path);
    }

    private static string WriteText(byte[] text)
    {
        string path = Path.GetTempFileName();
        File.WriteAllBytes(path, text);
        return path;
    }

    private static string Convert(string path, bool takesNoTime, out TraceReadException? error)
    {
        error = null;
        var output = new MemoryStream();
        using var sink = new PrettySink(output, TextWriter.Null, new PrettyOptions { ClockGmt = true });
        try
        {
            using var source = DmesgSource.Class.Create(new ComponentContext { Name = "dmesg", Parameters = new JsonObject { ["path"] = path, ["no-extract-timestamp"] = takesNoTime } });
            using var messages = source.CreateIterator(0);
            for (var batch = messages.Next(); batch.Count > 0; batch = messages.Next())
                sink.Consume(batch);
        }
        catch (TraceReadException e)
        {
            error = e;
        }
        sink.Flush();
        return Encoding.UTF8.GetString(output.ToArray());
    }

    private static Finished RunBabeltrace(string parameters)
    {
        Babeltrace.SkipIfMissing();
        return Command.Run("babeltrace2", ["-c", "source.text.dmesg", "-p", parameters], new() { ["TZ"] = "UTC" })!;
    }
}
