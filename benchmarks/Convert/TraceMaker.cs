using System.Buffers.Binary;
using System.Text;
using Weir.Ctf;

namespace Weir.Benchmarks.Convert;

/// <summary>
/// Writes traces as LTTng-UST writes them: half of the streams with compact headers, half with large ones, a thread ID with each event, three
/// kinds of events in turn: one number; two numbers and a text; a number, a real and a sequence. Streams emit at the same time, each every 40
/// to 1,060 ns, so that merged by time there is hardly a run of two events of one stream. The numbers are pseudo-random and the same every time.
/// </summary>
internal sealed class TraceMaker(string directory, int packetBytes)
{
    private const ulong FirstTime = 1_000_000_000;
    private const long ClockOffsetSeconds = 1_700_000_000;
    private static readonly Guid s_uuid = new("0f9cbd45-0a4b-4b6f-8a55-6a3cf5b0c3d1");

    private readonly byte[] _packet = new byte[packetBytes];
    private int _length;
    private uint _random;
    private ulong _time;
    private long _events;

    /// <summary>Writes a trace of about so many bytes.</summary>
    public (long Events, long FirstNs, long LastNs) Make(long bytes, int streams, bool hasIndex)
    {
        Directory.CreateDirectory(directory);
        if (hasIndex)
            Directory.CreateDirectory(Path.Combine(directory, "index"));
        File.WriteAllText(Path.Combine(directory, "metadata"), TsdlWriter.Write(Describe()));
        ulong last = 0;
        for (int i = 0; i < streams; i++)
        {
            WriteStream(i, Math.Max(1, bytes / streams / packetBytes), hasIndex);
            last = Math.Max(last, _time);
        }
        const long OffsetNs = ClockOffsetSeconds * 1_000_000_000;
        return (_events, OffsetNs + (long)FirstTime, OffsetNs + (long)last);
    }

    private static TraceClass Describe()
    {
        var clock = new ClockClass { Name = "monotonic", FrequencyHz = 1_000_000_000, OffsetSeconds = ClockOffsetSeconds, IsAbsolute = true, Uuid = s_uuid };
        var trace = LttngLayout.CreateTrace(
            s_uuid, clock, new EnvironmentEntry("hostname", "bench"), new EnvironmentEntry("domain", "ust"), new EnvironmentEntry("tracer_name", "lttng-ust"));
        for (ulong id = 0; id < 2; id++)
        {
            var context = new StructureFieldClass([new("vtid", new IntegerFieldClass(32, isSigned: true))]);
            var stream = LttngLayout.CreateStream(id, clock, context, id == 0 ? LttngEventHeader.Compact : LttngEventHeader.Large);
            trace.Add(stream);
            var (length, elements) = LttngLayout.CreateSequence("sizes", new IntegerFieldClass(16));
            stream.Add(new EventRecordClass { Id = 0, Name = "shop:stock", LogLevel = 6, Payload = new([new("value", new IntegerFieldClass(64))]) });
            stream.Add(new EventRecordClass
            {
                Id = 1, Name = "shop:order", LogLevel = 6,
                Payload = new([new("id", new IntegerFieldClass(64)), new("symbol", new StringFieldClass()), new("quantity", new IntegerFieldClass(32, isSigned: true))]),
            });
            stream.Add(new EventRecordClass
            {
                Id = 2, Name = "shop:packed", LogLevel = 6,
                Payload = new([new("id", new IntegerFieldClass(32)), new("weight", new FloatingPointFieldClass(64)), length, elements]),
            });
        }
        return trace;
    }

    private void WriteStream(int number, long packets, bool hasIndex)
    {
        string name = $"channel_{number}";
        using var file = new FileStream(Path.Combine(directory, name), FileMode.Create, FileAccess.Write, FileShare.Read, 1 << 20);
        using var index = hasIndex ? new FileStream(Path.Combine(directory, "index", name + ".idx"), FileMode.Create, FileAccess.Write) : null;
        Span<byte> head = stackalloc byte[16];
        BinaryPrimitives.WriteUInt32BigEndian(head, 0xC1F1DCC1);
        BinaryPrimitives.WriteUInt32BigEndian(head[4..], 1);
        BinaryPrimitives.WriteUInt32BigEndian(head[8..], 1);
        BinaryPrimitives.WriteUInt32BigEndian(head[12..], 72);
        index?.Write(head);
        Span<byte> entry = stackalloc byte[72];
        _random = (uint)number + 1;
        _time = FirstTime + (uint)number;
        for (long i = 0; i < packets; i++)
        {
            ulong begin = _time;
            FillPacket(number, (ulong)i);
            file.Write(_packet);
            ulong[] values = [(ulong)(i * packetBytes), (ulong)packetBytes * 8, (ulong)_length * 8, begin, _time, 0, (ulong)(number & 1), (ulong)number, (ulong)i];
            for (int j = 0; j < values.Length; j++)
                BinaryPrimitives.WriteUInt64BigEndian(entry[(j * 8)..], values[j]);
            index?.Write(entry);
        }
    }

    private void FillPacket(int stream, ulong number)
    {
        _length = 0;
        U32(LttngLayout.PacketMagic);
        s_uuid.TryWriteBytes(_packet.AsSpan(_length), bigEndian: true, out _);
        _length += 16;
        U32((uint)stream & 1);
        U64((ulong)stream);
        int context = _length;
        U64(_time);
        _length += 24;
        U64(number);
        U64(0);
        U32((uint)stream);
        while (_length < packetBytes - 80)
        {
            _random = (_random * 1664525) + 1013904223;
            _time += 40 + (_random >> 22);
            int kind = (int)(_events++ % 3);
            if ((stream & 1) == 0)
            {
                U32(((uint)_time << 5) | (uint)kind);
            }
            else
            {
                U16((ushort)kind);
                U32((uint)_time);
            }
            U32(4000 + ((uint)stream & 7));
            AddFields(kind);
        }
        _packet.AsSpan(_length).Clear();
        int end = _length;
        _length = context + 8;
        U64(_time);
        U64((ulong)end * 8);
        U64((ulong)packetBytes * 8);
        _length = end;
    }

    private void AddFields(int kind)
    {
        switch (kind)
        {
            case 0:
                U64(_random);
                break;
            case 1:
                U64((ulong)_events);
                _length += Encoding.UTF8.GetBytes((_random & 0x100) == 0 ? "ACME Corporation" : "Widget & Sons", _packet.AsSpan(_length));
                _packet[_length++] = 0;
                U32(_random >> 20);
                break;
            default:
                U32(_random);
                U64(BitConverter.DoubleToUInt64Bits(_random / 1024.0));
                U32(3);
                U16((ushort)_random);
                U16((ushort)(_random >> 8));
                U16((ushort)(_random >> 16));
                break;
        }
    }

    private void U16(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_packet.AsSpan(_length), value);
        _length += 2;
    }

    private void U32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_packet.AsSpan(_length), value);
        _length += 4;
    }

    private void U64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_packet.AsSpan(_length), value);
        _length += 8;
    }
}
