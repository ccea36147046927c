using System.Text;
using Apache.Arrow.Types;
using Weir.Ctf;

namespace Weir.Graph.Columns;

/// <summary>
/// A directory of files of columns, one for each event class; event classes of one name and the same columns share one, whatever traces
/// they are of. Rows are kept in memory until a file has many, or all together have more than <see cref="MaxPendingBytes"/>: then those of the
/// file that has most are written.
/// </summary>
internal sealed class ColumnSink : MessageSink
{
    private const long MaxPendingBytes = 64 << 20;
    private const int MaxFileNameLength = 120;

    private static readonly string[] s_environment = ["hostname", "procname", "vpid"];
    private static readonly string[] s_packetPrefix = ["packet_"];
    private static readonly string[] s_prefixes = ["ctx_", "ctx_", ""];
    private static readonly string[] s_cpu = ["cpu_id"];

    private readonly string _directory;
    private readonly string _extension;
    private readonly TextWriter _log;
    private readonly Func<string, IReadOnlyList<Column>, Column[], EventTable> _createTable;
    private readonly Dictionary<EventDecoder, EventPlan> _plans = [];
    private readonly Dictionary<TraceDecoder, FieldWalker> _walkers = [];
    private readonly Dictionary<(string Name, string Columns), EventTable> _tables = [];
    private readonly JsonValue _jsonValue = new();
    private readonly HashSet<string> _fileNames = new(StringComparer.Ordinal);
    private EventPlan? _lastPlan;
    private long _pendingBytes;
    private bool _isFinished;

    public ColumnSink(string directory, string extension, TextWriter log, Func<string, IReadOnlyList<Column>, Column[], EventTable> createTable)
    {
        _directory = directory;
        _extension = extension;
        _log = log;
        _createTable = createTable;
    }

    /// <summary>The directory that the parameter names, which is created.</summary>
    /// <exception cref="ComponentParameterException">None is named, or it holds something: files of another trace would mix with the new ones.</exception>
    public static string CreateDirectory(string? path)
    {
        if (path is null)
            throw new ComponentParameterException("the parameter 'path' is missing: expected a directory for the files (--output DIR)");
        if (File.Exists(path) || (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any()))
            throw new ComponentParameterException($"the parameter 'path' is {path}, which is {(File.Exists(path) ? "a file" : "not empty")}: expected an empty directory, or none yet");
        Directory.CreateDirectory(path);
        return path;
    }

    /// <inheritdoc/>
    public override void Consume(ReadOnlySpan<Message> batch)
    {
        foreach (ref readonly var message in batch)
        {
            if (message.Kind == MessageKind.Event)
                TakeEvent(in message);
            else if (message.Kind is MessageKind.DiscardedEvents or MessageKind.DiscardedPackets)
                TakeLoss(in message);
        }
    }

    /// <inheritdoc/>
    public override void Finish()
    {
        if (_isFinished)
            return;
        _isFinished = true;
        foreach (var table in _tables.Values)
            table.Finish();
        long leftOut = _plans.Values.Sum(plan => plan.Visit.LeftOutCount);
        if (leftOut > 0)
            _log.WriteLine($"{leftOut} values are left out (null): they are too long for a column");
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        foreach (var table in _tables.Values)
            table.Dispose();
        _jsonValue.Dispose();
        base.Dispose(disposing);
    }

    private unsafe void TakeEvent(in Message message)
    {
        var plan = FindPlan(in message);
        plan.Common.Append(in message, plan.FindCpu(in message));
        if (plan.PacketVisit is { } packetVisit)
        {
            byte[] context = message.Packet!.HeaderAndContext;
            var packetVisitor = new ColumnVisitor(packetVisit);
            fixed (byte* start = context)
                plan.Walker.WalkContext(plan.Decoder.Stream, start, context.Length * 8L, ref packetVisitor);
        }
        var visitor = new ColumnVisitor(plan.Visit);
        plan.Walker.WalkEvent(in message.Record, message.PacketStart, message.Slots, ref visitor);
        EndRow(plan.Table, message.Record.LengthBytes);
    }

    private void EndRow(EventTable table, long eventBytes)
    {
        _pendingBytes += table.EndRow(eventBytes);
        if (table.IsFull)
            _pendingBytes -= table.WriteRows();
        else if (_pendingBytes > MaxPendingBytes)
            _pendingBytes -= _tables.Values.MaxBy(other => other.PendingBytes)!.WriteRows();
    }

    private EventPlan FindPlan(in Message message)
    {
        var decoder = message.Record.Decoder;
        if (_lastPlan is { } last && last.Decoder == decoder)
            return last;
        if (!_plans.TryGetValue(decoder, out var plan))
            _plans.Add(decoder, plan = CreatePlan(in message));
        return _lastPlan = plan;
    }

    private EventPlan CreatePlan(in Message message)
    {
        var decoder = message.Record.Decoder;
        var stream = decoder.Stream;
        if (!_walkers.TryGetValue(stream.TraceDecoder, out var walker))
            _walkers.Add(stream.TraceDecoder, walker = new FieldWalker(stream.TraceDecoder));
        var top = new List<Column>();
        var all = new List<Column>();
        CommonColumns.Add(message.Stream, top);
        all.AddRange(top);
        int commonCount = top.Count;
        var names = top.Select(column => column.Name).ToHashSet(StringComparer.Ordinal);
        var cpu = new FieldPicker(stream.PacketContext, s_cpu);
        var packet = ColumnPlan.Create(stream.PacketContext, s_packetPrefix, cpu.Found != 0 ? s_cpu[0] : null, top, all, names);
        bool hasPacket = top.Count > commonCount && message.Packet is not null;
        var fields = ColumnPlan.Create(decoder.Fields, s_prefixes, null, top, all, names);
        string name = decoder.Class.Name ?? "";
        var table = FindTable(name, top, all);
        return new EventPlan
        {
            Decoder = decoder,
            Walker = walker,
            Table = table,
            Common = new CommonColumns(table.All, message.Stream, name),
            Cpu = cpu.Found != 0 ? cpu : null,
            PacketVisit = hasPacket ? new ColumnVisit(packet.Steps, table.All, _jsonValue) : null,
            Visit = new ColumnVisit(fields.Steps, table.All, _jsonValue),
        };
    }

