using System.Text;
using Weir.Ctf;
using Weir.Graph;
using Weir.Tests.Ctf;
using Xunit;

namespace Weir.Tests.Graph;

public class CtfFsSourceTests
{
    [Theory]
    [InlineData(1_700_000_000, 1_000_000_000, 7_523_372_036_854_775_807, 7_523_372_036_854_775_808)]
    [InlineData(-5, 1_000_000_000, 9_223_372_036_854_775_807, 9_223_372_036_854_775_808)]
    [InlineData(0, 1_000, 9_000_000_000_000, 10_000_000_000_000)]
    public void Times_of_more_than_64_bits_of_nanoseconds_are_an_error_after_those_before(long offsetSeconds, ulong frequencyHz, ulong good, ulong bad)
    {
        var builder = new LttngTraceBuilder(clock: new ClockClass { Name = "test", OffsetSeconds = offsetSeconds, FrequencyHz = frequencyHz });
        byte[] packet = builder.Packet(0, 0, 100, good, 8, (101, 1, 1), (good, 1, 2), (bad, 1, 3));
        long offset = builder.EventOffsets[2];
        byte[] second = builder.Packet(0, 0, good, bad, 8, (good, 1, 4));
        string directory = builder.WriteTo(LttngTraceBuilder.NewDirectory(), [.. packet, .. second]);
        try
        {
            var stopped = Conversion.Run(directory);
            Assert.Equal(2, stopped.Text.Split("test:mixed").Length - 1);
            Assert.Contains($"the time of {bad} cycles of the clock has more than 64 bits", Assert.Single(stopped.Errors).Message, StringComparison.Ordinal);
            var kept = Conversion.Run(directory, keepGoing: true);
            Assert.Equal(3, kept.Text.Split("test:mixed").Length - 1);
            Assert.Equal(2, kept.Errors.Count);
            Assert.InRange(kept.Errors[0].OffsetBytes, offset + 1, packet.Length);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void What_the_first_packet_counts_as_lost_is_no_message()
    {
        var builder = new LttngTraceBuilder();
        byte[][] packets = [.. Enumerable.Range(0, 3).Select(i => builder.Packet(0, 0, 100 + (100 * (ulong)i), 150 + (100 * (ulong)i), 0, (110 + (100 * (ulong)i), 0, i)))];
        for (int i = 0; i < packets.Length; i++)
            packets[i][LttngLayout.PacketHeaderBytes + 40] = (byte)(5 + (2 * i));
        string directory = builder.WriteTo(LttngTraceBuilder.NewDirectory(), [.. packets.SelectMany(packet => packet)]);
        try
        {
            Assert.Equal(["Tracer discarded 2 events", "Tracer discarded 2 events"], Conversion.Run(directory).Warnings.Split('\n').Where(line => line.Length > 0).Select(line => line[(line.IndexOf("Tracer", StringComparison.Ordinal))..][..25]));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void There_may_be_more_streams_than_files_that_are_open()
    {
        var builder = new LttngTraceBuilder();
        byte[][] files = [.. Enumerable.Range(0, CtfFsWindow.MaxOpenFiles * 2).Select(i => builder.Packet((ulong)i, (uint)i, 100, 300, 8, ((ulong)(101 + i % 7), 0, i), (290, 0, i)))];
        string directory = builder.WriteTo(LttngTraceBuilder.NewDirectory(), files);
        try
        {
            using var source = CtfFsSource.Open([directory], new CtfFsOptions());
            using var muxer = new Muxer(source.CreateIterators());
            int events = 0;
            int mostOpen = 0;
            for (var batch = muxer.Next(); batch.Count > 0; batch = muxer.Next())
            {
                events += batch.Count(message => message.Kind == MessageKind.Event);
                mostOpen = Math.Max(mostOpen, new DirectoryInfo("/proc/self/fd").GetFiles().Count(link => link.LinkTarget?.StartsWith(directory, StringComparison.Ordinal) == true));
            }
            Assert.Equal(files.Length * 2, events);
            Assert.InRange(mostOpen, 0, CtfFsWindow.MaxOpenFiles);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

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

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(32 + 16 + 7)]
    public void A_stream_that_begins_badly_comes_after_all_others(int offset)
    {
        var builder = new LttngTraceBuilder();
        byte[] good = builder.Packet(0, 0, 100, 300, 0, (110, 0, 1), (290, 0, 2));
        byte[] bad = builder.Packet(1, 1, 50, 200, 0, (60, 0, 3));
        bad[offset] ^= 0x55;
        foreach (byte[][] files in new[] { new[] { bad, good }, [good, bad], [bad, good, bad] })
        {
            string[] lines = Convert(builder, out var error, files);
            Assert.Equal(2, lines.Length);
            Assert.Equal(0, error!.OffsetBytes);
            Assert.EndsWith($"stream_{Array.IndexOf(files, bad)}", error.Path, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("struct {} z[60000][60000][60000];")]
    [InlineData("struct { string s[0]; } z[60000][60000][60000];")]
    [InlineData("integer { size = 16; align = 8; } n; struct { string s[0]; } a[n][n][n]; string z;")]
    [InlineData("struct { integer { size = 8; align = 8; } x; struct {} z[60000]; } a[2];")]
    public void Nested_arrays_of_nothing_are_an_error_at_once(string fields)
    {
        string[] lines = ConvertText(fields, out var error, 0xff, 0xff, 0x78, 0);
        Assert.Empty(lines);
        Assert.Equal(0, error!.OffsetBytes);
        Assert.Contains("empty elements", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_few_elements_of_nothing_are_shown()
    {
        string[] lines = ConvertText("struct {} z[2][2]; integer { size = 8; align = 8; } x;", out var error, 7);
        Assert.Null(error);
        Assert.Contains("{ z = [ [0] = [ [0] = { }, [1] = { } ], [1] = [ [0] = { }, [1] = { } ] ], x = 7 }", Assert.Single(lines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_longer_than_the_buffer_goes_out_in_pieces()
    {
        byte[] stream = new byte[300_001];
        Array.Fill(stream, (byte)'?', 100_000, 200_000);
        var pieces = new PieceStream();
        string[] lines = ConvertText("integer { size = 8; align = 8; } a[100000]; string s;", out var error, pieces, stream);
        Assert.Null(error);
        string line = Assert.Single(lines);
        Assert.Contains("a = [ [0] = 0, [1] = 0, ", line, StringComparison.Ordinal);
        Assert.EndsWith("[99999] = 0 ], s = \"" + string.Concat(Enumerable.Repeat("\\?", 200_000)) + "\" }", line, StringComparison.Ordinal);
        Assert.InRange(pieces.LongestBytes, 1, 128 << 10);
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

    private static string[] ConvertText(string fields, out TraceReadException? error, params byte[] stream) =>
        ConvertText(fields, out error, new MemoryStream(), stream);

    /// <summary>Converts a stream without headers of the only event that there is.</summary>
    private static string[] ConvertText(string fields, out TraceReadException? error, MemoryStream output, byte[] stream)
    {
        string directory = Directory.CreateTempSubdirectory("weir-ctf-").FullName;
        File.WriteAllText(
            Path.Combine(directory, "metadata"),
            $"/* CTF 1.8 */ trace {{ major = 1; minor = 8; byte_order = le; }}; stream {{ }}; event {{ name = e; fields := struct {{ {fields} }}; }};");
        File.WriteAllBytes(Path.Combine(directory, "stream_0"), stream);
        return Convert(directory, out error, TextWriter.Null, output);
    }

    private static string[] Convert(LttngTraceBuilder builder, out TraceReadException? error, params byte[][] files) =>
        Convert(builder, out error, TextWriter.Null, files);

    private static string[] Convert(LttngTraceBuilder builder, out TraceReadException? error, TextWriter warnings, params byte[][] files) =>
        Convert(builder.WriteTo(LttngTraceBuilder.NewDirectory(), files), out error, warnings, new MemoryStream());

    private static string[] Convert(string directory, out TraceReadException? error, TextWriter warnings, MemoryStream output)
    {
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

    private sealed class PieceStream : MemoryStream
    {
        public int LongestBytes { get; private set; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            LongestBytes = Math.Max(LongestBytes, buffer.Length);
            base.Write(buffer);
        }
    }
}
