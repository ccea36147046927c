using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using Weir.Graph;
using Weir.Tests.Ctf;
using Xunit;

namespace Weir.Tests.Graph;

public class CtfFsQueriesTests
{
    [Theory]
    [InlineData("trace { major = 1; };\n", 0, "/* CTF 1.8 */\n\ntrace { major = 1; };\n")]
    [InlineData("/* CTF 1.8 */\ntrace { };", 0, "/* CTF 1.8 */\ntrace { };")]
    [InlineData("trace { major = 1; };\n", 1, "/* CTF 1.8 */\n\ntrace { major = 1; };\n")]
    [InlineData("\x1e{}\n", 0, "\x1e{}\n")]
    [InlineData("\x1e{}\n", 2, "\x1e{}\n")]
    public void The_text_of_metadata_could_stand_in_a_file_of_its_own(string text, int packetVersion, string expected)
    {
        string directory = Directory.CreateDirectory(LttngTraceBuilder.NewDirectory()).FullName;
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        File.WriteAllBytes(Path.Combine(directory, "metadata"), packetVersion == 0 ? bytes : Packetize(bytes, packetVersion));
        var answer = CtfFsSource.Class.Query!("metadata-info", new JsonObject { ["path"] = directory })!;
        Assert.Equal(expected, answer["text"]!.GetValue<string>());
        Assert.Equal(packetVersion != 0, answer["is-packetized"]!.GetValue<bool>());
    }

    /// <summary>Two packets of metadata with padding (CTF 1.8, section 7.1).</summary>
    private static byte[] Packetize(byte[] text, int version)
    {
        int half = text.Length / 2;
        return [.. Packet(text.AsSpan(0, half), version), .. Packet(text.AsSpan(half), version)];
    }

    private static byte[] Packet(ReadOnlySpan<byte> text, int version)
    {
        const int HeaderBytes = 37;
        var packet = new byte[HeaderBytes + text.Length + 11];
        BinaryPrimitives.WriteUInt32LittleEndian(packet, 0x75D11D57);
        BinaryPrimitives.WriteInt32LittleEndian(packet.AsSpan(24), (HeaderBytes + text.Length) * 8);
        BinaryPrimitives.WriteInt32LittleEndian(packet.AsSpan(28), packet.Length * 8);
        packet[35] = (byte)version;
        packet[36] = (byte)(version == 1 ? 8 : 0);
        text.CopyTo(packet.AsSpan(HeaderBytes));
        return packet;
    }
}
