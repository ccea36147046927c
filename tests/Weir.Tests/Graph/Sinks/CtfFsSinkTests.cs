using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Weir.Ctf;
using Weir.Graph;
using Weir.Tests.Cli;
using Weir.Tests.Ctf;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Graph.Sinks;

public class CtfFsSinkTests
{
    [Theory]
    [InlineData("1.8")]
    [InlineData("2")]
    public void Random_events_read_back_as_they_were(string version) =>
        Gen.Int[0, 1 << 20].Sample(seed =>
        {
            using var place = new Place();
            string expected = WriteRandom(seed, version, place.In("out"));
            Assert.Equal(expected, Read(place.In("out")).Text);
        }, iter: 100, threads: 1);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Babeltrace2_reads_what_is_written(int seed)
    {
        Assert.SkipUnless(LttngTraceTests.IsInstalled("babeltrace2"), "babeltrace2 is not installed.");
        using var place = new Place();
        string expected = WriteRandom(seed, "1.8", place.In("out"));
        var actual = place.Run(["babeltrace2", "--clock-gmt", place.In("out")], "LC_ALL=C.UTF-8");
        Assert.True(actual.Status == 0, actual.Error);
        Assert.Equal(LttngTraceTests.Lines(expected), LttngTraceTests.Lines(actual.Output));
    }

    [Theory]
    [InlineData("1.8")]
    [InlineData("2")]
    public void A_trace_of_LTTng_is_copied_byte_by_byte(string version)
    {
        using var place = new Place();
        var builder = new LttngTraceBuilder();
        byte[] packets = [.. builder.Packet(3, 1, 100, 300, 0, (110, 0, 11), (120, 1, 20), (250, 0, 25)), .. builder.Packet(3, 1, 400, 500, 0, (410, 1, 1))];
        string input = builder.WriteTo(place.In("in"), packets);
        using (var sink = CreateSink(place.In("out"), version))
            Pump(CtfFsSource.Open([input], new CtfFsOptions()), sink);
        string trace = Path.GetDirectoryName(Directory.GetFiles(place.In("out"), "metadata", SearchOption.AllDirectories).Single())!;
        Assert.Equal(packets, File.ReadAllBytes(Path.Combine(trace, "stream_0")));
        Assert.Equal(16 + (2 * 72), new FileInfo(Path.Combine(trace, "index", "stream_0.idx")).Length);
        Assert.Equal(Read(input), Read(trace));
    }

