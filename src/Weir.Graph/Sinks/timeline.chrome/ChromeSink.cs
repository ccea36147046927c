using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>How events of one class are written.</summary>
/// <param name="Head">Name and category.</param>
/// <param name="Arguments">What stands before the fields.</param>
/// <param name="Fields">The fields.</param>
internal sealed record ChromeForm(byte[] Head, byte[] Arguments, JsonPlan Fields);

/// <summary>
/// <c>sink.timeline.chrome</c>: Chrome's trace events as JSON, which <c>chrome://tracing</c> and <c>ui.perfetto.dev</c> show. Times are in
/// microseconds from the trace's first second on: a number of JavaScript would round those since the Epoch.
/// </summary>
internal sealed class ChromeSink : TimelineSink<ChromeForm>
{
    private const long NanosecondsPerSecond = 1_000_000_000;
    private const int MaxCpus = 1 << 16;

    private static readonly string[] s_rootPrefixes = [",\"context\":", ",\"specific_context\":", ",\"fields\":"];

    private readonly SinkOutput _output;
    private readonly TextBuffer _text;
    private readonly Dictionary<int, Running> _cpus = [];
    private long? _originNs;
    private long _lastNs;
    private bool _hasEvents;

    private ChromeSink(SinkOutput output, TextWriter log)
        : base(log)
    {
        _output = output;
        _text = new TextBuffer(output.Stream);
    }

    /// <summary>Offers it.</summary>
    public static SinkClass Class { get; } = new("timeline", "chrome", "Write trace events for chrome://tracing and Perfetto.", Create)
    {
        Help = "path=PATH   write to this file instead of standard output",
    };

    /// <inheritdoc/>
    public override void Consume(ReadOnlySpan<Message> batch)
    {
        foreach (ref readonly var message in batch)
        {
            if (!message.HasTime)
                continue;
            _lastNs = message.TimeNs;
            if (_originNs is null)
                Begin(in message);
        }
        base.Consume(batch);
        if (_text.IsFairlyFull)
            _text.WriteOut();
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        base.Flush();
        _text.WriteOut();
        _output.Stream.Flush();
    }

