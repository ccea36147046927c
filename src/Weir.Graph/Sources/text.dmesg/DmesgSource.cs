using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// <c>source.text.dmesg</c>: the lines of a text, such as <c>dmesg</c> prints, as events; their times where they begin with some. The first
/// line says whether the others have times.
/// </summary>
public sealed class DmesgSource : Source
{
    private readonly string? _path;
    private readonly bool _takesNoTime;

    private readonly ClockAdjustment _clocks;

    private DmesgSource(string? path, bool takesNoTime, ClockAdjustment clocks) => (_path, _takesNoTime, _clocks) = (path, takesNoTime, clocks);

    /// <summary>Offers it.</summary>
    public static SourceClass Class { get; } = new("text", "dmesg", "Read the lines of a text, such as dmesg prints.", Create)
    {
        Help = $"""
            path=PATH                                 the text; standard input where none is given
            read-from-stdin=yes                       read standard input, and no path
            no-extract-timestamp=yes                  take no times off the lines
            {ClockAdjustment.Help}
            """,
        AdjustsClocks = true,
    };

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["out"];

    /// <inheritdoc/>
    public override MessageIterator CreateIterator(int output)
    {
        string path = _path ?? "STDIN";
        var lines = _path is null ? new LineReader(Console.OpenStandardInput(), path) : LineReader.Open(_path);
        return new Lines(lines, path, _takesNoTime, _clocks);
    }

    private static DmesgSource Create(ComponentContext context)
    {
        var parameters = new ParameterReader(context.Parameters);
        string? path = parameters.Path("path");
        var inputs = parameters.Texts("inputs");
        bool isStandardInput = parameters.Flag("read-from-stdin");
        bool takesNoTime = parameters.Flag("no-extract-timestamp");
        var clocks = ClockAdjustment.Read(parameters);
        parameters.RejectOthers();
        if (inputs.Count > 1 || (inputs.Count == 1 && path is not null))
            throw new ComponentParameterException("several texts are given: expected one");
        path ??= inputs.Count > 0 ? inputs[0] : null;
        if (isStandardInput && path is not null)
            throw new ComponentParameterException("the parameters 'path' and 'read-from-stdin' exclude each other");
        if (path is not null && !File.Exists(path))
            throw new TraceReadException(path, -1, "there is no such file");
        return new DmesgSource(path, takesNoTime, clocks);
    }

    private sealed class Lines(LineReader lines, string path, bool takesNoTime, ClockAdjustment clocks) : MessageIterator
    {
        private const int BatchEvents = 256;

        private EventComposer? _composer;
        private EventDecoder? _decoder;
        private ulong _lastNs;
        private TraceReadException? _failure;
        private bool _hasEnded;

        public override ArraySegment<Message> Next()
        {
            if (_failure is { } failure)
                throw failure;
            _composer?.BeginBatch();
            while (!_hasEnded && (_composer is null || _composer.Count < BatchEvents))
            {
                try
                {
                    if (lines.TryRead(out var line))
                    {
                        Add(line);
                        continue;
                    }
                    _hasEnded = true;
                    _composer?.AddOther(MessageKind.StreamEnd);
                }
                catch (TraceReadException e) when (_composer is { Count: > 0 })
                {
                    _failure = e;
                    break;
                }
            }
            return _composer is null ? ArraySegment<Message>.Empty : _composer.EndBatch();
        }

        protected override void Dispose(bool disposing)
        {
            lines.Dispose();
            _composer?.Dispose();
            base.Dispose(disposing);
        }

        private void Add(ReadOnlySpan<byte> line)
        {
            int zero = line.IndexOf((byte)0);
            if (zero >= 0)
                line = line[..zero];
            if (LineReader.IsBlank(line))
                return;
            ulong timeNs = 0;
            bool hasTime = !takesNoTime && DmesgTime.TryTake(ref line, out timeNs);
            if (_composer is null)
                Begin(hasTime);
            if (_decoder!.Stream.Class.DefaultClock is not null)
            {
                if (timeNs < _lastNs)
                    throw lines.Error(hasTime ? "this line's time is before that of the line above" : "this line has no time, and the lines above do");
                _lastNs = timeNs;
            }
            _composer!.BeginEvent(_decoder, timeNs).WriteString(line);
            _composer.EndEvent();
        }

        private void Begin(bool hasTime)
        {
            var trace = new TraceClass { Name = Path.GetFileName(path) };
            var clock = hasTime ? new ClockClass { Name = "" } : null;
            if (clock is not null)
                trace.Add(clock);
            var streamClass = new DataStreamClass { DefaultClock = clock };
            streamClass.Add(new EventRecordClass { Name = "string", Payload = new StructureFieldClass([new("str", new StringFieldClass())]) });
            trace.Add(streamClass);
            var decoder = new TraceDecoder(trace);
            var stream = new DataStream
            {
                Trace = new Trace(decoder, trace.Name), Decoder = decoder.FindStream(0)!, Name = path,
                ClockOffsetNs = clocks.OffsetOf(clock, path), IsClockAbsolute = clocks.IsAbsolute(clock),
            };
            _decoder = stream.Decoder.FindEvent(0);
            _composer = new EventComposer(stream);
            _composer.BeginBatch();
            _composer.AddOther(MessageKind.StreamBeginning);
        }
    }
}
