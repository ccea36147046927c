using System.Buffers.Binary;
using System.Text;
using Weir.Ctf;

namespace Weir.Tests.Ctf;

/// <summary>Writes small traces in LTTng's layout, metadata and packets, for tests to read back.</summary>
internal sealed class LttngTraceBuilder
{
    public static readonly Guid Uuid = new("2a6422d0-6cee-11e0-8c08-cb07d7b3a564");

    private readonly List<byte> _packet = [];
    private ulong _sequence;

    public LttngTraceBuilder(ulong frequencyHz = 1_000_000_000, ClockClass? clock = null)
    {
        Clock = clock ?? new ClockClass
        {
            Name = "test", Description = "a \"clock\"", FrequencyHz = frequencyHz, OffsetSeconds = 1_700_000_000, OffsetCycles = 5, IsAbsolute = true,
            Uuid = new Guid("08257c0a-3b0e-40f8-a739-298b78a9ebbe"),
        };
        Trace = LttngLayout.CreateTrace(
            Uuid, Clock, new EnvironmentEntry("hostname", "host\"1\""), new EnvironmentEntry("domain", "ust"),
            new EnvironmentEntry("tracer_name", "weir"), new EnvironmentEntry("procname", "tests"), new EnvironmentEntry("vpid", -42));
        Stream = LttngLayout.CreateStream(0, Clock, new StructureFieldClass([new("vtid", new IntegerFieldClass(32, isSigned: true))]));
        Trace.Add(Stream);
        Stream.Add(new EventRecordClass { Id = 0, Name = "test:number", LogLevel = 6, Payload = new StructureFieldClass([new("value", new IntegerFieldClass(64, isSigned: true))]) });
        var (length, elements) = LttngLayout.CreateSequence("list", new IntegerFieldClass(16));
        Stream.Add(new EventRecordClass
        {
            Id = 40, Name = "test:mixed", EmfUri = "http://example.org/\\x",
            Payload = new StructureFieldClass(
            [
                new("struct", new StringFieldClass()),
                new("real", new FloatingPointFieldClass(64)),
                new("color", new IntegerFieldClass(8, isSigned: true) { Mappings = [new("red", -1), new("green \"1\"", 0, 4), new("blue", 5)] }),
                length, elements,
                new("grid", new StaticArrayFieldClass(new StaticArrayFieldClass(new IntegerFieldClass(8) { DisplayBase = DisplayBase.Hexadecimal }, 3), 2)),
            ]),
        });
    }

    public TraceClass Trace { get; }

    public ClockClass Clock { get; }

    public DataStreamClass Stream { get; }

    /// <summary>Offsets of the events of the packet that was made last.</summary>
    public List<long> EventOffsets { get; } = [];

    public byte[] Packet(ulong streamInstance, uint cpu, ulong begin, ulong end, int padding, params (ulong Time, int Kind, long Value)[] events)
    {
        _packet.Clear();
        EventOffsets.Clear();
        U32(LttngLayout.PacketMagic);
        _packet.AddRange(Uuid.ToByteArray(bigEndian: true));
        U32(0);
        U64(streamInstance);
        U64(begin);
        U64(end);
        U64(0);
        U64(0);
        U64(_sequence++);
        U64(0);
        U32(cpu);
        foreach (var (time, kind, value) in events)
        {
            EventOffsets.Add(_packet.Count);
            if (kind == 0)
                AddNumber(time, value);
            else
                AddMixed(time, value);
        }
        long contentBits = _packet.Count * 8L;
        _packet.AddRange(new byte[padding]);
        byte[] packet = [.. _packet];
        BinaryPrimitives.WriteInt64LittleEndian(packet.AsSpan(LttngLayout.PacketHeaderBytes + 16), contentBits);
        BinaryPrimitives.WriteInt64LittleEndian(packet.AsSpan(LttngLayout.PacketHeaderBytes + 24), packet.Length * 8L);
        return packet;
    }

    public string WriteTo(string directory, params byte[][] files)
    {
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, "metadata"), TsdlWriter.Write(Trace));
        for (int i = 0; i < files.Length; i++)
            File.WriteAllBytes(Path.Combine(directory, $"stream_{i}"), files[i]);
        return directory;
    }

    /// <summary>A directory that does not exist yet.</summary>
    public static string NewDirectory() => Path.Combine(Path.GetTempPath(), $"weir-ctf-{Guid.NewGuid():N}");

    private void AddNumber(ulong time, long value)
    {
        U32((uint)(time << 5));
        U32(7);
        U64((ulong)value);
    }

    private void AddMixed(ulong time, long value)
    {
        _packet.Add(LttngLayout.ExtendedEventId);
        U32(40);
        U64(time);
        U32(8);
        _packet.AddRange(Encoding.UTF8.GetBytes($"text {value} \t\"é'?"));
        _packet.Add(0);
        U64(BitConverter.DoubleToUInt64Bits(value / 7.0));
        _packet.Add((byte)(sbyte)(value % 7));
        U32((uint)(value & 3));
        for (int i = 0; i < (value & 3); i++)
            _packet.AddRange([(byte)i, 1]);
        _packet.AddRange([0, 1, 2, 254, 255, (byte)value]);
    }

    private void U32(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        _packet.AddRange(bytes);
    }

    private void U64(ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        _packet.AddRange(bytes);
    }
}