    /// <inheritdoc/>
    public override void Finish()
    {
        foreach (var (cpu, running) in _cpus)
            AddSlice(cpu, running, _lastNs);
        if (_originNs is null)
            _text.Append("{\"displayTimeUnit\":\"ns\",\"traceEvents\":["u8);
        _text.Append("\n]}\n"u8);
        Flush();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _output.Dispose();
        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    protected override ChromeForm CreateForm(TimelinePlan<ChromeForm> plan) => new(
        [.. "{\"name\":"u8, .. JsonText.Quote(plan.Name), .. ",\"cat\":"u8, .. JsonText.Quote(plan.Category), (byte)','],
        [.. ",\"args\":{\"event\":"u8, .. JsonText.Quote(plan.Decoder.Class.Name ?? "")],
        JsonPlan.Create(plan.Decoder.Fields, s_rootPrefixes));

    /// <inheritdoc/>
    protected override void DescribeProcess(int pid, ReadOnlySpan<byte> name)
    {
        if (name.Length == 0)
            return;
        BeginObject();
        _text.Append("{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":"u8);
        _text.AppendSigned(pid);
        AppendNameArgument(name);
    }

    /// <inheritdoc/>
    protected override void DescribeThread(Track track, ReadOnlySpan<byte> name)
    {
        if (name.Length == 0)
            return;
        BeginObject();
        _text.Append("{\"name\":\"thread_name\",\"ph\":\"M\""u8);
        AppendTrack(track);
        AppendNameArgument(name);
    }

    /// <inheritdoc/>
    protected override unsafe void AddEvent(in Message message, TimelinePlan<ChromeForm> plan, Track track, SpanRole role)
    {
        BeginObject();
        _text.Append(plan.Form!.Head);
        _text.Append(role switch
        {
            SpanRole.Begin => "\"ph\":\"B\""u8,
            SpanRole.End => "\"ph\":\"E\""u8,
            _ => "\"ph\":\"i\",\"s\":\"t\""u8,
        });
        AppendTime(",\"ts\":"u8, message.TimeNs - _originNs!.Value);
        AppendTrack(track);
        _text.Append(plan.Form.Arguments);
        var visitor = new JsonVisitor(_text, plan.Form.Fields.Steps);
        plan.Walker.WalkEvent(in message.Record, message.PacketStart, message.Slots, ref visitor);
        _text.Append("}}"u8);
    }

    /// <inheritdoc/>
    protected override void AddMissingEnd(long timeNs, Track track)
    {
        BeginObject();
        _text.Append("{\"ph\":\"E\""u8);
        AppendTime(",\"ts\":"u8, timeNs - _originNs!.Value);
        AppendTrack(track);
        _text.Append((byte)'}');
    }

    /// <inheritdoc/>
    protected override void AddSwitch(in Message message, TimelinePlan<ChromeForm> plan, int cpu, TimelineFields fields)
    {
        if (_cpus.TryGetValue(cpu, out var running))
        {
            AddSlice(cpu, running, message.TimeNs);
        }
        else
        {
            if (_cpus.Count == MaxCpus)
                _cpus.Clear();
            _cpus.Add(cpu, running = new Running());
            DescribeOnce(CpusPid, "CPUs"u8);
            DescribeOnce(new Track(CpusPid, cpu), Encoding.UTF8.GetBytes($"CPU {cpu}"));
        }
        running.Tid = (int)(fields.Number(TimelineField.NextTid) ?? 0);
        running.SinceNs = message.TimeNs;
        running.SetName(fields.Name(TimelineField.NextName));
    }

    /// <inheritdoc/>
    protected override void AddLoss(in Message message, Track track, string words)
    {
        BeginObject();
        _text.Append("{\"name\":"u8);
        _text.AppendJsonString(Encoding.UTF8.GetBytes(words));
        _text.Append(",\"cat\":\"losses\",\"ph\":\"X\""u8);
        AppendTime(",\"ts\":"u8, message.TimeNs - _originNs!.Value);
        AppendTime(",\"dur\":"u8, Math.Max(0, message.EndTimeNs - message.TimeNs));
        AppendTrack(track);
        _text.Append((byte)'}');
    }

    private static ChromeSink Create(ComponentContext context)
    {
        var parameters = new ParameterReader(context.Parameters);
        string? path = parameters.Path("path");
        parameters.RejectOthers();
        return new ChromeSink(SinkOutput.Open(path, context), context.Log);
    }

    private void Begin(in Message message)
    {
        _originNs = message.TimeNs - (((message.TimeNs % NanosecondsPerSecond) + NanosecondsPerSecond) % NanosecondsPerSecond);
        _text.Append("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"origin_ns\":\""u8);
        _text.AppendSigned(_originNs.Value);
        _text.Append((byte)'"');
        if (message.Stream.IsClockAbsolute)
        {
            _text.Append(",\"origin\":\""u8);
            new DateText().Append(_text, _originNs.Value);
            _text.Append((byte)'"');
        }
        _text.Append("},\"traceEvents\":["u8);
    }

    private void BeginObject()
    {
        _text.Append(_hasEvents ? ",\n"u8 : "\n"u8);
        _hasEvents = true;
    }

    /// <summary>Microseconds with three digits behind the point.</summary>
    private void AppendTime(ReadOnlySpan<byte> prefix, long timeNs)
    {
        _text.Append(prefix);
        ulong size = timeNs < 0 ? unchecked((ulong)-timeNs) : (ulong)timeNs;
        if (timeNs < 0)
            _text.Append((byte)'-');
        _text.AppendUnsigned(size / 1000);
        _text.Append((byte)'.');
        _text.AppendPadded(size % 1000, 3);
    }

    private void AppendTrack(Track track)
    {
        _text.Append(",\"pid\":"u8);
        _text.AppendSigned(track.Pid);
        _text.Append(",\"tid\":"u8);
        _text.AppendSigned(track.Tid);
    }

    private void AppendNameArgument(ReadOnlySpan<byte> name)
    {
        _text.Append(",\"args\":{\"name\":"u8);
        _text.AppendJsonString(name);
        _text.Append("}}"u8);
    }

    private void AddSlice(int cpu, Running running, long untilNs)
    {
        // Thread 0 is the one that a CPU runs when there is nothing to do.
        if (running.Tid == 0)
            return;
        BeginObject();
        _text.Append("{\"name\":"u8);
        if (running.Name.Length > 0)
            _text.AppendJsonString(running.Name);
        else
            _text.Append($"\"thread {running.Tid}\"");
        _text.Append(",\"cat\":\"sched\",\"ph\":\"X\""u8);
        AppendTime(",\"ts\":"u8, running.SinceNs - _originNs!.Value);
        AppendTime(",\"dur\":"u8, Math.Max(0, untilNs - running.SinceNs));
        AppendTrack(new Track(CpusPid, cpu));
        _text.Append(",\"args\":{\"tid\":"u8);
        _text.AppendSigned(running.Tid);
        _text.Append("}}"u8);
    }

    /// <summary>What a CPU runs.</summary>
    private sealed class Running
    {
        private readonly byte[] _name = new byte[TimelineFields.MaxNameBytes];
        private int _length;

        public int Tid { get; set; }

        public long SinceNs { get; set; }

        public ReadOnlySpan<byte> Name => _name.AsSpan(0, _length);

        public void SetName(ReadOnlySpan<byte> name)
        {
            name.CopyTo(_name);
            _length = name.Length;
        }
    }
}