    [Fact]
    public void Losses_of_a_source_without_packets_are_told()
    {
        using var place = new Place();
        using var composed = new Composed();
        composed.Add(100, 1);
        composed.Composer.AddDiscardedEvents(7, 150, 180);
        composed.Add(200, 2);
        composed.Composer.AddDiscardedEvents(2, 210, 220);
        Write(composed, place.In("out"), "2");
        var (text, losses) = Read(place.In("out"));
        Assert.Equal(2, LttngTraceTests.Lines(text).Length);
        Assert.Contains("discarded 7 events between [00:00:00.000000150] and [00:00:00.000000180]", losses, StringComparison.Ordinal);
        Assert.Contains("discarded 2 events between [00:00:00.000000210] and [00:00:00.000000220]", losses, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.8")]
    [InlineData("2")]
    public void Times_far_apart_or_in_no_order_stay_as_they_are(string version)
    {
        using var place = new Place();
        using var composed = new Composed();
        ulong[] times = [1UL << 40, (1UL << 40) + 5, (1UL << 40) + (1UL << 27) + 5, (1UL << 40) + (1UL << 35), 1UL << 39];
        foreach (ulong time in times)
            composed.Add(time, 1);
        Write(composed, place.In("out"), version);
        var cycles = new List<ulong>();
        using var iterator = CtfFsSource.Open([place.In("out")], new CtfFsOptions()).CreateIterators().Single();
        for (var batch = iterator.Next(); batch.Count > 0; batch = iterator.Next())
            cycles.AddRange(batch.Where(message => message.Kind == MessageKind.Event).Select(message => message.Record.ClockValue));
        Assert.Equal(times, cycles);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Many_large_events_go_to_the_file_piece_by_piece(bool hasPackets)
    {
        using var place = new Place();
        using var composed = new Composed(hasText: true);
        if (hasPackets)
        {
            composed.Composer.Packet = composed.Composer.CreatePacket([]);
            composed.Composer.AddOther(MessageKind.PacketBeginning, 50);
        }
        for (int i = 0; i < 30; i++)
            composed.Add(100, i, new string('x', 100_000));
        if (hasPackets)
            composed.Composer.AddOther(MessageKind.PacketEnd, 150);
        Write(composed, place.In("out"), "2");
        Assert.Equal(30, LttngTraceTests.Lines(Read(place.In("out")).Text).Length);
        long indexBytes = new FileInfo(Directory.GetFiles(place.In("out"), "*.idx", SearchOption.AllDirectories).Single()).Length;
        Assert.Equal(hasPackets ? 16 + 72 : 16 + (5 * 72), indexBytes);
    }

    [Fact]
    public void What_cannot_be_written_is_said_with_its_path()
    {
        using var place = new Place();
        File.WriteAllText(place.In("file"), "");
        var error = Assert.Throws<TraceWriteException>(() => CreateSink(place.In("file/below"), "2"));
        Assert.StartsWith(place.In("file/below"), error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.InnerException);
        Directory.CreateDirectory(place.In("there"));
        error = Assert.Throws<TraceWriteException>(() => CreateSink(place.In("there"), "2", isSingle: true));
        Assert.Contains("exists already", error.Message, StringComparison.Ordinal);
        Assert.Throws<ComponentParameterException>(() => CtfFsSink.Class.Create(new ComponentContext { Name = "fs" }));
    }

    [Theory]
    [InlineData("", "trace")]
    [InlineData("/../a/./", "__/a/_")]
    [InlineData("host/ust", "host/ust")]
    public void A_traces_directory_has_its_name_and_never_leads_out(string name, string expected) =>
        Assert.Equal(expected, TraceDirectoryName.Of(new TraceClass(), name));

    [Fact]
    public void A_recording_of_LTTng_goes_where_LTTng_puts_it()
    {
        var trace = new TraceClass();
        foreach (var entry in (EnvironmentEntry[])[
            new("tracer_name", "lttng-ust"), new("tracer_major", 2), new("tracer_minor", 13), new("hostname", "vm"), new("trace_name", "all"),
            new("trace_creation_datetime", "20261123T063544+0000"), new("domain", "ust"), new("tracer_buffering_scheme", "uid"),
            new("tracer_buffering_id", 1001), new("architecture_bit_width", 64)])
            trace.Add(entry);
        Assert.Equal("vm/all-20261123T063544+0000/ust/uid/1001/64-bit", TraceDirectoryName.Of(trace, "other"));
    }

    private static MessageSink CreateSink(string path, string version, bool isSingle = false) => CtfFsSink.Class.Create(new ComponentContext
    {
        Name = "fs",
        Parameters = new JsonObject { ["path"] = path, ["ctf-version"] = version, ["assume-single-trace"] = isSingle },
    });

    private static void Pump(CtfFsSource source, MessageSink sink)
    {
        using var muxer = new Muxer(source.CreateIterators());
        for (var batch = muxer.Next(); batch.Count > 0; batch = muxer.Next())
            sink.Consume(batch);
        sink.Flush();
    }

    private static void Write(Composed composed, string path, string version)
    {
        using var sink = CreateSink(path, version);
        sink.Consume(composed.Composer.EndBatch());
        sink.Flush();
    }

    private static (string Text, string Losses) Read(string directory)
    {
        using var output = new MemoryStream();
        using var losses = new StringWriter();
        using (var sink = new PrettySink(output, losses, new PrettyOptions { ClockGmt = true }))
            Pump(CtfFsSource.Open([directory], new CtfFsOptions()), sink);
        return (Encoding.UTF8.GetString(output.ToArray()), losses.ToString().Replace(directory, "", StringComparison.Ordinal));
    }

    /// <summary>Writes a few random events of a random class; returns their text as it is before.</summary>
    private static string WriteRandom(int seed, string version, string path)
    {
        var fields = new RandomFields(new Random(seed), version == "1.8");
        var payload = fields.CreatePayload();
        using var composed = new Composed(payload);
        for (int i = 0; i < 5; i++)
        {
            fields.Write(payload, composed.Composer.BeginEvent(composed.Decoder, (ulong)(1000 + i)));
            composed.Composer.EndEvent();
        }
        var batch = composed.Composer.EndBatch();
        using var output = new MemoryStream();
        using var text = new PrettySink(output, TextWriter.Null, new PrettyOptions { ClockGmt = true });
        text.Consume(batch);
        text.Flush();
        using var sink = CreateSink(path, version);
        sink.Consume(batch);
        sink.Flush();
        return Encoding.UTF8.GetString(output.ToArray());
    }

    /// <summary>A stream of one class of events from a source that is no CTF.</summary>
    private sealed class Composed : IDisposable
    {
        public Composed(bool hasText = false)
            : this(new StructureFieldClass(hasText ? [new("n", new IntegerFieldClass(32)), new("text", new StringFieldClass())] : [new("n", new IntegerFieldClass(32))]))
        {
        }

        public Composed(StructureFieldClass payload)
        {
            var clock = new ClockClass { Name = "test", IsAbsolute = true };
            var trace = new TraceClass();
            trace.Add(clock);
            var stream = new DataStreamClass { DefaultClock = clock };
            stream.Add(new EventRecordClass { Name = "e", Payload = payload });
            trace.Add(stream);
            var decoder = new TraceDecoder(trace);
            Decoder = decoder.FindStream(0)!.FindEvent(0)!;
            Composer = new EventComposer(new DataStream { Trace = new Trace(decoder, ""), Decoder = Decoder.Stream, Name = "cpu0", IsClockAbsolute = true });
            Composer.BeginBatch();
        }

        public EventComposer Composer { get; }

        public EventDecoder Decoder { get; }

        public void Add(ulong time, int value, string? text = null)
        {
            var writer = Composer.BeginEvent(Decoder, time);
            writer.Write((ulong)value, 32);
            if (text is not null)
                writer.WriteString(Encoding.UTF8.GetBytes(text));
            Composer.EndEvent();
        }

        public void Dispose() => Composer.Dispose();
    }
}
