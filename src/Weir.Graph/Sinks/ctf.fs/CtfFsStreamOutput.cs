using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// A data stream that is being written. Packets begin and end where those of the input do; a source without packets gets some of
/// <see cref="PacketBytes"/>. Losses are told as CTF tells them: events by a counter in the packet behind the loss, packets by numbers
/// that are left out. Not thread-safe.
/// </summary>
internal sealed class CtfFsStreamOutput : IDisposable
{
    /// <summary>Length at which a packet of a source without packets ends.</summary>
    private const int PacketBytes = 512 << 10;

    private readonly DataStream _stream;
    private readonly PacketWriter _writer;
    private readonly EventWriter _events;
    private readonly bool _isWithoutPackets;
    private Packet? _packet;
    private bool _isExplicit;
    private ulong _discardedEvents;
    private ulong? _nextNumber;
    private ulong _lostPackets;
    private (long? BeginNs, long? EndNs)? _untoldLoss;

    public CtfFsStreamOutput(CtfFsTraceOutput trace, DataStream stream, ulong id, StreamLowering lowering, PacketFile file)
    {
        _stream = stream;
        _writer = new PacketWriter(trace.Class, stream, lowering, id, file);
        _events = new EventWriter(_writer, lowering, decoder => trace.FindEvent(lowering, decoder), file.Path);
        _isWithoutPackets = IsWithoutPackets(stream);
        TakesRuns = lowering.KeepsRecords;
    }

    /// <summary>Whether events may come as runs.</summary>
    public bool TakesRuns { get; }

    /// <summary>Whether a stream's source has no CTF, and so no packets of its own.</summary>
    public static bool IsWithoutPackets(DataStream stream) => stream.Trace.Class.CtfVersion == 0;

    /// <summary>Adds a message that is no single event.</summary>
    public void Add(in Message message)
    {
        switch (message.Kind)
        {
            case MessageKind.EventRun:
                OpenFor(in message);
                _events.WriteRun(in message);
                break;
            case MessageKind.PacketBeginning:
                Close(null);
                Open(message.Packet, TimeOf(in message));
                _isExplicit = true;
                break;
            case MessageKind.PacketEnd:
                if (!_writer.IsOpen)
                    Open(message.Packet, null);
                Close(TimeOf(in message));
                break;
            case MessageKind.DiscardedEvents:
                AddDiscardedEvents(in message);
                break;
            case MessageKind.DiscardedPackets:
                _lostPackets += message.Count ?? 1;
                break;
            case MessageKind.StreamEnd:
                Complete();
                break;
        }
    }

    /// <summary>Adds events of this stream.</summary>
    public void AddEvents(ReadOnlySpan<Message> events)
    {
        while (!events.IsEmpty)
        {
            OpenFor(in events[0]);
            int count = 1;
            while (count < events.Length && events[count].Packet == _packet)
                count++;
            events = events[_events.Write(events[..count])..];
        }
    }

    /// <summary>Ends what has begun; more may follow.</summary>
    public void Complete()
    {
        Close(null);
        if (_untoldLoss is { } loss)
            AddEmptyPacket(loss.BeginNs, loss.EndNs);
    }

    public void Dispose() => _writer.Dispose();

    private void OpenFor(in Message first)
    {
        if (_writer.IsOpen && first.Packet == _packet && (!_isWithoutPackets || _isExplicit || _writer.LengthBytes < PacketBytes))
            return;
        Close(null);
        Open(first.Packet, null, first.Record.ClockValue);
    }

    private void Open(Packet? packet, long? beginNs, ulong? begin = null)
    {
        _packet = packet;
        _isExplicit = false;
        _writer.Open(packet, beginNs, begin);
        _nextNumber = (_nextNumber ?? _writer.InputProperties.SequenceNumber).GetValueOrDefault() + _lostPackets;
        _lostPackets = 0;
        _untoldLoss = null;
    }

    private void Close(long? endNs)
    {
        if (!_writer.IsOpen)
            return;
        _writer.Close(endNs, _discardedEvents, _nextNumber.GetValueOrDefault());
        _nextNumber++;
    }

    /// <summary>
    /// A reader takes a loss to lie between the ends of two packets, so a source without packets gets a packet that is nothing but it.
    /// </summary>
    private void AddDiscardedEvents(in Message message)
    {
        long? begin = TimeOf(in message);
        long? end = message.HasTime ? message.EndTimeNs : null;
        if (_isWithoutPackets && !_isExplicit && begin is { } time)
        {
            Close(_stream.ToNanoseconds(_writer.Clock) > time ? null : begin);
            // Without a packet before it nobody could say how many were lost.
            if (_nextNumber is null)
                AddEmptyPacket(begin, begin);
            _discardedEvents += message.Count ?? 1;
            AddEmptyPacket(begin, end);
            return;
        }
        _discardedEvents += message.Count ?? 1;
        if (!_writer.IsOpen)
            _untoldLoss = (begin, end);
    }

    private void AddEmptyPacket(long? beginNs, long? endNs)
    {
        Open(_packet, beginNs);
        Close(endNs);
    }

    private static long? TimeOf(in Message message) => message.HasTime ? message.TimeNs : null;
}
