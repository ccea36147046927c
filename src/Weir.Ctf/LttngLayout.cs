namespace Weir.Ctf;

/// <summary>
/// The layout of LTTng-UST 2.13 on x86-64, little-endian, with every field byte-aligned:
/// <code>
/// packet header     0 magic u32 | 4 uuid 16 bytes | 20 stream_id u32 | 24 stream_instance_id u64                       = 32 bytes
/// packet context    0 timestamp_begin u64 | 8 timestamp_end u64 | 16 content_size u64 (bits) | 24 packet_size u64 (bits)
///                  32 packet_seq_num u64 | 40 events_discarded u64 | 48 cpu_id u32                                     = 52 bytes
/// event header, compact    id in bits 0-4 (0 to 30) | low 27 bits of the time in bits 5-31                             =  4 bytes
/// event header, extended   id in bits 0-4 (31) | bits 5-7 zero | id u32 | time u64                                     = 13 bytes
/// large header, compact    0 id u16 (0 to 65534) | 2 low 32 bits of the time                                           =  6 bytes
/// large header, extended   0 id u16 (65535) | 2 id u32 | 6 time u64                                                    = 14 bytes
/// </code>
/// A data stream class has either of the two headers, see <see cref="LttngEventHeader"/>.
/// </summary>
public static class LttngLayout
{
    /// <summary>The namespace of the names in LTTng's traces.</summary>
    public const string Namespace = "lttng.org,2009";

    /// <summary>The first 4 bytes of each packet.</summary>
    public const uint PacketMagic = 0xC1FC1FC1;

    /// <summary>Length of the packet header.</summary>
    public const int PacketHeaderBytes = 4 + 16 + 4 + 8;

    /// <summary>Length of the packet context.</summary>
    public const int PacketContextBytes = (6 * 8) + 4;

    /// <summary>Length of a compact event header.</summary>
    public const int CompactEventHeaderBytes = 4;

    /// <summary>Length of an extended event header.</summary>
    public const int ExtendedEventHeaderBytes = 1 + 4 + 8;

    /// <summary>The ID that marks an extended event header; smaller ones are compact.</summary>
    public const int ExtendedEventId = 31;

    /// <summary>The same in a large event header.</summary>
    public const int LargeExtendedEventId = ushort.MaxValue;

    /// <summary>
    /// A trace class with LTTng's packet header and environment, one clock and no data stream class yet.
    /// </summary>
    /// <param name="uuid">The UUID that each packet repeats.</param>
    /// <param name="clock">The clock of all its streams.</param>
    /// <param name="environment">The environment, such as <c>domain</c>, <c>tracer_name</c>, <c>hostname</c>, <c>procname</c>, <c>vpid</c>.</param>
    public static TraceClass CreateTrace(Guid uuid, ClockClass clock, params ReadOnlySpan<EnvironmentEntry> environment)
    {
        var trace = new TraceClass
        {
            Uuid = uuid,
            PacketHeader = CreatePacketHeader(hasUuid: true, streamIdBits: 32),
        };
        trace.Add(clock);
        foreach (var entry in environment)
            trace.Add(entry);
        return trace;
    }

    /// <summary>A data stream class with LTTng's packet context and one of its event headers; add it to its trace class.</summary>
    /// <param name="id">The stream's ID.</param>
    /// <param name="clock">The trace's clock.</param>
    /// <param name="commonContext">Fields that each event has after its header, or null.</param>
    /// <param name="eventHeader">The header of its events.</param>
    public static DataStreamClass CreateStream(
        ulong id, ClockClass clock, StructureFieldClass? commonContext = null, LttngEventHeader eventHeader = LttngEventHeader.Compact) => new()
    {
        Id = id,
        DefaultClock = clock,
        PacketContext = CreatePacketContext(clock),
        EventHeader = eventHeader == LttngEventHeader.Large
            ? CreateEventHeader(clock, idBits: 16, idAlignmentBits: 8, timeBits: 32, timeAlignmentBits: 8)
            : CreateEventHeader(clock, idBits: 5, idAlignmentBits: 1, timeBits: 27, timeAlignmentBits: 1),
        EventCommonContext = commonContext,
    };

    /// <summary>The members of a sequence field of a payload, as LTTng names them: its length, then its elements.</summary>
    /// <param name="name">The sequence's name.</param>
    /// <param name="element">The class of each element.</param>
    /// <param name="lengthBits">Width of the unsigned length.</param>
    public static (StructureMember Length, StructureMember Elements) CreateSequence(string name, FieldClass element, int lengthBits = 32)
    {
        string lengthName = $"_{name}_length";
        return (new StructureMember(lengthName, new IntegerFieldClass(lengthBits)),
            new StructureMember(name, new DynamicArrayFieldClass(element, new FieldLocation(FieldScope.EventPayload, lengthName))));
    }

