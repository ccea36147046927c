using System.Text;
using System.Text.Json.Nodes;
using Weir.Graph;
using Xunit;

namespace Weir.Tests.Graph.Sinks;

public class ChromeSinkTests
{
    [Fact]
    public void An_event_is_an_instant_on_its_thread()
    {
        using var input = new SinkInput();
        input.Everything(1_234_567, 1, "x"u8.ToArray(), isPresent: true, tag: 0);
        var events = Parse(input.Write(ChromeSink.Class));
        var thread = events.Single(item => (string?)item["name"] == "thread_name");
        Assert.Equal(("M", 10, 11, "worker"), ((string?)thread["ph"], (int?)thread["pid"], (int?)thread["tid"], (string?)thread["args"]!["name"]));
        var instant = events.Single(item => (string?)item["ph"] == "i");
        Assert.Equal(("app:everything", "app", 10, 11), ((string?)instant["name"], (string?)instant["cat"], (int?)instant["pid"], (int?)instant["tid"]));
        Assert.Equal("1234.567", instant["ts"]!.ToJsonString());
        Assert.Equal(ulong.MaxValue, (ulong?)instant["args"]!["fields"]!["u64"]);
        Assert.Equal("app:everything", (string?)instant["args"]!["event"]);
    }

    [Fact]
    public void Begin_and_end_nest_and_ends_without_a_beginning_are_instants()
    {
        using var input = new SinkInput();
        input.Work(isBegin: false, 1, 0);
        input.Work(isBegin: true, 2, 1);
        input.Work(isBegin: true, 3, 2);
        input.Work(isBegin: false, 4, 2);
        input.Work(isBegin: false, 5, 1);
        input.Work(isBegin: true, 6, 3, tid: 12);
        var events = Parse(input.Write(ChromeSink.Class)).Where(item => (string?)item["ph"] != "M").ToList();
        Assert.Equal("iBBEEB", string.Concat(events.Select(item => (string?)item["ph"])));
        Assert.All(events.Skip(1), item => Assert.Equal("app:work", (string?)item["name"]));
        Assert.Equal("app:work_end", (string?)events[0]["args"]!["event"]);
    }

    [Fact]
    public void Switches_are_slices_of_the_cpu()
    {
        using var input = new SinkInput();
        input.Switch(1000, 0, 50);
        input.Switch(3000, 50, 0);
        input.Switch(4000, 0, 51);
        input.Switch(9000, 51, 52);
        var slices = Parse(input.Write(ChromeSink.Class)).Where(item => (string?)item["ph"] == "X").ToList();
        Assert.Equal([("1.000", "2.000", 50), ("4.000", "5.000", 51), ("9.000", "0.000", 52)],
            slices.Select(item => (item["ts"]!.ToJsonString(), item["dur"]!.ToJsonString(), (int)item["args"]!["tid"]!)));
        Assert.All(slices, item => Assert.Equal(("after", 3), ((string?)item["name"], (int?)item["tid"])));
    }

    [Fact]
    public void A_loss_is_shown_where_it_was()
    {
        using var input = new SinkInput();
        input.Loss(3, 1000, 2500);
        var loss = Parse(input.Write(ChromeSink.Class)).Single(item => (string?)item["ph"] == "X");
        Assert.Equal(("3 events discarded", "1.000", "1.500"), ((string?)loss["name"], loss["ts"]!.ToJsonString(), loss["dur"]!.ToJsonString()));
    }

    [Fact]
    public void What_has_no_time_is_left_out_and_said()
    {
        using var input = new SinkInput();
        input.Work(isBegin: true, 5, 1);
        var log = new StringWriter();
        Assert.Empty(Parse(input.Write(ChromeSink.Class, log: log, hasTimes: false)));
        Assert.Contains("1 events or losses without a time", log.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_names_that_the_trace_declares_make_a_pair()
    {
        var names = new HashSet<string> { "syscall_entry_read", "syscall_exit_read", "sched_process_exit", "GC/Start", "GC/Stop", "http_start", "http_done" };
        Assert.Equal(SpanRole.Begin, SpanNames.Find("syscall_entry_read", names.Contains, out string subject));
        Assert.Equal("read", subject);
        Assert.Equal(SpanRole.End, SpanNames.Find("syscall_exit_read", names.Contains, out _));
        Assert.Equal(SpanRole.None, SpanNames.Find("sched_process_exit", names.Contains, out _));
        Assert.Equal(SpanRole.Begin, SpanNames.Find("GC/Start", names.Contains, out subject));
        Assert.Equal("GC", subject);
        Assert.Equal(SpanRole.End, SpanNames.Find("http_done", names.Contains, out subject));
        Assert.Equal("http", subject);
    }

    private static List<JsonObject> Parse(byte[] text) =>
        [.. JsonNode.Parse(Encoding.UTF8.GetString(text))!["traceEvents"]!.AsArray().Select(item => item!.AsObject())];
}
