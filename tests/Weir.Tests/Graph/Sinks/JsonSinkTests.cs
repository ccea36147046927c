using System.Text;
using System.Text.Json;
using Weir.Graph;
using Xunit;

namespace Weir.Tests.Graph.Sinks;

public class JsonSinkTests
{
    private const string Origin = "\"hostname\":\"box\",\"stream\":7,\"cpu\":3,\"packet\":{\"color\":9},\"context\":{\"vpid\":10,\"vtid\":11,\"procname\":\"worker\"},";

    [Fact]
    public void Every_kind_of_field_is_written_as_the_manual_says()
    {
        using var input = new SinkInput();
        input.Everything(5, 1, "a\"b\\\n\u00e9"u8.ToArray(), isPresent: true, tag: 0);
        Assert.Equal(
            "{\"time\":1700000000000000005,\"date\":\"2023-11-14T22:13:20.000000005Z\",\"name\":\"app:everything\",\"log_level\":6,\"trace\":\"the trace\"," + Origin
            + "\"fields\":{\"u64\":18446744073709551615,\"s32\":-5,\"color\":{\"value\":2,\"labels\":[\"green\",\"cool \\\"one\\\"\"]},\"flag\":true,\"real\":1.0,"
            + "\"single\":0.1,\"text\":\"a\\\"b\\\\\\n\u00e9\",\"inner\":{\"a\":4,\"b\":\"inner\"},\"list\":[1,2,3],\"grid\":[[5,6],[7,8]],\"tag\":0,"
            + "\"choice\":{\"number\":42},\"has\":true,\"maybe\":77,\"blob\":{\"base64\":\"AAEC\",\"media_type\":\"image/png\"},"
            + "\"bits\":{\"value\":5,\"labels\":[\"low\",\"high\"]}}}\n",
            Encoding.UTF8.GetString(input.Write(JsonSink.Class)));
    }

    [Theory]
    [InlineData(double.NaN, "\"NaN\"")]
    [InlineData(double.PositiveInfinity, "\"Infinity\"")]
    [InlineData(double.NegativeInfinity, "\"-Infinity\"")]
    [InlineData(1e300, "1E+300")]
    [InlineData(-0.0, "-0.0")]
    [InlineData(0.1, "0.1")]
    public void Reals_read_back_alike(double value, string text)
    {
        using var input = new SinkInput();
        input.Everything(5, value, [], isPresent: false, tag: 1);
        string line = Encoding.UTF8.GetString(input.Write(JsonSink.Class));
        Assert.Contains($"\"real\":{text},", line, StringComparison.Ordinal);
        Assert.Contains("\"choice\":{\"words\":\"chosen\"},\"has\":false,\"maybe\":null,", line, StringComparison.Ordinal);
        using var parsed = JsonDocument.Parse(line);
        var real = parsed.RootElement.GetProperty("fields").GetProperty("real");
        if (real.ValueKind == JsonValueKind.Number)
            Assert.Equal(value, real.GetDouble());
    }

    [Fact]
    public void Bytes_that_are_no_text_are_replaced()
    {
        using var input = new SinkInput();
        input.Everything(5, 0, [(byte)'x', 0xff, 0xc3, (byte)'y', 0x01, 0x7f, 0xe2, 0x82], isPresent: false, tag: 0);
        string line = Encoding.UTF8.GetString(input.Write(JsonSink.Class));
        Assert.Contains("\"text\":\"x\uFFFD\uFFFDy\\u0001\\u007f\uFFFD\"", line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_clock_that_counts_from_elsewhere_gives_no_date_and_no_clock_no_time()
    {
        using var input = new SinkInput(isAbsolute: false);
        input.Work(isBegin: true, 5, 1);
        Assert.StartsWith("{\"time\":1700000000000000005,\"name\":\"app:work_begin\",\"trace\":", Encoding.UTF8.GetString(input.Write(JsonSink.Class)), StringComparison.Ordinal);
        Assert.StartsWith("{\"name\":\"app:work_begin\",\"trace\":", Encoding.UTF8.GetString(input.Write(JsonSink.Class, hasTimes: false)), StringComparison.Ordinal);
    }

    [Fact]
    public void Losses_are_objects_of_their_own()
    {
        using var input = new SinkInput();
        input.Loss(3, 10, 20);
        input.Loss(null, null, null);
        Assert.Equal(
            "{\"kind\":\"discarded_events\",\"time\":1700000000000000010,\"date\":\"2023-11-14T22:13:20.000000010Z\",\"end_time\":1700000000000000020,"
            + "\"end_date\":\"2023-11-14T22:13:20.000000020Z\",\"count\":3,\"trace\":\"the trace\",\"hostname\":\"box\",\"stream\":7}\n"
            + "{\"kind\":\"discarded_events\",\"trace\":\"the trace\",\"hostname\":\"box\",\"stream\":7}\n",
            Encoding.UTF8.GetString(input.Write(JsonSink.Class)));
    }

    [Fact]
    public void Each_line_is_an_object_however_long_it_is()
    {
        using var input = new SinkInput();
        for (ulong i = 0; i < 20; i++)
            input.Everything(i, i, Encoding.UTF8.GetBytes(new string('\u00e9', 50_000)), isPresent: true, tag: 1);
        string[] lines = Encoding.UTF8.GetString(input.Write(JsonSink.Class)).TrimEnd('\n').Split('\n');
        Assert.Equal(20, lines.Length);
        Assert.All(lines, line => JsonDocument.Parse(line).Dispose());
    }

    [Fact]
    public void An_unknown_parameter_is_refused()
    {
        using var input = new SinkInput();
        var error = Assert.Throws<ComponentParameterException>(() => input.Write(JsonSink.Class, new() { ["pth"] = "x" }));
        Assert.Contains("'pth'", error.Message, StringComparison.Ordinal);
    }
}
