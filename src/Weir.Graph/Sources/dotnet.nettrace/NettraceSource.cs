using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// <c>source.dotnet.nettrace</c>: files of EventPipe, the .NET runtime's own tracing. <c>docs/nettrace.md</c> says what is made of them. Each file
/// is a stream. It is gone through twice: first to find the kinds of events that there are, then for the events.
/// </summary>
public sealed class NettraceSource : Source
{
    private readonly List<string> _paths;

    private readonly ClockAdjustment _clocks;

    private NettraceSource(List<string> paths, ClockAdjustment clocks) => (_paths, _clocks) = (paths, clocks);

    /// <summary>Offers it.</summary>
    public static SourceClass Class { get; } = new("dotnet", "nettrace", "Read .nettrace files, which EventPipe, the .NET runtime's own tracing, writes.", Create)
    {
        Help = $"""
            inputs=[PATH, ...]                        files (versions 4, 5 and 6 of the format)
            {ClockAdjustment.Help}
            """,
        Recognize = Recognize,
        AdjustsClocks = true,
    };

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => [.. _paths.Select((_, i) => $"out{i}")];

    /// <inheritdoc/>
    public override MessageIterator CreateIterator(int output) => NettraceTrace.Open(_paths[output]).CreateIterator(_clocks);

    private static NettraceSource Create(ComponentContext context)
    {
        var parameters = new ParameterReader(context.Parameters);
        var inputs = parameters.Paths("inputs", "files");
        var clocks = ClockAdjustment.Read(parameters);
        parameters.RejectOthers();
        return new NettraceSource([.. inputs], clocks);
    }

    private static double Recognize(string input) => RegularFile.ReadHead(input, stackalloc byte[8]).SequenceEqual(NettraceFile.Magic) ? 1 : 0;
}

/// <summary>A file of which the kinds of events are known.</summary>
internal sealed class NettraceTrace
{
    private readonly string _path;
    private readonly NettraceHeader _header;
    private readonly List<NettraceDefinition> _definitions;
    private readonly int _version;

    private NettraceTrace(string path, NettraceHeader header, List<NettraceDefinition> definitions, int version)
    {
        _path = path;
        _header = header;
        _definitions = definitions;
        _version = version;
    }

    /// <summary>Opens a file and goes through it for the kinds of its events, as far as it is good.</summary>
    /// <exception cref="TraceReadException">It is no such file.</exception>
    public static NettraceTrace Open(string path)
    {
        using var file = new NettraceFile(path);
        var header = ReadHeader(path, file);
        var definitions = new List<NettraceDefinition>();
        using var survey = new Survey();
        try
        {
            var blocks = new NettraceBlocks(path, file, header, definitions, isFirstPass: true);
            while (blocks.Next(survey))
            {
            }
        }
        catch (TraceReadException)
        {
            // The second pass comes to the same place, with the events before it.
        }
        survey.Declare(definitions);
        return new NettraceTrace(path, header, definitions, file.Version);
    }

    /// <summary>Begins to give the events.</summary>
    public MessageIterator CreateIterator(ClockAdjustment clocks)
    {
        var traceClass = new TraceClass { Name = Path.GetFileNameWithoutExtension(_path) };
        traceClass.Add(_header.Clock);
        foreach (var entry in _header.Environment)
            traceClass.Add(entry);
        var streamClass = new DataStreamClass { DefaultClock = _header.Clock, EventCommonContext = NettraceContext.CreateCommonClass(_version) };
        foreach (var definition in _definitions)
            definition.AddClasses(streamClass);
        traceClass.Add(streamClass);
        var decoder = new TraceDecoder(traceClass);
        var stream = new DataStream
        {
            Trace = new Trace(decoder, traceClass.Name!),
            Decoder = decoder.FindStream(0)!,
            Name = _path,
            ClockOffsetNs = clocks.OffsetOf(_header.Clock, _path),
            FrequencyHz = _header.Clock.FrequencyHz,
            IsClockAbsolute = true,
        };
        var file = new NettraceFile(_path);
        ReadHeader(_path, file);
        var blocks = new NettraceBlocks(_path, file, _header, _definitions, isFirstPass: false);
        return new NettraceIterator(_path, file, blocks, stream, _header.PointerBytes);
    }

    private static NettraceHeader ReadHeader(string path, NettraceFile file)
    {
        if (file.Next() is not { Kind: NettraceBlockKind.Trace } block || file.Version == 0)
            throw file.Cut ?? new TraceReadException(path, -1, "the file does not begin with a description of its trace");
        return NettraceHeader.Read(path, block, file.Version);
    }

    /// <summary>Finds out which shapes events have, and keeps manifests.</summary>
    private sealed class Survey : INettraceConsumer, IDisposable
    {
        private readonly BitWriter _scratch = new();
        private readonly NettraceManifest _manifest = new();

        public void Event(in NettraceEvent item, bool isSorted)
        {
            var payload = item.Payload.Span;
            var definition = item.Definition;
            if (definition.IsManifest)
                _manifest.Add(definition.Metadata.Provider, payload);
            bool isRaw = definition.HasNoFields ? payload.Length > 0 : !definition.Payload.TryWrite(payload, _scratch);
            _scratch.Clear();
            definition.Shapes.Add(item.Shape | (isRaw ? NettraceShape.Raw : NettraceShape.None));
        }

        public void SequencePoint(ulong time, ulong lost)
        {
        }

        public void Declare(List<NettraceDefinition> definitions)
        {
            foreach (var definition in definitions)
            {
                if (definition.HasNoFields && _manifest.Find(definition.Metadata.Provider, definition.Metadata.EventId, definition.Metadata.Version) is { } declared)
                    definition.Declare(declared);
            }
        }

        public void Dispose() => _scratch.Dispose();
    }
}
