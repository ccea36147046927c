using System.Text.Json.Nodes;
using Weir.Graph;
using Weir.Tests.Ctf;
using Xunit;

namespace Weir.Tests.Graph;

public sealed class WhereFilterTests : IDisposable
{
    private readonly string _trace;

    public WhereFilterTests()
    {
        var builder = new LttngTraceBuilder();
        // Events: number 1, -2, 3 on CPU 0; number 7 and mixed (whose color is the value, 5 is blue) on CPU 1.
        byte[] first = builder.Packet(0, 0, 100, 300, 8, (110, 0, 1), (120, 0, -2), (130, 0, 3));
        byte[] second = builder.Packet(1, 1, 100, 300, 8, (140, 0, 7), (150, 1, 5));
        _trace = builder.WriteTo(LttngTraceBuilder.NewDirectory(), first, second);
    }

    public void Dispose() => Directory.Delete(_trace, recursive: true);

    [Theory]
    [InlineData("value > 0", "110 130 140")]
    [InlineData("value > 0 && value <= 3", "110 130")]
    [InlineData("value == -2 || value == 0x7", "120 140")]
    [InlineData("!(value > 0)", "120 150")]
    [InlineData("0 < value", "110 130 140")]
    [InlineData("value < 2.5", "110 120")]
    [InlineData("value != 1", "120 130 140")]
    [InlineData("has(value)", "110 120 130 140")]
    [InlineData("!has(value)", "150")]
    [InlineData("nothing == 1", "")]
    [InlineData("nothing != 1", "")]
    [InlineData("$name == \"test:number\"", "110 120 130 140")]
    [InlineData("$name == \"*:m*x*\"", "150")]
    [InlineData("\"test:number\" != $name", "150")]
    [InlineData("$time >= 1700000000000000136", "140 150")]
    [InlineData("$stream == 1", "140 150")]
    [InlineData("$packet.cpu_id == 0", "110 120 130")]
    [InlineData("$ctx.vtid == vtid && vtid", "110 120 130 140 150")]
    [InlineData("$ctx.value == 1", "")]
    [InlineData("$loglevel == 6", "110 120 130 140")]
    [InlineData("$loglevel < 6", "")]
    [InlineData("color == \"blue\"", "150")]
    [InlineData("color == \"*u*\"", "150")]
    [InlineData("color != \"blue\"", "")]
    [InlineData("color == 5", "150")]
    [InlineData("color == \"red\"", "")]
    [InlineData("struct", "150")]
    [InlineData("struct == \"*\" && real == real", "150")]
    [InlineData("grid == 1", "")]
    [InlineData("has(grid)", "150")]
    [InlineData("list == 1 || value == value", "110 120 130 140")]
    [InlineData("value", "110 120 130 140")]
    [InlineData("true", "110 120 130 140 150")]
    [InlineData("1 == 2", "")]
    [InlineData("value == \"7\"", "")]
    public void Events_are_chosen(string expression, string times) => Assert.Equal(times, string.Join(' ', Run(expression)));

    [Theory]
    [InlineData("", "column 1")]
    [InlineData("value >", "column 8: expected a field")]
    [InlineData("value > 1 value", "column 11: expected '&&', '||' or the end")]
    [InlineData("value < \"x\"", "column 8: texts are compared by == and != only")]
    [InlineData("$nothing == 1", "column 1: '$nothing' is not known")]
    [InlineData("(value", "column 7: expected ')'")]
    [InlineData("\"x", "column 1: the text has no closing quote")]
    [InlineData("1x == 1", "column 1: '1x' is not a number")]
    [InlineData("has(1)", "has() takes a field")]
    public void Errors_say_where(string expression, string expected) =>
        Assert.Contains(expected, Assert.Throws<ComponentParameterException>(() => WhereFilter.Parse(expression)).Message, StringComparison.Ordinal);

    [Fact]
    public void Depth_is_bounded() => Assert.Throws<ComponentParameterException>(() => WhereFilter.Parse(new string('(', 4000)));

    [Fact]
    public void Nothing_is_allocated_for_an_event()
    {
        var builder = new LttngTraceBuilder();
        var events = Enumerable.Range(0, 4000).Select(i => ((ulong)(200 + i), i & 1, (long)(i % 7))).ToArray();
        string trace = builder.WriteTo(LttngTraceBuilder.NewDirectory(), builder.Packet(0, 0, 100, 10_000, 8, events));
        try
        {
            using var filter = WhereFilter.Parse("value > 2 || (struct == \"*\" && color == \"blue\" && $packet.cpu_id == 0 && $time > 5)");
            using var source = CtfFsSource.Open([trace], new CtfFsOptions());
            using var messages = filter.CreateIterator(0, source.CreateIterators());
            messages.Next();
            messages.Next();
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (var batch = messages.Next(); batch.Count > 0; batch = messages.Next())
            {
            }
            // 4000 events would be 96,000 bytes at the least.
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 32_000);
        }
        finally
        {
            Directory.Delete(trace, recursive: true);
        }
    }

    [Theory]
    [InlineData("value > 0", "")]
    [InlineData("valeu > 0 || value > 0", "no event that was read has a field 'valeu'")]
    [InlineData("$ctx.vtdi == 1 || nothing", "no event that was read has a field 'nothing', no event that was read has a field 'vtdi'")]
    public void Fields_that_no_event_has_are_told_at_the_end(string expression, string warnings)
    {
        var told = new StringWriter();
        _ = Run(expression, told);
        Assert.Equal(warnings, told.ToString().Replace("weir: warning: filter.utils.where: ", "", StringComparison.Ordinal).TrimEnd().ReplaceLineEndings(", "));
    }

    private List<ulong> Run(string expression, TextWriter? log = null)
    {
        var sink = new Times();
        using var graph = new TraceGraph { Log = log ?? TextWriter.Null };
        graph.Add("traces", CtfFsSource.Class, new JsonObject { ["inputs"] = new JsonArray(_trace) });
        graph.Add("muxer", Muxer.Class);
        graph.Add("where", WhereFilter.Class, new JsonObject { ["expr"] = expression });
        graph.Add("times", sink);
        graph.Connect("traces:muxer");
        graph.Connect("muxer:where");
        graph.Connect("where:times");
        graph.Run(TestContext.Current.CancellationToken);
        return sink.Values;
    }

    private sealed class Times : MessageSink
    {
        public List<ulong> Values { get; } = [];

        public override void Consume(ReadOnlySpan<Message> batch)
        {
            foreach (ref readonly var message in batch)
            {
                if (message.Kind == MessageKind.Event)
                    Values.Add(message.Record.ClockValue);
            }
        }
    }
}
