namespace Weir.Ctf;

/// <summary>
/// The programs that decode the packets and events of one trace class. Thread-safe; the trace class may no longer change, but by
/// <see cref="Extend"/>.
/// </summary>
public sealed class TraceDecoder
{
    private readonly Dictionary<ulong, StreamDecoder> _streams = [];

    /// <summary>Compiles what all packets share; events are compiled when they are first met.</summary>
    public TraceDecoder(TraceClass trace)
    {
        ArgumentNullException.ThrowIfNull(trace);
        Trace = trace;
        ProgramCompiler.CollectSlots(trace.PacketHeader, Slots);
        foreach (var stream in trace.DataStreamClasses)
            CollectSlots(stream);
        PacketHeader = ProgramCompiler.Compile(Slots, (FieldScope.PacketHeader, trace.PacketHeader));
        foreach (var stream in trace.DataStreamClasses)
            _streams.Add(stream.Id, new StreamDecoder(this, stream));
    }

    /// <summary>The trace class.</summary>
    public TraceClass Trace { get; }

    /// <summary>Decodes the packet header.</summary>
    public DecodeProgram PacketHeader { get; }

    internal Dictionary<FieldLocation, int> Slots { get; } = [];

    /// <summary>The decoder of the data stream class with this ID, or null.</summary>
    public StreamDecoder? FindStream(ulong id) => _streams.GetValueOrDefault(id);

    /// <summary>
    /// Adds the data stream and event record classes that newer metadata of the same trace declares more: the metadata of a trace that is
    /// being recorded grows. What exists stays as it is, and so do cursors and walkers. Not to be called while another thread decodes.
    /// </summary>
    public void Extend(TraceClass newer)
    {
        ArgumentNullException.ThrowIfNull(newer);
        foreach (var clock in newer.ClockClasses)
        {
            if (!Trace.ClockClasses.Any(known => known.Name == clock.Name))
                Trace.Add(clock);
        }
        foreach (var stream in newer.DataStreamClasses)
        {
            if (_streams.TryGetValue(stream.Id, out var known))
            {
                foreach (var eventRecordClass in stream.EventRecordClasses.Where(item => known.Class.FindEvent(item.Id) is null))
                {
                    CollectSlots(eventRecordClass);
                    known.Class.Add(eventRecordClass);
                }
                continue;
            }
            CollectSlots(stream);
            Trace.Add(stream);
            _streams.Add(stream.Id, new StreamDecoder(this, stream));
        }
        foreach (var decoder in _streams.Values)
            decoder.FindOuterSlots();
    }

    /// <summary>
    /// What a cursor of another trace class, of which this one was made, gave as outer values of an event, for this class's programs.
    /// </summary>
    /// <param name="other">The other class's programs.</param>
    /// <param name="values">What <see cref="PacketCursor.CopySlots"/> gave.</param>
    public ulong[] TakeSlots(TraceDecoder other, ulong[] values)
    {
        ArgumentNullException.ThrowIfNull(other);
        ArgumentNullException.ThrowIfNull(values);
        var taken = new ulong[Slots.Count];
        foreach (var (location, slot) in Slots)
        {
            if (other.Slots.TryGetValue(location, out int theirs) && theirs < values.Length)
                taken[slot] = values[theirs];
        }
        return taken;
    }

    private void CollectSlots(DataStreamClass stream)
    {
        ProgramCompiler.CollectSlots(stream.PacketContext, Slots);
        ProgramCompiler.CollectSlots(stream.EventHeader, Slots);
        ProgramCompiler.CollectSlots(stream.EventCommonContext, Slots);
        foreach (var eventRecordClass in stream.EventRecordClasses)
            CollectSlots(eventRecordClass);
    }

    private void CollectSlots(EventRecordClass eventRecordClass)
    {
        ProgramCompiler.CollectSlots(eventRecordClass.SpecificContext, Slots);
        ProgramCompiler.CollectSlots(eventRecordClass.Payload, Slots);
    }
}

/// <summary>The programs of one data stream class.</summary>
public sealed class StreamDecoder
{
    private const ulong DenseLimit = 1 << 16;

    private readonly Dictionary<ulong, EventDecoder> _sparse = [];
    private EventDecoder?[] _dense = new EventDecoder?[32];

    internal StreamDecoder(TraceDecoder trace, DataStreamClass stream)
    {
        TraceDecoder = trace;
        Class = stream;
        PacketContext = ProgramCompiler.Compile(trace.Slots, (FieldScope.PacketContext, stream.PacketContext));
        EventHeader = ProgramCompiler.Compile(trace.Slots, (FieldScope.EventHeader, stream.EventHeader));
        HeaderShape = EventHeaderShapes.Recognize(stream.EventHeader, trace.Slots);
        LttngHeader = EventHeaderShapes.ToLttng(HeaderShape, stream.EventHeader);
        FindOuterSlots();
    }

