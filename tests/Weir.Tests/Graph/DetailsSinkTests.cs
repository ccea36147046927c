using System.Text;
using System.Text.Json.Nodes;
using Weir.Graph;
using Weir.Tests.Ctf;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Graph;

public class DetailsSinkTests
{
    /// <summary>A trace with every field class that there is; what is expected of it is what babeltrace2 2.1.1 prints.</summary>
    private static string EveryClass => InFolder("input/every-class");

    [Fact]
    public void Every_field_class_is_shown_as_babeltrace2_shows_it() =>
        Assert.Equal(File.ReadAllText(InFolder("expected/every-class.txt")), Convert(EveryClass, new DetailsOptions { WithStreamName = false }));

    [Fact]
    public void A_compact_line_has_time_stream_and_kind()
    {
        string[] lines = Convert(EveryClass, new DetailsOptions { IsCompact = true, WithMetadata = false }).Split('\n');
        Assert.Equal(
            [
                "[Unknown] {0 3 2} Stream beginning",
                "[100 -11,654,222,000] {0 3 2} Packet beginning",
                "[1000 -11,653,322,000] {0 3 2} Event `ename` (5)",
                "[1500 -11,652,822,000] {0 3 2} Event (1)",
                "[2000 -11,652,322,000] {0 3 2} Packet end",
                "[2000 -11,652,322,000] [4000 -11,650,322,000] {0 3 2} Discarded events (7 events)",
                "[2000 -11,652,322,000] [3000 -11,651,322,000] {0 3 2} Discarded packets (2 packets)",
                "[3000 -11,651,322,000] {0 3 2} Packet beginning",
                "[3500 -11,650,822,000] {0 3 2} Event (1)",
                "[4000 -11,650,322,000] {0 3 2} Packet end",
                "[Unknown] {0 3 2} Stream end",
                "",
            ],
            lines);
    }

    [Theory]
    [InlineData("WithUid", " UID ")]
    [InlineData("WithStreamClassName", "sname")]
    [InlineData("WithStreamClassNamespace", "sns")]
    [InlineData("WithTraceName", "Trace `")]
    [InlineData("WithTime", "[")]
    [InlineData("WithMetadata", "field class")]
    [InlineData("WithData", "Packet beginning")]
    public void Each_option_leaves_its_part_out(string option, string part)
    {
        // Indices of arrays and ranges stand in brackets too, but inside a line.
        bool Has(string text) => text.Split('\n').Any(line => part == "[" ? line.StartsWith('[') : (line + " ").Contains(part, StringComparison.Ordinal));
        var options = option switch
        {
            "WithUid" => new DetailsOptions { WithUid = false },
            "WithStreamClassName" => new DetailsOptions { WithStreamClassName = false },
            "WithStreamClassNamespace" => new DetailsOptions { WithStreamClassNamespace = false },
            "WithTraceName" => new DetailsOptions { WithTraceName = false },
            "WithTime" => new DetailsOptions { WithTime = false },
            "WithMetadata" => new DetailsOptions { WithMetadata = false },
            _ => new DetailsOptions { WithData = false },
        };
        Assert.True(Has(Convert(EveryClass, new DetailsOptions())));
        Assert.False(Has(Convert(EveryClass, options)));
    }

