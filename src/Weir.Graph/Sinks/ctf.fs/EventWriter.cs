using System.Runtime.CompilerServices;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// Writes event records. Neighbours whose bytes may stay as they are are copied together; of others the header is written anew, and the
/// fields are copied where their layout allows it, else written one by one.
/// </summary>
internal sealed unsafe class EventWriter(PacketWriter packet, StreamLowering stream, Func<EventDecoder, EventLowering> find, string path)
{
    /// <summary>Bits that are copied at once, so that a packet goes to its file piece by piece.</summary>
    private const long CopyBits = 256L << 13;

    private const int RecentClasses = 64;

    private readonly int _timeBits = stream.Header == WrittenEventHeader.Compact ? 27 : 32;
    private readonly (EventDecoder? Decoder, EventLowering? Lowering)[] _recent = new (EventDecoder?, EventLowering?)[RecentClasses];

    /// <summary>Writes one event of the open packet or several.</summary>
    /// <returns>How many.</returns>
    /// <exception cref="TraceWriteException">There is no room.</exception>
    public int Write(ReadOnlySpan<Message> events)
    {
        int count = stream.KeepsEventHeader ? CopyRecords(events) : 0;
        if (count == 0)
        {
            WriteRecord(in events[0]);
            count = 1;
        }
        packet.FlushPiece();
        return count;
    }

    /// <summary>Writes a run of events of the open packet, of a stream whose records are kept. Only the first may need another header.</summary>
    /// <exception cref="TraceWriteException">There is no room.</exception>
    public void WriteRun(in Message run)
    {
        // Headers begin at a byte.
        long from = (run.Record.StartBits + 7) & ~7L;
        if (!IsNear(run.Record.ClockValue))
        {
            WriteHeader(Find(run.Record.Decoder).Output.Id, run.Record.ClockValue);
            from = run.Record.FieldsBits;
        }
        packet.Buffer.Copy(run.PacketStart + (from >> 3), run.Record.EndBits - from);
        packet.Clock = run.EndClockValue;
        packet.IsClockKnown = true;
        packet.FlushPiece();
    }

    /// <summary>Copies as many records as lie behind one another and need no change.</summary>
    private int CopyRecords(ReadOnlySpan<Message> events)
    {
        var buffer = packet.Buffer;
        byte* start = events[0].PacketStart;
        // Headers begin at a byte.
        long from = (events[0].Record.StartBits + 7) & ~7L;
        long shift = ((buffer.OriginBits + buffer.PositionBits + 7) & ~7L) - from;
        long end = from;
        ulong clock = packet.Clock;
        bool isKnown = packet.IsClockKnown;
        int count = 0;
        for (; count < events.Length && end - from < CopyBits; count++)
        {
            ref readonly var message = ref events[count];
            long at = (message.Record.StartBits + 7) & ~7L;
            if (at != ((end + 7) & ~7L) || message.PacketStart != start)
                break;
            var program = Find(message.Record.Decoder).Fields;
            if (!program.IsCopy || (shift & program.AlignmentMask) != 0)
                break;
            // The low bits of the time say what they said only if no more than once round has passed since the record before.
            ulong time = message.Record.ClockValue;
            if ((!isKnown || (time - clock) >> _timeBits != 0) && !IsExtended(start + (at >> 3)))
                break;
            clock = time;
            isKnown = true;
            end = message.Record.EndBits;
        }
        if (count == 0)
            return 0;
        buffer.Copy(start + (from >> 3), end - from);
        packet.Clock = clock;
        packet.IsClockKnown = isKnown;
        return count;
    }

    /// <summary>Whether a reader that knows the time of the record before knows this one by its low bits.</summary>
    private bool IsNear(ulong time) => packet.IsClockKnown && (time - packet.Clock) >> _timeBits == 0;

    private bool IsExtended(byte* header) => stream.Header == WrittenEventHeader.Compact
        ? (*header & LttngLayout.ExtendedEventId) == LttngLayout.ExtendedEventId
        : Unsafe.ReadUnaligned<ushort>(header) == LttngLayout.LargeExtendedEventId;

    private void WriteRecord(in Message message)
    {
        var lowering = Find(message.Record.Decoder);
        WriteHeader(lowering.Output.Id, message.Record.ClockValue);
        var buffer = packet.Buffer;
        var program = lowering.Fields;
        long from = message.Record.FieldsBits;
        long shift = buffer.OriginBits + buffer.PositionBits - from;
        if (program.IsCopy && (shift & program.AlignmentMask) == 0 && (from & 7) == 0)
        {
            buffer.Copy(message.PacketStart + (from >> 3), message.Record.EndBits - from);
            return;
        }
        var status = packet.Encoder.EncodeEvent(program, in message.Record, message.PacketStart, message.Slots, buffer);
        if (status != DecodeStatus.Done)
            throw new TraceWriteException(path, $"an event of class '{lowering.Output.Name}' cannot be decoded any more ({status})");
    }

    private void WriteHeader(ulong id, ulong time)
    {
        var buffer = packet.Buffer;
        bool isNear = IsNear(time);
        buffer.Align(stream.Output.EventHeader!.AlignmentBits);
        switch (stream.Header)
        {
            case WrittenEventHeader.Plain:
                buffer.Write(id, stream.IdBits);
                if (stream.Output.DefaultClock is not null)
                    buffer.Write(time, 64);
                break;
            case WrittenEventHeader.Compact when isNear && id < LttngLayout.ExtendedEventId:
                buffer.Write(id | (time << 5), 32);
                break;
            case WrittenEventHeader.Large when isNear && id < LttngLayout.LargeExtendedEventId:
                buffer.Write(id, 16);
                buffer.Write(time, 32);
                break;
            default:
                if (stream.Header == WrittenEventHeader.Compact)
                    buffer.Write(LttngLayout.ExtendedEventId, 8);
                else
                    buffer.Write(LttngLayout.LargeExtendedEventId, 16);
                buffer.Write(id, 32);
                buffer.Write(time, 64);
                break;
        }
        packet.Clock = time;
        packet.IsClockKnown = true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private EventLowering Find(EventDecoder decoder)
    {
        // Events of several kinds come in turn; most are found without a look into a dictionary.
        ref var recent = ref _recent[decoder.Number % RecentClasses];
        if (recent.Decoder != decoder)
            recent = (decoder, find(decoder));
        return recent.Lowering!;
    }
}
