namespace Weir.Ring;

/// <summary>
/// A ring without packets: records lie one behind the other, over the ring's end too, and each is given back by itself. A stream for
/// each CPU, in discard mode, by the restartable sequence: without packets there is no commit count, so only a position that
/// moves when the record is there tells what can be read.
/// </summary>
/// <typeparam name="TWakeUp">When a reader is woken; there is no packet that it could wait for.</typeparam>
/// <typeparam name="TFormat">The heads of records, and the clock.</typeparam>
/// <typeparam name="THooks"><see cref="NoHooks"/>, but in tests.</typeparam>
public readonly unsafe struct ContinuousClient<TWakeUp, TFormat, THooks> : IRingClient
    where TWakeUp : struct, IContinuousWakeUp
    where TFormat : struct, IContinuousFormat
    where THooks : struct, IRingHooks
{
    /// <inheritdoc/>
    public static RingTraits Traits => new(true, SequenceKind.Rseq, false, TWakeUp.Kind, TFormat.Format, 0, TFormat.Clock);

    static (int Position, int Consumed, int Lost) IRingClient.ControlOffsets => (TFormat.PositionOffset, TFormat.ConsumedOffset, TFormat.LostOffset);

    static CommitResult IRingClient.Write(RingMemory* ring, WriterThread* thread, uint id, byte* payload, int lengthBytes) =>
        ContinuousWriter<TWakeUp, TFormat, THooks>.Write(ring, thread, id, payload, lengthBytes);

    static void IRingClient.Begin(RingMemory* ring, byte* stream, uint cpu) => TFormat.Begin(stream, ring->RingBytes);
}
