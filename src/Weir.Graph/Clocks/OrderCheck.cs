using Weir.Clock;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// Says of each event whether it is certain that it came after the one before it in the output. Holds no messages. Not thread-safe.
/// </summary>
internal sealed class OrderCheck(ClockTable clocks)
{
    private const string KernelClock = "monotonic";
    private const ulong NsPerSecond = 1_000_000_000;

    private readonly Dictionary<StreamDecoder, (FieldPicker Picker, FieldWalker Walker)> _cpuPickers = [];
    private readonly Dictionary<DataStream, (Packet Packet, int Cpu)> _cpus = [];
    private readonly Dictionary<EventDecoder, (FieldPicker Picker, FieldWalker Walker)?> _threadPickers = [];
    private EventPoint _last;
    private DataStream? _lastStream;
    private long _position;

    /// <summary>
    /// Decides about an event and remembers it for the next. <see cref="EventOrder.Before"/> with a bound in ns: the last event came
    /// before this one; true also of the first event.
    /// </summary>
    public OrderDecision Decide(in Message message)
    {
        var point = new EventPoint(message.Record.ClockValue, CpuOf(in message), message.Stream, _position++, ThreadOf(in message));
        var decision = _lastStream is { } last ? Compare(last, message.Stream, in point) : new OrderDecision(EventOrder.Before, 0);
        (_last, _lastStream) = (point, message.Stream);
        return decision;
    }

    private OrderDecision Compare(DataStream last, DataStream stream, in EventPoint point)
    {
        if (ReferenceEquals(last, stream))
            return EventOrders.Decide(in _last, in point, null);
        if (stream.Clock is not { } clock || last.Clock is not { } lastClock)
            return new OrderDecision(EventOrder.Unknown, null);
        // Clocks of different traces are known to be of one machine by their UUID; a trace's own clock is its own without.
        bool isSame = ReferenceEquals(clock, lastClock);
        if (!isSame && (clock.Uuid == null || lastClock.Uuid != clock.Uuid))
            return new OrderDecision(EventOrder.Unknown, null);
        if (isSame || clock.Name == lastClock.Name)
        {
            var decision = EventOrders.Decide(in _last, in point, clocks.Find(stream)?.Skew);
            return decision with { Bound = decision.Bound is { } cycles ? CyclesToNs(cycles, stream.FrequencyHz) : null };
        }
        // Two clocks of one machine meet in its CLOCK_MONOTONIC.
        return ToMonotonic(last, _last.Cycles) is { } first && ToMonotonic(stream, point.Cycles) is { } second
            ? EventOrders.Decide(first, second)
            : new OrderDecision(EventOrder.Unknown, null);
    }

    private ConvertedTime? ToMonotonic(DataStream stream, ulong cycles) =>
        stream.Clock!.Name == KernelClock && stream.FrequencyHz == NsPerSecond && cycles <= long.MaxValue
            ? new ConvertedTime((long)cycles, 0)
            : clocks.Find(stream)?.Conversion?.ToMonotonic(cycles);

    private static ulong CyclesToNs(ulong cycles, ulong frequencyHz) =>
        (ulong)UInt128.Min((((UInt128)cycles * NsPerSecond) + frequencyHz - 1) / frequencyHz, ulong.MaxValue);

    /// <summary>What the packet says, or -1.</summary>
    private unsafe int CpuOf(in Message message)
    {
        if (message.Packet is not { } packet)
            return -1;
        if (_cpus.TryGetValue(message.Stream, out var known) && ReferenceEquals(known.Packet, packet))
            return known.Cpu;
        var decoder = message.Stream.Decoder;
        if (!_cpuPickers.TryGetValue(decoder, out var picker))
        {
            picker = (new FieldPicker(decoder.PacketContext, ["cpu_id"]), new FieldWalker(message.Stream.Trace.Decoder));
            _cpuPickers.Add(decoder, picker);
        }
        int cpu = -1;
        if (picker.Picker.Found != 0)
        {
            var visitor = picker.Picker.CreateVisitor();
            fixed (byte* start = packet.HeaderAndContext)
                picker.Walker.WalkContext(decoder, start, packet.HeaderAndContext.Length * 8L, ref visitor);
            cpu = (int)Math.Min(picker.Picker.Values[0], int.MaxValue);
        }
        _cpus[message.Stream] = (packet, cpu);
        return cpu;
    }

    /// <summary>The thread, where the event's context names it; of one trace, because an id means another thread elsewhere.</summary>
    private unsafe object? ThreadOf(in Message message)
    {
        var decoder = message.Record.Decoder;
        if (!_threadPickers.TryGetValue(decoder, out var picker))
            _threadPickers.Add(decoder, picker = CreateThreadPicker(message.Stream, decoder));
        if (picker is not { } found)
            return null;
        var visitor = found.Picker.CreateVisitor();
        found.Walker.WalkEvent(in message.Record, message.PacketStart, message.Slots, ref visitor);
        return (message.Stream.Trace, found.Picker.Values[0]);
    }

    private static (FieldPicker Picker, FieldWalker Walker)? CreateThreadPicker(DataStream stream, EventDecoder decoder)
    {
        int payload = decoder.Fields.RootStarts[2];
        int until = payload < 0 ? int.MaxValue : payload;
        foreach (string name in new[] { "tid", "vtid" })
        {
            var picker = new FieldPicker(decoder.Fields, [name], until: until);
            if (picker.Found != 0)
                return (picker, new FieldWalker(stream.Trace.Decoder));
        }
        return null;
    }
}
