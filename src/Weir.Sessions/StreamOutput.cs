using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Weir.Ring;

namespace Weir.Sessions;

/// <summary>
/// One stream file of a trace, and its index beside it as LTTng writes it. The kernel copies packets from the
/// buffer's pages; no byte of an event is looked at here. Either a whole packet is in the file or none of it.
/// </summary>
internal sealed class StreamOutput : IDisposable
{
    // The index: big-endian, whatever the trace's byte order. Header: magic, version 1.1, bytes of an entry.
    private const uint IndexMagic = 0xC1F1DCC1;
    private const int IndexHeaderBytes = 16;
    private const int IndexEntryBytes = 9 * sizeof(ulong);

    private readonly string _path;
    private readonly SafeFileHandle _file;
    private readonly SafeFileHandle _index;
    private long _lengthBytes;
    private long _indexBytes = IndexHeaderBytes;

    /// <exception cref="IOException">The files cannot be made.</exception>
    public StreamOutput(string traceDirectory, string name)
    {
        string indexDirectory = Path.Combine(traceDirectory, "index");
        _path = Path.Combine(traceDirectory, name);
        Directory.CreateDirectory(indexDirectory);
        _file = File.OpenHandle(_path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        try
        {
            _index = CreateIndex(Path.Combine(indexDirectory, name + ".idx"));
        }
        catch
        {
            // There may be room for both later.
            _file.Dispose();
            File.Delete(_path);
            throw;
        }
    }

    /// <summary>Bytes that were appended.</summary>
    public long LengthBytes => _lengthBytes;

    /// <summary>Whether the file still has its name and all that was appended.</summary>
    public bool IsThere => new FileInfo(_path) is { Exists: true } file && file.Length >= _lengthBytes;

    /// <summary>The end of the last packet.</summary>
    public ulong LastEnd { get; private set; }

    /// <summary>The losses that the last packet tells.</summary>
    public ulong LastDiscarded { get; private set; }

    /// <summary>Appends a packet that lies in a buffer.</summary>
    /// <param name="source">The stream.</param>
    /// <param name="packet">The packet.</param>
    /// <param name="head">Its head, for the index.</param>
    /// <exception cref="IOException">There is no room, or the file cannot be written; nothing was appended.</exception>
    /// <exception cref="InvalidDataException">The packet is not all there; nothing was appended.</exception>
    public void Append(Ring.StreamReader source, in PendingPacket packet, ReadOnlySpan<byte> head)
    {
        try
        {
            PacketPipe.Write(source, packet, _file, _lengthBytes);
            Complete(head, packet.LengthBytes);
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            TakeBack();
            throw;
        }
    }

    /// <summary>Appends a packet that lies in memory.</summary>
    /// <exception cref="IOException">There is no room, or the file cannot be written; nothing was appended.</exception>
    public void Append(ReadOnlySpan<byte> packet)
    {
        try
        {
            RandomAccess.Write(_file, packet, _lengthBytes);
            Complete(packet, packet.Length);
        }
        catch (IOException)
        {
            TakeBack();
            throw;
        }
    }

    public void Dispose()
    {
        _file.Dispose();
        _index.Dispose();
    }

    private static SafeFileHandle CreateIndex(string path)
    {
        var index = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        Span<byte> header = stackalloc byte[IndexHeaderBytes];
        BinaryPrimitives.WriteUInt32BigEndian(header, IndexMagic);
        BinaryPrimitives.WriteUInt32BigEndian(header[4..], 1);
        BinaryPrimitives.WriteUInt32BigEndian(header[8..], 1);
        BinaryPrimitives.WriteUInt32BigEndian(header[12..], IndexEntryBytes);
        try
        {
            RandomAccess.Write(index, header, 0);
            return index;
        }
        catch
        {
            index.Dispose();
            File.Delete(path);
            throw;
        }
    }

    private void Complete(ReadOnlySpan<byte> head, int lengthBytes)
    {
        Span<byte> entry = stackalloc byte[IndexEntryBytes];
        BinaryPrimitives.WriteInt64BigEndian(entry, _lengthBytes);
        Copy(head, PacketLayout.PacketSize, entry[8..]);
        Copy(head, PacketLayout.ContentSize, entry[16..]);
        Copy(head, PacketLayout.TimestampBegin, entry[24..]);
        Copy(head, PacketLayout.TimestampEnd, entry[32..]);
        Copy(head, PacketLayout.EventsDiscarded, entry[40..]);
        BinaryPrimitives.WriteUInt64BigEndian(entry[48..], BinaryPrimitives.ReadUInt32LittleEndian(head[PacketLayout.StreamId..]));
        Copy(head, PacketLayout.StreamInstanceId, entry[56..]);
        Copy(head, PacketLayout.SequenceNumber, entry[64..]);
        RandomAccess.Write(_index, entry, _indexBytes);
        _indexBytes += IndexEntryBytes;
        _lengthBytes += lengthBytes;
        LastEnd = BinaryPrimitives.ReadUInt64LittleEndian(head[PacketLayout.TimestampEnd..]);
        LastDiscarded = BinaryPrimitives.ReadUInt64LittleEndian(head[PacketLayout.EventsDiscarded..]);
    }

    private static void Copy(ReadOnlySpan<byte> head, int offset, Span<byte> target) =>
        BinaryPrimitives.WriteUInt64BigEndian(target, BinaryPrimitives.ReadUInt64LittleEndian(head[offset..]));

    /// <summary>Cuts off what a failed append has left.</summary>
    private void TakeBack()
    {
        try
        {
            RandomAccess.SetLength(_file, _lengthBytes);
            RandomAccess.SetLength(_index, _indexBytes);
        }
        catch (IOException)
        {
            // Then a torn packet stays at the end, and readers say so.
        }
    }
}
