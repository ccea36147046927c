using System.Buffers.Binary;
using System.Text;
using Weir.Ctf;
using Xunit;

namespace Weir.Tests.Ctf;

public class TsdlParserTests
{
    private const string Trace = "/* CTF 1.8 */\ntrace { major = 1; minor = 8; byte_order = le; };\n";

    [Theory]
    [InlineData("event { name = \"x\"; fields := struct { integer { size = 8 } a; }; };", 3, "expected ';'")]
    [InlineData("event {\n name = \"x\";\n fields := struct { nothing a; }; };", 5, "'nothing' is not declared")]
    [InlineData("event {\n name = \"x\";\n fields := struct { string s[4]; string s; }; };", 5, "'s' is used twice")]
    [InlineData("event { name = \"x\"; fields := struct { integer { size = 65; } a; }; };", 3, "1 to 64")]
    [InlineData("event { name = \"x\"; fields := struct { string s[n]; integer { size = 8; } n; }; };", 3, "no field 'n' stands before")]
    [InlineData("event { name = \"x", 3, "has no end")]
    [InlineData("clock { name = x; freq = 0; };", 3, "frequency")]
    [InlineData("/* never closed", 3, "expected '*/'")]
    [InlineData("event { name = x;", 3, "expected '}'")]
    [InlineData("stream { id = 3; };", 3, "no member 'stream_id'")]
    public void An_error_names_its_line_and_what_was_expected(string text, int line, string message)
    {
        var error = Assert.Throws<CtfMetadataException>(() => MetadataReader.Read(Trace + text));
        Assert.Equal(line, error.Line);
        Assert.True(error.Column > 0);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_block_may_use_what_stands_further_down()
    {
        var trace = MetadataReader.Read(
            "/* CTF 1.8 */ event { name = e; fields := struct { u8 a; }; }; typealias integer { size = 8; } := u8;\n"
            + "trace { major = 1; minor = 8; byte_order = be; };");
        var integer = Assert.IsType<IntegerFieldClass>(trace.DataStreamClasses[0].EventRecordClasses[0].Payload!.Members[0].Class);
        Assert.Equal((8, ByteOrder.BigEndian), (integer.SizeBits, integer.ByteOrder));
    }

    [Fact]
    public void Enumerations_count_on_and_merge_labels()
    {
        var trace = MetadataReader.Read(Trace + "event { name = e; fields := struct { enum : integer { size = 8; signed = true; } { A, B = 5, C, A = -3 ... -2, D } x; }; };");
        var mappings = ((IntegerFieldClass)trace.DataStreamClasses[0].EventRecordClasses[0].Payload!.Members[0].Class).Mappings!;
        Assert.Equal(["A", "B", "C", "D"], mappings.Select(mapping => mapping.Label));
        Assert.Equal([new IntegerRange(0), new IntegerRange(-3, -2)], mappings[0].Ranges);
        Assert.Equal([new IntegerRange(6)], mappings[2].Ranges);
        Assert.Equal([new IntegerRange(-1)], mappings[3].Ranges);
    }

    [Fact]
    public void Arrays_nest_as_in_C()
    {
        var trace = MetadataReader.Read(Trace + "event { name = e; fields := struct { string s[2][3]; }; };");
        var outer = Assert.IsType<StaticArrayFieldClass>(trace.DataStreamClasses[0].EventRecordClasses[0].Payload!.Members[0].Class);
        Assert.Equal(2UL, outer.Length);
        Assert.Equal(3UL, Assert.IsType<StaticArrayFieldClass>(outer.Element).Length);
    }

    [Fact]
    public void An_absolute_path_reaches_an_earlier_scope()
    {
        var trace = MetadataReader.Read(Trace
            + "stream { event.context := struct { integer { size = 8; } n; }; };\n"
            + "event { name = e; fields := struct { string s[stream.event.context.n]; string t[n]; }; };");
        var members = trace.DataStreamClasses[0].EventRecordClasses[0].Payload!.Members;
        foreach (var member in members)
            Assert.Equal(new FieldLocation(FieldScope.EventCommonContext, "n"), ((DynamicArrayFieldClass)member.Class).LengthLocation);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Metadata_in_packets_is_read_in_either_byte_order(bool isLittle)
    {
        byte[] text = Encoding.UTF8.GetBytes(Trace + "event { name = \"in packets\"; };");
        var trace = MetadataReader.Read([.. Packet(text[..40], isLittle), .. Packet(text[40..], isLittle)]);
        Assert.Equal("in packets", trace.DataStreamClasses[0].EventRecordClasses[0].Name);
    }

    [Fact]
    public void Hostile_nesting_is_an_error_and_no_crash()
    {
        var deep = new StringBuilder(Trace).Append("event { name = e; fields := ");
        for (int i = 0; i < 100_000; i++)
            deep.Append("struct { ");
        Assert.Throws<CtfMetadataException>(() => MetadataReader.Read(deep.ToString()));
        Assert.Throws<CtfMetadataException>(() => MetadataReader.Read(Trace + "env { x = " + new string('(', 100_000)));
        var doubling = new StringBuilder(Trace).Append("struct s0 { string a; };\n");
        for (int i = 1; i < 60; i++)
            doubling.Append($"struct s{i} {{ struct s{i - 1} a; struct s{i - 1} b; }};\n");
        doubling.Append("event { name = e; fields := struct s59; };");
        Assert.Contains("more than", Assert.Throws<CtfMetadataException>(() => MetadataReader.Read(doubling.ToString())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Changed_bytes_give_an_error_or_a_schema_and_nothing_else()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        byte[] good = Encoding.UTF8.GetBytes(TsdlWriter.Write(new LttngTraceBuilder().Trace));
        for (int i = 0; i < 2000; i++)
        {
            byte[] bad = i % 2 == 0 ? [.. good] : good[..random.Next(good.Length)];
            for (int changes = random.Next(4); changes >= 0 && bad.Length > 20; changes--)
                bad[random.Next(14, bad.Length)] = (byte)random.Next(256);
            var error = Record.Exception(() => MetadataReader.Read(bad));
            Assert.True(error is null or CtfMetadataException, $"seed {seed}, round {i}: {error}");
        }
    }

    private static byte[] Packet(byte[] text, bool isLittle)
    {
        var packet = new byte[37 + text.Length + 3];
        Write(0, 0x75D11D57);
        Write(24, (uint)(37 + text.Length) * 8);
        Write(28, (uint)packet.Length * 8);
        packet[35] = 1;
        packet[36] = 8;
        text.CopyTo(packet, 37);
        return packet;

        void Write(int offset, uint value)
        {
            if (isLittle)
                BinaryPrimitives.WriteUInt32LittleEndian(packet.AsSpan(offset), value);
            else
                BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(offset), value);
        }
    }
}
