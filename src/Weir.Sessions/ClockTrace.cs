using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using Weir.Clock;
using Weir.Ctf;
using Weir.Tracing;

namespace Weir.Sessions;

/// <summary>
/// Writes what is known about the clock as a small CTF trace of its own, in one stream, so that any reader merges it with the others.
/// <code>
/// packet, 4096 bytes, little-endian, packed
///  0    4       20         24       32      40    48        56       64    72          80
///  +----+-------+----------+--------+-------+-----+---------+--------+-----+-----------+----------------------+--------
///  |mag.| uuid  | stream 0 | inst. 0| begin | end | content | packet | seq | discarded | id u16 | time u64 .. | padding
///  +----+-------+----------+--------+-------+-----+---------+--------+-----+-----------+----------------------+--------
///
/// weir_clock:sample         the clock at the event's own time   monotonic_ns i64, realtime_ns i64, uncertainty_cycles u64,
///                                                               realtime_uncertainty_ns i64; see ClockSample
/// weir_clock:realtime_step  CLOCK_REALTIME was set before this  delta_ns i64
/// weir_clock:skew           of a CPU's counter, when it began   cpu u32, reference_cpu u32, least_cycles i64, most_cycles i64
/// </code>
/// The head is LTTng's but for <c>cpu_id</c>: what is told here is no CPU's. The open packet is written anew with each event, whole, so the
/// trace can be read at every moment. Not thread-safe.
/// </summary>
internal sealed class ClockTrace : IDisposable
{
    public const string SampleName = "weir_clock:sample";
    public const string StepName = "weir_clock:realtime_step";
    public const string SkewName = "weir_clock:skew";

    private const int PacketBytes = 4096;
    private const int HeadBytes = LttngLayout.PacketHeaderBytes + (6 * sizeof(ulong));
    private const int EventHeaderBytes = sizeof(ushort) + sizeof(ulong);
    private const int UuidOffset = 4;
    private const int BeginOffset = LttngLayout.PacketHeaderBytes;

    private readonly string _directory;
    private readonly SessionDescription _session;
    private readonly Guid _uuid = Guid.NewGuid();
    private readonly SafeFileHandle _file;
    private readonly byte[] _packet = new byte[PacketBytes];
    private long _packetNumber;
    private int _used = HeadBytes;
    private bool _isEmpty = true;

    /// <exception cref="IOException">The files cannot be made.</exception>
    public ClockTrace(string directory, SessionDescription session)
    {
        _directory = directory;
        _session = session;
        Directory.CreateDirectory(directory);
        WriteMetadata(session.Correlation);
        _file = File.OpenHandle(Path.Combine(directory, "stream"), FileMode.CreateNew, FileAccess.Write, FileShare.Read);
    }

    private enum Id : ushort
    {
        Sample,
        Step,
        Skew,
    }

    /// <summary>Writes a sample, at its own time.</summary>
    public void Add(in ClockSample sample)
    {
        var payload = Begin(Id.Sample, sample.Cycles, 4 * sizeof(ulong));
        BinaryPrimitives.WriteInt64LittleEndian(payload, sample.MonotonicNs);
        BinaryPrimitives.WriteInt64LittleEndian(payload[8..], sample.RealtimeNs);
        BinaryPrimitives.WriteUInt64LittleEndian(payload[16..], sample.UncertaintyCycles);
        BinaryPrimitives.WriteInt64LittleEndian(payload[24..], sample.RealtimeUncertaintyNs);
        End(sample.Cycles);
    }

    /// <summary>Writes that CLOCK_REALTIME was set before this time.</summary>
    public void AddStep(ulong cycles, long deltaNs)
    {
        BinaryPrimitives.WriteInt64LittleEndian(Begin(Id.Step, cycles, sizeof(long)), deltaNs);
        End(cycles);
    }

    /// <summary>Writes the skew of one CPU.</summary>
    public void AddSkew(ulong cycles, int referenceCpu, in CpuOffset offset)
    {
        var payload = Begin(Id.Skew, cycles, (2 * sizeof(uint)) + (2 * sizeof(long)));
        BinaryPrimitives.WriteUInt32LittleEndian(payload, (uint)offset.Cpu);
        BinaryPrimitives.WriteUInt32LittleEndian(payload[4..], (uint)referenceCpu);
        BinaryPrimitives.WriteInt64LittleEndian(payload[8..], offset.LeastCycles);
        BinaryPrimitives.WriteInt64LittleEndian(payload[16..], offset.MostCycles);
        End(cycles);
    }

