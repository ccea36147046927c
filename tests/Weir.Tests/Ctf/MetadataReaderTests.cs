using System.Text;
using CsCheck;
using Weir.Ctf;
using Weir.Tests.Ctf.Json;
using Xunit;

namespace Weir.Tests.Ctf;

public class MetadataReaderTests
{
    private static readonly string[] s_pieces =
    [
        "{", "}", "[", "]", "\"", ",", ":", ";", "<", ">", ":=", "\u001e", "\n", "0", "-1", "18446744073709551615", "1e9", "null", "true",
        "\"type\"", "\"path\"", "\"structure\"", "\"variant\"", "\"optional\"", "\"u8\"", "struct", "variant", "enum", "integer", "string",
        "align(", "event", "stream", "trace", "\\ud800", "\u00ff", "\0", "/*", "*/",
    ];

    private static readonly byte[][] s_metadata =
    [
        Encoding.UTF8.GetBytes(TsdlWriter.Write(new LttngTraceBuilder().Trace)),
        Encoding.UTF8.GetBytes(Ctf2Text.Metadata(
            """{"type": "preamble", "version": 2, "uuid": [0, 17, 34, 51, 68, 85, 102, 119, 136, 153, 170, 187, 204, 221, 238, 255]}""",
            $$"""{"type": "field-class-alias", "name": "u8", "field-class": {{Ctf2Text.Unsigned(8)}}}""",
            """{"type": "trace-class", "environment": {"a": -5}, "packet-header-field-class": {"type": "structure", "member-classes": [{"name": "m", "field-class": {"type": "fixed-length-unsigned-integer", "length": 32, "byte-order": "little-endian", "roles": ["packet-magic-number"]}}]}}""",
            """{"type": "clock-class", "id": "c", "frequency": 1000, "offset-from-origin": {"seconds": -3, "cycles": 4}, "origin": {"name": "o", "uid": "ou"}}""",
            """{"type": "data-stream-class", "default-clock-class-id": "c", "event-record-header-field-class": {"type": "structure", "member-classes": [{"name": "t", "field-class": {"type": "variable-length-unsigned-integer", "roles": ["default-clock-timestamp"]}}]}}""",
            Ctf2Text.Event(Ctf2Text.Structure(
                ("n", "\"u8\""),
                ("text", Ctf2Text.DynamicText("""{"path": ["n"]}""", "utf-16le")),
                ("map", """{"type": "fixed-length-bit-map", "length": 8, "byte-order": "big-endian", "flags": {"a": [[0, 3]]}}"""),
                ("opt", """{"type": "optional", "selector-field-location": {"path": ["n"]}, "selector-field-ranges": [[1, 4]], "field-class": {"type": "static-length-array", "length": 3, "minimum-alignment": 8, "element-field-class": "u8"}}"""),
                ("var", """{"type": "variant", "selector-field-location": {"origin": "event-record-payload", "path": ["n"]}, "options": [{"name": "a", "field-class": "u8", "selector-field-ranges": [[1, 1]]}, {"field-class": {"type": "structure"}, "selector-field-ranges": [[2, 9]]}]}"""))))),
    ];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Metadata_changed_anyhow_is_read_or_an_error_of_metadata(int which)
    {
        var metadata = s_metadata[which];
        MetadataReader.Read(metadata);
        Gen.Int.Sample(seed =>
        {
            var random = new Random(seed);
            var changed = metadata.ToList();
            for (int i = random.Next(1, 4); i > 0; i--)
                Change(changed, random);
            byte[] bytes = [.. changed];
            try
            {
                var trace = MetadataReader.Read(bytes);
                _ = new TraceDecoder(trace);
            }
            catch (CtfException)
            {
            }
        }, iter: 10_000, threads: 1);
    }

    [Theory]
    [InlineData(2, 0, true)]
    [InlineData(1, 8, false)]
    [InlineData(2, 1, false)]
    public void Metadata_of_CTF_2_may_lie_in_packets_that_say_so(byte major, byte minor, bool isGood)
    {
        byte[] text = Encoding.UTF8.GetBytes(Ctf2Text.Payload(("a", Ctf2Text.Unsigned(8))));
        byte[] packets = [.. Packet(text.AsSpan(0, 40), major, minor), .. Packet(text.AsSpan(40), major, minor)];
        if (isGood)
            Assert.Equal("e", MetadataReader.Read(packets).DataStreamClasses[0].EventRecordClasses[0].Name);
        else
            Assert.Throws<CtfMetadataException>(() => MetadataReader.Read(packets));
    }

    private static byte[] Packet(ReadOnlySpan<byte> text, byte major, byte minor)
    {
        var packet = new byte[37 + text.Length];
        BitConverter.TryWriteBytes(packet, 0x75D11D57);
        BitConverter.TryWriteBytes(packet.AsSpan(24), packet.Length * 8);
        BitConverter.TryWriteBytes(packet.AsSpan(28), packet.Length * 8);
        (packet[35], packet[36]) = (major, minor);
        text.CopyTo(packet.AsSpan(37));
        return packet;
    }

    private static void Change(List<byte> bytes, Random random)
    {
        int at = random.Next(bytes.Count);
        int length = Math.Min(random.Next(1, 40), bytes.Count - at);
        switch (random.Next(4))
        {
            case 0:
                bytes[at] = (byte)random.Next(256);
                break;
            case 1:
                bytes.RemoveRange(at, length);
                break;
            case 2:
                bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length));
                break;
            default:
                bytes.InsertRange(at, Encoding.UTF8.GetBytes(s_pieces[random.Next(s_pieces.Length)]));
                break;
        }
    }
}
