using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Weir.Graph;

/// <summary>
/// A connection to LTTng's relay daemon in the part of a viewer (the protocol of version 2.4). Each command is answered before the next is
/// sent:
/// <code>
/// command: size of what follows (u64) | command (u32) | version (u32) | what follows      all numbers big-endian
/// </code>
/// What comes from the daemon is not trusted: counts and sizes are bounded, and memory grows only with the bytes that have come.
/// Not thread-safe.
/// </summary>
internal sealed class ViewerConnection : IDisposable
{
    public const int MaxPacketBytes = 1 << 30;

    private const int MajorVersion = 2;
    private const int MinorVersion = 4;
    private const int HostNameBytes = 64;
    private const int NameBytes = 255;
    private const int PathBytes = 4096;
    private const uint MaxCount = 1 << 16;

    private readonly string _name;
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _numbers = new byte[64];

    private ViewerConnection(string name) => _name = name;

    private enum Command : uint
    {
        Connect = 1,
        ListSessions = 2,
        AttachSession = 3,
        GetNextIndex = 4,
        GetPacket = 5,
        GetMetadata = 6,
        GetNewStreams = 7,
        CreateSession = 8,
        DetachSession = 9,
    }

    /// <summary>Connects, and begins a viewer's session.</summary>
    /// <exception cref="TraceReadException">There is no relay daemon, or it does not speak this protocol.</exception>
    public static ViewerConnection Open(LiveUrl url)
    {
        var connection = new ViewerConnection($"{url.Host}:{url.Port}");
        try
        {
            connection.Greet(url);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The sessions that the daemon has.</summary>
    public List<ViewerSession> ListSessions() => Guard(() =>
    {
        Send(Command.ListSessions);
        uint count = ReadCount("sessions");
        var sessions = new List<ViewerSession>();
        for (uint i = 0; i < count; i++)
        {
            ulong id = ReadUInt64();
            sessions.Add(new ViewerSession(id, ReadUInt32(), ReadUInt32(), ReadUInt32(), ReadText(HostNameBytes), ReadText(NameBytes)));
        }
        return sessions;
    });

    /// <summary>Attaches to a session, from now on, and returns its streams; null where it is no longer there.</summary>
    public List<ViewerStream>? Attach(ulong sessionId) => Guard(() =>
    {
        const uint seekLast = 2;
        Send(Command.AttachSession, 20);
        Write(sessionId, 0UL);
        Write(seekLast);
        uint status = ReadUInt32();
        uint count = ReadUInt32();
        return status switch
        {
            1 => ReadStreams(count),
            3 => null,
            2 => throw Fail("another viewer is attached to the session already"),
            4 => throw Fail("the session is not live: expected one that was created with --live"),
            _ => throw Fail($"the daemon refuses to attach to the session (status {status})"),
        };
    });

    public void Detach(ulong sessionId) => Guard(() =>
    {
        Send(Command.DetachSession, 8);
        Write(sessionId);
        return ReadUInt32();
    });

    /// <summary>Streams that came since; null when the session has been closed.</summary>
    public List<ViewerStream>? GetNewStreams(ulong sessionId) => Guard(() =>
    {
        Send(Command.GetNewStreams, 8);
        Write(sessionId);
        uint status = ReadUInt32();
        uint count = ReadUInt32();
        return status switch
        {
            1 => ReadStreams(count),
            2 => [],
            4 => null,
            _ => throw Fail($"the daemon does not say which streams are new (status {status})"),
        };
    });

    /// <summary>What a stream has next.</summary>
    public ViewerIndex GetNextIndex(ulong streamId) => Guard(() =>
    {
        Send(Command.GetNextIndex, 8);
        Write(streamId);
        ulong offset = ReadUInt64();
        ulong packetBits = ReadUInt64();
        ReadUInt64();
        ReadUInt64();
        ulong endTime = ReadUInt64();
        ReadUInt64();
        ReadUInt64();
        uint status = ReadUInt32();
        var flags = (ViewerFlags)ReadUInt32();
        if (status is 0 or 4 or > 6)
            throw Fail($"the daemon has no index of stream {streamId} (status {status})");
        if (status == (uint)ViewerIndexStatus.Ok && packetBits / 8 is 0 or > MaxPacketBytes)
            throw Fail($"stream {streamId} has a packet of {packetBits} bits: expected at most {MaxPacketBytes} bytes");
        return new ViewerIndex((ViewerIndexStatus)status, flags, offset, packetBits, endTime);
    });

    /// <summary>Reads bytes of a packet into <paramref name="into"/>; false when the daemon wants something else to be asked first, as the flags say.</summary>
    public bool GetPacket(ulong streamId, ulong offset, Span<byte> into, out ViewerFlags flags)
    {
        try
        {
            Send(Command.GetPacket, 20);
            Write(streamId, offset);
            Write((uint)into.Length);
            uint status = ReadUInt32();
            uint length = ReadUInt32();
            flags = (ViewerFlags)ReadUInt32();
            if (status == 1)
            {
                if (length != into.Length)
                    throw Fail($"the daemon sends {length} bytes of a packet of stream {streamId}: expected {into.Length}");
                Receive(into);
                return true;
            }
            if (status == 2 || (status == 3 && flags != 0))
                return false;
            throw Fail($"the daemon has not the packet of stream {streamId} that its index has (status {status})");
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            throw Lost(e);
        }
    }

    /// <summary>Metadata that came since; null when there is none.</summary>
    public byte[]? GetMetadata(ulong streamId) => Guard(() =>
    {
        Send(Command.GetMetadata, 8);
        Write(streamId);
        ulong length = ReadUInt64();
        uint status = ReadUInt32();
        if (status == 2)
            return null;
        if (status != 1)
            throw Fail($"the daemon has not the metadata of stream {streamId} (status {status})");
        if (length > Ctf.MetadataReader.MaxMetadataBytes)
            throw Fail($"the daemon sends {length} bytes of metadata: expected at most {Ctf.MetadataReader.MaxMetadataBytes}");
        return ReceiveGrowing((int)length);
    });

    /// <summary>An error about this connection.</summary>
    public TraceReadException Fail(string problem) => new(_name, -1, problem);

    public void Dispose() => _socket.Dispose();

    private void Greet(LiveUrl url)
    {
        try
        {
            _socket.Connect(url.Host, url.Port);
        }
        catch (SocketException e)
        {
            throw new TraceReadException(_name, -1, "no relay daemon answers here: expected lttng-relayd at its port for viewers", e);
        }
        Guard(() =>
        {
            const uint commands = 1;
            Send(Command.Connect, 20);
            Write(0UL);
            Write(MajorVersion);
            Write(MinorVersion);
            Write(commands);
            ReadUInt64();
            uint major = ReadUInt32();
            uint minor = ReadUInt32();
            ReadUInt32();
            if (major != MajorVersion)
                throw Fail($"the daemon speaks version {major}.{minor} of the viewers' protocol: expected {MajorVersion}.{MinorVersion}");
            Send(Command.CreateSession);
            return ReadUInt32() == 1 ? 0 : throw Fail("the daemon refuses to begin a viewer's session");
        });
    }

    private T Guard<T>(Func<T> exchange)
    {
        try
        {
            return exchange();
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            throw Lost(e);
        }
    }

    private TraceReadException Lost(Exception cause) => new(_name, -1, "the connection to the relay daemon is lost", cause);

    private List<ViewerStream> ReadStreams(uint count)
    {
        if (count > MaxCount)
            throw Fail($"the daemon sends {count} streams: expected at most {MaxCount}");
        var streams = new List<ViewerStream>();
        for (uint i = 0; i < count; i++)
        {
            ulong id = ReadUInt64();
            ulong traceId = ReadUInt64();
            bool isMetadata = ReadUInt32() != 0;
            string path = ReadText(PathBytes);
            streams.Add(new ViewerStream(id, traceId, isMetadata, $"{path}/{ReadText(NameBytes)}"));
        }
        return streams;
    }

    private uint ReadCount(string what)
    {
        uint count = ReadUInt32();
        return count <= MaxCount ? count : throw Fail($"the daemon sends {count} {what}: expected at most {MaxCount}");
    }

    private void Send(Command command, int followingBytes = 0)
    {
        Write((ulong)followingBytes);
        Write((uint)command);
        Write(0U);
    }

    private void Write(params ReadOnlySpan<ulong> values)
    {
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteUInt64BigEndian(_numbers.AsSpan(i * 8), values[i]);
        SendAll(_numbers.AsSpan(0, values.Length * 8));
    }

    private void Write(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_numbers, value);
        SendAll(_numbers.AsSpan(0, 4));
    }

    private void SendAll(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
            bytes = bytes[_socket.Send(bytes)..];
    }

    private ulong ReadUInt64()
    {
        Receive(_numbers.AsSpan(0, 8));
        return BinaryPrimitives.ReadUInt64BigEndian(_numbers);
    }

    private uint ReadUInt32()
    {
        Receive(_numbers.AsSpan(0, 4));
        return BinaryPrimitives.ReadUInt32BigEndian(_numbers);
    }

    private string ReadText(int sizeBytes)
    {
        byte[] bytes = new byte[sizeBytes];
        Receive(bytes);
        int end = Array.IndexOf(bytes, (byte)0);
        return Encoding.UTF8.GetString(bytes, 0, end < 0 ? sizeBytes : end);
    }

    private byte[] ReceiveGrowing(int length)
    {
        const int stepBytes = 1 << 20;
        byte[] bytes = new byte[Math.Min(length, stepBytes)];
        for (int have = 0; have < length;)
        {
            if (have == bytes.Length)
                Array.Resize(ref bytes, (int)Math.Min(length, bytes.Length * 2L));
            Receive(bytes.AsSpan(have));
            have = bytes.Length;
        }
        return bytes;
    }

    private void Receive(Span<byte> into)
    {
        while (into.Length > 0)
        {
            int received = _socket.Receive(into);
            if (received == 0)
                throw new EndOfStreamException("the daemon has closed the connection");
            into = into[received..];
        }
    }
}

/// <summary>A session of a relay daemon.</summary>
internal sealed record ViewerSession(ulong Id, uint LiveTimerUs, uint Clients, uint Streams, string HostName, string Name);

/// <summary>A stream of a session.</summary>
internal sealed record ViewerStream(ulong Id, ulong TraceId, bool IsMetadata, string Name);

/// <summary>What the daemon has to say beside an answer.</summary>
[Flags]
internal enum ViewerFlags : uint
{
    None = 0,

    /// <summary>There is metadata that is needed to read what comes.</summary>
    NewMetadata = 1,

    /// <summary>The session has streams that the viewer does not know yet.</summary>
    NewStream = 2,
}

internal enum ViewerIndexStatus : uint
{
    /// <summary>There is a packet.</summary>
    Ok = 1,

    /// <summary>There is none yet.</summary>
    Retry = 2,

    /// <summary>The stream has been closed.</summary>
    Closed = 3,

    /// <summary>Nothing happened up to a time.</summary>
    Inactive = 5,

    /// <summary>The stream has ended.</summary>
    End = 6,
}

/// <summary>The answer to <see cref="ViewerConnection.GetNextIndex"/>.</summary>
/// <param name="Status">Whether there is a packet.</param>
/// <param name="Flags">What is to be asked first.</param>
/// <param name="OffsetBytes">Where the packet lies in the daemon's file.</param>
/// <param name="PacketBits">Its length with padding.</param>
/// <param name="EndTime">Clock value at its end; of an inactive stream, up to which nothing happened.</param>
internal readonly record struct ViewerIndex(ViewerIndexStatus Status, ViewerFlags Flags, ulong OffsetBytes, ulong PacketBits, ulong EndTime);
