using System.Buffers.Binary;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// Writes the packets of one stream: header and context, then what <see cref="Buffer"/> takes. What is known only at a packet's end is
/// filled in there; a packet that grows large goes to the file piece by piece, and its beginning is written once more at its end.
/// </summary>
internal sealed class PacketWriter : IDisposable
{
    /// <summary>Bytes that are held back at most, but for one record.</summary>
    private const int PieceBytes = 512 << 10;

    private readonly TraceClass _trace;
    private readonly DataStream _source;
    private readonly StreamLowering _stream;
    private readonly RecordEncoder _encoder;
    private readonly ulong _streamId;
    private readonly PacketFile _file;
    private readonly byte[] _head;
    private readonly int _contextBytes;
    private ulong _begin;

    public PacketWriter(TraceClass trace, DataStream source, StreamLowering stream, ulong streamId, PacketFile file)
    {
        _trace = trace;
        _source = source;
        _stream = stream;
        _encoder = new RecordEncoder(source.Trace.Decoder);
        _streamId = streamId;
        _file = file;
        Buffer = new BitWriter(PieceBytes + (64 << 10));
        int alignmentBytes = Math.Max(1, stream.Output.PacketContext!.AlignmentBits / 8);
        _contextBytes = (WriteHeader() + alignmentBytes - 1) & -alignmentBytes;
        int members = 2 + (stream.Options.HasBeginTime ? 1 : 0) + (stream.Options.HasEndTime ? 1 : 0)
            + (stream.Options.HasSequenceNumber ? 1 : 0) + (stream.Options.HasDiscardedEvents ? 1 : 0);
        _head = new byte[_contextBytes + (members * 8)];
    }

    /// <summary>Takes the records of the packet.</summary>
    public BitWriter Buffer { get; }

    /// <summary>The encoder of what the packet's stream reads.</summary>
    public RecordEncoder Encoder => _encoder;

    /// <summary>Whether a packet has begun and not ended.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Bytes of the packet so far.</summary>
    public long LengthBytes => (Buffer.OriginBits >> 3) + Buffer.LengthBytes;

    /// <summary>The clock's value after the last record, as a reader knows it.</summary>
    public ulong Clock { get; set; }

    /// <summary>Whether a reader knows the clock's value.</summary>
    public bool IsClockKnown { get; set; }

    /// <summary>What the input's packet says about itself.</summary>
    public PacketProperties InputProperties { get; private set; }

    /// <summary>Begins a packet.</summary>
    /// <param name="packet">The input's packet, or null.</param>
    /// <param name="beginNs">When it begins; null when that is not known.</param>
    /// <param name="begin">The clock's value at its first event, for when that is not known.</param>
    /// <exception cref="TraceWriteException">The input's packet context is not what its class says.</exception>
    public void Open(Packet? packet, long? beginNs, ulong? begin = null)
    {
        Buffer.Clear();
        WriteHeader();
        Buffer.Align(_contextBytes * 8);
        Buffer.WriteZeros(_head.Length - Buffer.LengthBytes);
        var status = _encoder.EncodeContext(_stream.PacketContext, _stream.Input, packet is null ? new byte[4096] : packet.HeaderAndContext, Buffer, out var properties);
        if (status != DecodeStatus.Done && packet is not null)
            throw new TraceWriteException(_file.Path, "the packet context of the input cannot be decoded");
        InputProperties = packet is null ? default : properties;
        _begin = Cycles(beginNs, InputProperties.BeginTime) ?? begin ?? InputProperties.BeginTime ?? Clock;
        // A packet that does not say when it begins tells a reader nothing.
        IsClockKnown = _stream.Options.HasBeginTime;
        Clock = _begin;
        IsOpen = true;
    }

    /// <summary>Ends the packet and writes it.</summary>
    /// <param name="endNs">When it ends; null when that is not known.</param>
    /// <param name="discardedEvents">Events that were discarded since the stream began.</param>
    /// <param name="number">The packet's number.</param>
    /// <exception cref="TraceWriteException">There is no room.</exception>
    public void Close(long? endNs, ulong discardedEvents, ulong number)
    {
        IsOpen = false;
        ulong contentBits = (ulong)(Buffer.OriginBits + Buffer.PositionBits);
        Buffer.Align(8);
        ulong packetBits = (ulong)(Buffer.OriginBits + Buffer.PositionBits);
        ulong endTime = Cycles(endNs, InputProperties.EndTime) ?? Clock;
        FillHead(endTime, contentBits, packetBits, number, discardedEvents);
        bool isWhole = Buffer.OriginBits == 0;
        if (isWhole)
            _head.CopyTo(Buffer.Overwritable(_head.Length));
        _file.Append(Buffer.Written);
        if (!isWhole)
            _file.OverwriteHead(_head);
        _file.EndPacket(new PacketFacts(packetBits, contentBits, _begin, endTime, discardedEvents, _stream.Output.Id, _streamId, number));
        Clock = endTime;
        Buffer.Clear();
    }

    /// <summary>Writes whole bytes of the packet to the file when there are many.</summary>
    /// <exception cref="TraceWriteException">There is no room.</exception>
    public void FlushPiece()
    {
        if (Buffer.LengthBytes < PieceBytes)
            return;
        long bytes = Buffer.PositionBits >> 3;
        // The header's copy is complete only in the buffer's beginning.
        if (Buffer.OriginBits == 0)
            Buffer.Written[.._head.Length].CopyTo(_head);
        _file.Append(Buffer.Written[..(int)bytes]);
        Buffer.CutFront(bytes);
    }

    public void Dispose()
    {
        Buffer.Dispose();
        _file.Dispose();
    }

    /// <summary>A time in cycles: the input's own, if that is what it was converted from.</summary>
    private ulong? Cycles(long? timeNs, ulong? own)
    {
        if (timeNs is not { } time)
            return null;
        return own is { } known && _source.ToNanoseconds(known) == time ? known : _source.ToCycles(time);
    }

    private int WriteHeader()
    {
        Buffer.Write(LttngLayout.PacketMagic, 32);
        if (_trace.Uuid is { } uuid)
        {
            Span<byte> bytes = stackalloc byte[16];
            uuid.TryWriteBytes(bytes, bigEndian: true, out _);
            Buffer.WriteBytes(bytes);
        }
        Buffer.Write(_stream.Output.Id, ((IntegerFieldClass)_trace.PacketHeader!.Find("stream_id")!).SizeBits);
        Buffer.Write(_streamId, 64);
        return (int)Buffer.LengthBytes;
    }

    private void FillHead(ulong end, ulong contentBits, ulong packetBits, ulong number, ulong discardedEvents)
    {
        if (Buffer.OriginBits == 0)
            Buffer.Written[.._contextBytes].CopyTo(_head);
        int at = _contextBytes;
        if (_stream.Options.HasBeginTime)
            Put(_begin);
        if (_stream.Options.HasEndTime)
            Put(end);
        Put(contentBits);
        Put(packetBits);
        if (_stream.Options.HasSequenceNumber)
            Put(number);
        if (_stream.Options.HasDiscardedEvents)
            Put(discardedEvents);

        void Put(ulong value)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(_head.AsSpan(at), value);
            at += 8;
        }
    }
}
