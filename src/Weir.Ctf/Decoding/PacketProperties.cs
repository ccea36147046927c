namespace Weir.Ctf;

/// <summary>What a packet's header and context say about it; null where they say nothing.</summary>
public record struct PacketProperties
{
    /// <summary>The magic number.</summary>
    public ulong? Magic { get; private set; }

    /// <summary>ID of the data stream class.</summary>
    public ulong? StreamClassId { get; private set; }

    /// <summary>ID of the data stream.</summary>
    public ulong? StreamId { get; private set; }

    /// <summary>Length with padding, in bits, as the packet says it: unchecked.</summary>
    public ulong? TotalBits { get; private set; }

    /// <summary>Length without padding, in bits, as the packet says it: unchecked.</summary>
    public ulong? ContentBits { get; private set; }

    /// <summary>Clock value at the packet's beginning.</summary>
    public ulong? BeginTime { get; private set; }

    /// <summary>Clock value at the packet's end.</summary>
    public ulong? EndTime { get; private set; }

    /// <summary>Events discarded since the stream began.</summary>
    public ulong? DiscardedEvents { get; private set; }

    /// <summary>The packet's number in its stream.</summary>
    public ulong? SequenceNumber { get; private set; }

    internal void Set(FieldRole role, ulong value)
    {
        switch (role)
        {
            case FieldRole.PacketMagicNumber:
                Magic = value;
                break;
            case FieldRole.DataStreamClassId:
                StreamClassId = value;
                break;
            case FieldRole.DataStreamId:
                StreamId = value;
                break;
            case FieldRole.PacketTotalLength:
                TotalBits = value;
                break;
            case FieldRole.PacketContentLength:
                ContentBits = value;
                break;
            case FieldRole.PacketBeginTime:
                BeginTime = value;
                break;
            case FieldRole.PacketEndTime:
                EndTime = value;
                break;
            case FieldRole.DiscardedEventCount:
                DiscardedEvents = value;
                break;
            case FieldRole.PacketSequenceNumber:
                SequenceNumber = value;
                break;
        }
    }
}
