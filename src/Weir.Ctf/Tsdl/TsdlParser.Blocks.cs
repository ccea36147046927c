namespace Weir.Ctf;

/// <content>The blocks of the top level: trace, env, clock, stream, event.</content>
internal sealed partial class TsdlParser
{
    private readonly List<EnvironmentEntry> _environment = [];
    private readonly List<ClockClass> _clocks = [];
    private readonly List<TsdlStreamBlock> _streams = [];
    private ByteOrder _nativeByteOrder;
    private Guid? _uuid;
    private TsdlStructure? _packetHeader;

    private TraceClass ReadBlocks()
    {
        ReadNativeByteOrder();
        ReadAll("env", ReadEnvironment);
        ReadAll("clock", ReadClock);
        ReadAll("type", ReadTypeDeclaration);
        ReadAll("trace", ReadTrace);
        ReadAll("stream", ReadStream);
        ReadAll("event", ReadEvent);
        return new TsdlLowering(_text, _clocks).Lower(_uuid, _nativeByteOrder, _packetHeader, _environment, _streams);
    }

    private void ReadAll(string kind, Action read)
    {
        foreach (var (blockKind, token) in _blocks)
        {
            if (blockKind != kind)
                continue;
            _next = token;
            read();
        }
    }

    /// <summary>The byte order comes first: types above the trace block may need it.</summary>
    private void ReadNativeByteOrder()
    {
        bool hasTrace = false;
        bool hasByteOrder = false;
        foreach (var (kind, token) in _blocks)
        {
            if (kind != "trace")
                continue;
            _next = token;
            if (hasTrace)
                throw Error("the trace is declared twice");
            hasTrace = true;
            int depth = 0;
            for (_next++; !(Is(TsdlPunctuation.RightBrace) && depth == 1); _next++)
            {
                depth += Is(TsdlPunctuation.LeftBrace) ? 1 : Is(TsdlPunctuation.RightBrace) ? -1 : 0;
                if (depth != 1 || !IsWord("byte_order"u8) || !IsAt(1, TsdlPunctuation.Equal))
                    continue;
                _next += 2;
                var value = ReadValue("a byte order");
                if (value.Text == "native")
                    throw Error(value.Position, "expected le, be or network as the trace's byte_order");
                _nativeByteOrder = RequireByteOrder(value, default);
                hasByteOrder = true;
                _next--;
            }
            if (!hasByteOrder)
                throw Error(_tokens[token].Start, "the trace needs the attribute 'byte_order'");
        }
        if (!hasTrace)
            throw new CtfMetadataException(0, 0, "the metadata declares no trace: expected a block 'trace { ... };'");
    }

    /// <summary>
    /// Reads <c>{ name = value; name := type; ... };</c>. Types declared inside are known until the block's end.
    /// </summary>
    private void ReadBlock(string what, Action<string, TsdlValue> attribute, Action<string, TsdlStructure>? typed)
    {
        _next++;
        Require(TsdlPunctuation.LeftBrace, "{");
        _scope = new TsdlScope(_scope);
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (!Accept(TsdlPunctuation.RightBrace))
        {
            if (IsTypeDeclaration)
            {
                ReadTypeDeclaration();
                continue;
            }
            int position = Current.Start;
            string name = Current.Kind == TsdlTokenKind.String ? ReadLabel() : ReadPath();
            if (!names.Add(name) && what != "env")
                throw Error(position, $"the attribute '{name}' of {what} stands there twice");
            if (typed is not null && Accept(TsdlPunctuation.TypeAssign))
            {
                string alias = "";
                position = Current.Start;
                var type = ReadSpecifiers(ref alias) ?? FindAlias(alias, position);
                typed(name, type as TsdlStructure ?? throw Error(position, $"expected a structure as {name}"));
            }
            else
            {
                Require(TsdlPunctuation.Equal, typed is null ? "=" : "= or :=");
                attribute(name, ReadValue("a value"));
            }
            Require(TsdlPunctuation.Semicolon, ";");
        }
        _scope = _scope.Parent!;
        Require(TsdlPunctuation.Semicolon, ";");
    }

    private void ReadTrace()
    {
        int position = Current.Start;
        bool hasMajor = false;
        bool hasMinor = false;
        ReadBlock("the trace", (name, value) =>
        {
            switch (name)
            {
                case "major":
                    hasMajor = RequireUnsigned(value, name) == 1 ? true : throw Error(value.Position, "expected 1 as major");
                    break;
                case "minor":
                    hasMinor = RequireUnsigned(value, name) == 8 ? true : throw Error(value.Position, "expected 8 as minor");
                    break;
                case "uuid":
                    _uuid = RequireUuid(value);
                    break;
            }
        }, (name, structure) => _packetHeader = name == "packet.header" ? structure : _packetHeader);
        if (!hasMajor || !hasMinor)
            throw Error(position, "the trace needs the attributes 'major' and 'minor'");
    }

    private void ReadEnvironment() => ReadBlock("env", (name, value) =>
    {
        _environment.RemoveAll(entry => entry.Name == name);
        _environment.Add(value.IsText ? new EnvironmentEntry(name, value.Text!) : new EnvironmentEntry(name, value.Bits));
    }, null);