    /// <summary>Writes the metadata, all of it or nothing, with the clock as it is known now.</summary>
    public void WriteMetadata(ClockCorrelation correlation)
    {
        var clock = TraceMetadata.CreateClock(_session with { Correlation = correlation });
        var trace = LttngLayout.CreateTrace(
            _uuid,
            clock,
            new EnvironmentEntry("hostname", Environment.MachineName),
            new EnvironmentEntry("domain", "clock"),
            new EnvironmentEntry("tracer_name", "weir"));
        trace.Add(CreateStream(clock));
        // Not in the trace's directory: what is left there would be taken for a stream.
        string temporary = _directory + ".metadata";
        try
        {
            File.WriteAllText(temporary, TsdlWriter.Write(trace));
            File.Move(temporary, Path.Combine(_directory, "metadata"), overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    public void Dispose() => _file.Dispose();

    private static DataStreamClass CreateStream(ClockClass clock)
    {
        var signed = new IntegerFieldClass(64, isSigned: true);
        var unsigned = new IntegerFieldClass(64);
        var cpu = new IntegerFieldClass(32);
        var stream = new DataStreamClass
        {
            DefaultClock = clock,
            PacketContext = new StructureFieldClass(
            [
                new("timestamp_begin", new IntegerFieldClass(64) { MappedClock = clock, Role = FieldRole.PacketBeginTime }),
                new("timestamp_end", new IntegerFieldClass(64) { MappedClock = clock, Role = FieldRole.PacketEndTime }),
                new("content_size", new IntegerFieldClass(64) { Role = FieldRole.PacketContentLength }),
                new("packet_size", new IntegerFieldClass(64) { Role = FieldRole.PacketTotalLength }),
                new("packet_seq_num", new IntegerFieldClass(64) { Role = FieldRole.PacketSequenceNumber }),
                new("events_discarded", new IntegerFieldClass(64) { Role = FieldRole.DiscardedEventCount }),
            ]),
            EventHeader = new StructureFieldClass(
            [
                new("id", new IntegerFieldClass(16) { Role = FieldRole.EventClassId }),
                new("timestamp", new IntegerFieldClass(64) { MappedClock = clock }),
            ]),
        };
        stream.Add(Declare(
            Id.Sample,
            SampleName,
            new("monotonic_ns", signed), new("realtime_ns", signed), new("uncertainty_cycles", unsigned), new("realtime_uncertainty_ns", signed)));
        stream.Add(Declare(Id.Step, StepName, new StructureMember("delta_ns", signed)));
        stream.Add(Declare(
            Id.Skew, SkewName, new("cpu", cpu), new("reference_cpu", cpu), new("least_cycles", signed), new("most_cycles", signed)));
        return stream;
    }

    private static EventRecordClass Declare(Id id, string name, params StructureMember[] members) =>
        new() { Id = (ulong)id, Name = name, LogLevel = (int)TracepointLevel.Info, Payload = new StructureFieldClass(members, minimumAlignmentBits: 8) };

    /// <summary>Room for an event's payload, after its header.</summary>
    private Span<byte> Begin(Id id, ulong cycles, int payloadBytes)
    {
        if (_used + EventHeaderBytes + payloadBytes > PacketBytes)
        {
            _packetNumber++;
            _used = HeadBytes;
            _isEmpty = true;
            _packet.AsSpan().Clear();
        }
        if (_isEmpty)
            OpenPacket(cycles);
        var record = _packet.AsSpan(_used);
        BinaryPrimitives.WriteUInt16LittleEndian(record, (ushort)id);
        BinaryPrimitives.WriteUInt64LittleEndian(record[sizeof(ushort)..], cycles);
        _used += EventHeaderBytes + payloadBytes;
        return record[EventHeaderBytes..];
    }

    private void OpenPacket(ulong cycles)
    {
        _isEmpty = false;
        BinaryPrimitives.WriteUInt32LittleEndian(_packet, LttngLayout.PacketMagic);
        _uuid.TryWriteBytes(_packet.AsSpan(UuidOffset), bigEndian: true, out _);
        WriteHead(0, cycles);
        WriteHead(3, PacketBytes * 8);
        WriteHead(4, (ulong)_packetNumber);
    }

    private void End(ulong cycles)
    {
        WriteHead(1, cycles);
        WriteHead(2, (ulong)_used * 8);
        RandomAccess.Write(_file, _packet, _packetNumber * PacketBytes);
    }

    private void WriteHead(int index, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(_packet.AsSpan(BeginOffset + (index * sizeof(ulong))), value);
}
