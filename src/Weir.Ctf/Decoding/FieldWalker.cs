namespace Weir.Ctf;

/// <summary>
/// Hands the fields of packet contexts and events to visitors. Holds the values that lengths and selectors need, so it is not
/// thread-safe; one walker serves one consumer of one trace.
/// </summary>
public sealed unsafe class FieldWalker
{
    private readonly TraceDecoder _trace;
    private readonly DecodeState _state;

    /// <summary>Creates a walker for one trace.</summary>
    public FieldWalker(TraceDecoder trace)
    {
        ArgumentNullException.ThrowIfNull(trace);
        _trace = trace;
        _state = new DecodeState(trace.Slots.Count);
    }

    /// <summary>The values that lengths and selectors need, as the walk goes on.</summary>
    internal ulong[] Slots => _state.Slots;

    /// <summary>What packet headers and contexts have said since <see cref="ForgetPacket"/>.</summary>
    internal PacketProperties Properties => _state.Packet;

    internal void ForgetPacket() => _state.Packet = default;

    /// <summary>Walks the packet context.</summary>
    /// <param name="stream">The packet's data stream class.</param>
    /// <param name="packet">The packet's first byte.</param>
    /// <param name="lengthBits">Bits from there that may be touched: all of the packet's header and context.</param>
    /// <param name="visitor">Receives the fields.</param>
    public DecodeStatus WalkContext<TVisitor>(StreamDecoder stream, byte* packet, long lengthBits, ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor
    {
        ArgumentNullException.ThrowIfNull(stream);
        var nobody = default(NoVisitor);
        _state.EmptyElementCount = 0;
        long position = 0;
        var steps = _trace.PacketHeader.StepArray;
        var status = FieldInterpreter.Run(steps, 0, steps.Length, packet, ref position, lengthBits, _state, ref nobody);
        if (status != DecodeStatus.Done)
            return status;
        steps = stream.PacketContext.StepArray;
        return FieldInterpreter.Run(steps, 0, steps.Length, packet, ref position, lengthBits, _state, ref visitor);
    }

    /// <summary>Walks an event's common context, specific context and payload.</summary>
    /// <param name="record">The event, as a <see cref="PacketCursor"/> gave it.</param>
    /// <param name="packet">Where the packet's first byte lies, or would lie.</param>
    /// <param name="slots">What <see cref="PacketCursor.CopySlots"/> gave for this event, where its stream has outer slots; else null.</param>
    /// <param name="visitor">Receives the fields.</param>
    public DecodeStatus WalkEvent<TVisitor>(in EventRecord record, byte* packet, ulong[]? slots, ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor
    {
        _state.ReserveSlots(_trace.Slots.Count);
        slots?.CopyTo(_state.Slots, 0);
        _state.EmptyElementCount = 0;
        long position = record.FieldsBits;
        var steps = record.Decoder.Fields.StepArray;
        return FieldInterpreter.Run(steps, 0, steps.Length, packet, ref position, record.EndBits, _state, ref visitor);
    }
}