    private void ReadClock()
    {
        int position = Current.Start;
        string? clockName = null;
        string? description = null;
        Guid? uuid = null;
        ulong frequencyHz = 1_000_000_000;
        ulong precisionCycles = 0;
        long offsetSeconds = 0;
        ulong offsetCycles = 0;
        bool isAbsolute = false;
        ReadBlock("a clock", (name, value) =>
        {
            switch (name)
            {
                case "name":
                    clockName = RequireText(value, "the name of a clock");
                    break;
                case "description":
                    description = RequireText(value, name);
                    break;
                case "uuid":
                    uuid = RequireUuid(value);
                    break;
                case "freq":
                    frequencyHz = RequireUnsigned(value, name);
                    if (frequencyHz is 0 or ulong.MaxValue)
                        throw Error(value.Position, "expected a frequency in Hz, at least 1");
                    break;
                case "precision":
                    precisionCycles = RequireUnsigned(value, name);
                    break;
                case "offset_s":
                    offsetSeconds = value.IsText ? throw Error(value.Position, "expected an integer as offset_s") : value.Bits;
                    break;
                case "offset":
                    offsetCycles = RequireUnsigned(value, name);
                    break;
                case "absolute":
                    isAbsolute = RequireBoolean(value, name);
                    break;
            }
        }, null);
        if (clockName is null)
            throw Error(position, "a clock needs the attribute 'name'");
        // Old versions of LTTng did not say that their clock counts from the Epoch.
        isAbsolute |= clockName == "monotonic" && _environment.Exists(TsdlLowering.IsLttngTracer);
        _clocks.Add(new ClockClass
        {
            Name = clockName,
            Uuid = uuid,
            Uid = uuid?.ToString("D"),
            Description = description,
            FrequencyHz = frequencyHz,
            PrecisionCycles = precisionCycles,
            OffsetSeconds = offsetSeconds,
            OffsetCycles = offsetCycles,
            IsAbsolute = isAbsolute,
        });
    }

    private void ReadStream()
    {
        var stream = new TsdlStreamBlock { Position = Current.Start };
        ReadBlock("a stream", (name, value) =>
        {
            if (name == "id")
                stream.Id = RequireId(value);
        }, (name, structure) =>
        {
            switch (name)
            {
                case "packet.context":
                    stream.PacketContext = structure;
                    break;
                case "event.header":
                    stream.EventHeader = structure;
                    break;
                case "event.context":
                    stream.EventContext = structure;
                    break;
            }
        });
        if (stream.Id is null && _streams.Count > 0)
            throw Error(stream.Position, "a trace of several streams needs the attribute 'id' in each");
        if (stream.Id is not null && (_packetHeader is null || _packetHeader.IndexOf("stream_id") < 0))
            throw Error(stream.Position, "the stream has an 'id', but the packet header has no member 'stream_id'");
        if (_streams.Exists(other => other.Id.GetValueOrDefault() == stream.Id.GetValueOrDefault()))
            throw Error(stream.Position, $"the stream {stream.Id} is declared twice");
        _streams.Add(stream);
    }

    private ulong RequireId(TsdlValue value)
    {
        ulong id = RequireUnsigned(value, "an id");
        return id <= long.MaxValue ? id : throw Error(value.Position, "an id has at most 63 bits");
    }

    private void ReadEvent()
    {
        var block = new TsdlEventBlock { Position = Current.Start };
        ulong? streamId = null;
        ReadBlock("an event", (name, value) =>
        {
            switch (name)
            {
                case "name":
                    block.Name = RequireText(value, "the name of an event");
                    break;
                case "id":
                    block.Id = RequireId(value);
                    break;
                case "stream_id":
                    streamId = RequireUnsigned(value, name);
                    break;
                case "loglevel":
                    ulong level = RequireUnsigned(value, name);
                    block.LogLevel = level <= 14 ? (int)level : null;
                    break;
                case "model.emf.uri":
                    string uri = RequireText(value, name);
                    block.EmfUri = uri.Length > 0 ? uri : null;
                    break;
            }
        }, (name, structure) =>
        {
            if (name == "context")
                block.Context = structure;
            else if (name == "fields")
                block.Fields = structure;
        });
        if (block.Name is null)
            throw Error(block.Position, "an event needs the attribute 'name'");
        AddToStream(block, streamId);
    }

    private void AddToStream(TsdlEventBlock block, ulong? streamId)
    {
        if (streamId is null)
        {
            if (_streams.Count > 1)
                throw Error(block.Position, "in a trace of several streams an event needs the attribute 'stream_id'");
            if (_streams.Count == 0)
                _streams.Add(new TsdlStreamBlock { Position = block.Position });
            streamId = _streams[0].Id.GetValueOrDefault();
        }
        var stream = _streams.Find(other => other.Id.GetValueOrDefault() == streamId)
            ?? throw Error(block.Position, $"the stream {streamId} is not declared");
        if (block.Id is null && stream.Events.Count > 0)
            throw Error(block.Position, "in a stream of several events each needs the attribute 'id'");
        if (!stream.EventIds.Add(block.Id.GetValueOrDefault()))
            throw Error(block.Position, $"the event {block.Id} of stream {streamId} is declared twice");
        stream.Events.Add(block);
    }
}

/// <summary>A stream block as TSDL declares it.</summary>
internal sealed class TsdlStreamBlock
{
    public int Position { get; init; }

    public ulong? Id { get; set; }

    public TsdlStructure? PacketContext { get; set; }

    public TsdlStructure? EventHeader { get; set; }

    public TsdlStructure? EventContext { get; set; }

    public List<TsdlEventBlock> Events { get; } = [];

    public HashSet<ulong> EventIds { get; } = [];
}

/// <summary>An event block as TSDL declares it.</summary>
internal sealed class TsdlEventBlock
{
    public int Position { get; init; }

    public string? Name { get; set; }

    public ulong? Id { get; set; }

    public int? LogLevel { get; set; }

    public string? EmfUri { get; set; }

    public TsdlStructure? Context { get; set; }

    public TsdlStructure? Fields { get; set; }
}
