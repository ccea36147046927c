using System.Text;
using System.Text.Json.Nodes;
using Weir.Graph;
using Weir.Tests.Ctf;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Graph.Sinks;

public class CounterSinkTests
{
    [Theory]
    [InlineData(0, false)]
    [InlineData(0, true)]
    [InlineData(1, false)]
    [InlineData(16, true)]
    [InlineData(40, false)]
    [InlineData(1000, false)]
    public void The_counts_are_those_of_babeltrace2(int step, bool hidesZero)
    {
        var builder = new LttngTraceBuilder();
        var events = Enumerable.Range(0, 70).Select(i => ((ulong)(110 + i), 0, (long)i)).ToArray();
        string directory = builder.WriteTo(LttngTraceBuilder.NewDirectory(), builder.Packet(0, 0, 100, 300, 8, events), builder.Packet(1, 1, 100, 300, 8, events[..3]));
        try
        {
            string ours = Count(directory, new() { ["step"] = step, ["hide-zero"] = hidesZero });
            Assert.EndsWith("73 Event messages", ours.Split('\n').Last(line => line.EndsWith("Event messages", StringComparison.Ordinal)), StringComparison.Ordinal);
            Assert.Equal(Peer(directory, $"step=+{step},hide-zero={(hidesZero ? "yes" : "no")}"), ours);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void A_step_below_zero_is_refused() =>
        Assert.Throws<ComponentParameterException>(() => CounterSink.Class.Create(new ComponentContext { Name = "out", Parameters = new() { ["step"] = -1 } }));

    private static string Count(string directory, JsonObject parameters)
    {
        using var output = new MemoryStream();
        using var sink = CounterSink.Class.Create(new ComponentContext { Name = "out", Parameters = parameters, Output = output });
        using var source = CtfFsSource.Class.Create(new ComponentContext { Name = "in", Parameters = new() { ["inputs"] = new JsonArray(directory) } });
        using var muxer = new Muxer([.. Enumerable.Range(0, source.Outputs.Count).Select(source.CreateIterator)]);
        for (var batch = muxer.Next(); batch.Count > 0; batch = muxer.Next())
            sink.Consume(batch);
        sink.Finish();
        return Encoding.UTF8.GetString(output.ToArray());
    }

    private static string Peer(string directory, string parameters)
    {
        Babeltrace.SkipIfMissing();
        return Command.Run("babeltrace2", [directory, "-c", "sink.utils.counter", "--params", parameters])!.Output;
    }
}
