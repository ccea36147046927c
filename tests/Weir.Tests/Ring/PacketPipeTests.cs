using System.IO.Pipes;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Weir.Ring;
using Xunit;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Ring;

public sealed class PacketPipeTests : IDisposable
{
    private readonly string _directory = TestRing.NewDirectory();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(BackingKind.Files)]
    [InlineData(BackingKind.MemoryFiles)]
    public void To_a_file(BackingKind kind)
    {
        string path = Path.Combine(_directory, "target");
        byte[] expected;
        using (var target = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write))
            expected = MoveAll(kind, target);
        Assert.Equal(expected, File.ReadAllBytes(path));
    }

    [Fact]
    public async Task To_a_pipe()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        using var end = new AnonymousPipeClientStream(PipeDirection.In, pipe.ClientSafePipeHandle);
        var received = Task.Run(() => ReadToEnd(end), TestContext.Current.CancellationToken);
        byte[] expected = MoveAll(BackingKind.MemoryFiles, pipe.SafePipeHandle);
        pipe.Dispose();
        Assert.Equal(expected, await received);
    }

    [Fact]
    public async Task To_a_socket()
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var address = new UnixDomainSocketEndPoint(Path.Combine(_directory, "socket"));
        listener.Bind(address);
        listener.Listen();
        using var sender = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        sender.Connect(address);
        using var accepted = listener.Accept();
        using var end = new NetworkStream(accepted);
        var received = Task.Run(() => ReadToEnd(end), TestContext.Current.CancellationToken);
        byte[] expected = MoveAll(BackingKind.Files, sender.SafeHandle);
        sender.Shutdown(SocketShutdown.Send);
        Assert.Equal(expected, await received);
    }

    [Fact]
    public void Memory_without_a_file_cannot_be_moved() => Assert.Throws<InvalidOperationException>(() => MoveAll(BackingKind.Anonymous, new Microsoft.Win32.SafeHandles.SafeFileHandle()));

    [Fact]
    public void A_target_that_takes_no_more_is_an_IOException()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        pipe.ClientSafePipeHandle.Dispose();
        Assert.Throws<IOException>(() => MoveAll(BackingKind.MemoryFiles, pipe.SafePipeHandle));
    }

    /// <summary>Fills some packets and moves them; returns what a copy says they are.</summary>
    private unsafe byte[] MoveAll(BackingKind kind, SafeHandle target)
    {
        var ring = RingBuffer<PacketClient<Global, Discard<NoWakeUp>, PlainRecords, NoHooks>>.Create(
            new RingOptions { Backing = new RingBacking(kind, _directory), PacketBytes = 16384, PacketCount = 16 });
        var thread = WriterThread.New();
        byte* payload = stackalloc byte[500];
        for (int i = 0; i < 400; i++)
        {
            new Span<byte>(payload, 500).Fill((byte)i);
            ring.Write(thread, (uint)i, payload, 500);
        }
        WriterThread.Free(thread);
        // A file with a name is not kept open by its ring.
        using var reader = kind == BackingKind.Files ? StreamReader.TryOpen(TestRing.StreamPath(_directory, 0))! : ring.OpenReader(0);
        var expected = new List<byte>();
        var bytes = new byte[reader.PacketBytes];
        while (reader.TryGetComplete(out var packet))
        {
            reader.Copy(packet.SequenceNumber, bytes);
            expected.AddRange(bytes);
            PacketPipe.Move(reader, packet, target);
            reader.Release();
        }
        Assert.True(expected.Count > 10 * reader.PacketBytes);
        GC.KeepAlive(ring);
        return [.. expected];
    }

    private static byte[] ReadToEnd(Stream stream)
    {
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