    /// <summary>The packet header, with or without a UUID.</summary>
    internal static StructureFieldClass CreatePacketHeader(bool hasUuid, int streamIdBits)
    {
        var members = new List<StructureMember> { new("magic", new IntegerFieldClass(32) { Role = FieldRole.PacketMagicNumber }) };
        if (hasUuid)
            members.Add(new("uuid", new StaticArrayFieldClass(new IntegerFieldClass(8), 16) { Role = FieldRole.TraceUuid }));
        members.Add(new("stream_id", new IntegerFieldClass(streamIdBits) { Role = FieldRole.DataStreamClassId }));
        members.Add(new("stream_instance_id", new IntegerFieldClass(64) { Role = FieldRole.DataStreamId }));
        return new StructureFieldClass(members);
    }

    /// <summary>The members of the packet context that the reader acts upon, in LTTng's order.</summary>
    internal static List<StructureMember> CreatePacketContextMembers(ClockClass? clock, StreamLoweringOptions options)
    {
        var members = new List<StructureMember>();
        if (options.HasBeginTime)
            members.Add(new("timestamp_begin", new IntegerFieldClass(64) { MappedClock = clock, Role = FieldRole.PacketBeginTime }));
        if (options.HasEndTime)
            members.Add(new("timestamp_end", new IntegerFieldClass(64) { MappedClock = clock, Role = FieldRole.PacketEndTime }));
        members.Add(new("content_size", new IntegerFieldClass(64) { Role = FieldRole.PacketContentLength }));
        members.Add(new("packet_size", new IntegerFieldClass(64) { Role = FieldRole.PacketTotalLength }));
        if (options.HasSequenceNumber)
            members.Add(new("packet_seq_num", new IntegerFieldClass(64) { Role = FieldRole.PacketSequenceNumber }));
        if (options.HasDiscardedEvents)
            members.Add(new("events_discarded", new IntegerFieldClass(64) { Role = FieldRole.DiscardedEventCount }));
        return members;
    }

    /// <summary>An event header; without a clock only a plain one.</summary>
    internal static StructureFieldClass CreateEventHeader(WrittenEventHeader header, ClockClass? clock, int idBits)
    {
        if (header == WrittenEventHeader.Compact)
            return CreateEventHeader(clock!, idBits: 5, idAlignmentBits: 1, timeBits: 27, timeAlignmentBits: 1);
        if (header == WrittenEventHeader.Large)
            return CreateEventHeader(clock!, idBits: 16, idAlignmentBits: 8, timeBits: 32, timeAlignmentBits: 8);
        var members = new List<StructureMember> { new("id", new IntegerFieldClass(idBits) { Role = FieldRole.EventClassId }) };
        if (clock is not null)
            members.Add(new("timestamp", new IntegerFieldClass(64) { MappedClock = clock }));
        return new StructureFieldClass(members, minimumAlignmentBits: 8);
    }

    internal static LttngEventHeader? ToLttng(WrittenEventHeader header) => header switch
    {
        WrittenEventHeader.Compact => LttngEventHeader.Compact,
        WrittenEventHeader.Large => LttngEventHeader.Large,
        _ => null,
    };

    private static StructureFieldClass CreatePacketContext(ClockClass clock)
    {
        var options = new StreamLoweringOptions { HasBeginTime = true, HasEndTime = true, HasSequenceNumber = true, HasDiscardedEvents = true };
        return new StructureFieldClass([.. CreatePacketContextMembers(clock, options), new("cpu_id", new IntegerFieldClass(32))]);
    }

    private static StructureFieldClass CreateEventHeader(ClockClass clock, int idBits, int idAlignmentBits, int timeBits, int timeAlignmentBits)
    {
        long extendedId = (1L << idBits) - 1;
        var id = new IntegerFieldClass(idBits, alignmentBits: idAlignmentBits)
        {
            Role = FieldRole.EventClassId,
            Mappings = [new EnumerationMapping("compact", 0, extendedId - 1), new EnumerationMapping("extended", extendedId)],
        };
        var compact = new StructureFieldClass(
            [new("timestamp", new IntegerFieldClass(timeBits, alignmentBits: timeAlignmentBits) { MappedClock = clock })]);
        var extended = new StructureFieldClass(
        [
            new("id", new IntegerFieldClass(32) { Role = FieldRole.EventClassId }),
            new("timestamp", new IntegerFieldClass(64) { MappedClock = clock }),
        ]);
        var selector = new FieldLocation(FieldScope.EventHeader, "id");
        return new StructureFieldClass(
            [new("id", id), new("v", VariantFieldClass.ByLabel(selector, id, new("compact", compact), new("extended", extended)))],
            minimumAlignmentBits: 8);
    }
}

/// <summary>The two event headers of LTTng; see <see cref="LttngLayout"/>.</summary>
public enum LttngEventHeader
{
    /// <summary>For up to 31 kinds of events that come often: 4 bytes.</summary>
    Compact,

    /// <summary>For more kinds, or silences of more than 2^27 cycles: 6 bytes.</summary>
    Large,
}
