using System.Buffers.Binary;
using System.Globalization;
using Weir.Ctf;
using Weir.Ring;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Sessions;

/// <summary>Moves one stream of a process into its trace: complete packets while it runs, the rest at its end. Not thread-safe.</summary>
internal sealed class StreamDrain : IDisposable
{
    private readonly StreamReader _reader;
    private readonly string _traceDirectory;
    private StreamOutput? _output;
    private bool _isBroken;

    public StreamDrain(StreamReader reader, string traceDirectory)
    {
        _reader = reader;
        _traceDirectory = traceDirectory;
    }

    /// <summary>Events that the process lost because its buffer was full.</summary>
    public ulong LostFull => _reader.LostFull;

    /// <summary>Events that were larger than a packet.</summary>
    public ulong LostTooLarge => _reader.LostTooLarge;

    /// <summary>Events that were committed and could not be written to the trace.</summary>
    public ulong LostUnwritten { get; private set; }

    /// <summary>What went wrong, or null.</summary>
    public string? Problem { get; private set; }

    /// <summary>Moves what is complete; returns how many packets.</summary>
    public int MoveComplete()
    {
        int moved = 0;
        try
        {
            while (!_isBroken && _reader.TryGetComplete(out var packet))
            {
                Output().Append(_reader.File, packet.FileOffset, packet.LengthBytes);
                _reader.Release();
                moved++;
            }
        }
        catch (IOException e)
        {
            // The packet stays in the buffer: the process will count what no longer fits, and room may be made until the end.
            Problem = $"{_traceDirectory}: {e.Message}";
        }
        catch (InvalidDataException e)
        {
            _isBroken = true;
            Problem = e.Message;
        }
        return moved;
    }

    /// <summary>Moves everything that is committed now. The stream is not used after this.</summary>
    /// <param name="now">The time now, which ends the open packet.</param>
    /// <param name="intents">The process's intents.</param>
    /// <param name="trace">The process's schema, for what only a schema can tell; null where its metadata cannot be read.</param>
    public void MoveRest(ulong now, IReadOnlyList<WriteIntent> intents, TraceDecoder? trace)
    {
        MoveComplete();
        if (_isBroken)
            return;
        try
        {
            ulong consumed = _reader.Consumed;
            ulong position = _reader.CheckedPosition(consumed);
            ulong discarded = _reader.LostFull + _reader.LostTooLarge;
            // A writer may have read the time after we did and committed before we looked.
            ulong end = Math.Max(now, _reader.LastTime);
            var walker = trace == null ? null : new RecordWalker(trace);
            var packet = new byte[_reader.PacketBytes];
            ulong previousEnd = _output?.LastEnd ?? 0;
            for (ulong number = consumed / (ulong)_reader.PacketBytes; number * (ulong)_reader.PacketBytes < position; number++)
            {
                _reader.Copy(number, packet);
                var context = new RecoveryContext(number, position, previousEnd, end, discarded);
                int length = PacketRecovery.Recover(_reader, packet, context, intents, walker == null ? NoRecord : walker.Measure, out bool isCut);
                if (isCut)
                    Problem = $"{_reader.Path}: packet {number}: records behind one that was never finished could not be reached";
                previousEnd = BinaryPrimitives.ReadUInt64LittleEndian(packet.AsSpan(PacketLayout.TimestampEnd));
                bool isEmpty = length <= PacketLayout.Records && discarded == 0 && _output == null;
                if (!isEmpty)
                    AppendOrCount(packet.AsSpan(0, length), walker);
            }
        }
        catch (InvalidDataException e)
        {
            Problem = e.Message;
        }
    }

    public void Dispose()
    {
        _output?.Dispose();
        _reader.Dispose();
    }

    private static int NoRecord(ReadOnlySpan<byte> packet, int offset) => 0;

    private StreamOutput Output() =>
        _output ??= new StreamOutput(_traceDirectory, string.Create(CultureInfo.InvariantCulture, $"stream_{_reader.Cpu}"));

    private void AppendOrCount(ReadOnlySpan<byte> packet, RecordWalker? walker)
    {
        try
        {
            Output().Append(packet);
        }
        catch (IOException e)
        {
            Problem = $"{_traceDirectory}: {e.Message}";
            LostUnwritten += walker?.Count(packet) ?? 0;
        }
    }
}
