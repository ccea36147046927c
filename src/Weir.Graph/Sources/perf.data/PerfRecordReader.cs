using System.Buffers;
using System.Buffers.Binary;
using Weir.Ctf;
using ZstdSharp;

namespace Weir.Graph;

/// <summary>
/// Gives a file's records as they stand in it, those of packed records in their place. What perf packs is one zstd stream, in which a record
/// may go on from one packed record to the next.
/// </summary>
internal sealed class PerfRecordReader : IDisposable
{
    private const int HeadBytes = 8;

    /// <summary>One packed record has at most 64 KiB, and perf packs as much as a ring buffer holds.</summary>
    private const int MaxUnpackedBytes = 512 << 20;

    private readonly PerfDataFile _file;
    private readonly Stream _stream;
    private readonly bool _isBigEndian;
    private readonly byte[] _record = new byte[ushort.MaxValue];
    private Decompressor? _zstd;
    private byte[] _unpacked = [];
    private int _unpackedAt;
    private int _unpackedBytes;

    public PerfRecordReader(PerfDataFile file)
    {
        _file = file;
        _isBigEndian = file.ByteOrder == ByteOrder.BigEndian;
        _stream = PerfDataFile.Open(file.Path);
        _stream.Position = file.DataOffset;
    }

    /// <summary>Where the record stands in the file, or the one that it is packed in.</summary>
    public long Offset { get; private set; }

    /// <summary>The next record with its head; holds until the next call. False at the end.</summary>
    /// <exception cref="TraceReadException">There is no whole record.</exception>
    public bool TryRead(out PerfRecordType type, out ReadOnlySpan<byte> record)
    {
        while (true)
        {
            if (TryTakeUnpacked(out type, out record))
                return true;
            if (!TryReadFile(out type, out record))
                return false;
            if (type is not (PerfRecordType.Compressed or PerfRecordType.Compressed2))
                return true;
            Unpack(type, record);
        }
    }

    public void Dispose()
    {
        _stream.Dispose();
        _zstd?.Dispose();
    }

    private bool TryReadFile(out PerfRecordType type, out ReadOnlySpan<byte> record)
    {
        type = default;
        record = default;
        Offset = _stream.Position;
        long left = (_file.DataEnd ?? long.MaxValue) - Offset;
        if (left <= 0)
            return false;
        int read = Read(_record.AsSpan(0, (int)Math.Min(HeadBytes, left)));
        if (read == 0 && _file.DataEnd is null)
            return false;
        if (read < HeadBytes)
            throw Fail($"expected a record of at least {HeadBytes} bytes, but the {(read < left ? "file" : "data")} ends");
        int bytes = Head(_record, out type);
        if (bytes < HeadBytes)
            throw Fail($"a record of {bytes} bytes is none: expected at least {HeadBytes}");
        if (bytes > left || Read(_record.AsSpan(HeadBytes, bytes - HeadBytes)) < bytes - HeadBytes)
            throw Fail($"the record has {bytes} bytes, and the {(bytes > left ? "data" : "file")} ends before");
        record = _record.AsSpan(0, bytes);
        ulong extra = type switch
        {
            PerfRecordType.AuxTrace when bytes >= 16 => Read64(record[8..]),
            PerfRecordType.TracingData when bytes >= 12 => (Read32(record[8..]) + 7UL) & ~7UL,
            _ => 0,
        };
        if (extra > (ulong)Math.Max(0, Math.Min(_file.DataEnd ?? long.MaxValue, _stream.Length) - _stream.Position))
            throw Fail($"{extra} bytes that belong to the record are not there");
        if (extra > 0)
            _stream.Position += (long)extra;
        return true;
    }

    private bool TryTakeUnpacked(out PerfRecordType type, out ReadOnlySpan<byte> record)
    {
        type = default;
        record = default;
        int left = _unpackedBytes - _unpackedAt;
        if (left < HeadBytes)
            return false;
        int bytes = Head(_unpacked.AsSpan(_unpackedAt), out type);
        if (bytes < HeadBytes)
            throw Fail($"unpacked, a record has {bytes} bytes: expected at least {HeadBytes}");
        if (bytes > left)
            return false;
        record = _unpacked.AsSpan(_unpackedAt, bytes);
        _unpackedAt += bytes;
        return true;
    }

    private void Unpack(PerfRecordType type, ReadOnlySpan<byte> record)
    {
        var packed = record[HeadBytes..];
        if (type == PerfRecordType.Compressed2)
        {
            if (packed.Length < 8 || Read64(packed) > (ulong)packed.Length - 8)
                throw Fail("the packed bytes do not fit into their record");
            packed = packed.Slice(8, (int)Read64(packed));
        }
        _unpacked.AsSpan(_unpackedAt, _unpackedBytes - _unpackedAt).CopyTo(_unpacked);
        _unpackedBytes -= _unpackedAt;
        _unpackedAt = 0;
        _zstd ??= new Decompressor();
        try
        {
            while (true)
            {
                if (_unpacked.Length - _unpackedBytes < 64 << 10)
                    Grow();
                var status = _zstd.UnwrapStream(packed, _unpacked.AsSpan(_unpackedBytes), out int consumed, out int written);
                packed = packed[consumed..];
                _unpackedBytes += written;
                if (status == OperationStatus.InvalidData)
                    throw Fail("this record cannot be unpacked: it is no zstd");
                if (packed.IsEmpty && status != OperationStatus.DestinationTooSmall && _unpackedBytes < _unpacked.Length)
                    return;
                if (consumed == 0 && written == 0 && status != OperationStatus.DestinationTooSmall)
                    return;
            }
        }
        catch (ZstdException e)
        {
            throw Fail("this record cannot be unpacked", e);
        }
    }

    private void Grow()
    {
        if (_unpacked.Length >= MaxUnpackedBytes)
            throw Fail($"one record unpacks to more than {MaxUnpackedBytes >> 20} MiB");
        Array.Resize(ref _unpacked, Math.Max(256 << 10, _unpacked.Length * 2));
    }

    private int Read(Span<byte> into)
    {
        try
        {
            return _stream.ReadAtLeast(into, into.Length, throwOnEndOfStream: false);
        }
        catch (IOException e)
        {
            throw Fail("this file cannot be read", e);
        }
    }

    private int Head(ReadOnlySpan<byte> record, out PerfRecordType type)
    {
        type = (PerfRecordType)Read32(record);
        return _isBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(record[6..]) : BinaryPrimitives.ReadUInt16LittleEndian(record[6..]);
    }

    private uint Read32(ReadOnlySpan<byte> at) => _isBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(at) : BinaryPrimitives.ReadUInt32LittleEndian(at);

    private ulong Read64(ReadOnlySpan<byte> at) => _isBigEndian ? BinaryPrimitives.ReadUInt64BigEndian(at) : BinaryPrimitives.ReadUInt64LittleEndian(at);

    private TraceReadException Fail(string message, Exception? cause = null) => new(_file.Path, Offset, message, cause);
}
