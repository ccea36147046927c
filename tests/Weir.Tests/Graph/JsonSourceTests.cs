using System.Text;
using System.Text.Json.Nodes;
using Weir.Graph;
using Xunit;

namespace Weir.Tests.Graph;

public class JsonSourceTests
{
    private const string Lines = """
        {"time":1700000000123456789,"date":"2023-11-14T22:13:20.123456789Z","name":"shop:order","trace":"ust","hostname":"box","procname":"Shop","vpid":42,"stream":0,"cpu":1,"context":{"vtid":43},"fields":{"id":7,"side":{"value":1,"labels":["BUY"]},"price":1.5,"_items_length":2,"items":[1,2]}}

        {"time":1700000000123456790,"date":"2023-11-14T22:13:20.123456790Z","name":"shop:order","trace":"ust","hostname":"box","procname":"Shop","vpid":42,"stream":0,"cpu":0,"context":{"vtid":44},"fields":{"id":-7,"side":{"value":2,"labels":["SELL"]},"price":2.0,"_items_length":1,"items":[18446744073709551615]}}
        {"kind":"discarded_events","time":1700000000123456790,"date":"2023-11-14T22:13:20.123456790Z","end_time":1700000000123556789,"count":3,"trace":"ust","hostname":"box","procname":"Shop","vpid":42,"stream":0}
        {"time":1700000000123556789,"date":"2023-11-14T22:13:20.123556789Z","name":"shop:other","trace":"ust","hostname":"box","procname":"Shop","vpid":42,"stream":1,"log_level":6,"specific_context":{"a":"b"},"fields":{"text":"é\n","yes":true,"nested":{"real":1e300,"list":[[1],[2,3]],"mixed":[1,"x"],"none":null,"empty":[]}}}
        {"time":1700000000123556790,"date":"2023-11-14T22:13:20.123556790Z","name":"bare"}

        """;

