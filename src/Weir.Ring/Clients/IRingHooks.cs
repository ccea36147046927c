namespace Weir.Ring;

/// <summary>
/// The observable side effects of a write, in their order. A test's hook may hold a writer at each of them, for a while or for ever.
/// </summary>
public enum RingPoint
{
    /// <summary>rseq: the record is staged; nothing of it can be seen.</summary>
    Staged,

    /// <summary>rseq: the record, and its packet's switch, are committed.</summary>
    Published,

    /// <summary>atomic: the position was read.</summary>
    PositionRead,

    /// <summary>atomic: the writer before us is on record as the winner of what it reserved.</summary>
    Helped,

    /// <summary>atomic, overwrite: the floor covers the packet that is about to be overwritten.</summary>
    FloorRaised,

    /// <summary>atomic: what we are about to reserve can be read by others.</summary>
    Announced,

    /// <summary>atomic: the position is moved; the bytes are ours.</summary>
    Reserved,

    /// <summary>atomic, switch: the old packet's head says where it ends.</summary>
    Closed,

    /// <summary>atomic, switch: the old packet's rest is counted; its reader may take it.</summary>
    ClosedCounted,

    /// <summary>atomic, switch: the new packet has a head.</summary>
    Opened,

    /// <summary>atomic: head and payload are written.</summary>
    Written,

    /// <summary>atomic: the record is on record as written.</summary>
    Done,

    /// <summary>atomic: the record is counted.</summary>
    Counted,

    /// <summary>atomic: the stream's last time is ours.</summary>
    TimeStored,
}

/// <summary>Test hooks.</summary>
public interface IRingHooks
{
    /// <summary>Called by a writer right after the side effect. What it throws leaves the write where it stands.</summary>
    static abstract void At(RingPoint point);
}

/// <summary>None: the calls vanish.</summary>
public readonly struct NoHooks : IRingHooks
{
    /// <inheritdoc/>
    public static void At(RingPoint point)
    {
    }
}
