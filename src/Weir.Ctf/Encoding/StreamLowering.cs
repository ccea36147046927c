namespace Weir.Ctf;

/// <summary>What the packets of a written stream tell beside their sizes.</summary>
public sealed record StreamLoweringOptions
{
    /// <summary>Whether they say when they begin.</summary>
    public bool HasBeginTime { get; init; }

    /// <summary>Whether they say when they end.</summary>
    public bool HasEndTime { get; init; }

    /// <summary>Whether they have a number.</summary>
    public bool HasSequenceNumber { get; init; }

    /// <summary>Whether they count discarded events.</summary>
    public bool HasDiscardedEvents { get; init; }

    /// <summary>What the packets of a stream that is read tell.</summary>
    public static StreamLoweringOptions From(StreamDecoder stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return new StreamLoweringOptions
        {
            HasBeginTime = Has(stream, FieldRole.PacketBeginTime),
            HasEndTime = Has(stream, FieldRole.PacketEndTime),
            HasSequenceNumber = Has(stream, FieldRole.PacketSequenceNumber),
            HasDiscardedEvents = Has(stream, FieldRole.DiscardedEventCount),
        };
    }

    private static bool Has(StreamDecoder stream, FieldRole role)
    {
        foreach (ref readonly var step in stream.PacketContext.Steps)
        {
            if (step.Role == role || (step.OtherRoles is { } others && others.Contains(role)))
                return true;
        }
        return false;
    }
}

/// <summary>How the event headers of a written stream are laid out.</summary>
public enum WrittenEventHeader
{
    /// <summary>LTTng's compact header.</summary>
    Compact,

    /// <summary>LTTng's large header.</summary>
    Large,

    /// <summary>The ID in full, and the time in full where there is a clock.</summary>
    Plain,
}

/// <summary>The data stream class that is written for one that was read, and how its packets and events are written.</summary>
public sealed class StreamLowering
{
    private readonly FieldLowering _common;
    private readonly CtfVersion _version;
    private readonly Dictionary<EventRecordClass, EventLowering> _events = [];

    internal StreamLowering(TraceDecoder trace, StreamDecoder input, CtfVersion version, StreamLoweringOptions options, ClockClass? clock)
    {
        _version = version;
        Input = input;
        Options = options;
        var own = LttngLayout.CreatePacketContextMembers(clock, options);
        var names = new List<string>();
        foreach (var member in own)
            names.Add(member.Name);
        var context = new FieldLowering(version, reservedNames: names);
        PacketContext = context.Lower(input.PacketContext, [FieldScope.PacketContext], out var roots);
        _common = new FieldLowering(version, context);
        var common = ProgramCompiler.Compile(trace.Slots, (FieldScope.EventCommonContext, input.Class.EventCommonContext));
        _common.Lower(common, [FieldScope.EventCommonContext], out var commonRoots);
        IdBits = LargestId(input.Class) > uint.MaxValue ? 64 : 32;
        Header = ChooseHeader(input, clock, IdBits);
        Output = new DataStreamClass
        {
            Id = input.Class.Id,
            Namespace = input.Class.Namespace,
            Name = input.Class.Name,
            Uid = input.Class.Uid,
            Attributes = input.Class.Attributes,
            PacketContext = new StructureFieldClass([.. own, .. roots[0]?.Members ?? []], Math.Max(8, roots[0]?.MinimumAlignmentBits ?? 1)),
            EventHeader = LttngLayout.CreateEventHeader(Header, clock, IdBits),
            EventCommonContext = commonRoots[0],
            DefaultClock = clock,
        };
        KeepsEventHeader = input.LttngHeader is not null && input.LttngHeader == LttngLayout.ToLttng(Header);
        // The context's own structure begins with the members above.
        if (PacketContext.Steps.Length > 0)
            PacketContext.Steps[0].Kind = EncodeStepKind.Wrapper;
    }

    /// <summary>The programs of the class that is read.</summary>
    public StreamDecoder Input { get; }

    /// <summary>What the packets tell.</summary>
    public StreamLoweringOptions Options { get; }

    /// <summary>The class that is written; event record classes are added to it by <see cref="AddEvent"/>.</summary>
    public DataStreamClass Output { get; }

    /// <summary>Writes those members of the packet context that are not the writer's own; they follow these.</summary>
    public EncodeProgram PacketContext { get; }

    /// <summary>How event headers are laid out.</summary>
    public WrittenEventHeader Header { get; }

    /// <summary>Width of the ID in a plain event header.</summary>
    public int IdBits { get; }

    /// <summary>Whether event headers are laid out as in the input, so that whole records may be copied.</summary>
    public bool KeepsEventHeader { get; }

    /// <summary>Whether the records of all classes that were added so far may be copied to any byte, headers included.</summary>
    public bool KeepsRecords => KeepsEventHeader && _events.Values.All(added => added.Fields is { IsCopy: true, AlignmentMask: <= 7 });

    /// <summary>How events of a class are written, or null before <see cref="AddEvent"/>.</summary>
    public EventLowering? FindEvent(EventRecordClass input) => _events.GetValueOrDefault(input);

    /// <summary>Adds an event record class to what is written.</summary>
    public EventLowering AddEvent(EventDecoder input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var lowering = new FieldLowering(_version, _common);
        var program = lowering.Lower(
            input.Fields, [FieldScope.EventCommonContext, FieldScope.EventSpecificContext, FieldScope.EventPayload], out var roots);
        var output = new EventRecordClass
        {
            Id = input.Class.Id,
            Name = input.Class.Name,
            Namespace = input.Class.Namespace,
            Uid = input.Class.Uid,
            Attributes = input.Class.Attributes,
            LogLevel = input.Class.LogLevel,
            EmfUri = input.Class.EmfUri,
            SpecificContext = roots[1],
            Payload = roots[2],
        };
        Output.Add(output);
        var added = new EventLowering(input.Class, output, program);
        _events.Add(input.Class, added);
        return added;
    }

    private static WrittenEventHeader ChooseHeader(StreamDecoder input, ClockClass? clock, int idBits)
    {
        if (clock is null || idBits > 32)
            return WrittenEventHeader.Plain;
        if (input.LttngHeader is { } header)
            return header == LttngEventHeader.Compact ? WrittenEventHeader.Compact : WrittenEventHeader.Large;
        // Classes that come to be known later may have larger IDs; those take the extended header.
        return LargestId(input.Class) < LttngLayout.ExtendedEventId ? WrittenEventHeader.Compact : WrittenEventHeader.Large;
    }

    private static ulong LargestId(DataStreamClass stream)
    {
        ulong largest = 0;
        foreach (var eventRecordClass in stream.EventRecordClasses)
            largest = Math.Max(largest, eventRecordClass.Id);
        return largest;
    }
}

/// <summary>How the events of one class are written.</summary>
/// <param name="Input">The class that is read.</param>
/// <param name="Output">The class that is written.</param>
/// <param name="Fields">Writes what follows the event header.</param>
public sealed record EventLowering(EventRecordClass Input, EventRecordClass Output, EncodeProgram Fields);
