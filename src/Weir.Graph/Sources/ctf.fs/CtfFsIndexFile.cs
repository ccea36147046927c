using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// Index files as LTTng writes them (CTFI 1.0 and 1.1), beside a trace in <c>index/</c> or, of our own making, in a cache. All numbers are
/// big-endian.
/// <code>
/// head    0 magic 0xC1F1DCC1   4 major   8 minor   12 bytes of an entry
/// entry   0 offset, bytes   8 packet, bits   16 content, bits   24 begin, cycles   32 end, cycles   40 events discarded   48 stream class
///        56 stream   64 packet's number (both since 1.1)
/// </code>
/// What they say is checked, for anybody can write one: packets follow each other without a gap and end where the file does, and the first and
/// the last of them have the heads that the index says.
/// </summary>
internal static class CtfFsIndexFile
{
    /// <summary>A file of fewer packets is scanned faster than its index is worth.</summary>
    public const int LeastCachedPackets = 2000;

    private const uint Magic = 0xC1F1DCC1;
    private const int HeadBytes = 16;
    private const int LeastEntryBytes = 56;
    private const int OwnEntryBytes = 72;
    private const long MaxCacheBytes = 256L << 20;

    /// <summary>The index of a file: LTTng's, ours, or made by reading all heads. It may be empty.</summary>
    /// <param name="path">The stream file.</param>
    /// <param name="stream">The stream that it is of.</param>
    /// <param name="options">Where indexes are kept.</param>
    /// <param name="range">What will be looked for: there, an index file is compared with its stream file.</param>
    public static CtfFsIndex Load(string path, DataStream stream, CtfFsOptions options, TimeRange? range)
    {
        using var reader = new CtfFsHeadReader(path, stream.Trace.Decoder);
        string? cached = options.IndexCacheDirectory is { } directory ? Path.Combine(directory, CacheKey(path)) : null;
        foreach (string? candidate in new[] { Beside(path), cached })
        {
            if (TryRead(candidate, path, reader.FileBytes, options) is not { } found)
                continue;
            if (Check(found, reader, stream, range) is { } problem)
            {
                Refuse(options, candidate!, problem);
                continue;
            }
            // A tracer writes the index after the packets.
            found.Scan(reader);
            return found;
        }
        var index = new CtfFsIndex(path, reader.FileBytes);
        index.Scan(reader);
        if (cached is not null && index.Count >= LeastCachedPackets && index.EndBytes == index.FileBytes)
            Write(cached, index);
        return index;
    }

    /// <summary>The first packet behind an offset that the tracer's index knows and that is one.</summary>
    public static (long OffsetBytes, long Number)? FindNextPacket(string path, long offsetBytes, TraceDecoder decoder, CtfFsOptions options)
    {
        using var reader = new CtfFsHeadReader(path, decoder);
        if (TryRead(Beside(path), path, reader.FileBytes, options) is not { } index)
            return null;
        for (int i = 0; i < index.Count; i++)
        {
            if (index[i].OffsetBytes > offsetBytes && CheckPacket(index, reader, i) is null)
                return (index[i].OffsetBytes, i);
        }
        return null;
    }

    private static string Beside(string path) => Path.Combine(Path.GetDirectoryName(path)!, "index", Path.GetFileName(path) + ".idx");

    private static CtfFsIndex? TryRead(string? indexPath, string path, long fileBytes, CtfFsOptions options)
    {
        try
        {
            if (!File.Exists(indexPath))
                return null;
            using var file = new FileStream(indexPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);
            var index = new CtfFsIndex(path, fileBytes);
            if (Fill(index, file) is not { } problem)
                return index;
            Refuse(options, indexPath, problem);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Refuse(options, indexPath!, e.Message);
        }
        return null;
    }

    private static void Refuse(CtfFsOptions options, string indexPath, string problem) =>
        options.Warn?.Invoke($"{indexPath}: this index does not fit its stream file, whose packets are read instead: {problem}");

    /// <summary>Reads the entries; returns what is wrong with them, or null.</summary>
    private static string? Fill(CtfFsIndex index, FileStream file)
    {
        Span<byte> head = stackalloc byte[HeadBytes];
        if (file.ReadAtLeast(head, HeadBytes, throwOnEndOfStream: false) < HeadBytes)
            return "it has no head";
        if (Word(head, 0) != Magic || Word(head, 4) != 1)
            return "expected the magic number 0xC1F1DCC1 and version 1";
        uint entryBytes = Word(head, 12);
        if (entryBytes < LeastEntryBytes || entryBytes > 4096 || (file.Length - HeadBytes) % entryBytes != 0)
            return $"it is no whole number of entries of {entryBytes} bytes";
        var entry = new byte[entryBytes];
        while (file.ReadAtLeast(entry, entry.Length, throwOnEndOfStream: false) == entry.Length)
        {
            ulong offset = Long(entry, 0);
            ulong packetBits = Long(entry, 8);
            ulong begin = Long(entry, 24);
            ulong end = Long(entry, 32);
            if (offset != (ulong)index.EndBytes || packetBits == 0 || packetBits % 8 != 0 || packetBits / 8 > (ulong)(index.FileBytes - index.EndBytes))
                return $"packet {index.Count} should begin at byte {index.EndBytes} and end in the file, but has offset {offset} and {packetBits} bits";
            if (Long(entry, 16) > packetBits)
                return $"packet {index.Count} has more content than bits";
            index.Add(new CtfFsIndexEntry((long)offset, begin, end >= begin ? end : CtfFsIndexEntry.NoEnd));
            index.EndBytes += (long)(packetBits / 8);
        }
        return null;
    }

