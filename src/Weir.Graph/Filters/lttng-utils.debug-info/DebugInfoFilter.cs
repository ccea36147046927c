using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// <c>filter.lttng-utils.debug-info</c>: adds to events of LTTng-UST, from their instruction pointer, the binary, the function and the line
/// of the source in which they happened.
/// </summary>
public sealed class DebugInfoFilter : Filter
{
    private readonly string _fieldName;
    private readonly string? _targetPrefix;
    private readonly bool _fullPath;
    private readonly BinaryFiles _files;

    private DebugInfoFilter(string fieldName, string? targetPrefix, bool fullPath, BinaryFiles files) =>
        (_fieldName, _targetPrefix, _fullPath, _files) = (fieldName, targetPrefix, fullPath, files);

    /// <summary>Offers it.</summary>
    public static FilterClass Class { get; } = new("lttng-utils", "debug-info", "Say of LTTng-UST's events where in the program they happened.", Create)
    {
        Help = """
            debug-info-field-name=NAME  the structure that is added to the event common context; debug_info by default
            debug-info-dir=DIR          where separate debugging information is; /usr/lib/debug by default
            target-prefix=DIR           where the traced machine's programs are
            full-path=yes               give paths as a whole, not only the files' names

            Events need the context fields ip and vpid, and the trace needs the events lttng_ust_statedump:* (and lttng_ust_lib:*).
            """,
    };

    /// <inheritdoc/>
    public override MessageIterator CreateIterator(int output, IReadOnlyList<MessageIterator> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        return new Iterator(this, inputs[0]);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _files.Dispose();
        base.Dispose(disposing);
    }

    private static DebugInfoFilter Create(ComponentContext context)
    {
        var parameters = new ParameterReader(context.Parameters);
        string fieldName = parameters.Text("debug-info-field-name") ?? "debug_info";
        string directory = parameters.Text("debug-info-dir") ?? "/usr/lib/debug";
        string? prefix = parameters.Text("target-prefix");
        bool fullPath = parameters.Flag("full-path");
        parameters.RejectOthers();
        return new DebugInfoFilter(fieldName, prefix, fullPath, new BinaryFiles(directory, context.LogLevel <= LogLevel.Info ? text => context.Log.WriteLine($"[info] {text}") : null));
    }

    private sealed unsafe class Iterator : MessageIterator
    {
        private readonly DebugInfoFilter _filter;
        private readonly MessageIterator _upstream;
        private readonly Dictionary<Trace, DebugInfoTrace?> _traces = [];
        private readonly BitWriter _bytes = new(64 << 10);
        private readonly Action<int> _afterRoot;
        private Message[] _batch = new Message[256];
        private CodeLocation _location = CodeLocation.Unknown;
        private DataStream? _lastInput;
        private DebugInfoStream? _lastStream;
        private TraceReadException? _pending;

        public Iterator(DebugInfoFilter filter, MessageIterator upstream)
        {
            (_filter, _upstream) = (filter, upstream);
            _afterRoot = root =>
            {
                if (root == 0)
                    WriteLocation();
            };
        }

        public override ArraySegment<Message> Next()
        {
            if (_pending is { } pending)
            {
                _pending = null;
                throw pending;
            }
            var batch = _upstream.Next();
            if (_batch.Length < batch.Count)
                _batch = new Message[batch.Count];
            _bytes.Clear();
            int count = 0;
            for (; count < batch.Count; count++)
            {
                ref var message = ref _batch[count];
                message = batch[count];
                if (Find(message.Stream) is not { } stream || Change(ref message, stream))
                    continue;
                _pending = new TraceReadException(message.Stream.Name, -1, $"an event of class '{message.Record.Decoder.Class.Name}' cannot be decoded");
                if (count == 0)
                    return Next();
                break;
            }
            // Only now does the memory move no more.
            foreach (ref var message in _batch.AsSpan(0, count))
            {
                if (message.Kind == MessageKind.Event && message.PacketStart == null)
                    message.PacketStart = _bytes.Start;
            }
            return new ArraySegment<Message>(_batch, 0, count);
        }

        public override void ThrowIfBad() => _upstream.ThrowIfBad();

        protected override void Dispose(bool disposing)
        {
            _upstream.Dispose();
            _bytes.Dispose();
            base.Dispose(disposing);
        }

        private DebugInfoStream? Find(DataStream? input)
        {
            if (input is null || ReferenceEquals(input, _lastInput))
                return input is null ? null : _lastStream;
            if (!_traces.TryGetValue(input.Trace, out var trace))
            {
                var processes = new ProcessBinaries(_filter._files, _filter._targetPrefix, _filter._fullPath);
                _traces.Add(input.Trace, trace = DebugInfoTrace.Create(input.Trace, _filter._fieldName, processes));
            }
            (_lastInput, _lastStream) = (input, trace?.Find(input));
            return _lastStream;
        }

        /// <summary>Makes of a message that which comes out; false where an event cannot be decoded.</summary>
        private bool Change(ref Message message, DebugInfoStream stream)
        {
            if (message.Kind == MessageKind.StreamBeginning)
                stream.Begin();
            bool isGood = message.Kind != MessageKind.Event || ChangeEvent(ref message, stream);
            message.Stream = stream.Output;
            if (message.Packet is { } packet)
                message.Packet = stream.FindPacket(packet);
            return isGood;
        }

        private bool ChangeEvent(ref Message message, DebugInfoStream stream)
        {
            var found = stream.FindEvent(message.Record.Decoder);
            var record = message.Record;
            if (stream.IsExtended)
            {
                var (fields, processes) = (found.Fields, stream.Trace.Processes);
                if (fields.Read(stream.Trace.Walker, in message) != DecodeStatus.Done)
                    return false;
                if (fields.Kind != BinaryEvent.None)
                    processes.Follow(fields.Kind, fields);
                _location = processes.Locate(fields.Vpid, fields.InstructionPointer);
                _bytes.Align(64);
                long start = _bytes.PositionBits;
                if (stream.Trace.Encoder.EncodeEvent(found.Program, in message.Record, message.PacketStart, message.Slots, _bytes, _afterRoot) != DecodeStatus.Done)
                    return false;
                message.Record = EventRecord.Create(found.Output, start, start, _bytes.PositionBits, record.ClockValue);
                message.PacketStart = null;
            }
            else
            {
                message.Record = EventRecord.Create(found.Output, record.StartBits, record.FieldsBits, record.EndBits, record.ClockValue);
            }
            message.Slots = stream.Trace.TakeSlots(message.Slots);
            return true;
        }

        private void WriteLocation()
        {
            _bytes.WriteString(_location.Bin);
            _bytes.WriteString(_location.Func);
            _bytes.WriteString(_location.Src);
        }
    }
}
