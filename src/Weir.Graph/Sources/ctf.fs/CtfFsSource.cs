using System.Text.Json.Nodes;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// <c>source.ctf.fs</c>: CTF traces in directories. A directory with a file <c>metadata</c> is a trace; other directories are searched.
/// Directories of one trace (the same UID, as rotation leaves them) are read as one.
/// </summary>
public sealed class CtfFsSource : Source
{
    private readonly CtfFsOptions _options;
    private readonly List<CtfFsTrace> _traces = [];
    private List<Port>? _ports;
    private TimeRange? _range;

    private CtfFsSource(CtfFsOptions options) => _options = options;

    /// <summary>Offers it.</summary>
    public static SourceClass Class { get; } = new("ctf", "fs", "Read CTF traces in directories.", CtfFsParameters.Create)
    {
        Help = CtfFsParameters.Help,
        Recognize = CtfFsParameters.Recognize,
        Group = CtfFsParameters.Group,
        AdjustsClocks = true,
        Query = CtfFsQueries.Answer,
    };

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => [.. Ports.Select(port => port.Name)];

    private List<Port> Ports => _ports ??= CreatePorts();

    /// <inheritdoc/>
    public override MessageIterator CreateIterator(int output) => Ports[output].Create();

    /// <inheritdoc/>
    public override long? FindFirstTime()
    {
        long? first = null;
        foreach (var port in Ports)
        {
            if (port.Group is not { } group)
                continue;
            if (!group.IsTimed)
                return null;
            long begin = group.Stream.ToNanoseconds(group.BeginTime!.Value);
            first = Math.Min(first ?? begin, begin);
        }
        return first;
    }

    /// <inheritdoc/>
    public override void SetRange(TimeRange range)
    {
        // With a loss that reaches into the range, a trimmer begins; it then passes on what any stream has from there on, as babeltrace2's does.
        long beginNs = range.BeginNs;
        foreach (var port in Ports)
            beginNs = Math.Min(beginNs, port.Group?.FindLossInto(range, _options) ?? beginNs);
        _range = range with { BeginNs = beginNs };
    }

