using System.Runtime.CompilerServices;

namespace Weir.Ctf;

/// <summary>One event record: where it lies and when it happened.</summary>
public struct EventRecord
{
    /// <summary>The programs of its class.</summary>
    public EventDecoder Decoder { get; internal set; }

    /// <summary>Bits from the packet's beginning to the event header, before its alignment.</summary>
    public long StartBits { get; internal set; }

    /// <summary>Bits from the packet's beginning to the end of the event header.</summary>
    public long FieldsBits { get; internal set; }

    /// <summary>Bits from the packet's beginning to the end of the event record.</summary>
    public long EndBits { get; internal set; }

    /// <summary>The clock's value in cycles; meaningless in a stream without a clock.</summary>
    public ulong ClockValue { get; set; }

    /// <summary>A record that no cursor found, for sources that lay their events out themselves.</summary>
    /// <param name="decoder">The programs of its class.</param>
    /// <param name="startBits">Bits from the packet's beginning to the event header.</param>
    /// <param name="fieldsBits">Bits from the packet's beginning to the end of the event header.</param>
    /// <param name="endBits">Bits from the packet's beginning to the end of the event record.</param>
    /// <param name="clockValue">The clock's value in cycles.</param>
    public static EventRecord Create(EventDecoder decoder, long startBits, long fieldsBits, long endBits, ulong clockValue) => new()
    {
        Decoder = decoder,
        StartBits = startBits,
        FieldsBits = fieldsBits,
        EndBits = endBits,
        ClockValue = clockValue,
    };

    /// <summary>Offset of the record from the packet's beginning, in bytes.</summary>
    public readonly long OffsetBytes => StartBits >> 3;

    /// <summary>Length of the record in bytes, with a last byte that is used in part.</summary>
    public readonly long LengthBytes => ((EndBits + 7) >> 3) - (StartBits >> 3);
}

/// <summary>
/// Walks the events of packets that lie in memory. Begin a packet with <see cref="BeginPacket"/>, then call <see cref="MoveNext"/> until it
/// is not <see cref="DecodeStatus.Done"/>. Only the bytes up to the given limit are touched; when they end inside an event, nothing has
/// changed and the call may be repeated with more bytes. Allocates nothing for each event. Not thread-safe.
/// </summary>
public sealed unsafe class PacketCursor
{
    private readonly TraceDecoder _trace;
    private readonly DecodeState _state;
    private long _positionBits;
    private long _contentBits;

    /// <summary>Creates a cursor for one data stream of a trace.</summary>
    public PacketCursor(TraceDecoder trace)
    {
        ArgumentNullException.ThrowIfNull(trace);
        _trace = trace;
        _state = new DecodeState(trace.Slots.Count);
    }

    /// <summary>The programs of the packet's data stream class; null before the first packet.</summary>
    public StreamDecoder? Stream { get; private set; }

    /// <summary>What the packet says about itself.</summary>
    public ref readonly PacketProperties Properties => ref _state.Packet;

    /// <summary>
    /// Bits from the packet's beginning to what comes next. Set to go on elsewhere, where an event is known to begin; the running clock
    /// value then no longer means anything.
    /// </summary>
    public long PositionBits
    {
        get => _positionBits;
        set => _positionBits = value;
    }

    /// <summary>Bits from the packet's beginning to its context (the end of its header).</summary>
    public long ContextBits { get; private set; }

    /// <summary>The running clock value, in cycles.</summary>
    public ulong ClockValue => _state.Clock;

    /// <summary>
    /// Bits of content of the packet: what it says itself, <see cref="long.MaxValue"/> when it says nothing. To be set by the caller
    /// once it has checked it against the bytes that there are.
    /// </summary>
    public long ContentBits
    {
        get => _contentBits;
        set => _contentBits = value;
    }

