using Microsoft.Win32.SafeHandles;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>Where a packet lies and what it says; or where a file cannot be read further.</summary>
internal sealed class CtfFsPacketEntry
{
    public required string Path { get; init; }

    public long OffsetBytes { get; init; }

    /// <summary>Bytes of the packet that its file has: fewer than it says when the file was cut.</summary>
    public long AvailableBytes { get; init; }

    /// <summary>Bits of content, checked against the packet's length; a packet that says none goes on to its file's end.</summary>
    public long ContentBits { get; init; }

    public StreamDecoder? Stream { get; init; }

    public PacketProperties Properties { get; init; }

    /// <summary>What is wrong here, to be said once the events before it were given; null when nothing is.</summary>
    public TraceReadException? Failure { get; set; }
}

/// <summary>Finds the packets of stream files by their headers and contexts.</summary>
internal static unsafe class CtfFsIndex
{
    private const int FirstReadBytes = 4096;
    private const int MaxHeaderBytes = 1 << 20;

    /// <summary>The packets of a file, in the file's order; at least one entry. A bad place ends the list with an entry that says so.</summary>
    public static List<CtfFsPacketEntry> Build(string path, TraceDecoder decoder)
    {
        using var file = CtfFsFile.Open(path);
        long fileBytes = RandomAccess.GetLength(file);
        var entries = new List<CtfFsPacketEntry>();
        var cursor = new PacketCursor(decoder);
        var buffer = new byte[FirstReadBytes];
        for (long offset = 0; offset < fileBytes || entries.Count == 0;)
        {
            var entry = ReadEntry(path, file, fileBytes, offset, cursor, ref buffer);
            entries.Add(entry);
            if (entry.Failure is not null)
                break;
            offset += entry.AvailableBytes;
        }
        return entries;
    }

    /// <summary>Merges another file's packets into those of its stream, in the order of time, each packet once.</summary>
    public static void Merge(List<CtfFsPacketEntry> into, List<CtfFsPacketEntry> packets)
    {
        foreach (var packet in packets)
        {
            ulong begin = packet.Properties.BeginTime ?? into[^1].Properties.BeginTime.GetValueOrDefault();
            int at = into.Count;
            while (at > 0 && into[at - 1].Properties.BeginTime.GetValueOrDefault() >= begin)
                at--;
            // Snapshots that overlap hold the same packet twice.
            if (at < into.Count && packet.Failure is null && into[at].Properties == packet.Properties)
                continue;
            if (packet.Stream is null)
                at = into.Count;
            into.Insert(at, packet);
        }
    }

    /// <summary>All packets of a stream are of one data stream class, and have one ID.</summary>
    public static void CheckIds(List<CtfFsPacketEntry> packets)
    {
        var first = packets[0];
        foreach (var packet in packets)
        {
            if (packet.Stream is null)
                continue;
            if (packet.Stream != first.Stream)
                packet.Failure ??= new TraceReadException(packet.Path, packet.OffsetBytes, $"this packet is of stream {packet.Stream.Class.Id}, those before are of stream {first.Stream!.Class.Id}");
            else if (packet.Properties.StreamId != first.Properties.StreamId)
                packet.Failure ??= new TraceReadException(packet.Path, packet.OffsetBytes, $"this packet has the stream instance ID {packet.Properties.StreamId}, those before have {first.Properties.StreamId}");
        }
    }

    private static CtfFsPacketEntry ReadEntry(
        string path, SafeFileHandle file, long fileBytes, long offset, PacketCursor cursor, ref byte[] buffer)
    {
        while (true)
        {
            int read = CtfFsFile.Read(file, path, buffer, offset);
            DecodeStatus status;
            string? problem;
            fixed (byte* start = buffer)
                status = cursor.BeginPacket(start, (long)read * 8, out problem, keepsClock: false);
            if (status == DecodeStatus.Done)
                return CheckSizes(path, fileBytes, offset, cursor);
            if (status == DecodeStatus.OutOfBytes && read == buffer.Length && buffer.Length < MaxHeaderBytes)
            {
                buffer = new byte[buffer.Length * 2];
                continue;
            }
            return new CtfFsPacketEntry { Path = path, OffsetBytes = offset, Failure = new TraceReadException(path, offset, problem!) };
        }
    }

    private static CtfFsPacketEntry CheckSizes(string path, long fileBytes, long offset, PacketCursor cursor)
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
        var failure = problem is null ? null : new TraceReadException(path, offset, problem);
        if (failure is null && totalBits > (ulong)restBits + 7)
            failure = new TraceReadException(path, fileBytes, $"the file ends {(totalBits / 8) - (ulong)(fileBytes - offset)} bytes before the packet that begins at byte {offset} does");
        return new CtfFsPacketEntry
        {
            Path = path,
            OffsetBytes = offset,
            AvailableBytes = problem is not null ? 0 : (long)Math.Min((totalBits + 7) / 8, (ulong)(fileBytes - offset)),
            ContentBits = (long)Math.Min(contentBits, long.MaxValue),
            Stream = cursor.Stream,
            Properties = properties,
            Failure = failure,
        };
    }
}

/// <summary>Files of a trace, opened and read with errors that name them.</summary>
internal static class CtfFsFile
{
    public static SafeFileHandle Open(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TraceReadException(path, -1, "this file cannot be opened", e);
        }
    }

    /// <summary>Reads until the buffer is full or the file ends.</summary>
    public static int Read(SafeFileHandle file, string path, Span<byte> buffer, long offset)
    {
        try
        {
            int total = 0;
            while (total < buffer.Length)
            {
                int read = RandomAccess.Read(file, buffer[total..], offset + total);
                if (read == 0)
                    break;
                total += read;
            }
            return total;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TraceReadException(path, offset, "this file cannot be read", e);
        }
    }
}
