using System.Text;
using Weir.Ctf;
using Weir.Graph;
using Weir.Tests.Ctf;
using Xunit;

namespace Weir.Tests.Graph;

public class CtfFsSourceTests
{
    [Fact]
    public void Two_streams_are_merged_by_time_and_ties_go_by_stream_id()
    {
        var builder = new LttngTraceBuilder();
        byte[] second = builder.Packet(1, 1, 100, 300, 8, (110, 0, 11), (200, 0, 20), (250, 0, 25));
        byte[] first = builder.Packet(0, 0, 100, 300, 8, (120, 0, 12), (200, 0, 2), (300, 0, 30));
        string[] lines = Convert(builder, out var error, second, first);
        Assert.Null(error);
        Assert.Equal(["11", "12", "2", "20", "25", "30"], lines.Select(line => line.Split("value = ")[1].Split(' ')[0]));
        Assert.Contains("host\"1\":tests:(-42) test:number: { cpu_id = 1 }, { vtid = 7 }, { value = 11 }", lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Files_of_one_stream_are_joined_in_the_order_of_time_and_each_packet_once()
    {
        var builder = new LttngTraceBuilder();
        byte[] early = builder.Packet(0, 0, 100, 200, 0, (150, 0, 1));
        byte[] late = builder.Packet(0, 0, 200, 300, 0, (250, 0, 2));
        string[] lines = Convert(builder, out var error, late, early, late);
        Assert.Null(error);
        Assert.Equal(2, lines.Length);
        Assert.Contains("value = 1", lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Cut_at_any_byte_what_is_before_is_printed_and_the_error_names_file_and_offset()
    {
        var builder = new LttngTraceBuilder();
        byte[] stream = [.. builder.Packet(0, 0, 100, 200, 4, (110, 0, 1), (120, 1, 2)), .. builder.Packet(0, 0, 200, 300, 4, (210, 1, 3))];
        string[] whole = Convert(builder, out _, stream);
        for (int cut = 1; cut < stream.Length; cut += 3)
        {
            string[] lines = Convert(builder, out var error, stream[..cut]);
            Assert.Equal(whole[..lines.Length], lines);
            if (error is null)
                continue;
            Assert.EndsWith("stream_0", error.Path, StringComparison.Ordinal);
            Assert.True(error.OffsetBytes >= 0 && error.OffsetBytes <= cut, $"offset {error.OffsetBytes}, cut at {cut}");
        }
    }

    [Fact]
    public void Changed_bytes_give_an_error_or_text_and_nothing_else()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        var builder = new LttngTraceBuilder();
        byte[] good = [.. builder.Packet(0, 0, 100, 200, 4, (110, 0, 1), (120, 1, 2)), .. builder.Packet(0, 0, 200, 300, 4, (210, 1, 3))];
        for (int i = 0; i < 300; i++)
        {
            byte[] bad = [.. good];
            for (int changes = random.Next(3); changes >= 0; changes--)
                bad[random.Next(bad.Length)] = (byte)random.Next(256);
            var failure = Record.Exception(() => Convert(builder, out _, bad));
            Assert.True(failure is null, $"seed {seed}, round {i}: {failure}");
        }
    }

    [Fact]
    public void An_unknown_event_is_named_with_its_offset()
    {
        var builder = new LttngTraceBuilder();
        byte[] stream = builder.Packet(0, 0, 100, 200, 0, (110, 0, 1), (120, 0, 2));
        stream[builder.EventOffsets[1]] |= 17;
        string[] lines = Convert(builder, out var error, stream);
        Assert.Single(lines);
        Assert.Equal(builder.EventOffsets[1], error!.OffsetBytes);
        Assert.Contains("no event with ID 17", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "magic")]
    [InlineData(4, "UUID")]
    [InlineData(20, "no stream")]
    [InlineData(32 + 16 + 7, "content")]
    public void A_bad_packet_is_refused_with_its_reason(int offset, string reason)
    {
        var builder = new LttngTraceBuilder();
        byte[] stream = builder.Packet(0, 0, 100, 200, 0, (110, 0, 1));
        stream[offset] ^= 0x55;
        Convert(builder, out var error, stream);
        Assert.Contains(reason, error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_lost_packet_and_lost_events_are_messages()
    {
        var builder = new LttngTraceBuilder();
        byte[] one = builder.Packet(0, 0, 100, 200, 0, (110, 0, 1));
        builder.Packet(0, 0, 200, 250, 0);
        byte[] three = builder.Packet(0, 0, 250, 300, 0, (260, 0, 2));
        three[LttngLayout.PacketHeaderBytes + 40] = 9;
        var warnings = new StringWriter();
        Convert(builder, out _, warnings, [.. one, .. three]);
        Assert.Contains("Tracer discarded 9 events between [22:13:20.000000205] and [22:13:20.000000305] in trace \"host\"1\"\" (UID: 2a6422d0", warnings.ToString(), StringComparison.Ordinal);
        Assert.Contains("Tracer discarded 1 packet between [22:13:20.000000205] and [22:13:20.000000255]", warnings.ToString(), StringComparison.Ordinal);
    }

    private static string[] Convert(LttngTraceBuilder builder, out TraceReadException? error, params byte[][] files) =>
        Convert(builder, out error, TextWriter.Null, files);

    private static string[] Convert(LttngTraceBuilder builder, out TraceReadException? error, TextWriter warnings, params byte[][] files)
    {
        string directory = builder.WriteTo(LttngTraceBuilder.NewDirectory(), files);
        var output = new MemoryStream();
        error = null;
        try
        {
            using var sink = new PrettySink(output, warnings, new PrettyOptions { ClockGmt = true });
            try
            {
                using var muxer = new Muxer(CtfFsSource.Open([directory], new CtfFsOptions()).CreateIterators());
                for (var batch = muxer.Next(); batch.Count > 0; batch = muxer.Next())
                    sink.Consume(batch);
            }
            catch (TraceReadException e)
            {
                error = e;
            }
            sink.Flush();
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
        return Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
