using System.Text.Json.Nodes;
using Weir.Ctf;
using Weir.Graph;

namespace Weir.Tests.Graph.Sinks;

/// <summary>A trace that is composed in memory, with a field of each kind, for sinks to write.</summary>
internal sealed class SinkInput : IDisposable
{
    public const long OriginNs = 1_700_000_000_000_000_000;

    private readonly EventComposer _composer;
    private readonly StreamDecoder _decoder;

    public SinkInput(bool isAbsolute = true)
    {
        var clock = new ClockClass { Name = "clock", IsAbsolute = isAbsolute };
        var trace = new TraceClass();
        trace.Add(clock);
        trace.Add(new EnvironmentEntry("hostname", "box"));
        var u8 = new IntegerFieldClass(8);
        var u32 = new IntegerFieldClass(32);
        var stream = new DataStreamClass
        {
            DefaultClock = clock,
            PacketContext = new StructureFieldClass([new("cpu_id", u32), new("color", u8)]),
            EventCommonContext = new StructureFieldClass([new("vpid", u32), new("vtid", u32), new("procname", new StaticStringFieldClass(8))]),
        };
        stream.Add(new EventRecordClass { Id = 0, Name = "app:everything", LogLevel = 6, Payload = Everything(u8) });
        stream.Add(new EventRecordClass { Id = 1, Name = "app:work_begin", Payload = new StructureFieldClass([new("id", u32)]) });
        stream.Add(new EventRecordClass { Id = 2, Name = "app:work_end", Payload = new StructureFieldClass([new("id", u32)]) });
        var name = new StringFieldClass();
        stream.Add(new EventRecordClass
        {
            Id = 3, Name = "sched_switch",
            Payload = new StructureFieldClass([new("prev_comm", name), new("prev_tid", u32), new("next_comm", name), new("next_tid", u32), new("next_prio", u32)]),
        });
        stream.Add(new EventRecordClass { Id = 4, Name = "app:time", Payload = new StructureFieldClass([new("time", u32), new("name", new StringFieldClass())]) });
        trace.Add(stream);
        var decoder = new TraceDecoder(trace);
        _decoder = decoder.FindStream(0)!;
        Stream = new DataStream
        {
            Trace = new Trace(decoder, "the trace"), Decoder = _decoder, Id = 7, Name = "stream", ClockOffsetNs = OriginNs, IsClockAbsolute = isAbsolute,
        };
        _composer = new EventComposer(Stream);
        _composer.BeginBatch();
        _composer.Packet = _composer.CreatePacket([3, 0, 0, 0, 9]);
    }

    public DataStream Stream { get; }

    public Packet? Packet
    {
        get => _composer.Packet;
        set => _composer.Packet = value;
    }

    public void Dispose() => _composer.Dispose();

    public void Everything(ulong time, double real, byte[] text, bool isPresent, byte tag)
    {
        var fields = Begin(0, time, 10, 11, "worker\0"u8);
        fields.Write(ulong.MaxValue, 64);
        fields.Write(unchecked((ulong)-5), 32);
        fields.Write(2, 8);
        fields.Write(1, 8);
        fields.Write(BitConverter.DoubleToUInt64Bits(real), 64);
        fields.Write(BitConverter.SingleToUInt32Bits(0.1f), 32);
        fields.WriteBytes(text);
        fields.Write(0, 8);
        fields.Write(4, 8);
        fields.WriteString("inner"u8);
        foreach (ulong value in (ReadOnlySpan<ulong>)[1, 2, 3])
            fields.Write(value, 16);
        foreach (ulong value in (ReadOnlySpan<ulong>)[5, 6, 7, 8])
            fields.Write(value, 8);
        fields.Write(tag, 8);
        if (tag == 0)
            fields.Write(42, 8);
        else
            fields.WriteString("chosen"u8);
        fields.Write(isPresent ? 1u : 0, 8);
        if (isPresent)
            fields.Write(77, 8);
        fields.WriteBytes([0, 1, 2]);
        fields.Write(0b101, 8);
        _composer.EndEvent();
    }

