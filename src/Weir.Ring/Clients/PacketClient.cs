namespace Weir.Ring;

/// <summary>A ring of packets: sub-buffers that are filled, closed and read one after the other.</summary>
/// <typeparam name="TPlacement"><see cref="PerCpu{TSequence}"/> or <see cref="Global"/>.</typeparam>
/// <typeparam name="TMode"><see cref="Discard{TWakeUp}"/> or <see cref="Overwrite"/>.</typeparam>
/// <typeparam name="TFormat">The heads of packets and records, and the clock.</typeparam>
/// <typeparam name="THooks"><see cref="NoHooks"/>, but in tests.</typeparam>
public readonly unsafe struct PacketClient<TPlacement, TMode, TFormat, THooks> : IRingClient
    where TPlacement : struct, IPlacement
    where TMode : struct, IMode
    where TFormat : struct, IPacketFormat
    where THooks : struct, IRingHooks
{
    /// <inheritdoc/>
    public static RingTraits Traits => new(
        TPlacement.IsPerCpu, TPlacement.Sequence, TMode.IsOverwrite, TMode.WakeUp, TFormat.Format, TFormat.PacketHeadBytes, TFormat.Clock);

    static (int Position, int Consumed, int Lost) IRingClient.ControlOffsets => (StreamLayout.Position, StreamLayout.Consumed, StreamLayout.LostFull);

    static CommitResult IRingClient.Write(RingMemory* ring, WriterThread* thread, uint id, byte* payload, int lengthBytes) =>
        TPlacement.Sequence switch
        {
            SequenceKind.Rseq => RseqPacketWriter<TMode, TFormat, THooks>.Write(ring, thread, id, payload, lengthBytes),
            SequenceKind.Atomic => AtomicPacketWriter<TPlacement, TMode, TFormat, THooks>.Write(ring, thread, id, payload, lengthBytes),
            _ => ring->Sequence == SequenceKind.Rseq
                ? RseqPacketWriter<TMode, TFormat, THooks>.Write(ring, thread, id, payload, lengthBytes)
                : AtomicPacketWriter<TPlacement, TMode, TFormat, THooks>.Write(ring, thread, id, payload, lengthBytes),
        };

    // The first packet is open from the start, so that no writer needs to know a stream without one.
    static void IRingClient.Begin(RingMemory* ring, byte* stream, uint cpu)
    {
        ulong now = TFormat.Now();
        TFormat.OpenPacket(stream + StreamLayout.Data, new PacketContext { Ring = ring, Cpu = cpu, Now = now });
        *(ulong*)(stream + StreamLayout.Position) = (ulong)TFormat.PacketHeadBytes;
        *(ulong*)(stream + StreamLayout.LastTime) = now;
        *(ulong*)(stream + StreamLayout.CommitCounts) = (ulong)TFormat.PacketHeadBytes;
    }
}
