using Weir.Ctf;

namespace Weir.Graph;

/// <summary>How events of one class are written.</summary>
/// <param name="NameIid">The interned name.</param>
/// <param name="CategoryIid">The interned category.</param>
/// <param name="Plan">The fields.</param>
internal sealed record PerfettoForm(ulong NameIid, ulong CategoryIid, PerfettoPlan Plan);

/// <summary>
/// <c>sink.timeline.perfetto</c>: a Perfetto trace (protobuf): threads and processes as tracks, track events with their fields as
/// annotations, the scheduler's switches as ftrace's. All packets are of one sequence, whose names are interned.
/// </summary>
internal sealed class PerfettoSink : TimelineSink<PerfettoForm>
{
    private const ulong SequenceId = 1;

    private readonly SinkOutput _output;
    private readonly ProtobufBuffer _buffer;
    private readonly PerfettoVisit _visit = new();
    private readonly Dictionary<(int Kind, string Name), ulong> _interned = [];
    private readonly List<(int Kind, ulong Iid, string Name)> _newlyInterned = [];
    private bool _hasClock;

    private PerfettoSink(SinkOutput output, TextWriter log)
        : base(log)
    {
        _output = output;
        _buffer = new ProtobufBuffer(output.Stream);
    }

    /// <summary>Offers it.</summary>
    public static SinkClass Class { get; } = new("timeline", "perfetto", "Write a Perfetto trace.", Create)
    {
        Help = "path=PATH   write to this file instead of standard output",
    };