    public void Work(bool isBegin, ulong time, uint id, uint tid = 11)
    {
        Begin(isBegin ? 1u : 2, time, 10, tid, "worker\0"u8).Write(id, 32);
        _composer.EndEvent();
    }

    public void Switch(ulong time, uint previous, uint next)
    {
        var fields = Begin(3, time, 10, 11, "worker\0"u8);
        fields.WriteString("before"u8);
        fields.Write(previous, 32);
        fields.WriteString("after"u8);
        fields.Write(next, 32);
        fields.Write(120, 32);
        _composer.EndEvent();
    }

    public void Time(ulong time, string name)
    {
        var fields = Begin(4, time, 10, 11, "worker\0"u8);
        fields.Write(99, 32);
        fields.WriteString(System.Text.Encoding.UTF8.GetBytes(name));
        _composer.EndEvent();
    }

    public void Loss(ulong? count, ulong? begin, ulong? end) => _composer.AddDiscardedEvents(count, begin, end);

    /// <summary>What was composed; valid until this is disposed.</summary>
    public ArraySegment<Message> Batch() => _composer.EndBatch();

    /// <summary>Gives the batch to a sink, ends it, and returns what it wrote to the graph's output.</summary>
    public byte[] Write(SinkClass sinkClass, JsonObject? parameters = null, TextWriter? log = null, bool hasTimes = true)
    {
        using var output = new MemoryStream();
        using (var sink = sinkClass.Create(new ComponentContext { Name = "out", Parameters = parameters ?? [], Output = output, Log = log ?? TextWriter.Null }))
        {
            var batch = _composer.EndBatch();
            for (int i = 0; i < batch.Count && !hasTimes; i++)
                batch.Array![i].HasTime = false;
            sink.Consume(batch);
            sink.Finish();
        }
        return output.ToArray();
    }

    private static StructureFieldClass Everything(IntegerFieldClass u8)
    {
        var tag = new FieldLocation(FieldScope.EventPayload, "tag");
        var has = new FieldLocation(FieldScope.EventPayload, "has");
        return new StructureFieldClass(
        [
            new("u64", new IntegerFieldClass(64)),
            new("s32", new IntegerFieldClass(32, isSigned: true)),
            new("color", new IntegerFieldClass(8, isSigned: true) { Mappings = [new("red", 1), new("green", 2), new("cool \"one\"", 2, 3)] }),
            new("flag", new BooleanFieldClass(8, 8)),
            new("real", new FloatingPointFieldClass(64)),
            new("single", new FloatingPointFieldClass(32)),
            new("text", new StringFieldClass()),
            new("inner", new StructureFieldClass([new("a", u8), new("b", new StringFieldClass())])),
            new("list", new StaticArrayFieldClass(new IntegerFieldClass(16), 3)),
            new("grid", new StaticArrayFieldClass(new StaticArrayFieldClass(u8, 2), 2)),
            new("tag", u8),
            new("choice", new VariantFieldClass(tag, [new VariantOption("number", u8, [new IntegerRange(0)]), new VariantOption("words", new StringFieldClass(), [new IntegerRange(1)])])),
            new("has", new BooleanFieldClass(8, 8)),
            new("maybe", new OptionalFieldClass(has, u8)),
            new("blob", new StaticBlobFieldClass(3) { MediaType = "image/png" }),
            new("bits", new BitArrayFieldClass(8, 8) { Flags = [new("low", 0), new("middle", 1), new("high", 2)] }),
        ]);
    }

    private BitWriter Begin(ulong id, ulong time, uint pid, uint tid, ReadOnlySpan<byte> name)
    {
        var fields = _composer.BeginEvent(_decoder.FindEvent(id)!, time);
        fields.Write(pid, 32);
        fields.Write(tid, 32);
        Span<byte> padded = stackalloc byte[8];
        name.CopyTo(padded);
        fields.WriteBytes(padded);
        return fields;
    }
}