    /// <summary>
    /// Decodes a packet's header and context. The running clock value goes on from the packet before; with
    /// <paramref name="keepsClock"/> false it begins at zero.
    /// </summary>
    /// <param name="packet">The packet's first byte.</param>
    /// <param name="availableBits">Bits from there that may be touched.</param>
    /// <param name="problem">What is wrong when the status is not done, else null.</param>
    /// <param name="keepsClock">Whether the running clock value goes on.</param>
    public DecodeStatus BeginPacket(byte* packet, long availableBits, out string? problem, bool keepsClock = true)
    {
        problem = null;
        _state.ReserveSlots(_trace.Slots.Count);
        ulong clock = keepsClock ? _state.Clock : 0;
        _state.Clock = clock;
        _state.Packet = default;
        _state.EmptyElementCount = 0;
        _positionBits = 0;
        Stream = null;
        var visitor = default(NoVisitor);
        long position = 0;
        var steps = _trace.PacketHeader.StepArray;
        var status = FieldInterpreter.Run(steps, 0, steps.Length, packet, ref position, availableBits, _state, ref visitor);
        ContextBits = position;
        if (status == DecodeStatus.Done && CheckHeader() is { } wrong)
        {
            problem = wrong;
            return DecodeStatus.UnknownEvent;
        }
        if (status == DecodeStatus.Done)
        {
            steps = Stream!.PacketContext.StepArray;
            status = FieldInterpreter.Run(steps, 0, steps.Length, packet, ref position, availableBits, _state, ref visitor);
        }
        if (status != DecodeStatus.Done)
        {
            _state.Clock = clock;
            problem = Explain(status, "the packet's header or context", FindInHeader(packet, availableBits));
            return status;
        }
        _positionBits = position;
        _contentBits = (long)Math.Min(_state.Packet.ContentBits ?? _state.Packet.TotalBits ?? long.MaxValue, long.MaxValue);
        return DecodeStatus.Done;
    }

    /// <summary>Decodes the next event.</summary>
    /// <param name="packet">Where the packet's first byte lies, or would lie if it were in memory.</param>
    /// <param name="availableBits">Bits from the packet's beginning on that may not be touched.</param>
    /// <param name="record">The event, when the status is done.</param>
    public DecodeStatus MoveNext(byte* packet, long availableBits, ref EventRecord record)
    {
        long start = _positionBits;
        if (start >= _contentBits)
            return start == _contentBits ? DecodeStatus.EndOfPacket : DecodeStatus.OutOfBytes;
        long limit = Math.Min(availableBits, _contentBits);
        long position = start;
        ulong clock = _state.Clock;
        var status = ReadHeader(packet, ref position, limit);
        if (status != DecodeStatus.Done)
            return Undo(status, clock);
        var stream = Stream!;
        var decoder = stream.FindEvent(_state.EventClassId);
        if (decoder is null)
            return Undo(DecodeStatus.UnknownEvent, clock);
        record.FieldsBits = position;
        // The event's time is the clock's value now; fields that map to the clock may move it further, for the next event.
        record.ClockValue = _state.Clock;
        long end = decoder.Skipper.IsNone ? -1 : decoder.Skipper.Skip(packet, position, limit);
        if (end >= 0)
        {
            position = end;
        }
        else
        {
            var visitor = default(NoVisitor);
            _state.EmptyElementCount = 0;
            status = FieldInterpreter.Run(decoder.Skip, 0, decoder.Skip.Length, packet, ref position, limit, _state, ref visitor);
            if (status != DecodeStatus.Done)
                return Undo(status, clock);
            // A last field without bits may still be aligned.
            if (position > limit)
                return Undo(DecodeStatus.OutOfBytes, clock);
        }
        if (position == start)
            return Undo(DecodeStatus.EmptyRecord, clock);
        // The caller's slot mostly holds it already, and comparing is cheaper than the collector's write barrier.
        if (record.Decoder != decoder)
            record.Decoder = decoder;
        record.StartBits = start;
        record.EndBits = position;
        _positionBits = position;
        return DecodeStatus.Done;
    }

