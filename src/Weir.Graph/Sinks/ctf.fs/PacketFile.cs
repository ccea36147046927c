using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Weir.Graph;

/// <summary>What an index says of a packet beside its place.</summary>
internal readonly record struct PacketFacts(
    ulong PacketBits, ulong ContentBits, ulong BeginTime, ulong EndTime, ulong DiscardedEvents, ulong StreamClassId, ulong StreamId, ulong SequenceNumber);

/// <summary>
/// A stream's file and its index, as LTTng writes them:
/// <code>
/// index header     0 magic 0xC1F1DCC1 | 4 major 1 | 8 minor 1 | 12 length of an entry               (big-endian, 4 bytes each)
/// index entry      0 offset in the file, bytes | 8 packet size, bits | 16 content size, bits | 24 begin | 32 end
///                 40 events discarded | 48 stream ID | 56 stream instance ID | 64 sequence number   (big-endian, 8 bytes each)
/// </code>
/// A packet that could not be written whole is cut off again.
/// </summary>
internal sealed class PacketFile : IDisposable
{
    private const uint IndexMagic = 0xC1F1DCC1;
    private const int IndexHeaderBytes = 16;
    private const int IndexEntryBytes = 72;

    private readonly SafeFileHandle _file;
    private readonly SafeFileHandle? _index;
    private long _packetOffset;
    private long _writtenBytes;
    private long _indexBytes;
    private TraceWriteException? _failure;

    /// <exception cref="TraceWriteException">The files cannot be made.</exception>
    public PacketFile(string traceDirectory, string name, bool hasIndex)
    {
        Path = System.IO.Path.Combine(traceDirectory, name);
        _file = Create(Path);
        if (!hasIndex)
            return;
        string directory = System.IO.Path.Combine(traceDirectory, "index");
        CtfFsTraceOutput.CreateDirectory(directory);
        _index = Create(System.IO.Path.Combine(directory, name + ".idx"));
        Span<byte> header = stackalloc byte[IndexHeaderBytes];
        BinaryPrimitives.WriteUInt32BigEndian(header, IndexMagic);
        BinaryPrimitives.WriteUInt32BigEndian(header[4..], 1);
        BinaryPrimitives.WriteUInt32BigEndian(header[8..], 1);
        BinaryPrimitives.WriteUInt32BigEndian(header[12..], IndexEntryBytes);
        Write(_index, header, 0);
        _indexBytes = IndexHeaderBytes;
    }

    /// <summary>The stream's file.</summary>
    public string Path { get; }

    /// <summary>Appends bytes of the packet that is being written.</summary>
    /// <exception cref="TraceWriteException">There is no room; the packet is cut off.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        Write(_file, bytes, _packetOffset + _writtenBytes);
        _writtenBytes += bytes.Length;
    }

    /// <summary>Writes over the beginning of the packet that is being written.</summary>
    /// <exception cref="TraceWriteException">The file cannot be written; the packet is cut off.</exception>
    public void OverwriteHead(ReadOnlySpan<byte> head) => Write(_file, head, _packetOffset);

    /// <summary>Ends the packet that is being written.</summary>
    /// <exception cref="TraceWriteException">There is no room for its entry in the index.</exception>
    public void EndPacket(in PacketFacts facts)
    {
        if (_index is not null)
        {
            Span<byte> entry = stackalloc byte[IndexEntryBytes];
            BinaryPrimitives.WriteInt64BigEndian(entry, _packetOffset);
            int at = 8;
            foreach (ulong fact in (ReadOnlySpan<ulong>)[facts.PacketBits, facts.ContentBits, facts.BeginTime, facts.EndTime, facts.DiscardedEvents, facts.StreamClassId, facts.StreamId, facts.SequenceNumber])
            {
                BinaryPrimitives.WriteUInt64BigEndian(entry[at..], fact);
                at += 8;
            }
            Write(_index, entry, _indexBytes);
            _indexBytes += IndexEntryBytes;
        }
        _packetOffset += _writtenBytes;
        _writtenBytes = 0;
    }

    /// <summary>Gives the files back.</summary>
    public void Dispose()
    {
        _file.Dispose();
        _index?.Dispose();
    }

    private static SafeFileHandle Create(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TraceWriteException(path, "this file cannot be made", e);
        }
    }

    private void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset)
    {
        // What would follow a packet that was cut off would follow a hole.
        if (_failure is not null)
            throw _failure;
        try
        {
            RandomAccess.Write(file, bytes, offset);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            CutPacketOff();
            throw _failure = new TraceWriteException(Path, $"this file cannot be written further than byte {_packetOffset}, where its last whole packet ends", e);
        }
    }

    private void CutPacketOff()
    {
        try
        {
            RandomAccess.SetLength(_file, _packetOffset);
            if (_index is not null)
                RandomAccess.SetLength(_index, _indexBytes);
        }
        catch (IOException)
        {
            // Then a torn packet stays at the end, and readers say so.
        }
    }
}