    /// <summary>Compares the packets at the ends of the file and of the range with what they say themselves.</summary>
    private static string? Check(CtfFsIndex index, CtfFsHeadReader reader, DataStream stream, TimeRange? range)
    {
        if (index.Count == 0)
            return null;
        int first = 0;
        int last = index.Count - 1;
        if (range is { } wanted)
        {
            while (first < last && index[first].EndTime != CtfFsIndexEntry.NoEnd && stream.ToNanoseconds(index[first].EndTime) < wanted.BeginNs)
                first++;
            for (int i = first; i < last; i++)
            {
                if (stream.ToNanoseconds(index[i].BeginTime) > wanted.EndNs)
                    last = i;
            }
        }
        foreach (int number in new[] { 0, Math.Max(0, first - 1), first, last, index.Count - 1 })
        {
            if (CheckPacket(index, reader, number) is { } problem)
                return problem;
        }
        return null;
    }

    /// <summary>Compares an entry with the packet's own head; returns the difference, or null.</summary>
    private static string? CheckPacket(CtfFsIndex index, CtfFsHeadReader reader, int number)
    {
        ref readonly var entry = ref index[number];
        var head = reader.Read(entry.OffsetBytes, number);
        if (head.AvailableBytes == 0)
            return $"no packet begins at byte {entry.OffsetBytes}: {head.Failure!.Message}";
        if (head.OffsetBytes + head.AvailableBytes != index.EndOf(number))
            return $"packet {number} ends at byte {head.OffsetBytes + head.AvailableBytes}, not {index.EndOf(number)}";
        if (head.Properties.BeginTime is { } begin && begin != entry.BeginTime)
            return $"packet {number} begins at {begin} cycles, not {entry.BeginTime}";
        if (head.Properties.EndTime is { } end && entry.EndTime != CtfFsIndexEntry.NoEnd && end != entry.EndTime)
            return $"packet {number} ends at {end} cycles, not {entry.EndTime}";
        return null;
    }

    /// <summary>Another file, or another content, has another key.</summary>
    private static string CacheKey(string path)
    {
        var file = new FileInfo(path);
        var metadata = new FileInfo(Path.Combine(file.DirectoryName!, CtfFsTrace.MetadataFileName));
        string text = string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"{file.FullName}\0{file.Length}\0{file.LastWriteTimeUtc.Ticks}\0{metadata.Length}\0{metadata.LastWriteTimeUtc.Ticks}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16)) + ".idx";
    }

    /// <summary>Keeps an index; a cache that cannot be written is no cache.</summary>
    private static void Write(string path, CtfFsIndex index)
    {
        string temporary = $"{path}.{Environment.ProcessId}-{Environment.CurrentManagedThreadId}";
        try
        {
            string directory = Path.GetDirectoryName(path)!;
            Directory.CreateDirectory(directory);
            MakeRoom(directory, HeadBytes + ((long)index.Count * OwnEntryBytes));
            using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.Read, 1 << 16))
                WriteTo(file, index);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            try
            {
                File.Delete(temporary);
            }
            catch (Exception again) when (again is IOException or UnauthorizedAccessException)
            {
            }
        }
    }

    /// <summary>Writes an index that LTTng's readers take, except that it says nothing of contents, losses and IDs.</summary>
    private static void WriteTo(FileStream file, CtfFsIndex index)
    {
        Span<byte> head = stackalloc byte[HeadBytes];
        BinaryPrimitives.WriteUInt32BigEndian(head, Magic);
        BinaryPrimitives.WriteUInt32BigEndian(head[4..], 1);
        BinaryPrimitives.WriteUInt32BigEndian(head[8..], 1);
        BinaryPrimitives.WriteUInt32BigEndian(head[12..], OwnEntryBytes);
        file.Write(head);
        Span<byte> entry = stackalloc byte[OwnEntryBytes];
        entry.Clear();
        for (int i = 0; i < index.Count; i++)
        {
            ref readonly var packet = ref index[i];
            ulong bits = (ulong)(index.EndOf(i) - packet.OffsetBytes) * 8;
            BinaryPrimitives.WriteUInt64BigEndian(entry, (ulong)packet.OffsetBytes);
            BinaryPrimitives.WriteUInt64BigEndian(entry[8..], bits);
            BinaryPrimitives.WriteUInt64BigEndian(entry[16..], bits);
            BinaryPrimitives.WriteUInt64BigEndian(entry[24..], packet.BeginTime);
            BinaryPrimitives.WriteUInt64BigEndian(entry[32..], packet.EndTime);
            BinaryPrimitives.WriteUInt64BigEndian(entry[64..], (ulong)i);
            file.Write(entry);
        }
    }

    /// <summary>Deletes the indexes that were not used for longest, until another fits.</summary>
    private static void MakeRoom(string directory, long bytes)
    {
        var files = new DirectoryInfo(directory).GetFiles("*.idx");
        long total = bytes;
        foreach (var file in files)
            total += file.Length;
        if (total <= MaxCacheBytes)
            return;
        Array.Sort(files, (left, right) => left.LastAccessTimeUtc.CompareTo(right.LastAccessTimeUtc));
        foreach (var file in files)
        {
            if (total <= MaxCacheBytes)
                break;
            total -= file.Length;
            file.Delete();
        }
    }

    private static uint Word(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32BigEndian(bytes[offset..]);

    private static ulong Long(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt64BigEndian(bytes[offset..]);
}
