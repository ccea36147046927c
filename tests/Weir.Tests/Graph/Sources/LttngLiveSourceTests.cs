using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weir.Graph;
using Xunit;

namespace Weir.Tests.Graph.Sources;

public class LttngLiveSourceTests
{
    [Theory]
    [InlineData("net://localhost", "localhost", 5344, null, null)]
    [InlineData("net://localhost:9000/", "localhost", 9000, null, null)]
    [InlineData("net4://10.0.0.1:9000/host/web-1/a/b", "10.0.0.1", 9000, "web-1", "a/b")]
    [InlineData("net6://[::1]:1/host/h/s", "::1", 1, "h", "s")]
    [InlineData("net6://[::1]/host/h/s", "::1", 5344, "h", "s")]
    public void Addresses_are_read(string text, string host, int port, string? target, string? session) =>
        Assert.Equal(new LiveUrl(host, port, target, session), LiveUrl.TryParse(text));

    [Theory]
    [InlineData("localhost")]
    [InlineData("http://localhost")]
    [InlineData("net://")]
    [InlineData("net://localhost:0")]
    [InlineData("net://localhost:x")]
    [InlineData("net://localhost/session")]
    [InlineData("net://localhost/host/h")]
    public void What_is_no_address_is_refused(string text) => Assert.Null(LiveUrl.TryParse(text));

    [Fact]
    public void Nobody_at_the_port_is_an_error()
    {
        using var source = Open(FreePort(), "fail");
        var error = Assert.Throws<TraceReadException>(() => Read(source));
        Assert.Contains("no relay daemon answers", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    // Closed at once; another version; a thousand million sessions; an attached session of a thousand million streams.
    [InlineData("")]
    [InlineData("0000000000000001 00000009 00000004 00000001")]
    [InlineData("0000000000000001 00000002 00000004 00000001 00000001 40000000")]
    [InlineData("0000000000000001 00000002 00000004 00000001 00000001 00000001 SESSION 00000001 40000000")]
    // A stream and its metadata: too long; cut short; none at all that is TSDL.
    [InlineData("0000000000000001 00000002 00000004 00000001 00000001 00000001 SESSION 00000001 00000002 STREAM0 STREAM1 7000000000000000 00000001")]
    [InlineData("0000000000000001 00000002 00000004 00000001 00000001 00000001 SESSION 00000001 00000002 STREAM0 STREAM1 0000000004000000 00000001 00")]
    [InlineData("0000000000000001 00000002 00000004 00000001 00000001 00000001 SESSION 00000001 00000002 STREAM0 STREAM1 0000000000000004 00000001 01020304 0000000000000000 00000002")]
    public async Task A_daemon_that_lies_is_an_error(string answers)
    {
        await Serve(answers, source => Assert.Throws<TraceReadException>(() => Read(source)));
    }

    private static async Task Serve(string answers, Action<Source> read)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var daemon = Task.Run(() =>
        {
            using var client = listener.AcceptTcpClient();
            var stream = client.GetStream();
            stream.Write(Bytes(answers));
            client.Client.Shutdown(SocketShutdown.Send);
            // Until the viewer has had enough.
            try
            {
                while (stream.ReadByte() >= 0)
                {
                }
            }
            catch (IOException)
            {
            }
        }, TestContext.Current.CancellationToken);
        using (var source = Open(((IPEndPoint)listener.LocalEndpoint).Port, "fail"))
            read(source);
        await daemon;
    }

    /// <summary>The only stream ends without a packet, then there is another one, which ends like it, then the session does.</summary>
    [Fact]
    public async Task Streams_that_come_when_all_others_have_ended_are_asked_before_they_are_read()
    {
        const string ended = "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000300000000";
        string metadata = Convert.ToHexString("/* CTF 1.8 */ trace { major = 1; minor = 8; byte_order = le; };"u8);
        string answers = $"0000000000000001 00000002 00000004 00000001 00000001 00000001 SESSION 00000001 00000002 STREAM0 STREAM1 "
            + $"{metadata.Length / 2:x16} 00000001 {metadata} 0000000000000000 00000002 {ended} 00000001 00000001 STREAM0 {ended} 00000004 00000000";
        await Serve(answers, source =>
        {
            using var iterator = source.CreateIterator(0);
            Assert.Equal(0, iterator.Next().Count);
        });
    }

    private static Source Open(int port, string missing) => LttngLiveSource.Class.Create(new ComponentContext
    {
        Name = "live",
        Parameters = new JsonObject { ["inputs"] = new JsonArray($"net://127.0.0.1:{port}/host/h/s"), ["session-not-found-action"] = missing },
    });

    private static void Read(Source source)
    {
        using var iterator = source.CreateIterator(0);
        while (iterator.Next().Count > 0)
        {
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static byte[] Bytes(string text)
    {
        var bytes = new List<byte>();
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            switch (word)
            {
                case "SESSION":
                    bytes.AddRange([.. new byte[7], 1, .. new byte[12], (byte)'h', .. new byte[63], (byte)'s', .. new byte[254]]);
                    break;
                case "STREAM0" or "STREAM1":
                    byte[] head = new byte[20];
                    BinaryPrimitives.WriteUInt64BigEndian(head, (ulong)(word[^1] - '0'));
                    head[19] = (byte)(word[^1] - '0');
                    bytes.AddRange([.. head, .. new byte[4096 + 255]]);
                    break;
                default:
                    bytes.AddRange(Convert.FromHexString(word));
                    break;
            }
        }
        return [.. bytes];
    }
}
