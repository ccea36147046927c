using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Weir.Graph;

/// <summary>The events of one CPU's pages: a packet for each page.</summary>
internal sealed unsafe class FtraceDatIterator : MessageIterator
{
    private const int BatchMessages = 512;
    private const int ContextBytes = 20;

    private readonly FtraceDatFile _file;
    private readonly FtraceEventTable _events;
    private readonly DataStream _stream;
    private readonly FtraceDatPages _place;
    private readonly FtraceDatPageReader _pages;
    private readonly EventComposer _composer;
    private bool _hasBegun;
    private bool _hasEnded;
    private ulong? _lastTime;
    private TraceReadException? _failure;

    public FtraceDatIterator(FtraceDatFile file, FtraceEventTable events, DataStream stream, int pageBytes, FtraceDatPages place)
    {
        _file = file;
        _events = events;
        _stream = stream;
        _place = place;
        _pages = new FtraceDatPageReader(file, pageBytes, place);
        _composer = new EventComposer(stream);
    }

    public override ArraySegment<Message> Next()
    {
        _composer.BeginBatch();
        if (!_hasBegun)
        {
            _hasBegun = true;
            _composer.AddOther(MessageKind.StreamBeginning);
        }
        while (_composer.Count < BatchMessages && !_hasEnded && _failure is null)
        {
            try
            {
                if (_pages.TryRead(out var page, out long offset))
                {
                    fixed (byte* start = page)
                        ReadPage(start, page.Length, offset);
                    continue;
                }
                _hasEnded = true;
                _composer.AddOther(MessageKind.StreamEnd);
            }
            catch (TraceReadException e)
            {
                _failure = e;
            }
        }
        if (_composer.Count == 0 && _failure is { } failure)
            throw failure;
        return _composer.EndBatch();
    }

    protected override void Dispose(bool disposing)
    {
        _composer.Dispose();
        _pages.Dispose();
        base.Dispose(disposing);
    }

    private void ReadPage(byte* page, int lengthBytes, long offset)
    {
        var clock = _file.Clock;
        var cursor = new FtracePageCursor(_file.Metadata.Page!, page, lengthBytes, out string? problem);
        if (problem is not null)
            throw new TraceReadException(_file.Path, offset, problem);
        // The rest of the last piece, and what the kernel had not filled.
        if (cursor is { DataBytes: 0, BeginTime: 0 })
            return;
        ulong begin = clock.Convert(cursor.BeginTime, _place.Cpu);
        if (cursor.HasLost)
            _composer.AddDiscardedEvents(cursor.LostCount, _lastTime ?? begin, begin);
        byte[] context = new byte[ContextBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(context, begin);
        BinaryPrimitives.WriteUInt32LittleEndian(context.AsSpan(16), (uint)_place.Cpu);
        _composer.Packet = new Packet { Stream = _stream, HeaderAndContext = context };
        _composer.AddOther(MessageKind.PacketBeginning, begin);
        ulong time = begin;
        bool isPlain = clock.IsPlain;
        while (cursor.MoveNext(out problem))
        {
            time = isPlain ? cursor.Time : clock.Convert(cursor.Time, _place.Cpu);
            problem = _events.Compose(_composer, _stream.Decoder, page + cursor.DataOffset, cursor.DataLength, time);
            if (problem is not null)
                break;
        }
        // Known only now, and nobody has seen the packet.
        BinaryPrimitives.WriteUInt64LittleEndian(context.AsSpan(8), time);
        _lastTime = time;
        if (problem is not null)
            throw new TraceReadException(_file.Path, offset + cursor.Offset, problem);
        _composer.AddOther(MessageKind.PacketEnd, time);
    }
}

/// <summary>Gives one CPU's pages, one after the other, packed or not. The file may be cut at any byte.</summary>
internal sealed class FtraceDatPageReader(FtraceDatFile file, int pageBytes, FtraceDatPages place) : IDisposable
{
    private const int WindowBytes = 256 << 10;

    private readonly FtraceDatCompression _compression = new(file.Compression);
    private readonly long _end = place.OffsetBytes + place.LengthBytes;
    private SafeFileHandle? _handle;
    private FileCursor? _packed;
    private uint _piecesLeft;
    private byte[] _window = [];
    private int _at;
    private int _bytes;
    private long _windowOffset;
    private long _next = place.OffsetBytes;

    /// <summary>The next page, which holds until the next call.</summary>
    /// <param name="page">The page; the last may be short.</param>
    /// <param name="offset">Where it stands in the file; of a packed one, where its piece begins.</param>
    public bool TryRead(out Span<byte> page, out long offset)
    {
        while (_at == _bytes)
        {
            if (place.IsPacked ? !FillPacked() : !Fill())
            {
                page = default;
                offset = 0;
                return false;
            }
        }
        int length = Math.Min(pageBytes, _bytes - _at);
        page = _window.AsSpan(_at, length);
        offset = place.IsPacked ? _windowOffset : _windowOffset + _at;
        _at += length;
        return true;
    }

    public void Dispose()
    {
        _handle?.Dispose();
        _packed?.Dispose();
        _compression.Dispose();
    }

    private bool Fill()
    {
        _handle ??= CtfFsFile.Open(file.Path);
        if (_window.Length == 0)
            _window = new byte[Math.Max(pageBytes, Math.Min(WindowBytes, place.LengthBytes) / pageBytes * pageBytes)];
        int wanted = (int)Math.Min(_window.Length, _end - _next);
        if (wanted == 0)
            return false;
        int read = CtfFsFile.Read(_handle, file.Path, _window.AsSpan(0, wanted), _next);
        // Whole pages first; what is missing is an error when they are done.
        read = read < wanted ? read / pageBytes * pageBytes : read;
        if (read == 0)
            throw new TraceReadException(file.Path, _next, $"the pages of CPU {place.Cpu} go on to byte {_end}, and the file does not");
        _windowOffset = _next;
        _next += read;
        (_at, _bytes) = (0, read);
        return true;
    }

    private bool FillPacked()
    {
        if (_packed is null)
        {
            _packed = file.OpenAt(place.OffsetBytes);
            _piecesLeft = _packed.ReadUInt32();
        }
        if (_piecesLeft == 0)
            return false;
        _piecesLeft--;
        _windowOffset = _packed.Position;
        if (_windowOffset >= _end)
            throw _packed.Fail($"{_piecesLeft + 1} more pieces do not fit into the {place.LengthBytes} bytes of CPU {place.Cpu}");
        _window = _compression.ReadPiece(_packed);
        (_at, _bytes) = (0, _window.Length);
        return true;
    }
}