    /// <inheritdoc/>
    public override void Consume(ReadOnlySpan<Message> batch)
    {
        foreach (ref readonly var message in batch)
        {
            if (_hasClock)
                break;
            if (message.HasTime)
                AddClocks(in message);
        }
        base.Consume(batch);
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        base.Flush();
        _buffer.WriteOut();
        _output.Stream.Flush();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _output.Dispose();
        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    protected override PerfettoForm CreateForm(TimelinePlan<PerfettoForm> plan) => new(
        Intern(PerfettoFields.InternedData.EventNames, plan.Name),
        Intern(PerfettoFields.InternedData.EventCategories, plan.Category),
        new PerfettoPlan(plan.Decoder.Fields, name => Intern(PerfettoFields.InternedData.DebugAnnotationNames, name)));

    /// <inheritdoc/>
    protected override void DescribeProcess(int pid, ReadOnlySpan<byte> name)
    {
        int packet = BeginPacket(null, 0);
        int track = _buffer.Begin(PerfettoFields.Packet.TrackDescriptor);
        _buffer.Integer(PerfettoFields.TrackDescriptor.Uuid, ProcessUuid(pid));
        int process = _buffer.Begin(PerfettoFields.TrackDescriptor.Process);
        _buffer.Integer(PerfettoFields.TrackDescriptor.ProcessPid, (ulong)(long)pid);
        if (name.Length > 0)
            _buffer.Text(PerfettoFields.TrackDescriptor.ProcessName, name);
        _buffer.End(process);
        _buffer.End(track);
        EndPacket(packet);
    }

    /// <inheritdoc/>
    protected override void DescribeThread(Track track, ReadOnlySpan<byte> name)
    {
        int packet = BeginPacket(null, 0);
        int descriptor = _buffer.Begin(PerfettoFields.Packet.TrackDescriptor);
        _buffer.Integer(PerfettoFields.TrackDescriptor.Uuid, ThreadUuid(track));
        if (track.Pid >= FirstOwnPid)
        {
            // No thread of the machine, so that the scheduler's threads of the same number are not meant.
            _buffer.Integer(PerfettoFields.TrackDescriptor.ParentUuid, ProcessUuid(track.Pid));
            _buffer.Text(PerfettoFields.TrackDescriptor.Name, name);
        }
        else
        {
            int thread = _buffer.Begin(PerfettoFields.TrackDescriptor.Thread);
            _buffer.Integer(PerfettoFields.TrackDescriptor.ThreadPid, (ulong)(long)track.Pid);
            _buffer.Integer(PerfettoFields.TrackDescriptor.ThreadTid, (ulong)(long)track.Tid);
            if (name.Length > 0)
                _buffer.Text(PerfettoFields.TrackDescriptor.ThreadName, name);
            _buffer.End(thread);
        }
        _buffer.End(descriptor);
        EndPacket(packet);
    }

    /// <inheritdoc/>
    protected override unsafe void AddEvent(in Message message, TimelinePlan<PerfettoForm> plan, Track track, SpanRole role)
    {
        int packet = BeginPacket(message.TimeNs, PerfettoFields.Packet.NeedsIncrementalState);
        AddNewlyInterned();
        int body = BeginTrackEvent(track, role switch
        {
            SpanRole.Begin => PerfettoFields.TrackEvent.SliceBegin,
            SpanRole.End => PerfettoFields.TrackEvent.SliceEnd,
            _ => PerfettoFields.TrackEvent.Instant,
        });
        _buffer.Integer(PerfettoFields.TrackEvent.CategoryIids, plan.Form!.CategoryIid);
        _buffer.Integer(PerfettoFields.TrackEvent.NameIid, plan.Form.NameIid);
        _visit.Begin(_buffer.Count);
        var visitor = new PerfettoVisitor(_buffer, plan.Form.Plan.Steps, _visit);
        plan.Walker.WalkEvent(in message.Record, message.PacketStart, message.Slots, ref visitor);
        _buffer.End(body);
        EndPacket(packet);
    }

    /// <inheritdoc/>
    protected override void AddMissingEnd(long timeNs, Track track)
    {
        int packet = BeginPacket(timeNs, 0);
        _buffer.End(BeginTrackEvent(track, PerfettoFields.TrackEvent.SliceEnd));
        EndPacket(packet);
    }

    /// <inheritdoc/>
    protected override void AddSwitch(in Message message, TimelinePlan<PerfettoForm> plan, int cpu, TimelineFields fields)
    {
        ulong prevTid = (uint)(fields.Number(TimelineField.PrevTid) ?? 0);
        int packet = BeginPacket(null, 0);
        int bundle = _buffer.Begin(PerfettoFields.Packet.FtraceEvents);
        _buffer.Integer(PerfettoFields.Ftrace.Cpu, (uint)cpu);
        int record = _buffer.Begin(PerfettoFields.Ftrace.Event);
        _buffer.Integer(PerfettoFields.Ftrace.EventTimestamp, Timestamp(message.TimeNs));
        _buffer.Integer(PerfettoFields.Ftrace.EventPid, prevTid);
        int body = _buffer.Begin(PerfettoFields.Ftrace.SchedSwitch);
        _buffer.Text(PerfettoFields.Ftrace.PrevName, fields.Name(TimelineField.PrevName));
        _buffer.Integer(PerfettoFields.Ftrace.PrevPid, prevTid);
        _buffer.Integer(PerfettoFields.Ftrace.PrevPriority, fields.Number(TimelineField.PrevPriority) ?? 0);
        _buffer.Integer(PerfettoFields.Ftrace.PrevState, fields.Number(TimelineField.PrevState) ?? 0);
        _buffer.Text(PerfettoFields.Ftrace.NextName, fields.Name(TimelineField.NextName));
        _buffer.Integer(PerfettoFields.Ftrace.NextPid, (uint)(fields.Number(TimelineField.NextTid) ?? 0));
        _buffer.Integer(PerfettoFields.Ftrace.NextPriority, fields.Number(TimelineField.NextPriority) ?? 0);
        _buffer.End(body);
        _buffer.End(record);
        _buffer.End(bundle);
        EndPacket(packet);
    }

    /// <inheritdoc/>
    protected override void AddLoss(in Message message, Track track, string words)
    {
        int packet = BeginPacket(message.TimeNs, 0);
        int body = BeginTrackEvent(track, PerfettoFields.TrackEvent.SliceBegin);
        _buffer.Text(PerfettoFields.TrackEvent.Name, words);
        _buffer.End(body);
        EndPacket(packet);
        AddMissingEnd(Math.Max(message.TimeNs, message.EndTimeNs), track);
    }

    private static PerfettoSink Create(ComponentContext context)
    {
        var parameters = new ParameterReader(context.Parameters);
        string? path = parameters.Path("path");
        parameters.RejectOthers();
        return new PerfettoSink(SinkOutput.Open(path, context), context.Log);
    }

    private static ulong ProcessUuid(int pid) => (1UL << 63) | (uint)pid;

    // One more, because 0 means the trace's own track.
    private static ulong ThreadUuid(Track track) => (((ulong)(uint)track.Pid << 32 | (uint)track.Tid) & ~(1UL << 63)) + 1;

    /// <summary>Times before the clock's origin cannot be said.</summary>
    private static ulong Timestamp(long timeNs) => (ulong)Math.Max(0, timeNs);

    /// <summary>
    /// The trace clock, by which all packets are, is Perfetto's boot time. That it reads the same as real time (or monotonic time) now lets
    /// viewers show the date.
    /// </summary>
    private void AddClocks(in Message message)
    {
        _hasClock = true;
        int packet = BeginPacket(message.TimeNs, PerfettoFields.Packet.IncrementalStateCleared);
        _buffer.Integer(PerfettoFields.Packet.FirstPacketOnSequence, 1);
        int snapshot = _buffer.Begin(PerfettoFields.Packet.ClockSnapshot);
        ulong other = message.Stream.IsClockAbsolute ? PerfettoFields.ClockSnapshot.Realtime : PerfettoFields.ClockSnapshot.Monotonic;
        foreach (ulong clock in (ReadOnlySpan<ulong>)[PerfettoFields.ClockSnapshot.Boottime, other])
        {
            int reading = _buffer.Begin(PerfettoFields.ClockSnapshot.Clocks);
            _buffer.Integer(PerfettoFields.ClockSnapshot.ClockId, clock);
            _buffer.Integer(PerfettoFields.ClockSnapshot.ClockTimestamp, Timestamp(message.TimeNs));
            _buffer.End(reading);
        }
        _buffer.Integer(PerfettoFields.ClockSnapshot.PrimaryTraceClock, PerfettoFields.ClockSnapshot.Boottime);
        _buffer.End(snapshot);
        EndPacket(packet);
    }

    private int BeginPacket(long? timeNs, ulong flags)
    {
        int packet = _buffer.Begin(PerfettoFields.TracePacket);
        if (timeNs is { } time)
            _buffer.Integer(PerfettoFields.Packet.Timestamp, Timestamp(time));
        _buffer.Integer(PerfettoFields.Packet.SequenceId, SequenceId);
        if (flags != 0)
            _buffer.Integer(PerfettoFields.Packet.SequenceFlags, flags);
        return packet;
    }

    private void EndPacket(int packet)
    {
        _buffer.End(packet);
        if (_buffer.IsFairlyFull)
            _buffer.WriteOut();
    }

    private int BeginTrackEvent(Track track, ulong type)
    {
        int body = _buffer.Begin(PerfettoFields.Packet.TrackEvent);
        _buffer.Integer(PerfettoFields.TrackEvent.Type, type);
        _buffer.Integer(PerfettoFields.TrackEvent.TrackUuid, ThreadUuid(track));
        return body;
    }

    private ulong Intern(int kind, string name)
    {
        if (_interned.TryGetValue((kind, name), out ulong iid))
            return iid;
        iid = (ulong)_interned.Count + 1;
        _interned.Add((kind, name), iid);
        _newlyInterned.Add((kind, iid, name));
        return iid;
    }

    /// <summary>Names stand in the first packet that refers to them.</summary>
    private void AddNewlyInterned()
    {
        if (_newlyInterned.Count == 0)
            return;
        int interned = _buffer.Begin(PerfettoFields.Packet.InternedData);
        foreach (var (kind, iid, name) in _newlyInterned)
        {
            int entry = _buffer.Begin(kind);
            _buffer.Integer(PerfettoFields.InternedData.Iid, iid);
            _buffer.Text(PerfettoFields.InternedData.Name, name);
            _buffer.End(entry);
        }
        _buffer.End(interned);
        _newlyInterned.Clear();
    }
}
