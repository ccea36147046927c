using System.Globalization;
using System.Text;
using Weir.Ctf;
using Weir.Graph;

namespace LinesPlugin;

/// <summary>
/// A source whose events are no CTF: it describes them by a trace class, and writes the fields of each. One output for each file.
/// </summary>
internal sealed class LinesSource : Source
{
    private readonly IReadOnlyList<string> _paths;

    private LinesSource(IReadOnlyList<string> paths) => _paths = paths;

    public override IReadOnlyList<string> Outputs => [.. _paths.Select((_, i) => $"out{i}")];

    public static LinesSource Create(ComponentContext context)
    {
        var parameters = new ParameterReader(context.Parameters);
        var source = new LinesSource(parameters.Texts("inputs"));
        parameters.RejectOthers();
        return source;
    }

    public override MessageIterator CreateIterator(int output) => new Iterator(_paths[output], (ulong)output);

    private sealed class Iterator : MessageIterator
    {
        private const int BatchEvents = 256;

        private readonly string _path;
        private readonly StreamReader _reader;
        private readonly EventComposer _composer;
        private readonly EventDecoder _line;
        private int _lineNumber;
        private bool _hasBegun;
        private bool _hasEnded;
        private TraceReadException? _failure;

        public Iterator(string path, ulong id)
        {
            _path = path;
            try
            {
                _reader = new StreamReader(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new TraceReadException(path, -1, "this file cannot be opened", e);
            }
            var clock = new ClockClass { Name = "lines", IsAbsolute = true };
            var trace = new TraceClass();
            trace.Add(clock);
            var stream = new DataStreamClass { DefaultClock = clock };
            trace.Add(stream);
            stream.Add(new EventRecordClass { Name = "lines:line", Payload = new StructureFieldClass([new("text", new StringFieldClass())]) });
            var decoder = new TraceDecoder(trace);
            var streamDecoder = decoder.FindStream(0)!;
            _line = streamDecoder.FindEvent(0)!;
            _composer = new EventComposer(new DataStream { Trace = new Trace(decoder, ""), Decoder = streamDecoder, Id = id, Name = path, IsClockAbsolute = true });
        }

        public override ArraySegment<Message> Next()
        {
            if (_failure is { } failure)
            {
                // Asked again, it goes on behind the bad line.
                _failure = null;
                throw failure;
            }
            if (_hasEnded)
                return ArraySegment<Message>.Empty;
            _composer.BeginBatch();
            if (!_hasBegun)
                _composer.AddOther(MessageKind.StreamBeginning);
            _hasBegun = true;
            while (_composer.Count < BatchEvents)
            {
                if (_reader.ReadLine() is not { } line)
                {
                    _hasEnded = true;
                    _composer.AddOther(MessageKind.StreamEnd);
                    break;
                }
                _lineNumber++;
                try
                {
                    Add(line);
                }
                catch (TraceReadException e)
                {
                    // What precedes an error is given before it is thrown.
                    _failure = e;
                    break;
                }
            }
            // An empty batch would be the end.
            return _composer.Count > 0 ? _composer.EndBatch() : Next();
        }

        protected override void Dispose(bool disposing)
        {
            _composer.Dispose();
            _reader.Dispose();
            base.Dispose(disposing);
        }

        private void Add(string line)
        {
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space < 0 || !decimal.TryParse(line.AsSpan(0, space), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal seconds) || seconds >= 9_000_000_000)
                throw new TraceReadException(_path, -1, $"line {_lineNumber} has no time: expected SECONDS[.FRACTION] TEXT");
            var fields = _composer.BeginEvent(_line, (ulong)(seconds * 1_000_000_000));
            fields.WriteString(Encoding.UTF8.GetBytes(line[(space + 1)..].Replace("\0", "", StringComparison.Ordinal)));
            _composer.EndEvent();
        }
    }
}
