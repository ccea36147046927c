using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using Weir.Ctf;
using Weir.Ring;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Sessions;

/// <summary>Moves one stream of a process into its trace: complete packets while it runs, the rest at its end. Not thread-safe.</summary>
internal sealed class StreamDrain : IDisposable
{
    /// <summary>Between two attempts to write to a disk that is full or fails.</summary>
    private const int RetryMs = 500;

    private readonly StreamReader _reader;
    private readonly string _traceDirectory;
    private StreamOutput? _output;
    private long _retryAtMs;
    private bool _isBroken;

    public StreamDrain(StreamReader reader, string traceDirectory)
    {
        _reader = reader;
        _traceDirectory = traceDirectory;
    }

    /// <summary>The stream's name, here and in the trace.</summary>
    public static string NameOf(uint cpu) => string.Create(CultureInfo.InvariantCulture, $"stream_{cpu}");

    /// <summary>Events that the process lost because its buffer was full.</summary>
    public ulong LostFull => _isBroken ? 0 : _reader.LostFull;

    /// <summary>Events that were larger than a packet.</summary>
    public ulong LostTooLarge => _isBroken ? 0 : _reader.LostTooLarge;

    /// <summary>Events that were committed and could not be written to the trace.</summary>
    public ulong LostUnwritten { get; private set; }

    /// <summary>Whether the process has recorded, or lost, anything here.</summary>
    public bool IsUsed => _reader.Position > PacketLayout.Records || _reader.LostFull > 0 || _reader.LostTooLarge > 0;

    /// <summary>Whether events of this stream are not in the trace of which nobody can tell how many they are.</summary>
    public bool IsUncounted { get; private set; }

    /// <summary>Bytes of those, as far as known; some may be padding.</summary>
    public ulong UncountedBytes { get; private set; }

    /// <summary>What went wrong, or null.</summary>
    public string? Problem { get; private set; }

    /// <summary>Moves what is complete, at most a ring's worth, so that a fast writer keeps nobody waiting; returns how many packets.</summary>
    /// <param name="describe">Brings the trace's metadata up to date; false where it cannot.</param>
    public int MoveComplete(Func<bool> describe) => Environment.TickCount64 < _retryAtMs ? 0 : Move(describe);

    /// <summary>Moves everything that is committed now. The stream is not used after this.</summary>
    /// <param name="now">The time now, which ends the open packet.</param>
    /// <param name="describe">As above.</param>
    /// <param name="isLive">Whether the process may still be writing.</param>
    /// <param name="readRing">Reads what the process's threads are about.</param>
    /// <param name="trace">The process's schema, for what only a schema can tell; null where its metadata cannot be read.</param>
    public void MoveRest(ulong now, Func<bool> describe, bool isLive, Func<RingSummary> readRing, TraceDecoder? trace)
    {
        Move(describe);
        if (_isBroken)
        {
            CountRest(_reader.Consumed);
            return;
        }
        if (trace == null && IsUsed)
            CountRest(0);
        try
        {
            WaitUntilSettled(describe);
            ulong consumed = _reader.Consumed;
            ulong word = _reader.PositionWord;
            ulong position = _reader.CheckedPosition(word, consumed);
            var ring = _reader.Sequence == SequenceKind.Atomic ? readRing() : null;
            ulong discarded = _reader.LostFull + _reader.LostTooLarge;
            // A writer may have read the time after we did and committed before we looked.
            ulong end = Math.Max(Math.Max(now, _reader.LastTime), ring?.LastTime ?? 0);
            var walker = trace == null ? null : new RecordWalker(trace);
            var packet = new byte[_reader.PacketBytes];
            ulong previousEnd = _output?.LastEnd ?? 0;
            ulong previousDiscarded = _output?.LastDiscarded ?? 0;
            for (ulong number = consumed / (ulong)_reader.PacketBytes; number * (ulong)_reader.PacketBytes < position; number++)
            {
                _reader.Copy(number, packet);
                var context = new RecoveryContext(number, word, previousEnd, previousDiscarded, end, discarded, isLive);
                int length = PacketRecovery.Recover(_reader, packet, context, ring?.Intents ?? [], out bool isCut);
                IsUncounted |= isCut;
                if (isCut)
                    Problem = $"{_reader.Path}: packet {number}: its records cannot be told from one that was never finished";
                CheckHead(packet, length, (long)(number * (ulong)_reader.PacketBytes));
                previousEnd = BinaryPrimitives.ReadUInt64LittleEndian(packet.AsSpan(PacketLayout.TimestampEnd));
                previousDiscarded = BinaryPrimitives.ReadUInt64LittleEndian(packet.AsSpan(PacketLayout.EventsDiscarded));
                bool isEmpty = length <= PacketLayout.Records && discarded == 0 && _output == null;
                if (!isEmpty)
                    AppendOrCount(packet.AsSpan(0, length), describe, walker);
            }
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            Break(e.Message);
            if (trace != null)
                CountRest(_reader.Consumed);
        }
        CheckOutput(trace);
    }

