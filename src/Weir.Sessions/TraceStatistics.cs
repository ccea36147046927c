using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Weir.Ctf;
using Weir.Ring;

namespace Weir.Sessions;

/// <summary>How often one event is in a trace, and how large it is there.</summary>
/// <param name="Name">The event's name, provider included.</param>
/// <param name="Count">Records.</param>
/// <param name="Bytes">Their bytes, heads included.</param>
public readonly record struct EventStatistics(string Name, ulong Count, ulong Bytes);

/// <summary>What a recorded trace holds, counted by walking its packets.</summary>
public sealed unsafe class TraceStatistics
{
    private readonly Dictionary<string, EventStatistics> _byName = [];
    private readonly List<string> _problems = [];

    /// <summary>Each event that is there, by name.</summary>
    public IReadOnlyList<EventStatistics> Events => [.. _byName.Values.OrderBy(item => item.Name, StringComparer.Ordinal)];

    /// <summary>All records.</summary>
    public ulong Count { get; private set; }

    /// <summary>Bytes of all records.</summary>
    public ulong RecordBytes { get; private set; }

    /// <summary>Bytes of the stream files.</summary>
    public long FileBytes { get; private set; }

    /// <summary>What could not be counted and why, a sentence for each file.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Counts the traces that a recording has written, as far as they can be read.</summary>
    public static TraceStatistics Of(IEnumerable<string> traceDirectories)
    {
        var statistics = new TraceStatistics();
        foreach (string directory in traceDirectories)
        {
            string metadata = Path.Combine(directory, "metadata");
            if (!File.Exists(metadata))
                continue;
            statistics.Try(metadata, () =>
            {
                var trace = new TraceDecoder(MetadataReader.Read(File.ReadAllBytes(metadata)));
                foreach (string path in Directory.GetFiles(directory, "stream_*"))
                    statistics.Try(path, () => statistics.AddStream(trace, path));
            });
        }
        return statistics;
    }

    /// <summary>Adds what a part of the recording has counted itself.</summary>
    internal void Add(RecordingPartResult part)
    {
        foreach (var item in part.Events)
            Add(item.Name, item.Count, item.Bytes);
        FileBytes += part.FileBytes;
    }

    private void Try(string path, Action read)
    {
        try
        {
            read();
        }
        catch (Exception e) when (e is CtfException or IOException or UnauthorizedAccessException)
        {
            _problems.Add(e.Message.Contains(path, StringComparison.Ordinal) ? e.Message : $"{path}: {e.Message}");
        }
    }

    private void AddStream(TraceDecoder trace, string path)
    {
        using var file = File.OpenHandle(path);
        long length = RandomAccess.GetLength(file);
        FileBytes += length;
        var cursor = new PacketCursor(trace);
        var counts = new Dictionary<EventDecoder, (ulong Count, ulong Bytes)>();
        try
        {
            WalkFile(file, length, cursor, counts, path);
        }
        finally
        {
            // What precedes the trouble is there.
            Add(counts);
        }
    }

    private void Add(Dictionary<EventDecoder, (ulong Count, ulong Bytes)> counts)
    {
        foreach (var (decoder, (count, bytes)) in counts)
        {
            Add(decoder.Class.Name ?? "", count, bytes);
        }
    }

    private void Add(string name, ulong count, ulong bytes)
    {
        var known = _byName.GetValueOrDefault(name);
        _byName[name] = new EventStatistics(name, known.Count + count, known.Bytes + bytes);
        Count += count;
        RecordBytes += bytes;
    }

    private static void WalkFile(
        SafeFileHandle file, long length, PacketCursor cursor, Dictionary<EventDecoder, (ulong Count, ulong Bytes)> counts, string path)
    {
        byte[] buffer = [];
        Span<byte> head = stackalloc byte[PacketLayout.Records];
        for (long offset = 0; offset < length;)
        {
            long packetBytes = RandomAccess.Read(file, head, offset) == head.Length
                ? (long)(BitConverter.ToUInt64(head[PacketLayout.PacketSize..]) / 8)
                : 0;
            if (packetBytes < PacketLayout.Records || packetBytes > Math.Min(length - offset, StreamLayout.MaxPacketBytes))
                throw new CtfException($"{path}: offset {offset}: a packet of {packetBytes} bytes cannot be here");
            if (buffer.Length < packetBytes)
                buffer = new byte[packetBytes];
            if (RandomAccess.Read(file, buffer.AsSpan(0, (int)packetBytes), offset) != packetBytes)
                throw new CtfException($"{path}: offset {offset}: the file ends inside a packet");
            WalkPacket(cursor, buffer.AsSpan(0, (int)packetBytes), counts, path, offset);
            offset += packetBytes;
        }
    }

    private static void WalkPacket(
        PacketCursor cursor, Span<byte> packet, Dictionary<EventDecoder, (ulong Count, ulong Bytes)> counts, string path, long offset)
    {
        fixed (byte* start = packet)
        {
            long limit = packet.Length * 8L;
            if (cursor.BeginPacket(start, limit, out string? problem) != DecodeStatus.Done)
                throw new CtfException($"{path}: offset {offset}: {problem}");
            var record = default(EventRecord);
            DecodeStatus status;
            while ((status = cursor.MoveNext(start, limit, ref record)) == DecodeStatus.Done)
            {
                ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(counts, record.Decoder, out _);
                count.Count++;
                count.Bytes += (ulong)record.LengthBytes;
            }
            if (status != DecodeStatus.EndOfPacket)
                throw new CtfException($"{path}: offset {offset + (cursor.PositionBits >> 3)}: {cursor.Explain(status, "the event", start, limit)}");
        }
    }
}
