namespace Weir.Sessions;

/// <summary>Events that are not in the trace, by cause, and fields that are there in part.</summary>
public readonly record struct LossCounts
{
    /// <summary>No sub-buffer was free.</summary>
    public ulong BufferFull { get; init; }

    /// <summary>The kernel's own buffer had no room.</summary>
    public ulong KernelBufferFull { get; init; }

    /// <summary>Larger than a packet.</summary>
    public ulong TooLarge { get; init; }

    /// <summary>There was no room for the buffer of a CPU.</summary>
    public ulong NoBuffer { get; init; }

    /// <summary>Recorded, but the trace's disk had no room or failed.</summary>
    public ulong NotWritten { get; init; }

    /// <summary>Strings and sequences that were cut at their limit; their events are there.</summary>
    public ulong FieldsCut { get; init; }

    /// <summary>Streams that could not be read, or written, to their end: how many events are missing nobody can tell.</summary>
    public ulong UncountedStreams { get; init; }

    /// <summary>Bytes of records in those, as far as known; some may be padding.</summary>
    public ulong UncountedBytes { get; init; }

    /// <summary>Whether events are missing, counted or not.</summary>
    public bool IsLossy => Events > 0 || UncountedStreams > 0;

    /// <summary>All events that are known not to be in the trace.</summary>
    public ulong Events => BufferFull + KernelBufferFull + TooLarge + NoBuffer + NotWritten;

    /// <summary>Adds two processes' counts.</summary>
    public static LossCounts operator +(LossCounts left, LossCounts right) => new()
    {
        BufferFull = left.BufferFull + right.BufferFull,
        KernelBufferFull = left.KernelBufferFull + right.KernelBufferFull,
        TooLarge = left.TooLarge + right.TooLarge,
        NoBuffer = left.NoBuffer + right.NoBuffer,
        NotWritten = left.NotWritten + right.NotWritten,
        FieldsCut = left.FieldsCut + right.FieldsCut,
        UncountedStreams = left.UncountedStreams + right.UncountedStreams,
        UncountedBytes = left.UncountedBytes + right.UncountedBytes,
    };

    /// <summary>Adds two processes' counts.</summary>
    public static LossCounts Add(LossCounts left, LossCounts right) => left + right;
}
