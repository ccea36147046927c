using System.Text;
using CsCheck;
using Weir.Ctf;
using Weir.Tests.Ctf.Json;
using Xunit;

namespace Weir.Tests.Ctf.Decoding;

public unsafe class FieldInterpreterTests
{
    [Fact]
    public void Records_of_any_class_are_read_as_they_were_written() => Gen.Int.Sample(seed =>
    {
        var record = new RandomRecord(seed);
        var ends = new List<long>();
        for (int i = 0; i < 3; i++)
        {
            record.Write();
            ends.Add(record.LengthBits);
        }
        var decoder = new TraceDecoder(record.Trace);
        var (found, words) = Read(decoder, record.Bytes, record.LengthBits, out var status);
        return status == DecodeStatus.EndOfPacket && found.SequenceEqual(ends) && words == record.Words;
    }, iter: 3000);

    [Fact]
    public void Cut_anywhere_a_record_is_not_given_and_the_field_that_is_cut_is_named() => Gen.Int.Sample(seed =>
    {
        var record = new RandomRecord(seed);
        record.Write();
        byte[] bytes = record.Bytes;
        var decoder = new TraceDecoder(record.Trace);
        for (int cut = 0; cut < Math.Min(bytes.Length, 40); cut++)
        {
            // A copy of its own length: what is touched behind it would be somebody else's.
            byte[] part = bytes[..cut];
            var cursor = new PacketCursor(decoder);
            var found = default(EventRecord);
            fixed (byte* start = part)
            {
                if (cursor.BeginPacket(start, cut * 8L, out _) != DecodeStatus.Done)
                    return false;
                var status = cursor.MoveNext(start, cut * 8L, ref found);
                if (status == DecodeStatus.Done && (record.LengthBits + 7) / 8 > cut)
                    return false;
                string why = status == DecodeStatus.Done ? ": payload" : cursor.Explain(status, "it", start, cut * 8L);
                if (!why.Contains(": payload", StringComparison.Ordinal) && !why.Contains(": padding at", StringComparison.Ordinal))
                    return false;
            }
        }
        return true;
    }, iter: 300);

    [Theory]
    [InlineData("00", DecodeStatus.EndOfPacket, "0")]
    [InlineData("7f", DecodeStatus.EndOfPacket, "ffffffffffffffff")]
    [InlineData("ff00", DecodeStatus.EndOfPacket, "7f")]
    [InlineData("8080808080808080807f", DecodeStatus.EndOfPacket, "8000000000000000")]
    [InlineData("80808080808080808001", DecodeStatus.IntegerTooLong, "")]
    [InlineData("ffffffffffffffffff8000", DecodeStatus.IntegerTooLong, "")]
    [InlineData("8080", DecodeStatus.OutOfBytes, "")]
    public void Signed_integers_in_LEB128_have_64_bits_at_most(string bytes, DecodeStatus expected, string value)
    {
        var decoder = new TraceDecoder(MetadataReader.Read(Ctf2Text.Payload(("a", """{"type": "variable-length-signed-integer"}"""))));
        var (_, words) = Read(decoder, Convert.FromHexString(bytes), bytes.Length * 4, out var status);
        Assert.Equal(expected, status);
        Assert.Equal(value.Length > 0 ? $"{{{value};}}" : "", words);
    }

    [Theory]
    [InlineData("utf-16le", "00d86100")]
    [InlineData("utf-16be", "dc000061")]
    [InlineData("utf-16be", "0061d800")]
    [InlineData("utf-32le", "00001100")]
    [InlineData("utf-32be", "0000d800")]
    [InlineData("utf-32be", "0061006200")]
    public void What_is_no_text_is_an_error(string encoding, string bytes)
    {
        string text = $$"""{"type": "static-length-string", "encoding": "{{encoding}}", "length": {{bytes.Length / 2}}}""";
        var decoder = new TraceDecoder(MetadataReader.Read(Ctf2Text.Payload(("a", text))));
        Read(decoder, Convert.FromHexString(bytes), bytes.Length * 4, out var status);
        Assert.Equal(DecodeStatus.BadText, status);
    }

