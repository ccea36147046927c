using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// A trace as it comes out of the filter: its class has one more member in the common context of those data stream classes whose events
/// say where they happened. These have no event header any more, because their events are encoded anew; all else is as it was.
/// </summary>
internal sealed class DebugInfoTrace
{
    private readonly Trace _input;
    private readonly Trace _output;
    private readonly string _fieldName;
    private readonly Dictionary<DataStream, DebugInfoStream> _streams = [];

    private DebugInfoTrace(Trace input, string fieldName, ProcessBinaries processes)
    {
        (_input, _fieldName, Processes) = (input, fieldName, processes);
        _output = new Trace(new TraceDecoder(Extend(input.Class, fieldName)), input.Name);
        Walker = new FieldWalker(input.Decoder);
        Encoder = new RecordEncoder(input.Decoder);
        foreach (var stream in input.Streams)
            Find(stream);
    }

    public ProcessBinaries Processes { get; }

    public FieldWalker Walker { get; }

    public RecordEncoder Encoder { get; }

    /// <summary>The trace as it comes out, or null where nothing of it changes.</summary>
    public static DebugInfoTrace? Create(Trace input, string fieldName, ProcessBinaries processes) =>
        input.Class.DataStreamClasses.Any(stream => DebugInfoFields.AreIn(stream, fieldName)) ? new DebugInfoTrace(input, fieldName, processes) : null;

    /// <summary>What becomes of a stream.</summary>
    public DebugInfoStream Find(DataStream input)
    {
        if (_streams.TryGetValue(input, out var known))
            return known;
        var output = new DataStream
        {
            Trace = _output,
            Decoder = FindDecoder(input.Decoder.Class),
            Id = input.Id,
            Name = input.Name,
            ClockOffsetNs = input.ClockOffsetNs,
            IsClockAbsolute = input.IsClockAbsolute,
            FrequencyHz = input.FrequencyHz,
        };
        var stream = new DebugInfoStream(this, input, output, DebugInfoFields.AreIn(input.Decoder.Class, _fieldName));
        _streams.Add(input, stream);
        return stream;
    }

    /// <summary>The programs of an event's class as it comes out.</summary>
    public EventDecoder FindEvent(StreamDecoder output, EventDecoder input)
    {
        if (output.FindEvent(input.Class.Id) is { } known)
            return known;
        // The metadata of a trace that is being recorded has grown.
        _output.Decoder.Extend(Extend(_input.Class, _fieldName));
        return output.FindEvent(input.Class.Id)!;
    }

    /// <summary>Values that an event needs from outside, for the programs of what comes out.</summary>
    public ulong[]? TakeSlots(ulong[]? slots) => slots is null ? null : _output.Decoder.TakeSlots(_input.Decoder, slots);

    private StreamDecoder FindDecoder(DataStreamClass stream)
    {
        if (_output.Decoder.FindStream(stream.Id) is { } known)
            return known;
        _output.Decoder.Extend(Extend(_input.Class, _fieldName));
        return _output.Decoder.FindStream(stream.Id)!;
    }

    private static TraceClass Extend(TraceClass input, string fieldName)
    {
        var output = new TraceClass
        {
            Uuid = input.Uuid,
            Namespace = input.Namespace,
            Name = input.Name,
            Uid = input.Uid,
            Attributes = input.Attributes,
            CtfVersion = input.CtfVersion,
            NativeByteOrder = input.NativeByteOrder,
            PacketHeader = input.PacketHeader,
        };
        foreach (var entry in input.Environment)
            output.Add(entry);
        foreach (var clock in input.ClockClasses)
            output.Add(clock);
        foreach (var stream in input.DataStreamClasses)
            output.Add(Extend(stream, fieldName));
        return output;
    }

    private static DataStreamClass Extend(DataStreamClass input, string fieldName)
    {
        bool isExtended = DebugInfoFields.AreIn(input, fieldName);
        var output = new DataStreamClass
        {
            Id = input.Id,
            Namespace = input.Namespace,
            Name = input.Name,
            Uid = input.Uid,
            Attributes = input.Attributes,
            PacketContext = input.PacketContext,
            EventHeader = isExtended ? null : input.EventHeader,
            EventCommonContext = isExtended ? Extend(input.EventCommonContext!, fieldName) : input.EventCommonContext,
            DefaultClock = input.DefaultClock,
        };
        foreach (var eventRecordClass in input.EventRecordClasses)
            output.Add(eventRecordClass);
        return output;
    }

    private static StructureFieldClass Extend(StructureFieldClass context, string fieldName)
    {
        var text = new StringFieldClass();
        var debugInfo = new StructureFieldClass([new("bin", text), new("func", text), new("src", text)]);
        return new StructureFieldClass([.. context.Members, new StructureMember(fieldName, debugInfo)], context.MinimumAlignmentBits) { Attributes = context.Attributes };
    }
}

/// <summary>A data stream as it comes out of the filter.</summary>
internal sealed class DebugInfoStream(DebugInfoTrace trace, DataStream input, DataStream output, bool isExtended)
{
    private readonly Dictionary<EventDecoder, DebugInfoEvent> _events = [];
    private Packet? _inputPacket;
    private Packet? _outputPacket;

    public DebugInfoTrace Trace => trace;

    public DataStream Output => output;

    /// <summary>Whether its events get a member more.</summary>
    public bool IsExtended => isExtended;

    /// <summary>Takes the ID over, which a source may set late.</summary>
    public void Begin() => output.Id = input.Id;

    /// <summary>A packet as it comes out; its bytes are the same.</summary>
    public Packet FindPacket(Packet packet)
    {
        if (_inputPacket != packet)
        {
            _outputPacket = new Packet { Stream = output, HeaderAndContext = packet.HeaderAndContext };
            _inputPacket = packet;
        }
        return _outputPacket!;
    }

    /// <summary>What becomes of the events of a class.</summary>
    public DebugInfoEvent FindEvent(EventDecoder decoder)
    {
        if (!_events.TryGetValue(decoder, out var found))
            _events.Add(decoder, found = new DebugInfoEvent(trace.FindEvent(output.Decoder, decoder), new DebugInfoFields(decoder), EncodeProgram.CreateCopy(decoder.Fields)));
        return found;
    }
}

/// <summary>What becomes of the events of a class.</summary>
/// <param name="Output">Their programs as they come out.</param>
/// <param name="Fields">Picks out what they say.</param>
/// <param name="Program">Writes the fields that they have.</param>
internal sealed record DebugInfoEvent(EventDecoder Output, DebugInfoFields Fields, EncodeProgram Program);