    /// <summary>Opens the traces at or under each of <paramref name="paths"/>.</summary>
    /// <exception cref="TraceReadException">There is none, or its metadata is bad.</exception>
    public static CtfFsSource Open(IEnumerable<string> paths, CtfFsOptions options)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var source = new CtfFsSource(options);
        foreach (string path in paths)
        {
            int before = source._traces.Count;
            if (!Directory.Exists(path))
                throw new TraceReadException(path, -1, File.Exists(path) ? "this is no directory: expected a directory with a CTF trace" : "there is no such directory");
            string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
            source.Search(root, root);
            if (source._traces.Count == before)
                throw new TraceReadException(path, -1, "no trace is here: expected a directory with a file 'metadata', here or further down");
        }
        source.MergeByIdentity();
        return source;
    }

    /// <summary>One iterator for each data stream, and one that fails for each file that is bad from its first packet on.</summary>
    /// <param name="isChosen">Which traces; null for all.</param>
    public List<MessageIterator> CreateIterators(Predicate<TraceClass>? isChosen = null)
    {
        var iterators = new List<MessageIterator>();
        foreach (var trace in _traces)
        {
            if (isChosen?.Invoke(trace.Class) != false)
                iterators.AddRange(CreatePorts(trace).Select(port => port.Create()));
        }
        return iterators;
    }

    private List<Port> CreatePorts() => [.. _traces.SelectMany(CreatePorts)];

    private List<Port> CreatePorts(CtfFsTrace trace)
    {
        var failures = new List<TraceReadException>();
        var groups = trace.CreateStreams(_options, failures);
        var ports = new List<Port>(groups.Count + failures.Count);
        var (beginNs, endNs) = _options.IsIntersection ? Intersect(trace, groups) : default;
        foreach (var group in groups)
        {
            Func<MessageIterator> create = _options.IsIntersection
                ? () => new Trimmer(new CtfFsStreamIterator(group, _options, new TimeRange(beginNs, endNs)), beginNs, endNs)
                : () => new CtfFsStreamIterator(group, _options, _range);
            ports.Add(new Port(NameOf(trace, group), group, create));
        }
        foreach (var failure in failures)
            ports.Add(new Port(failure.Path, null, () => new BadFile(failure)));
        return ports;
    }

    /// <summary>Names as babeltrace2's: what tells the trace from others, the data stream class's ID, and the stream's ID or its file.</summary>
    private static string NameOf(CtfFsTrace trace, CtfFsStreamGroup group)
    {
        string identity = trace.Class switch
        {
            { Uid: null, Uuid: null } => Path.GetFullPath(trace.Directory),
            var of => $"{{namespace: `{NamespaceOf(of)}`, name: `{of.Name}`, uid: `{of.Uid ?? of.Uuid?.ToString()}`}}",
        };
        bool hasId = group.First.Properties.StreamId is not null;
        return $"{identity} | {group.Stream.Decoder.Class.Id} | {(hasId ? group.Stream.Id : Path.GetFullPath(group.Stream.Name))}";
    }

    /// <summary>Metadata of CTF 1.8 has no namespace; that of LTTng's tracers is known.</summary>
    private static string NamespaceOf(TraceClass trace) =>
        trace.Namespace ?? (trace.FindEnvironment("tracer_name")?.Text is "lttng-ust" or "lttng-modules" ? "lttng.org,2009" : "");

    /// <summary>What belongs together: the name that each trace has among others; null where it has none.</summary>
    internal static string? GroupOf(TraceClass trace) =>
        trace is { Uid: null, Uuid: null } ? null : $"namespace: {NamespaceOf(trace)}, name: {trace.Name}, uid: {trace.Uid ?? trace.Uuid?.ToString()}";

    /// <summary>The traces with their streams, the outputs that these come out of, and when they begin and end.</summary>
    internal JsonArray DescribeTraces()
    {
        var traces = new JsonArray();
        foreach (var trace in _traces)
        {
            var streams = new JsonArray();
            foreach (var port in CreatePorts(trace))
            {
                if (port.Group is not { } group)
                    continue;
                var stream = new JsonObject { ["port-name"] = port.Name };
                if (group.Stream.Clock is not null && group.BeginTime is { } begin && FindEnd(group) is { } end)
                    stream["range-ns"] = new JsonObject { ["begin"] = group.Stream.ToNanoseconds(begin), ["end"] = group.Stream.ToNanoseconds(end) };
                streams.Add((JsonNode)stream);
            }
            traces.Add((JsonNode)new JsonObject { ["stream-infos"] = streams });
        }
        return traces;
    }

    /// <summary>The time that all streams of a trace have in common.</summary>
    private (long BeginNs, long EndNs) Intersect(CtfFsTrace trace, List<CtfFsStreamGroup> groups)
    {
        long beginNs = long.MinValue;
        long endNs = long.MaxValue;
        foreach (var group in groups)
        {
            if (group.Stream.Clock is null || group.BeginTime is not { } begin || FindEnd(group) is not { } end)
                throw new TraceReadException(group.Stream.Name, -1, "this stream does not say when it begins and ends, so it has no time in common with others");
            beginNs = Math.Max(beginNs, group.Stream.ToNanoseconds(begin));
            endNs = Math.Min(endNs, group.Stream.ToNanoseconds(end));
        }
        if (beginNs > endNs)
            throw new TraceReadException(trace.Directory, -1, "the streams of this trace have no time in common");
        return (beginNs, endNs);
    }

    /// <summary>The clock value at which a stream ends, which some tracers say wrongly.</summary>
    private ulong? FindEnd(CtfFsStreamGroup group)
    {
        if (group.First.Properties.EndTime is null || group.IndexPackets(_options, null).Last is not { } last)
            return null;
        var quirks = TracerQuirks.Of(group.Stream.Trace.Class);
        bool hasEnd = last.Packet.EndTime != CtfFsIndexEntry.NoEnd;
        if (!quirks.HasEventsAfterPackets && (hasEnd || !quirks.HasPacketsWithoutEnd || last.Packet.BeginTime == 0))
            return hasEnd ? last.Packet.EndTime : null;
        ulong clock = last.Packet.BeginTime;
        using var iterator = new CtfFsStreamIterator(group, _options, null) { Extents = [last.Extent] };
        try
        {
            for (var batch = iterator.Next(); batch.Count > 0; batch = iterator.Next())
            {
                foreach (ref readonly var message in batch.AsSpan())
                    clock = message.Kind == MessageKind.Event ? message.Record.ClockValue : clock;
            }
        }
        catch (TraceReadException)
        {
            // Said again where the events are read.
        }
        return clock;
    }

    private void Search(string root, string directory)
    {
        if (File.Exists(Path.Combine(directory, CtfFsTrace.MetadataFileName)))
        {
            _traces.Add(CtfFsTrace.Open(root, directory, _options.TraceName));
            return;
        }
        string[] children;
        try
        {
            children = Directory.GetDirectories(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TraceReadException(directory, -1, "this directory cannot be read", e);
        }
        Array.Sort(children, StringComparer.Ordinal);
        foreach (string child in children)
        {
            // A link could lead round in a circle.
            if (new DirectoryInfo(child).LinkTarget is null)
                Search(root, child);
        }
    }

    /// <summary>Merges the directories of one trace (the same namespace, name and UID) into the one that has the most metadata.</summary>
    private void MergeByIdentity()
    {
        for (int i = 0; i < _traces.Count; i++)
        {
            for (int j = i + 1; j < _traces.Count;)
            {
                var (left, right) = (_traces[i].Class, _traces[j].Class);
                if (left.Uid is null || (left.Namespace, left.Name, left.Uid) != (right.Namespace, right.Name, right.Uid))
                {
                    j++;
                    continue;
                }
                _traces[i] = _traces[i].MergeWith(_traces[j]);
                _traces.RemoveAt(j);
            }
        }
    }

    private sealed record Port(string Name, CtfFsStreamGroup? Group, Func<MessageIterator> Create);

    /// <summary>Has nothing to give but its error, once.</summary>
    private sealed class BadFile(TraceReadException failure) : MessageIterator
    {
        private bool _hasThrown;

        public override ArraySegment<Message> Next()
        {
            if (_hasThrown)
                return ArraySegment<Message>.Empty;
            _hasThrown = true;
            throw failure;
        }
    }
}
