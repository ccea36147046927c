using Weir.Ctf;
using Xunit;

namespace Weir.Tests.Ctf;

public unsafe class LttngLayoutTests
{
    private static readonly Guid s_uuid = new("2a6422d0-6cee-11e0-8c08-cb07d7b3a564");

    [Theory]
    [InlineData(LttngEventHeader.Compact, 5, 1, 27, 1)]
    [InlineData(LttngEventHeader.Large, 16, 8, 32, 8)]
    public void An_event_header_goes_out_as_TSDL_and_comes_back(
        LttngEventHeader kind, int idBits, int idAlignmentBits, int timeBits, int timeAlignmentBits)
    {
        string text = TsdlWriter.Write(CreateTrace(kind));
        var read = MetadataReader.Read(text);
        Assert.Equal(text, TsdlWriter.Write(read));

        var header = read.DataStreamClasses[0].EventHeader!;
        Assert.Equal(8, header.AlignmentBits);
        var id = (IntegerFieldClass)header.Members[0].Class;
        Assert.Equal((idBits, idAlignmentBits, FieldRole.EventClassId), (id.SizeBits, id.AlignmentBits, id.Role));
        long extendedId = (1L << idBits) - 1;
        Assert.Equal([("compact", new IntegerRange(0, extendedId - 1)), ("extended", new IntegerRange(extendedId))], id.Mappings!.Select(m => (m.Label, m.Ranges[0])));
        var options = ((VariantFieldClass)header.Members[1].Class).Options;
        Assert.Equal(
            [(timeBits, timeAlignmentBits, "clock")],
            Integers(options[0]).Select(member => (member.SizeBits, member.AlignmentBits, member.MappedClock!.Name)));
        Assert.Equal(
            [(32, FieldRole.EventClassId, null), (64, FieldRole.None, "clock")],
            Integers(options[1]).Select(member => (member.SizeBits, member.Role, member.MappedClock?.Name)));
    }

    [Fact]
    public void Events_with_large_headers_are_read_with_their_times()
    {
        const ulong Begin = (7UL << 32) - 10;
        var packet = new MemoryStream();
        using (var writer = new BinaryWriter(packet))
        {
            writer.Write(LttngLayout.PacketMagic);
            writer.Write(s_uuid.ToByteArray(bigEndian: true));
            writer.Write(0);
            writer.Write(0UL);
            ulong contentBits = (ulong)(LttngLayout.PacketHeaderBytes + LttngLayout.PacketContextBytes + (2 * (6 + 1)) + 14 + 1) * 8;
            foreach (ulong value in (ReadOnlySpan<ulong>)[Begin, Begin + 100, contentBits, contentBits, 0, 0])
                writer.Write(value);
            writer.Write(3);
            WriteCompact(65534, Begin + 5, 1);
            WriteCompact(65534, Begin + 20, 2); // The low 32 bits have come round.
            writer.Write(ushort.MaxValue);
            writer.Write(65535);
            writer.Write(Begin + 50);
            writer.Write((byte)3);

            void WriteCompact(ushort id, ulong time, byte payload)
            {
                writer.Write(id);
                writer.Write((uint)time);
                writer.Write(payload);
            }
        }

        byte[] bytes = packet.ToArray();
        var cursor = new PacketCursor(new TraceDecoder(MetadataReader.Read(TsdlWriter.Write(CreateTrace(LttngEventHeader.Large)))));
        var found = new List<(ulong Id, ulong Time)>();
        fixed (byte* start = bytes)
        {
            Assert.Equal(DecodeStatus.Done, cursor.BeginPacket(start, bytes.Length * 8L, out string? problem));
            Assert.Null(problem);
            var record = default(EventRecord);
            while (cursor.MoveNext(start, bytes.Length * 8L, ref record) == DecodeStatus.Done)
                found.Add((record.Decoder.Class.Id, record.ClockValue));
        }
        Assert.Equal([(65534, Begin + 5), (65534, Begin + 20), (65535, Begin + 50)], found);
    }

    private static TraceClass CreateTrace(LttngEventHeader header)
    {
        var clock = new ClockClass { Name = "clock", FrequencyHz = 1_000_000_000, OffsetSeconds = 1, IsAbsolute = true };
        var trace = LttngLayout.CreateTrace(s_uuid, clock);
        var stream = LttngLayout.CreateStream(0, clock, eventHeader: header);
        foreach (ulong id in (ReadOnlySpan<ulong>)[1, 65534, 65535])
            stream.Add(new EventRecordClass { Id = id, Name = $"kind:{id}", Payload = new StructureFieldClass([new("value", new IntegerFieldClass(8))]) });
        trace.Add(stream);
        return trace;
    }

    private static IEnumerable<IntegerFieldClass> Integers(VariantOption option) =>
        ((StructureFieldClass)option.Class).Members.Select(member => (IntegerFieldClass)member.Class);
}