    [Fact]
    public void The_field_that_is_wrong_is_named_with_its_place()
    {
        string entry = Ctf2Text.Structure(("len", Ctf2Text.Unsigned(8)), ("text", Ctf2Text.DynamicText("""{"path": ["len"]}""")));
        string metadata = Ctf2Text.Payload(("a", Ctf2Text.Unsigned(16)), ("buf", $$"""{"type": "static-length-array", "length": 5, "element-field-class": {{entry}}}"""));
        byte[] bytes = [0, 0, 1, (byte)'x', 0, 2, (byte)'y', (byte)'z', 77, 0];
        var cursor = new PacketCursor(new TraceDecoder(MetadataReader.Read(metadata)));
        var record = default(EventRecord);
        fixed (byte* start = bytes)
        {
            Assert.Equal(DecodeStatus.Done, cursor.BeginPacket(start, bytes.Length * 8, out _));
            var status = cursor.MoveNext(start, bytes.Length * 8, ref record);
            Assert.Equal(
                "the event does not fit into the packet: payload.buf[3].text at bit 72 of the packet",
                cursor.Explain(status, "the event", start, bytes.Length * 8));
        }
    }

    [Fact]
    public void Roles_may_stand_on_any_integer_and_several_times()
    {
        string id = """{"type": "variable-length-unsigned-integer", "roles": ["event-record-class-id"]}""";
        string header = Ctf2Text.Structure(("a", id), ("b", id), ("t", """{"type": "variable-length-unsigned-integer", "roles": ["default-clock-timestamp"]}"""));
        string context = Ctf2Text.Structure(("n", Ctf2Text.Unsigned(8, """, "roles": ["packet-total-length", "packet-content-length"]""")));
        var trace = MetadataReader.Read(Ctf2Text.Metadata(
            Ctf2Text.Preamble,
            """{"type": "clock-class", "id": "c", "frequency": 1000}""",
            $$"""{"type": "data-stream-class", "default-clock-class-id": "c", "packet-context-field-class": {{context}}, "event-record-header-field-class": {{header}}}""",
            Ctf2Text.Event(Ctf2Text.Structure(), "\"id\": 0,"),
            Ctf2Text.Event(Ctf2Text.Structure(), "\"id\": 200,")));
        // Length 72 bits; event 200 (after 0) at 300, written in two bytes; event 0 whose one byte says 5: the low 7 bits went round.
        byte[] bytes = [72, 0, 0xc8, 0x01, 0xac, 0x02, 1, 0, 5];
        var cursor = new PacketCursor(new TraceDecoder(trace));
        var record = default(EventRecord);
        fixed (byte* start = bytes)
        {
            Assert.Equal(DecodeStatus.Done, cursor.BeginPacket(start, bytes.Length * 8, out _));
            Assert.Equal((72UL, 72UL), (cursor.Properties.TotalBits, cursor.Properties.ContentBits));
            Assert.Equal(DecodeStatus.Done, cursor.MoveNext(start, bytes.Length * 8, ref record));
            Assert.Equal((200UL, 300UL), (record.Decoder.Class.Id, record.ClockValue));
            Assert.Equal(DecodeStatus.Done, cursor.MoveNext(start, bytes.Length * 8, ref record));
            Assert.Equal((0UL, 384UL + 5), (record.Decoder.Class.Id, record.ClockValue));
        }
    }

    private static (List<long> Ends, string Words) Read(TraceDecoder decoder, byte[] bytes, long lengthBits, out DecodeStatus status)
    {
        var cursor = new PacketCursor(decoder);
        var walker = new FieldWalker(decoder);
        var ends = new List<long>();
        var words = new StringBuilder();
        var visitor = new RandomRecordReader(words);
        var record = default(EventRecord);
        fixed (byte* start = bytes)
        {
            status = cursor.BeginPacket(start, lengthBits, out _);
            cursor.ContentBits = lengthBits;
            while ((status = cursor.MoveNext(start, lengthBits, ref record)) == DecodeStatus.Done)
            {
                ends.Add(record.EndBits);
                walker.WalkEvent(in record, start, null, ref visitor);
            }
        }
        return (ends, words.ToString());
    }
}
