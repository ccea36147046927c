namespace Weir.Graph;

/// <summary>The header of one event. In compressed form what is left out is as in the event before, so one is read over the other.</summary>
internal struct NettraceEventHeader
{
    private const byte HasMetadataId = 1;
    private const byte HasCaptureThread = 2;
    private const byte HasThread = 4;
    private const byte HasStack = 8;
    private const byte HasActivityOrLabels = 16;
    private const byte HasRelatedActivity = 32;
    private const byte Sorted = 64;
    private const byte HasPayloadSize = 128;

    public uint MetadataId;
    public uint SequenceNumber;

    /// <summary>The thread that wrote the event: its ID, in version 6 its index.</summary>
    public ulong CaptureThread;

    /// <summary>The thread that the event is about.</summary>
    public ulong Thread;

    /// <summary>The processor, or -1.</summary>
    public int Processor;
    public uint StackId;
    public ulong Time;
    public Guid Activity;
    public Guid RelatedActivity;
    public uint LabelList;

    /// <summary>Whether no event behind this one is earlier.</summary>
    public bool IsSorted;
    public uint PayloadBytes;

    /// <summary>Reads a compressed header over the one before.</summary>
    public void ReadCompressed(ref NettraceReader reader, int version)
    {
        byte flags = reader.ReadByte();
        if ((flags & HasMetadataId) != 0)
            MetadataId = reader.ReadVariable32();
        if ((flags & HasCaptureThread) != 0)
        {
            SequenceNumber += reader.ReadVariable32();
            CaptureThread = reader.ReadVariable64();
            Processor = (int)reader.ReadVariable32();
        }
        if (MetadataId != 0 || version >= 6)
            SequenceNumber++;
        if ((flags & HasThread) != 0)
            Thread = reader.ReadVariable64();
        if ((flags & HasStack) != 0)
            StackId = reader.ReadVariable32();
        Time += reader.ReadVariable64();
        if ((flags & HasActivityOrLabels) != 0)
        {
            if (version >= 6)
                LabelList = reader.ReadVariable32();
            else
                Activity = reader.ReadGuid();
        }
        if (version < 6 && (flags & HasRelatedActivity) != 0)
            RelatedActivity = reader.ReadGuid();
        IsSorted = (flags & Sorted) != 0;
        if ((flags & HasPayloadSize) != 0)
            PayloadBytes = reader.ReadVariable32();
    }

    /// <summary>Reads a header in full; returns the bytes behind the payload that belong to the event.</summary>
    public uint ReadPlain(ref NettraceReader reader, int version)
    {
        uint size = reader.ReadUInt32();
        int start = reader.Position;
        uint id = reader.ReadUInt32();
        MetadataId = id & int.MaxValue;
        IsSorted = id > int.MaxValue;
        SequenceNumber = reader.ReadUInt32();
        Thread = reader.ReadUInt64();
        CaptureThread = reader.ReadUInt64();
        Processor = (int)reader.ReadUInt32();
        StackId = reader.ReadUInt32();
        Time = reader.ReadUInt64();
        if (version >= 6)
        {
            LabelList = reader.ReadUInt32();
        }
        else
        {
            Activity = reader.ReadGuid();
            RelatedActivity = reader.ReadGuid();
        }
        PayloadBytes = reader.ReadUInt32();
        ulong used = (ulong)(reader.Position - start) + PayloadBytes;
        return used > size ? throw reader.Error($"an event of {size} bytes has a payload of {PayloadBytes} bytes") : (uint)(size - used);
    }
}
