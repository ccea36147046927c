using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// <c>sink.ctf.fs</c>: writes CTF 1.8 or CTF 2 traces, one directory for each trace, one file for each data stream, in LTTng's layout.
/// Traces of any source can be written; where the input is laid out as the output is to be, bytes are copied. Streams may be written by
/// several threads at once.
/// </summary>
public sealed class CtfFsSink : MessageSink
{
    private readonly CtfFsSinkOptions _options;
    private readonly Stream? _report;
    private readonly Dictionary<Trace, CtfFsTraceOutput> _traces = [];
    private readonly Dictionary<DataStream, CtfFsStreamOutput> _streams = [];
    private readonly Lock _lock = new();

    private CtfFsSink(CtfFsSinkOptions options, Stream? report)
    {
        _options = options;
        _report = report;
        if (options.IsSingleTrace && Path.Exists(options.Path))
            throw new TraceWriteException(options.Path, "this exists already: expected a new directory for the single trace");
        CtfFsTraceOutput.CreateDirectory(options.Path);
    }

    /// <summary>Offers it.</summary>
    public static SinkClass Class { get; } = new("ctf", "fs", "Write CTF 1.8 or CTF 2 traces in directories.", Create)
    {
        Help = CtfFsSinkOptions.Help,
        TakesAnyOrder = true,
    };

    /// <inheritdoc/>
    public override bool TakesStreamsAtOnce => true;

    /// <summary>Records that may be copied as they lie need not be looked at.</summary>
    public override bool TakesRuns(DataStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return FindStream(stream).TakesRuns;
    }

    /// <inheritdoc/>
    public override void Consume(ReadOnlySpan<Message> batch)
    {
        DataStream? stream = null;
        CtfFsStreamOutput output = null!;
        for (int i = 0; i < batch.Length;)
        {
            ref readonly var message = ref batch[i];
            if (message.Stream != stream)
                output = FindStream(stream = message.Stream);
            if (message.Kind != MessageKind.Event)
            {
                output.Add(in message);
                i++;
                continue;
            }
            int end = i + 1;
            while (end < batch.Length && batch[end].Kind == MessageKind.Event && batch[end].Stream == message.Stream)
                end++;
            output.AddEvents(batch[i..end]);
            i = end;
        }
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        TraceWriteException? failure = null;
        foreach (var stream in _streams.Values)
        {
            try
            {
                stream.Complete();
            }
            catch (TraceWriteException e)
            {
                // The other streams can still be whole.
                failure ??= e;
            }
        }
        if (failure is not null)
            throw failure;
        foreach (var trace in _traces.Values)
        {
            if (!_options.IsQuiet && !trace.IsReported)
                _report?.Write(Encoding.UTF8.GetBytes($"Created CTF trace `{trace.Directory}`.\n"));
            trace.IsReported = true;
        }
        _report?.Flush();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        foreach (var stream in _streams.Values)
            stream.Dispose();
        foreach (var trace in _traces.Values)
            trace.Dispose();
        base.Dispose(disposing);
    }

    private static CtfFsSink Create(ComponentContext context) => new(CtfFsSinkOptions.Read(context), context.Output);

    private CtfFsStreamOutput FindStream(DataStream stream)
    {
        lock (_lock)
        {
            if (!_streams.TryGetValue(stream, out var output))
            {
                output = FindTrace(stream.Trace).AddStream(stream);
                _streams.Add(stream, output);
            }
            return output;
        }
    }

    private CtfFsTraceOutput FindTrace(Trace trace)
    {
        if (_traces.TryGetValue(trace, out var output))
            return output;
        if (_options.IsSingleTrace && _traces.Count > 0)
            throw new TraceWriteException(_options.Path, "there is more than one trace to be written: expected a single one");
        output = new CtfFsTraceOutput(trace, _options);
        _traces.Add(trace, output);
        return output;
    }
}
