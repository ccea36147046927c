namespace Weir.Ring;

/// <summary>
/// Walks over the records of one stream where they lie, without copying: in this process or, mapped, in another's. Gives out what is
/// committed at this moment, in the open packet too. In discard mode one cursor at a time, which gives packets back (or, without packets,
/// every record); in overwrite mode any number, and each must ask, after it has used a span, whether that <see cref="IsIntact"/>.
/// Not thread-safe.
/// </summary>
/// <remarks>
/// Another process's file is mapped: if that process cuts it short, the reader ends by SIGBUS. Read with
/// <see cref="StreamReader.Copy"/> what comes from somebody who is not trusted with that, or use memory files, which cannot be cut.
/// </remarks>
public sealed unsafe class StreamCursor
{
    private readonly StreamReader _stream;
    private readonly byte* _data;
    private readonly bool _isContinuous;
    private ulong _at;
    private ulong _from;

    // The end of what was given out last.
    private ulong _seen;

    /// <summary>Begins with the oldest record that is there.</summary>
    /// <param name="stream">The stream, which stays the caller's and must stay open.</param>
    /// <exception cref="InvalidDataException">The stream holds what no writer leaves there.</exception>
    /// <exception cref="IOException">The stream's file cannot be mapped.</exception>
    /// <exception cref="InvalidOperationException">The stream is in discard mode and was opened to observe it.</exception>
    public StreamCursor(StreamReader stream)
    {
        if (!stream.IsOverwrite && stream.Access != ReaderAccess.Consume)
            throw new InvalidOperationException("A cursor gives back what it has passed, and a reader that observes gives nothing back.");
        _at = stream.IsOverwrite ? stream.CheckedFloor() : stream.Consumed;
        _from = _at;
        _seen = _at;
        _stream = stream;
        _isContinuous = stream.PacketHeadBytes == 0;
        _data = stream.MapData();
    }

    /// <summary>Bytes of the stream before the next record.</summary>
    public ulong Position => _at;

    /// <summary>Overwrite mode: packets that were overwritten before the cursor came to them.</summary>
    public ulong PacketsMissed { get; private set; }

    /// <summary>
    /// The committed records from the cursor on that lie in one piece, heads of packets left out; empty if there are none now. They stay as
    /// they are until <see cref="Advance"/> has passed them and the next call is made; in overwrite mode see <see cref="IsIntact"/>.
    /// </summary>
    /// <exception cref="InvalidDataException">The stream holds what no writer leaves there.</exception>
    /// <exception cref="IOException">The ring's control cannot be read.</exception>
    public ReadOnlySpan<byte> Peek()
    {
        if (_isContinuous)
            return PeekContinuous();
        ulong packetBytes = (ulong)_stream.PacketBytes;
        while (true)
        {
            SkipOverwritten();
            ulong start = _at / packetBytes * packetBytes;
            // Before its end is looked for: a record that is finished in between would be passed over.
            bool isFinished = _stream.CheckedPosition(start) - start >= packetBytes && _stream.IsComplete(start);
            _at = Math.Max(_at, start + (ulong)_stream.PacketHeadBytes);
            ulong end = _stream.CommittedPosition(start, _stream.ReadRing);
            if (_stream.IsOverwrite && _stream.Floor > start)
                continue;
            if (_at < end)
            {
                _from = start;
                _seen = end;
                return new ReadOnlySpan<byte>(_data + (_at & (_stream.RingBytes - 1)), (int)(end - _at));
            }
            if (!isFinished)
                return default;
            _at = start + packetBytes;
            if (!_stream.IsOverwrite)
                _stream.Release(_at);
        }
    }

    /// <summary>Passes over bytes that <see cref="Peek"/> has given out: whole records.</summary>
    /// <exception cref="ArgumentOutOfRangeException">So many were not given out.</exception>
    public void Advance(int lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)lengthBytes, _seen - _at, nameof(lengthBytes));
        _at += (ulong)lengthBytes;
        if (_isContinuous)
            _stream.Release(_at);
    }

    /// <summary>
    /// Whether what <see cref="Peek"/> gave out last is still what it was; asked after the bytes were used. If not, forget what was made of
    /// them. Always true in discard mode.
    /// </summary>
    public bool IsIntact()
    {
        if (!_stream.IsOverwrite)
            return true;
        // The bytes before the floor. Partner: writers raise the floor before they write.
        Interlocked.MemoryBarrier();
        return _stream.Floor <= _from;
    }

    /// <summary>For tests: whether bytes lie in the ring's memory, its mirror left out.</summary>
    internal bool IsOfRing(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* p = bytes)
            return p >= _data && (ulong)(p - _data) + (ulong)bytes.Length <= _stream.RingBytes;
    }

    private ReadOnlySpan<byte> PeekContinuous()
    {
        ulong length = _stream.CheckedPosition(_at) - _at;
        _seen = _at + length;
        return new ReadOnlySpan<byte>(_data + (_at & (_stream.RingBytes - 1)), (int)length);
    }

    private void SkipOverwritten()
    {
        ulong floor = _stream.CheckedFloor();
        ulong packetBytes = (ulong)_stream.PacketBytes;
        ulong start = _at / packetBytes * packetBytes;
        if (floor <= start)
            return;
        PacketsMissed += (floor - start) / packetBytes;
        _at = floor;
    }
}
