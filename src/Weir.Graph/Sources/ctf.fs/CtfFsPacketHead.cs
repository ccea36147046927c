using Microsoft.Win32.SafeHandles;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>Where a packet lies and what it says about itself, its sizes checked against its file.</summary>
internal readonly struct CtfFsPacketHead
{
    public long OffsetBytes { get; init; }

    /// <summary>Bytes of the packet that its file has: fewer than it says when the file was cut, 0 when the packet cannot be read.</summary>
    public long AvailableBytes { get; init; }

    /// <summary>Bits of content; a packet that says none goes on to its file's end.</summary>
    public long ContentBits { get; init; }

    public StreamDecoder? Stream { get; init; }

    public PacketProperties Properties { get; init; }

    /// <summary>What is wrong here, to be said once the events before it were given; null when nothing is.</summary>
    public TraceReadException? Failure { get; init; }

    /// <summary>Checks what a cursor has just read.</summary>
    /// <param name="path">The file.</param>
    /// <param name="fileBytes">Its length.</param>
    /// <param name="offset">Where the packet begins.</param>
    /// <param name="number">Which packet of the file it is, from 0.</param>
    /// <param name="cursor">Has read the header and the context.</param>
    public static CtfFsPacketHead Check(string path, long fileBytes, long offset, long number, PacketCursor cursor)
    {
        var properties = cursor.Properties;
        long restBits = (fileBytes - offset) * 8;
        ulong totalBits = properties.TotalBits ?? properties.ContentBits ?? (ulong)restBits;
        ulong contentBits = properties.ContentBits ?? totalBits;
        string? problem = null;
        if (contentBits > totalBits)
            problem = $"the packet's content takes {contentBits} bits, the packet only {totalBits}";
        else if (totalBits % 8 != 0 && totalBits < (ulong)restBits)
            problem = $"the packet takes {totalBits} bits, which is no whole number of bytes";
        else if (contentBits < (ulong)cursor.PositionBits)
            problem = $"the packet's content takes {contentBits} bits, but its header and context take {cursor.PositionBits}";
        else if (totalBits == 0)
            problem = "the packet has no bits";
        var failure = problem is null ? null : new TraceReadException(path, offset, number, 0, problem);
        if (failure is null && totalBits > (ulong)restBits + 7)
            failure = new TraceReadException(path, fileBytes, number, restBits, $"the file ends {(totalBits / 8) - (ulong)(fileBytes - offset)} bytes before the packet that begins at byte {offset} does");
        return new CtfFsPacketHead
        {
            OffsetBytes = offset,
            AvailableBytes = problem is not null ? 0 : (long)Math.Min((totalBits + 7) / 8, (ulong)(fileBytes - offset)),
            ContentBits = (long)Math.Min(contentBits, long.MaxValue),
            Stream = cursor.Stream,
            Properties = properties,
            Failure = failure,
        };
    }
}

/// <summary>Reads the heads of a file's packets, wherever one begins. Not thread-safe.</summary>
internal sealed unsafe class CtfFsHeadReader : IDisposable
{
    /// <summary>Longest header and context together.</summary>
    public const int MaxHeadBytes = 1 << 20;

    private const int FirstReadBytes = 512;

    private readonly string _path;
    private readonly SafeFileHandle _file;
    private readonly PacketCursor _cursor;
    private byte[] _buffer = new byte[FirstReadBytes];

    public CtfFsHeadReader(string path, TraceDecoder decoder)
    {
        _path = path;
        _cursor = new PacketCursor(decoder);
        _file = CtfFsFile.Open(path);
        FileBytes = RandomAccess.GetLength(_file);
    }

    public long FileBytes { get; }

    /// <summary>The head of the packet that begins at <paramref name="offset"/>; a bad one says so.</summary>
    /// <param name="offset">Where the packet begins.</param>
    /// <param name="number">Which packet of the file it is, from 0.</param>
    public CtfFsPacketHead Read(long offset, long number)
    {
        while (true)
        {
            int read = CtfFsFile.Read(_file, _path, _buffer, offset);
            DecodeStatus status;
            string? problem;
            fixed (byte* start = _buffer)
                status = _cursor.BeginPacket(start, (long)read * 8, out problem, keepsClock: false);
            if (status == DecodeStatus.Done)
                return CtfFsPacketHead.Check(_path, FileBytes, offset, number, _cursor);
            if (status != DecodeStatus.OutOfBytes || read < _buffer.Length || _buffer.Length >= MaxHeadBytes)
                return new CtfFsPacketHead { OffsetBytes = offset, Failure = new TraceReadException(_path, offset, number, 0, problem!) };
            _buffer = new byte[_buffer.Length * 2];
        }
    }

    public void Dispose() => _file.Dispose();
}
