using Weir.Clock;

namespace Weir.Ring;

/// <summary>
/// What a ring is made for: a struct of static members, so that the compiler makes the writer's code for each client apart and folds
/// every choice away. Only <see cref="PacketClient{TPlacement,TMode,TFormat,THooks}"/> and
/// <see cref="ContinuousClient{TWakeUp,TFormat,THooks}"/> implement it; what they do not accept does not compile, and nothing else can
/// be written down.
/// </summary>
public unsafe interface IRingClient
{
    /// <summary>The choices, as data.</summary>
    static abstract RingTraits Traits { get; }

    /// <summary>Where position, consumed and the pair of loss counters stand in a stream's control page.</summary>
    internal static abstract (int Position, int Consumed, int Lost) ControlOffsets { get; }

    /// <summary>Commits a record, or loses and counts it.</summary>
    internal static abstract CommitResult Write(RingMemory* ring, WriterThread* thread, uint id, byte* payload, int lengthBytes);

    /// <summary>Prepares a new stream whose memory is zero, so that the first record finds what every later one does.</summary>
    internal static abstract void Begin(RingMemory* ring, byte* stream, uint cpu);
}

/// <summary>The choices that a client has made.</summary>
/// <param name="IsPerCpu">A stream for each CPU, or one for all.</param>
/// <param name="Sequence">How records are committed; null where the ring's maker decides by what the process can run.</param>
/// <param name="IsOverwrite">Whether the newest records replace the oldest, or are lost.</param>
/// <param name="WakeUp">When a waiting reader is woken.</param>
/// <param name="Format">What a stream's bytes are, as its file says.</param>
/// <param name="PacketHeadBytes">Bytes of a packet before its first record; 0 for a ring without packets.</param>
/// <param name="Clock">The records' clock; null where they have no time.</param>
public readonly record struct RingTraits(
    bool IsPerCpu, SequenceKind? Sequence, bool IsOverwrite, WakeUp WakeUp, StreamFormat Format, int PacketHeadBytes, ClockKind? Clock);
