using System.Globalization;
using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>Where something stands on a timeline: a thread of a process.</summary>
/// <param name="Pid">The process.</param>
/// <param name="Tid">The thread.</param>
internal readonly record struct Track(int Pid, int Tid);

/// <summary>What a timeline knows of an event class.</summary>
/// <typeparam name="TForm">What one sink knows beside.</typeparam>
internal sealed class TimelinePlan<TForm>
{
    /// <summary>How the sink writes such an event.</summary>
    public TForm? Form { get; set; }

    public required EventDecoder Decoder { get; init; }

    public required FieldWalker Walker { get; init; }

    public required TimelineFields Fields { get; init; }

    public required TimelineFields Packet { get; init; }

    public required string Name { get; init; }

    /// <summary>Provider of the event, or the trace's name.</summary>
    public required string Category { get; init; }

    public required SpanRole Role { get; init; }

    /// <summary>Number of what begins or ends.</summary>
    public required int Subject { get; init; }

    /// <summary>Whether a CPU goes from one thread to another.</summary>
    public required bool IsSwitch { get; init; }
}

/// <summary>
/// What sinks for viewers of timelines have in common: threads as tracks, events that begin and end something as spans, the scheduler's
/// switches. Processes and threads are those of the contexts, else of the trace's environment; events that know neither stand under
/// their trace, a track for each CPU or stream.
/// </summary>
/// <typeparam name="TForm">How the sink writes events of one class.</typeparam>
internal abstract class TimelineSink<TForm> : MessageSink
    where TForm : class
{
    /// <summary>Linux gives process IDs below 4,194,304; what is no process is numbered from here.</summary>
    protected const int FirstOwnPid = 1 << 30;

    /// <summary>The process whose threads are CPUs.</summary>
    protected const int CpusPid = FirstOwnPid - 1;

    /// <summary>Threads of the traces' own processes from here on show losses.</summary>
    protected const int FirstLossTid = 1 << 20;

    /// <summary>With more threads than this all are forgotten: they are described again, and what has begun ends as instants.</summary>
    private const int MaxTracks = 1 << 16;

    private readonly TextWriter _log;
    private readonly Dictionary<EventDecoder, TimelinePlan<TForm>> _plans = [];
    private readonly Dictionary<StreamDecoder, TimelineFields> _packets = [];
    private readonly Dictionary<Trace, (int Pid, Func<string, bool> IsDeclared, FieldWalker Walker)> _traces = [];
    private readonly Dictionary<string, int> _subjects = new(StringComparer.Ordinal);
    private readonly Dictionary<Track, TrackState> _tracks = [];
    private readonly HashSet<int> _processes = [];
    private TimelinePlan<TForm>? _lastPlan;
    private ulong _timelessCount;

    protected TimelineSink(TextWriter log) => _log = log;

    /// <inheritdoc/>
    public override void Consume(ReadOnlySpan<Message> batch)
    {
        foreach (ref readonly var message in batch)
        {
            if (message.Kind is not (MessageKind.Event or MessageKind.DiscardedEvents or MessageKind.DiscardedPackets))
                continue;
            // What has no time has no place on a timeline.
            if (!message.HasTime)
                _timelessCount++;
            else if (message.Kind == MessageKind.Event)
                TakeEvent(in message);
            else
                TakeLoss(in message);
        }
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        if (_timelessCount > 0)
            _log.WriteLine($"{_timelessCount} events or losses without a time are left out: they have no place on a timeline");
        _timelessCount = 0;
    }

    protected abstract TForm CreateForm(TimelinePlan<TForm> plan);

    protected abstract void DescribeProcess(int pid, ReadOnlySpan<byte> name);

    protected abstract void DescribeThread(Track track, ReadOnlySpan<byte> name);

    /// <summary>An event that begins (or ends, or neither) something.</summary>
    protected abstract void AddEvent(in Message message, TimelinePlan<TForm> plan, Track track, SpanRole role);

    /// <summary>The end of something whose own end is missing.</summary>
    protected abstract void AddMissingEnd(long timeNs, Track track);

    /// <summary>A CPU goes from one thread to another; the fields say which.</summary>
    protected abstract void AddSwitch(in Message message, TimelinePlan<TForm> plan, int cpu, TimelineFields fields);

    protected abstract void AddLoss(in Message message, Track track, string words);

    protected void DescribeOnce(int pid, ReadOnlySpan<byte> name)
    {
        if (_processes.Count == MaxTracks)
            _processes.Clear();
        if (_processes.Add(pid))
            DescribeProcess(pid, name);
    }

    /// <summary>The track's state; tells its name where that is new.</summary>
    protected TrackState DescribeOnce(Track track, ReadOnlySpan<byte> name)
    {
        if (!_tracks.TryGetValue(track, out var state))
        {
            if (_tracks.Count == MaxTracks)
                _tracks.Clear();
            _tracks.Add(track, state = new TrackState());
        }
        int hash = 0;
        if (name.Length > 0)
        {
            var hasher = default(HashCode);
            hasher.AddBytes(name);
            hash = hasher.ToHashCode();
        }
        if (!state.IsDescribed || (hash != 0 && hash != state.NameHash))
        {
            state.IsDescribed = true;
            state.NameHash = hash;
            DescribeThread(track, name);
        }
        return state;
    }

    private unsafe void TakeEvent(in Message message)
    {
        var plan = FindPlan(in message);
        if (!plan.Fields.IsEmpty)
        {
            var visitor = plan.Fields.CreateVisitor();
            plan.Walker.WalkEvent(in message.Record, message.PacketStart, message.Slots, ref visitor);
        }
        int? cpu = FindCpu(in message, plan);
        if (plan.IsSwitch && cpu is { } number)
        {
            AddSwitch(in message, plan, number, plan.Fields);
            return;
        }
        var track = FindTrack(in message, plan, cpu, out var state);
        switch (plan.Role)
        {
            case SpanRole.Begin when state.TryBegin(plan.Subject):
                AddEvent(in message, plan, track, SpanRole.Begin);
                return;
            case SpanRole.End when state.End(plan.Subject) is > 0 and int count:
                for (; count > 1; count--)
                    AddMissingEnd(message.TimeNs, track);
                AddEvent(in message, plan, track, SpanRole.End);
                return;
            default:
                AddEvent(in message, plan, track, SpanRole.None);
                return;
        }
    }

    private static unsafe int? FindCpu(in Message message, TimelinePlan<TForm> plan)
    {
        if (plan.Fields.Number(TimelineField.Cpu) is { } own)
            return (int)own;
        if (message.Packet is not { } packet || plan.Packet.IsEmpty)
            return null;
        // A boxed number for each packet, made when its first event comes.
        if (packet.Rendered is int kept)
            return kept;
        fixed (byte* start = packet.HeaderAndContext)
        {
            var visitor = plan.Packet.CreateVisitor();
            plan.Walker.WalkContext(plan.Decoder.Stream, start, packet.HeaderAndContext.Length * 8L, ref visitor);
        }
        if (plan.Packet.Number(TimelineField.Cpu) is not { } value)
            return null;
        packet.Rendered = (int)value;
        return (int)value;
    }

    private Track FindTrack(in Message message, TimelinePlan<TForm> plan, int? cpu, out TrackState state)
    {
        var fields = plan.Fields;
        var trace = message.Stream.Trace;
        ulong? tid = fields.Number(TimelineField.Tid) ?? fields.Number(TimelineField.Vtid);
        ulong? pid = fields.Number(TimelineField.Pid) ?? fields.Number(TimelineField.Vpid) ?? (ulong?)trace.Class.FindEnvironment("vpid")?.Number ?? tid;
        var threadName = fields.Name(TimelineField.ThreadName);
        if (pid is { } process)
        {
            var track = new Track((int)process, (int)(tid ?? process));
            string? processName = trace.Class.FindEnvironment("procname")?.Text;
            // A process's first thread has its name.
            if (!_processes.Contains(track.Pid))
                DescribeOnce(track.Pid, processName is not null ? Encoding.UTF8.GetBytes(processName) : track.Tid == track.Pid ? threadName : default);
            state = DescribeOnce(track, threadName);
            return track;
        }
        int own = _traces[trace].Pid;
        if (!_processes.Contains(own))
            DescribeOnce(own, Encoding.UTF8.GetBytes(trace.Name));
        var other = new Track(own, cpu ?? (int)(message.Stream.Id & 0xfffff));
        state = _tracks.TryGetValue(other, out var known)
            ? known
            : DescribeOnce(other, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{(cpu is null ? "stream" : "CPU")} {other.Tid}")));
        return other;
    }

    private void TakeLoss(in Message message)
    {
        var trace = message.Stream.Trace;
        int pid = FindTrace(trace).Pid;
        if (!_processes.Contains(pid))
            DescribeOnce(pid, Encoding.UTF8.GetBytes(trace.Name));
        var track = new Track(pid, FirstLossTid + (int)(message.Stream.Id & 0xfffff));
        DescribeOnce(track, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"losses of stream {message.Stream.Id}")));
        string what = message.Kind == MessageKind.DiscardedEvents ? "events" : "packets";
        AddLoss(in message, track, message.Count is { } count ? string.Create(CultureInfo.InvariantCulture, $"{count} {what} discarded") : $"{what} discarded");
    }

    private (int Pid, Func<string, bool> IsDeclared, FieldWalker Walker) FindTrace(Trace trace)
    {
        if (!_traces.TryGetValue(trace, out var known))
            _traces.Add(trace, known = (FirstOwnPid + _traces.Count, SpanNames.DeclaredIn(trace.Class), new FieldWalker(trace.Decoder)));
        return known;
    }

    private TimelinePlan<TForm> FindPlan(in Message message)
    {
        var decoder = message.Record.Decoder;
        if (_lastPlan is { } last && last.Decoder == decoder)
            return last;
        if (!_plans.TryGetValue(decoder, out var plan))
        {
            plan = CreatePlan(in message);
            plan.Form = CreateForm(plan);
            _plans.Add(decoder, plan);
        }
        return _lastPlan = plan;
    }

    private TimelinePlan<TForm> CreatePlan(in Message message)
    {
        var decoder = message.Record.Decoder;
        var trace = FindTrace(message.Stream.Trace);
        if (!_packets.TryGetValue(decoder.Stream, out var packet))
            _packets.Add(decoder.Stream, packet = new TimelineFields(decoder.Stream.PacketContext, isPacket: true));
        var fields = new TimelineFields(decoder.Fields);
        string name = decoder.Class.Name ?? "";
        int colon = name.IndexOf(':', StringComparison.Ordinal);
        var role = SpanNames.Find(name, trace.IsDeclared, out string subject);
        if (!_subjects.TryGetValue(subject, out int number))
            _subjects.Add(subject, number = _subjects.Count);
        return new TimelinePlan<TForm>
        {
            Decoder = decoder,
            Walker = trace.Walker,
            Fields = fields,
            Packet = packet,
            Name = role == SpanRole.None ? name : subject,
            Category = colon > 0 ? name[..colon] : message.Stream.Trace.Name,
            Role = role,
            Subject = number,
            IsSwitch = name[(colon + 1)..] == "sched_switch" && fields.Has(TimelineField.NextTid),
        };
    }
}