    /// <summary>
    /// Passes over a run of events of common shapes with one of LTTng's compact headers, which <see cref="MoveNext"/> would give one by one. It ends
    /// before one that is something else, or bad, or later than the largest clock value, and may end before any other.
    /// </summary>
    /// <param name="packet">Where the packet's first byte lies, or would lie if it were in memory.</param>
    /// <param name="availableBits">Bits from the packet's beginning on that may not be touched.</param>
    /// <param name="largestClockValue">No event of the run is later.</param>
    /// <param name="first">The first event of the run, where there is one; but its end is the run's.</param>
    /// <returns>The number of events. The clock's value is the last one's.</returns>
    public long MoveRun(byte* packet, long availableBits, ulong largestClockValue, ref EventRecord first)
    {
        long limit = Math.Min(availableBits, _contentBits);
        return Stream!.HeaderShape switch
        {
            EventHeaderShape.Compact => MoveRun<CompactHeader>(packet, limit, largestClockValue, ref first),
            EventHeaderShape.Large => MoveRun<LargeHeader>(packet, limit, largestClockValue, ref first),
            _ => 0,
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // One call passes over a whole window, so there are few before it would be compiled well.
    private long MoveRun<THeader>(byte* packet, long limit, ulong largestClockValue, ref EventRecord first)
        where THeader : struct, IRunHeader
    {
        var skippers = Stream!.KnownSkippers;
        long start = _positionBits;
        long position = start;
        ulong clock = _state.Clock;
        long count = 0;
        while (true)
        {
            long at = (position + 7) & ~7L;
            if (limit - at < THeader.Bits)
                break;
            // An ID that announces a longer header has no skipper.
            uint id = THeader.Id(packet + (at >> 3));
            if (id >= (uint)skippers.Length || skippers[id].IsNone)
                break;
            long end = skippers[id].Skip(packet, at + THeader.Bits, limit);
            ulong time = THeader.Extend(clock, packet + (at >> 3));
            if (end < 0 || time > largestClockValue)
                break;
            (clock, position) = (time, end);
            count++;
        }
        if (count == 0)
            return 0;
        byte* header = packet + ((start + 7) >> 3);
        first.Decoder = Stream.FindEvent(THeader.Id(header))!;
        first.StartBits = start;
        first.FieldsBits = ((start + 7) & ~7L) + THeader.Bits;
        first.EndBits = position;
        first.ClockValue = THeader.Extend(_state.Clock, header);
        (_positionBits, _state.Clock) = (position, clock);
        return count;
    }

    /// <summary>One of LTTng's headers in its short form, for <see cref="MoveRun{THeader}"/>.</summary>
    private interface IRunHeader
    {
        static abstract int Bits { get; }

        static abstract uint Id(byte* header);

        /// <summary>The clock's value at the event.</summary>
        static abstract ulong Extend(ulong clock, byte* header);
    }

    private readonly struct CompactHeader : IRunHeader
    {
        public static int Bits => 32;

        public static uint Id(byte* header) => Unsafe.ReadUnaligned<uint>(header) & LttngLayout.ExtendedEventId;

        public static ulong Extend(ulong clock, byte* header) => Ctf.ClockValue.Extend(clock, Unsafe.ReadUnaligned<uint>(header) >> 5, 27);
    }

    private readonly struct LargeHeader : IRunHeader
    {
        public static int Bits => 48;

        public static uint Id(byte* header) => Unsafe.ReadUnaligned<ushort>(header);

        public static ulong Extend(ulong clock, byte* header) => Ctf.ClockValue.Extend(clock, Unsafe.ReadUnaligned<uint>(header + 2), 32);
    }

    /// <summary>Words for a status that is an error, with the field that it is about.</summary>
    /// <param name="status">What <see cref="MoveNext"/> said last.</param>
    /// <param name="what">What could not be decoded, for people.</param>
    /// <param name="packet">Where the packet's first byte lies, or would lie if it were in memory.</param>
    /// <param name="availableBits">Bits from the packet's beginning on that may not be touched.</param>
    public string Explain(DecodeStatus status, string what, byte* packet, long availableBits) =>
        Explain(status, what, FindInEvent(packet, availableBits));

    private string? FindInHeader(byte* packet, long availableBits)
    {
        var finder = new FailureFinder(_state.Slots, packet, 0, availableBits);
        if (!finder.Fails(_trace.PacketHeader, FieldScope.PacketHeader) && Stream is not null)
            finder.Fails(Stream.PacketContext, FieldScope.PacketContext);
        return finder.Found;
    }

    private string? FindInEvent(byte* packet, long availableBits)
    {
        var finder = new FailureFinder(_state.Slots, packet, _positionBits, Math.Min(availableBits, _contentBits));
        if (!finder.Fails(Stream!.EventHeader, FieldScope.EventHeader) && Stream.FindEvent(_state.EventClassId) is { } decoder)
            finder.Fails(decoder.Fields, FieldScope.EventCommonContext, FieldScope.EventSpecificContext, FieldScope.EventPayload);
        return finder.Found;
    }

    private string Explain(DecodeStatus status, string what, string? field) =>
        field is null ? Explain(status, what) : $"{Explain(status, what)}: {field}";

    /// <summary>Words for a status that is an error.</summary>
    private string Explain(DecodeStatus status, string what) => status switch
    {
        DecodeStatus.OutOfBytes => $"{what} does not fit into the packet",
        DecodeStatus.NoOption => $"{what} has a variant whose tag selects none of its options",
        DecodeStatus.ByteOrderChange => $"{what} changes its byte order inside a byte",
        DecodeStatus.TooManyElements => $"{what} has arrays of too many empty elements",
        DecodeStatus.UnknownEvent => $"the metadata declares no event with ID {_state.EventClassId} in stream {Stream?.Class.Id}",
        DecodeStatus.IntegerTooLong => $"{what} has a variable-length integer of more than 64 bits",
        DecodeStatus.BadText => $"{what} has text that its encoding does not allow",
        DecodeStatus.EmptyRecord => $"{what} takes no space, so there is no end of such records",
        _ => $"{what} cannot be decoded",
    };

    /// <summary>Copies the values that an event's fields may need from its packet and its header.</summary>
    public ulong[] CopySlots() => [.. _state.Slots];

    private DecodeStatus Undo(DecodeStatus status, ulong clock)
    {
        _state.Clock = clock;
        return status;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private DecodeStatus ReadHeader(byte* packet, ref long position, long limit)
    {
        long at = (position + 7) & ~7L;
        switch (Stream!.HeaderShape)
        {
            case EventHeaderShape.Compact when limit - at >= 32:
                uint word = BitReader.Load<uint>(packet, at);
                if ((word & LttngLayout.ExtendedEventId) == LttngLayout.ExtendedEventId)
                    break;
                _state.EventClassId = word & LttngLayout.ExtendedEventId;
                _state.Clock = Ctf.ClockValue.Extend(_state.Clock, word >> 5, 27);
                position = at + 32;
                return DecodeStatus.Done;
            case EventHeaderShape.Large when limit - at >= 48:
                ushort id = BitReader.Load<ushort>(packet, at);
                if (id == LttngLayout.LargeExtendedEventId)
                    break;
                _state.EventClassId = id;
                _state.Clock = Ctf.ClockValue.Extend(_state.Clock, BitReader.Load<uint>(packet, at + 16), 32);
                position = at + 48;
                return DecodeStatus.Done;
        }
        return ReadAnyHeader(packet, ref position, limit);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private DecodeStatus ReadAnyHeader(byte* packet, ref long position, long limit)
    {
        _state.HasEventClassId = false;
        _state.EmptyElementCount = 0;
        var steps = Stream!.EventHeader.StepArray;
        var visitor = default(NoVisitor);
        var status = FieldInterpreter.Run(steps, 0, steps.Length, packet, ref position, limit, _state, ref visitor);
        if (status == DecodeStatus.Done && !_state.HasEventClassId)
            _state.EventClassId = Stream.Class.EventRecordClasses is [var only] ? only.Id : _trace.Trace.CtfVersion == 2 ? 0 : ulong.MaxValue;
        return status;
    }

    private string? CheckHeader()
    {
        if (_state.Packet.Magic is { } magic && magic != LttngLayout.PacketMagic)
            return $"expected the packet's magic number 0x{LttngLayout.PacketMagic:X}, found 0x{magic:X}";
        // A UUID that is not the trace's is no error: babeltrace2 reads such packets, and they are as good as their metadata.
        var streams = _trace.Trace.DataStreamClasses;
        bool isZeroDefault = _trace.Trace.CtfVersion == 2;
        if (_state.Packet.StreamClassId is null && streams.Count != 1 && !isZeroDefault)
            return $"the packet names no stream, and the metadata declares {streams.Count}";
        ulong id = _state.Packet.StreamClassId ?? (streams is [var only] ? only.Id : 0);
        Stream = _trace.FindStream(id);
        return Stream is null ? $"the metadata declares no stream {id}" : null;
    }
}
