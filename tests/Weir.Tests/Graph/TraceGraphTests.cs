using System.Text;
using Weir.Graph;
using Weir.Tests.Ctf;
using Xunit;

namespace Weir.Tests.Graph;

public sealed class TraceGraphTests : IDisposable
{
    private readonly string _trace;

    public TraceGraphTests()
    {
        var builder = new LttngTraceBuilder();
        byte[] first = builder.Packet(0, 0, 100, 300, 8, (110, 0, 1), (200, 0, 3));
        byte[] second = builder.Packet(1, 1, 100, 300, 8, (120, 0, 2), (250, 0, 4));
        _trace = builder.WriteTo(LttngTraceBuilder.NewDirectory(), first, second);
    }

    public void Dispose() => Directory.Delete(_trace, recursive: true);

    [Fact]
    public void A_graph_of_classes_prints_what_convert_prints()
    {
        using var output = new MemoryStream();
        using var graph = new TraceGraph { Output = output };
        graph.Add("traces", CtfFsSource.Class, Inputs());
        graph.Add("muxer", Muxer.Class);
        graph.Add("trimmer", Trimmer.Class, ParameterText.Parse("begin=\"1700000000.000000110\",end=\"1700000000.000000210\""));
        graph.Add("text", PrettySink.Class, ParameterText.Parse("name-default=hide,no-delta=yes,clock-gmt=yes"));
        graph.Connect("traces:muxer");
        graph.Connect("muxer:trimmer");
        graph.Connect("trimmer:text");
        graph.Run(TestContext.Current.CancellationToken);
        string[] lines = Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["{ 1 }", "{ 2 }", "{ 3 }"], lines.Select(line => line[^5..]));
    }

    [Fact]
    public void Outputs_are_chosen_by_patterns()
    {
        using var graph = new TraceGraph();
        var traces = graph.Add("traces", CtfFsSource.Class, Inputs());
        var sink = new Values();
        graph.Connect(traces, graph.Add("values", sink), outputs: "*| 0 | 1");
        graph.Run(TestContext.Current.CancellationToken);
        Assert.Equal([2, 4], sink.Times);
    }

    [Fact]
    public void A_sink_of_any_order_takes_all_streams_one_after_the_other()
    {
        using var graph = new TraceGraph();
        var sink = new Values();
        graph.Connect(graph.Add("traces", CtfFsSource.Class, Inputs()), graph.Add("values", sink, takesAnyOrder: true));
        graph.Run(TestContext.Current.CancellationToken);
        Assert.Equal([1, 3, 2, 4], sink.Times);
    }

    [Fact]
    public void What_cannot_be_connected_says_why()
    {
        using var graph = new TraceGraph();
        var traces = graph.Add("traces", CtfFsSource.Class, Inputs());
        var sink = graph.Add("values", new Values());
        Assert.Contains("no free input", Assert.Throws<GraphException>(() => graph.Connect(traces, sink)).Message);
        Assert.Contains("no free output like 'nothing'", Assert.Throws<GraphException>(() => graph.Connect(traces, sink, outputs: "nothing")).Message);
        var muxer = graph.Add("muxer", Muxer.Class);
        Assert.Contains("in a circle", Assert.Throws<GraphException>(() => graph.Connect(muxer, muxer)).Message);
        Assert.Contains("names 'nobody'", Assert.Throws<GraphException>(() => graph.Connect("nobody:muxer")).Message);
        Assert.Contains("two components have the name 'muxer'", Assert.Throws<GraphException>(() => graph.Add("muxer", Muxer.Class)).Message);
    }

    [Fact]
    public void A_component_that_cannot_be_created_is_named()
    {
        using var graph = new TraceGraph();
        var error = Assert.Throws<GraphException>(() => graph.Add("mine", CtfFsSource.Class, ParameterText.Parse("inputs=[\"/no/such\"]")));
        Assert.StartsWith("mine (source.ctf.fs): /no/such", error.Message, StringComparison.Ordinal);
        Assert.IsType<TraceReadException>(error.InnerException);
        error = Assert.Throws<GraphException>(() => graph.Add("other", Muxer.Class, ParameterText.Parse("a=1")));
        Assert.Equal("other", error.Component);
        Assert.StartsWith("other (filter.utils.muxer): the parameter 'a' is not known", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bad_trace_is_an_error_of_its_source_after_what_precedes_it()
    {
        string stream = Path.Combine(_trace, "stream_1");
        File.WriteAllBytes(stream, File.ReadAllBytes(stream)[..^24]);
        using var graph = new TraceGraph();
        var sink = new Values();
        graph.Connect(graph.Add("traces", CtfFsSource.Class, Inputs()), graph.Add("muxer", Muxer.Class));
        graph.Connect(graph.Find("muxer")!, graph.Add("values", sink));
        var error = Assert.Throws<GraphException>(() => graph.Run(TestContext.Current.CancellationToken));
        Assert.Equal("traces", error.Component);
        Assert.Equal(stream, Assert.IsType<TraceReadException>(error.InnerException).Path);
        // The muxer does not know whether the next event of the bad stream would have come before 3.
        Assert.Equal([1, 2], sink.Times);
        Assert.True(sink.IsFinished);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_component_that_throws_is_named(bool isFilter)
    {
        using var graph = new TraceGraph();
        graph.Add("traces", CtfFsSource.Class, Inputs());
        graph.Add("muxer", Muxer.Class);
        var sink = isFilter ? new Values() : new Values { FailsAfter = 1 };
        graph.Add("values", sink);
        graph.Connect("traces:muxer");
        if (isFilter)
        {
            graph.Add("broken", new Broken());
            graph.Connect("muxer:broken");
            graph.Connect("broken:values");
        }
        else
        {
            graph.Connect("muxer:values");
        }
        var error = Assert.Throws<GraphException>(() => graph.Run(TestContext.Current.CancellationToken));
        Assert.Equal(isFilter ? "broken" : "values", error.Component);
        Assert.Contains("the component has failed: InvalidOperationException", error.Message, StringComparison.Ordinal);
        Assert.True(sink.IsFinished);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_input_that_cannot_go_on_behind_its_error_ends_there(bool isMerged)
    {
        string path = Path.GetTempFileName();
        File.WriteAllText(path, "{\"time\":1,\"name\":\"a\"}\nbad\n{\"time\":2,\"name\":\"a\"}\n");
        var errors = new List<Exception>();
        using var graph = new TraceGraph { ReportError = errors.Add };
        var sink = new Values();
        graph.Add("lines", JsonSource.Class, new() { ["inputs"] = new System.Text.Json.Nodes.JsonArray(path) });
        graph.Add("values", sink);
        if (isMerged)
            graph.Connect(graph.Find("lines")!, graph.Add("muxer", Muxer.Class, ParameterText.Parse("keep-going=yes")));
        graph.Connect(graph.Find(isMerged ? "muxer" : "lines")!, graph.Find("values")!);
        graph.Run(TestContext.Current.CancellationToken);
        File.Delete(path);
        Assert.Equal("lines", Assert.IsType<GraphException>(Assert.Single(errors)).Component);
        Assert.Single(sink.Times);
        Assert.True(sink.IsFinished);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_input_that_is_bad_from_its_beginning_is_told_of_also_where_a_range_ends_the_run(bool keepsGoing)
    {
        string path = Path.GetTempFileName();
        File.WriteAllText(path, "bad\n");
        var errors = new List<Exception>();
        using var graph = new TraceGraph { ReportError = keepsGoing ? errors.Add : null };
        var sink = new Values();
        var muxer = graph.Add("muxer", Muxer.Class, new() { ["keep-going"] = keepsGoing });
        graph.Connect(graph.Add("traces", CtfFsSource.Class, Inputs()), muxer);
        graph.Connect(graph.Add("lines", JsonSource.Class, new() { ["inputs"] = new System.Text.Json.Nodes.JsonArray(path) }), muxer);
        graph.Connect(muxer, graph.Add("trimmer", Trimmer.Class, ParameterText.Parse("end=\"1700000000.000000150\"")));
        graph.Connect(graph.Find("trimmer")!, graph.Add("values", sink));
        if (Xunit.Record.Exception(() => graph.Run(TestContext.Current.CancellationToken)) is { } thrown)
            errors.Add(thrown);
        File.Delete(path);
        Assert.Equal("lines", Assert.IsType<GraphException>(Assert.Single(errors)).Component);
        Assert.Equal([1, 2], sink.Times);
    }

    [Fact]
    public void A_graph_that_makes_nothing_is_an_error()
    {
        using var graph = new TraceGraph();
        graph.Add("traces", CtfFsSource.Class, Inputs());
        Assert.Contains("no sink", Assert.Throws<GraphException>(() => graph.Run(TestContext.Current.CancellationToken)).Message);
        using var other = new TraceGraph();
        other.Add("values", new Values());
        Assert.Contains("nothing is connected", Assert.Throws<GraphException>(() => other.Run(TestContext.Current.CancellationToken)).Message);
    }

    [Fact]
    public void A_run_can_be_ended()
    {
        using var graph = new TraceGraph();
        using var stop = new CancellationTokenSource();
        var sink = new Values { OnEvent = stop.Cancel };
        graph.Connect(graph.Add("traces", CtfFsSource.Class, Inputs()), graph.Add("muxer", Muxer.Class));
        graph.Connect(graph.Find("muxer")!, graph.Add("values", sink));
        Assert.Throws<OperationCanceledException>(() => graph.Run(stop.Token));
        Assert.Equal([1], sink.Times);
        Assert.True(sink.IsFinished);
    }

    private System.Text.Json.Nodes.JsonObject Inputs() => new() { ["inputs"] = new System.Text.Json.Nodes.JsonArray(_trace) };

    /// <summary>Numbers the events by their times, which are 110, 120, 200 and 250.</summary>
    private sealed class Values : MessageSink
    {
        public List<int> Times { get; } = [];

        public bool IsFinished { get; private set; }

        public int FailsAfter { get; init; } = int.MaxValue;

        public Action? OnEvent { get; init; }

        public override void Consume(ReadOnlySpan<Message> batch)
        {
            foreach (ref readonly var message in batch)
            {
                if (message.Kind != MessageKind.Event)
                    continue;
                if (Times.Count >= FailsAfter)
                    throw new InvalidOperationException("broken");
                Times.Add(1 + Array.IndexOf([110ul, 120ul, 200ul, 250ul], message.Record.ClockValue));
                OnEvent?.Invoke();
            }
        }

        public override void Finish() => IsFinished = true;
    }

    private sealed class Broken : Filter
    {
        public override MessageIterator CreateIterator(int output, IReadOnlyList<MessageIterator> inputs) => new Iterator(inputs[0]);

        private sealed class Iterator(MessageIterator upstream) : MessageIterator
        {
            public override ArraySegment<Message> Next() => throw new InvalidOperationException("broken");

            protected override void Dispose(bool disposing)
            {
                upstream.Dispose();
                base.Dispose(disposing);
            }
        }
    }
}