    /// <summary>The decoder of the trace that this stream belongs to.</summary>
    public TraceDecoder TraceDecoder { get; }

    /// <summary>The data stream class.</summary>
    public DataStreamClass Class { get; }

    /// <summary>Decodes the packet context.</summary>
    public DecodeProgram PacketContext { get; }

    /// <summary>Decodes the event header.</summary>
    public DecodeProgram EventHeader { get; }

    /// <summary>Whether an event's fields may depend on values of its packet or of its header.</summary>
    public bool HasOuterSlots { get; private set; }

    /// <summary>The header of its events, where that is one of LTTng's on x86-64; else null.</summary>
    public LttngEventHeader? LttngHeader { get; }

    internal EventHeaderShape HeaderShape { get; }

    /// <summary>The skippers of the decoders that were made so far, by ID, where IDs are small and short in a recognized header.</summary>
    internal EventSkipper[] KnownSkippers { get; private set; } = [];

    /// <summary>The decoder of the event record class with this ID, or null.</summary>
    public EventDecoder? FindEvent(ulong id)
    {
        var dense = _dense;
        return id < (ulong)dense.Length && dense[id] is { } known ? known : Compile(id);
    }

    internal void FindOuterSlots()
    {
        // The selector of a recognized header is used inside that header only.
        var lastOuter = HeaderShape == EventHeaderShape.General ? FieldScope.EventHeader : FieldScope.PacketContext;
        foreach (var location in TraceDecoder.Slots.Keys)
            HasOuterSlots |= location.Origin <= lastOuter;
    }

    private EventDecoder? Compile(ulong id)
    {
        lock (_sparse)
        {
            if (_sparse.TryGetValue(id, out var known))
                return known;
            if (Class.FindEvent(id) is not { } eventRecordClass)
                return null;
            var decoder = new EventDecoder(this, eventRecordClass);
            _sparse.Add(id, decoder);
            if (id < DenseLimit)
            {
                var dense = _dense;
                if (id >= (ulong)dense.Length)
                    Array.Resize(ref dense, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)id + 1));
                dense[id] = decoder;
                _dense = dense;
                AddSkipper((int)id, decoder.Skipper, dense.Length);
            }
            return decoder;
        }
    }

    /// <summary>Others may be reading the array meanwhile: they see the skipper or do not.</summary>
    private void AddSkipper(int id, EventSkipper skipper, int capacity)
    {
        var skippers = KnownSkippers;
        if (skippers.Length < capacity)
            Array.Resize(ref skippers, capacity);
        bool isShort = HeaderShape == EventHeaderShape.Compact ? id < LttngLayout.ExtendedEventId : id < LttngLayout.LargeExtendedEventId;
        if (isShort)
            skippers[id] = skipper;
        KnownSkippers = skippers;
    }
}

/// <summary>The programs of one event record class.</summary>
public sealed class EventDecoder
{
    private static int s_count;

    internal EventDecoder(StreamDecoder stream, EventRecordClass eventRecordClass)
    {
        Number = Interlocked.Increment(ref s_count) & int.MaxValue;
        Stream = stream;
        Class = eventRecordClass;
        Fields = ProgramCompiler.Compile(
            stream.TraceDecoder.Slots,
            (FieldScope.EventCommonContext, stream.Class.EventCommonContext),
            (FieldScope.EventSpecificContext, eventRecordClass.SpecificContext),
            (FieldScope.EventPayload, eventRecordClass.Payload));
        Skip = SkipCompiler.Compile(Fields).StepArray;
        Skipper = EventSkipper.Create(Skip);
    }

    /// <summary>
    /// Which decoder of the process this is, for those who keep something for the classes that they met last: neighbours fall on different places.
    /// </summary>
    public int Number { get; }

    /// <summary>The data stream class's decoder.</summary>
    public StreamDecoder Stream { get; }

    /// <summary>The event record class.</summary>
    public EventRecordClass Class { get; }

    /// <summary>Decodes what follows the event header; its roots are the common context, the specific context and the payload.</summary>
    public DecodeProgram Fields { get; }

    /// <summary>Finds the end of what follows the event header.</summary>
    internal DecodeStep[] Skip { get; }

    /// <summary>Finds that end faster, for most events.</summary>
    internal EventSkipper Skipper { get; }
}