    public void Dispose()
    {
        _output?.Dispose();
        _reader.Dispose();
    }

    /// <summary>Lets writers of a living process that are between reservation and commit come to their end. Of a dead one nobody will.</summary>
    private void WaitUntilSettled(Func<bool> describe)
    {
        const int Tries = 30;
        for (int i = 0; !_reader.TryGetSettled(out _) && i < Tries; i++)
        {
            Thread.Sleep(1);
            Move(describe);
        }
    }

    private int Move(Func<bool> describe)
    {
        int moved = 0;
        try
        {
            // What describes a record stands in the metadata before the record is committed: so first the packet, then the metadata.
            while (!_isBroken && moved < _reader.PacketCount && _reader.TryGetComplete(out var packet) && describe())
            {
                Append(packet);
                moved++;
                Release();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The packet stays in the buffer: the process will count what no longer fits, and room may be made until the end.
            Problem = $"{_traceDirectory}: {e.Message}";
            _retryAtMs = Environment.TickCount64 + RetryMs;
        }
        catch (InvalidDataException e)
        {
            Break(e.Message);
        }
        return moved;
    }

    private void Append(in PendingPacket packet)
    {
        if (_reader.Access == ReaderAccess.ConsumeUnmapped)
        {
            // Another user could change it while we look: what is checked is what is written.
            byte[] copy = ArrayPool<byte>.Shared.Rent(packet.LengthBytes);
            try
            {
                var bytes = copy.AsSpan(0, packet.LengthBytes);
                _reader.Copy(packet.SequenceNumber, bytes);
                CheckHead(bytes, packet.LengthBytes, packet.FileOffset);
                Output().Append(bytes);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(copy);
            }
            return;
        }
        Span<byte> head = stackalloc byte[PacketLayout.Records];
        if (RandomAccess.Read(_reader.File!, head, packet.FileOffset) != head.Length)
            throw new InvalidDataException($"{_reader.Path}: offset {packet.FileOffset}: the file ends inside a packet");
        CheckHead(head, packet.LengthBytes, packet.FileOffset);
        Output().Append(_reader, packet, head);
    }

    /// <summary>One packet that is none would make the whole trace unreadable.</summary>
    private void CheckHead(ReadOnlySpan<byte> head, int lengthBytes, long offset)
    {
        ulong content = BinaryPrimitives.ReadUInt64LittleEndian(head[PacketLayout.ContentSize..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(head) != PacketLayout.Magic
            || new Guid(head.Slice(PacketLayout.Uuid, 16), bigEndian: true) != _reader.Uuid
            || BinaryPrimitives.ReadUInt64LittleEndian(head[PacketLayout.PacketSize..]) != (ulong)lengthBytes * 8
            || content < PacketLayout.Records * 8 || content > (ulong)lengthBytes * 8)
            throw new InvalidDataException($"{_reader.Path}: offset {offset}: not a packet's head");
    }

    private void Release()
    {
        try
        {
            _reader.Release();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Tried again, the packet would be in the trace twice.
            Break($"{_reader.Path}: a packet could not be given back: {e.Message}");
        }
    }

    private void Break(string problem)
    {
        _isBroken = true;
        Problem = $"{problem}; the rest of the stream is not in the trace";
    }

    /// <summary>Counts what lies between a position and the stream's end; where that cannot be, what the ring holds at most.</summary>
    private void CountRest(ulong from)
    {
        ulong position = _reader.Position;
        ulong ringBytes = (ulong)_reader.PacketBytes * (ulong)_reader.PacketCount;
        bool isPossible = position >= _reader.Consumed && position - _reader.Consumed <= ringBytes && from <= position;
        ulong rest = isPossible ? position - from : ringBytes;
        ulong heads = (rest + (ulong)_reader.PacketBytes - 1) / (ulong)_reader.PacketBytes * PacketLayout.Records;
        UncountedBytes += rest - Math.Min(rest, heads);
        IsUncounted = true;
    }

    /// <summary>A file that somebody has removed takes all that is written to it, and nobody will ever read that.</summary>
    private void CheckOutput(TraceDecoder? trace)
    {
        if (_output is not { IsThere: false })
            return;
        Problem = $"{Path.Combine(_traceDirectory, NameOf(_reader.Cpu))}: was removed or changed while it was written; {_output.LengthBytes} bytes of records are lost";
        // Without a schema they are counted already.
        if (trace != null)
            UncountedBytes += (ulong)_output.LengthBytes;
        IsUncounted = true;
    }

    private StreamOutput Output() => _output ??= new StreamOutput(_traceDirectory, NameOf(_reader.Cpu));

    private void AppendOrCount(ReadOnlySpan<byte> packet, Func<bool> describe, RecordWalker? walker)
    {
        try
        {
            if (describe())
            {
                Output().Append(packet);
                return;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Problem = $"{_traceDirectory}: {e.Message}";
        }
        LostUnwritten += walker?.Count(packet) ?? 0;
    }
}