    [Fact]
    public void Colours_surround_names_and_values()
    {
        string text = Convert(EveryClass, new DetailsOptions { IsColored = true, WithMetadata = false });
        Assert.Contains("\n\e[1m\e[1m\e[33mEvent\e[0m `\e[32mename\e[0m` (Class ID \e[1m5\e[0m):\n  \e[35mCommon context\e[0m:\n    \e[36mcc\e[0m: \e[1m11\e[0m\n", text, StringComparison.Ordinal);
        Assert.Contains("\e[36mflag\e[0m: \e[1m\e[1m\e[32mYes\e[0m", text, StringComparison.Ordinal);
        text = Convert(EveryClass, new DetailsOptions { IsColored = true, BrightIsBold = false, WithMetadata = false });
        Assert.Contains("\e[1m\e[93mEvent\e[0m", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_parameter_that_is_not_known_is_refused()
    {
        var wrong = Assert.Throws<ComponentParameterException>(() => Create(new JsonObject { ["with-colour"] = true }));
        Assert.Contains("'with-colour'", wrong.Message, StringComparison.Ordinal);
        Assert.Throws<ComponentParameterException>(() => Create(new JsonObject { ["compact"] = "much" }));
        Create(new JsonObject { ["compact"] = true, ["color"] = "never", ["with-uuid"] = false }).Dispose();
    }

    [Fact]
    public void Messages_of_LTTngs_layout_are_those_that_babeltrace2_prints()
    {
        Babeltrace.SkipIfMissing();
        string directory = WriteTwoStreams();
        using var place = new Place();
        string expected = place.Run(["babeltrace2", directory, "-c", "sink.text.details", "-p", "with-metadata=no,with-trace-name=no,with-uuid=no"]).Output;
        string actual = Convert(directory, new DetailsOptions { WithMetadata = false, WithTraceName = false, WithUid = false });
        Assert.Equal(expected, actual);
        Assert.Contains("grid: Length 2:", actual, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(150, 235)]
    [InlineData(100, 300)]
    [InlineData(205, 205)]
    [InlineData(1, 99)]
    public void A_trimmed_stream_begins_and_ends_with_the_range_as_babeltrace2_lets_it(long begin, long end)
    {
        Babeltrace.SkipIfMissing();
        string directory = WriteOneStream();
        // The clock counts from 5 ns after this second.
        string from = $"1700000000.{begin + 5:D9}", to = $"1700000000.{end + 5:D9}";
        using var place = new Place();
        string expected = place.Run(
            ["babeltrace2", directory, $"--begin={from}", $"--end={to}", "-c", "sink.text.details", "-p", "with-metadata=no,compact=yes"]).Output;
        Assert.True(TimeBound.TryParse(from, out var first));
        Assert.True(TimeBound.TryParse(to, out var last));
        string actual = Convert(directory, new DetailsOptions { WithMetadata = false, IsCompact = true }, messages => new Trimmer(messages, first, last, isUtc: true));
        Assert.Equal(expected, actual);
    }

    private static string WriteOneStream()
    {
        var builder = new LttngTraceBuilder();
        byte[] stream =
        [
            .. builder.Packet(0, 0, 100, 200, 4, (110, 0, 1), (180, 1, 2)), .. builder.Packet(0, 0, 200, 240, 4, (210, 1, 3)),
            .. builder.Packet(0, 0, 250, 300, 4, (260, 0, 4)),
        ];
        return builder.WriteTo(LttngTraceBuilder.NewDirectory(), stream);
    }

    private static string WriteTwoStreams()
    {
        var builder = new LttngTraceBuilder();
        byte[] first = [.. builder.Packet(0, 0, 100, 200, 4, (110, 0, -11), (120, 1, 12)), .. builder.Packet(0, 0, 200, 300, 0, (250, 1, 25))];
        byte[] second = builder.Packet(1, 1, 100, 300, 0, (120, 0, 123456), (200, 1, 20));
        return builder.WriteTo(LttngTraceBuilder.NewDirectory(), first, second);
    }

    private static string InFolder(string name) => Path.Combine(Repository.Root, "tests/Weir.Tests/Graph/DetailsSink", name);

    private static MessageSink Create(JsonObject parameters) =>
        DetailsSink.Class.Create(new ComponentContext { Name = "details", Parameters = parameters, Output = new MemoryStream() });

    private static string Convert(string directory, DetailsOptions options, Func<MessageIterator, MessageIterator>? filter = null)
    {
        var output = new MemoryStream();
        using var sink = new DetailsSink(output, options);
        MessageIterator muxer = new Muxer(CtfFsSource.Open([directory], new CtfFsOptions()).CreateIterators());
        using var messages = filter?.Invoke(muxer) ?? muxer;
        for (var batch = messages.Next(); batch.Count > 0; batch = messages.Next())
            sink.Consume(batch);
        sink.Flush();
        return Encoding.UTF8.GetString(output.ToArray());
    }
}