    [Fact]
    public void Lines_of_another_program_are_taken_only_where_they_are_named()
    {
        string directory = Directory.CreateTempSubdirectory("weir-json-").FullName;
        string other = Path.Combine(directory, "events.jsonl"), ours = Path.Combine(directory, "ours.jsonl");
        File.WriteAllText(other, "{\"t\": 1, \"provider\": \"p\"}\n");
        File.WriteAllText(ours, "{\"time\":\"2023-11-14T22:13:20.123456789Z\",\"name\":\"a\"}\n");
        List<string> unknown = [];
        var discovery = new SourceDiscovery([JsonSource.Class]);
        Assert.Equal([ours], discovery.Discover([directory], unknown).SelectMany(source => source.Inputs));
        Assert.Equal([other], discovery.Discover([other], unknown).SelectMany(source => source.Inputs));
        Assert.Empty(unknown);
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public void Lines_are_events_of_their_streams()
    {
        Assert.Equal(
            [
                "[22:13:20.123456789] (+?.?????????) box:Shop:(42) shop:order: { cpu_id = 1 }, { vtid = 43 }, { id = 7, side = ( \"BUY\" : container = 1 ), price = 1.5, _items_length = 2, items = [ [0] = 1, [1] = 2 ] }",
                "[22:13:20.123456790] (+0.000000001) box:Shop:(42) shop:order: { cpu_id = 0 }, { vtid = 44 }, { id = -7, side = ( \"SELL\" : container = 2 ), price = 2, _items_length = 1, items = [ [0] = 18446744073709551615 ] }",
                "[22:13:20.123556789] (+0.000099999) box:Shop:(42) shop:other: { a = \"b\" }, { text = \"é\\n\", yes = true, nested = { real = 1e+300, _list_length = 2, list = [ [0] = { _elements_length = 1, elements = [ [0] = 1 ] }, [1] = { _elements_length = 2, elements = [ [0] = 2, [1] = 3 ] } ], _mixed_length = 2, mixed = [ [0] = \"1\", [1] = \"\\\"x\\\"\" ], _empty_length = 0, empty = [ ] } }",
                "[22:13:20.123556790] (+0.000000001) bare: ",
            ],
            Convert(Lines, out var error, out string warnings));
        Assert.Null(error);
        Assert.Contains("Tracer discarded 3 events between [22:13:20.123456790] and [22:13:20.123556789]", warnings, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"name\":\"a\"}\nnonsense\n", 1, "line 2: this is no JSON")]
    [InlineData("{\"name\":\"a\"}\n\n[1]\n", 1, "line 3: expected a JSON object")]
    [InlineData("{\"name\":\"a\"}\n{\"name\":\"b\",\"fields\":3}\n", 1, "line 2: 'fields' is no object")]
    [InlineData("{\"name\":\"a\",\"name\":\"b\"}\n", 0, "line 1: this is no JSON")]
    [InlineData("{\"time\":2,\"name\":\"a\"}\n{\"time\":1,\"name\":\"b\"}\n", 1, "line 2: this line's time is before")]
    [InlineData("{\"time\":\"noon\",\"name\":\"a\"}\n", 0, "line 1: 'time' is no time")]
    [InlineData("{\"name\":\"a\"}\n{\"fields\":{}}\n", 1, "line 2: expected an event")]
    [InlineData("{\"name\":\"a\"}\n{\"name\":\"\\ud800\"}\n", 1, "line 2: this has text that is no Unicode")]
    public void A_bad_line_is_named_after_what_is_before_it(string text, int count, string expected)
    {
        Assert.Equal(count, Convert(text, out var error, out _).Length);
        Assert.Contains(expected, error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_time_may_be_a_date()
    {
        string[] lines = Convert("{\"time\":\"2024-02-29T01:02:03.123456789Z\",\"name\":\"a\"}\n{\"time\":\"2024-02-29T03:02:04+02:00\",\"name\":\"a\"}\n", out var error, out _);
        Assert.Null(error);
        Assert.Equal(["[01:02:03.123456789] (+?.?????????) a: ", "[01:02:04.000000000] (+0.876543211) a: "], lines);
    }

    [Fact]
    public void What_the_sink_writes_it_writes_again()
    {
        if (!Components.OutputFormats.TryGetValue("json", out var sink))
        {
            Assert.Skip("there is no sink of JSON lines");
            return;
        }
        string path = WriteText(Lines);
        string first = WriteJson(sink, path);
        File.WriteAllText(path, first);
        Assert.NotEmpty(first);
        Assert.Equal(first.Split('\n'), WriteJson(sink, path).Split('\n'));
        Assert.Contains("\"items\":[18446744073709551615]", first, StringComparison.Ordinal);
        File.Delete(path);
    }

    [Fact]
    public void Changed_bytes_give_lines_or_an_error()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        byte[] good = Encoding.UTF8.GetBytes(Lines);
        string path = Path.GetTempFileName();
        for (int i = 0; i < 2000; i++)
        {
            byte[] bad = i % 4 == 0 ? good[..random.Next(good.Length)] : [.. good];
            for (int changes = random.Next(6); changes >= 0 && bad.Length > 0; changes--)
                bad[random.Next(bad.Length)] = random.Next(3) == 0 ? (byte)random.Next(256) : "{}[]\",:0123456789-.e\\\n"u8[random.Next(22)];
            File.WriteAllBytes(path, bad);
            var failure = Record.Exception(() => Convert(path, TextWriter.Null, out _));
            Assert.True(failure is null, $"seed {seed}, round {i}: {failure}");
        }
        File.Delete(path);
    }

    private static string WriteText(string text)
    {
        string path = Path.GetTempFileName();
        File.WriteAllText(path, text);
        return path;
    }

    private static string WriteJson(SinkClass sinkClass, string path)
    {
        string written = Path.GetTempFileName();
        using (var sink = sinkClass.Create(new ComponentContext { Name = "sink", Parameters = new JsonObject { ["path"] = written } }))
        using (var source = JsonSource.Class.Create(new ComponentContext { Name = "json", Parameters = new JsonObject { ["inputs"] = new JsonArray(path) } }))
        using (var messages = source.CreateIterator(0))
        {
            for (var batch = messages.Next(); batch.Count > 0; batch = messages.Next())
                sink.Consume(batch);
            sink.Flush();
        }
        string text = File.ReadAllText(written);
        File.Delete(written);
        return text;
    }

    private static string[] Convert(string text, out TraceReadException? error, out string warnings)
    {
        string path = WriteText(text);
        var losses = new StringWriter();
        string[] lines = Convert(path, losses, out error);
        File.Delete(path);
        warnings = losses.ToString();
        return lines;
    }

    private static string[] Convert(string path, TextWriter warnings, out TraceReadException? error)
    {
        error = null;
        var output = new MemoryStream();
        using var sink = new PrettySink(output, warnings, new PrettyOptions { ClockGmt = true });
        try
        {
            using var source = JsonSource.Class.Create(new ComponentContext { Name = "json", Parameters = new JsonObject { ["inputs"] = new JsonArray(path) } });
            using var messages = source.CreateIterator(0);
            for (var batch = messages.Next(); batch.Count > 0; batch = messages.Next())
                sink.Consume(batch);
        }
        catch (TraceReadException e)
        {
            error = e;
        }
        sink.Flush();
        return Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