    private void TakeLoss(in Message message)
    {
        var top = new List<Column>();
        CommonColumns.Add(message.Stream, top);
        int commonCount = top.Count;
        top.Add(new Column("end_time", top[0].Type, isNullable: true));
        top.Add(new Column("count", UInt64Type.Default, isNullable: true));
        var table = FindTable("_discarded", top, top);
        string kind = message.Kind == MessageKind.DiscardedEvents ? "discarded_events" : "discarded_packets";
        new CommonColumns(table.All, message.Stream, kind).Append(in message, cpu: null);
        if (message.HasTime)
            table.All[commonCount].Append((ulong)message.EndTimeNs);
        else
            table.All[commonCount].AppendNull();
        if (message.Count is { } count)
            table.All[commonCount + 1].Append(count);
        else
            table.All[commonCount + 1].AppendNull();
        EndRow(table, 0);
    }

    private EventTable FindTable(string name, List<Column> columns, List<Column> all)
    {
        var key = (name, string.Join(',', columns.Select(column => column.Describe())));
        if (!_tables.TryGetValue(key, out var table))
            _tables.Add(key, table = _createTable(Path.Combine(_directory, CreateFileName(name)), columns, [.. all]));
        return table;
    }

    /// <summary>The event's name without what shells, queries and file systems take for something else.</summary>
    private string CreateFileName(string name)
    {
        var text = new StringBuilder();
        foreach (char c in name.AsSpan(0, Math.Min(name.Length, MaxFileNameLength)))
            text.Append(char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' ? c : '_');
        if (text.Length == 0 || text[0] is '.' or '-')
            text.Insert(0, '_');
        string stem = text.ToString();
        string unique = stem;
        for (int i = 2; !_fileNames.Add(unique); i++)
            unique = $"{stem}-{i}";
        return unique + _extension;
    }

    /// <summary>The columns that all events have.</summary>
    private sealed class CommonColumns(Column[] all, DataStream stream, string name)
    {
        private readonly byte[] _name = Encoding.UTF8.GetBytes(name);
        private readonly byte[] _trace = Encoding.UTF8.GetBytes(stream.Trace.Name);
        private readonly EnvironmentEntry?[] _environment = [.. s_environment.Select(stream.Trace.Class.FindEnvironment)];

        public static void Add(DataStream stream, List<Column> columns)
        {
            // UTC, but without saying so: readers take times of a zone to microseconds only.
            columns.Add(new Column("time", stream.IsClockAbsolute ? new TimestampType(TimeUnit.Nanosecond, (string?)null) : Int64Type.Default, isNullable: true));
            columns.Add(new Column("event", StringType.Default, isNullable: false));
            columns.Add(new Column("trace", StringType.Default, isNullable: false));
            foreach (string name in s_environment)
            {
                if (stream.Trace.Class.FindEnvironment(name) is { } entry)
                    columns.Add(new Column(name, entry.Number is not null ? Int64Type.Default : StringType.Default, isNullable: false));
            }
            columns.Add(new Column("stream", UInt64Type.Default, isNullable: false));
            columns.Add(new Column("cpu", UInt32Type.Default, isNullable: true));
        }

        public void Append(in Message message, ulong? cpu)
        {
            int at = 0;
            if (message.HasTime)
                all[at++].Append((ulong)message.TimeNs);
            else
                all[at++].AppendNull();
            all[at++].Append(_name);
            all[at++].Append(_trace);
            foreach (var entry in _environment)
            {
                if (entry?.Number is { } number)
                    all[at++].Append((ulong)number);
                else if (entry is not null)
                    all[at++].Append(Encoding.UTF8.GetBytes(entry.Text!));
            }
            all[at++].Append(message.Stream.Id);
            if (cpu is { } value)
                all[at].Append(value);
            else
                all[at].AppendNull();
        }
    }

    private sealed class EventPlan
    {
        public required EventDecoder Decoder { get; init; }

        public required FieldWalker Walker { get; init; }

        public required EventTable Table { get; init; }

        public required CommonColumns Common { get; init; }

        /// <summary>Finds the CPU in the packet context; null where it has none.</summary>
        public required FieldPicker? Cpu { get; init; }

        public required ColumnVisit? PacketVisit { get; init; }

        public required ColumnVisit Visit { get; init; }

        public unsafe ulong? FindCpu(in Message message)
        {
            if (Cpu is null || message.Packet is not { } packet)
                return null;
            if (packet.Rendered is ulong kept)
                return kept;
            fixed (byte* start = packet.HeaderAndContext)
            {
                var visitor = Cpu.CreateVisitor();
                Walker.WalkContext(Decoder.Stream, start, packet.HeaderAndContext.Length * 8L, ref visitor);
            }
            packet.Rendered = Cpu.Values[0];
            return Cpu.Values[0];
        }
    }
}
