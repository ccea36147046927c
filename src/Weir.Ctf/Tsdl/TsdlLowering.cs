namespace Weir.Ctf;

/// <summary>
/// Turns what TSDL declares into the schema: resolves lengths and tags to absolute locations, gives well-known members their roles,
/// maps timestamps to the clock and takes one leading underscore off each name.
/// </summary>
internal sealed class TsdlLowering(byte[] text, List<ClockClass> clocks)
{
    /// <summary>Most field classes of a trace; a limit against types that double at each level.</summary>
    private const int MaxFieldClasses = 4_000_000;

    private readonly List<(TsdlDraft Draft, int Index)> _stack = [];
    private readonly TsdlStructure?[] _scopes = new TsdlStructure?[6];
    private FieldScope _scope;
    private ClockClass? _streamClock;
    private int _fieldClassCount;

    public TraceClass Lower(
        Guid? uuid, ByteOrder native, TsdlStructure? packetHeader, List<EnvironmentEntry> environment, List<TsdlStreamBlock> streams)
    {
        _scopes[(int)FieldScope.PacketHeader] = packetHeader;
        TsdlWellKnown.CheckPacketHeader(this, packetHeader, streams.Count);
        var trace = new TraceClass
        {
            CtfVersion = 1,
            Uuid = uuid,
            Uid = uuid?.ToString("D"),
            Namespace = environment.Exists(IsLttngTracer) ? LttngLayout.Namespace : null,
            NativeByteOrder = native,
            PacketHeader = LowerRoot(FieldScope.PacketHeader, packetHeader),
        };
        foreach (var entry in environment)
            trace.Add(entry);
        var lowered = new List<DataStreamClass>();
        foreach (var stream in streams)
            lowered.Add(LowerStream(stream));
        // Only now: a timestamp without a clock may have made one.
        foreach (var clock in clocks)
            AddClock(trace, clock);
        foreach (var stream in lowered)
            trace.Add(stream);
        return trace;
    }

    /// <summary>Whether an entry of the environment says that LTTng has written the trace.</summary>
    public static bool IsLttngTracer(EnvironmentEntry entry) =>
        entry.Name == "tracer_name" && entry.Text is { } text && text.StartsWith("lttng", StringComparison.Ordinal);

    public CtfMetadataException Error(int position, string message) => TsdlLexer.Error(text, position, message);

    private void AddClock(TraceClass trace, ClockClass clock)
    {
        foreach (var other in trace.ClockClasses)
        {
            if (other.Name == clock.Name)
                throw Error(0, $"the clock '{clock.Name}' is declared twice");
        }
        trace.Add(clock);
    }

    private DataStreamClass LowerStream(TsdlStreamBlock block)
    {
        _streamClock = null;
        _scopes[(int)FieldScope.PacketContext] = block.PacketContext;
        _scopes[(int)FieldScope.EventHeader] = block.EventHeader;
        _scopes[(int)FieldScope.EventCommonContext] = block.EventContext;
        _scopes[(int)FieldScope.EventSpecificContext] = null;
        _scopes[(int)FieldScope.EventPayload] = null;
        TsdlWellKnown.CheckStream(this, block);
        var packetContext = LowerRoot(FieldScope.PacketContext, block.PacketContext);
        var eventHeader = LowerRoot(FieldScope.EventHeader, block.EventHeader);
        var eventContext = LowerRoot(FieldScope.EventCommonContext, block.EventContext);
        var events = new List<EventRecordClass>();
        foreach (var eventBlock in block.Events)
            events.Add(LowerEvent(eventBlock));
        var stream = new DataStreamClass
        {
            Id = block.Id.GetValueOrDefault(),
            PacketContext = packetContext,
            EventHeader = eventHeader,
            EventCommonContext = eventContext,
            DefaultClock = _streamClock,
        };
        foreach (var eventRecordClass in events)
            stream.Add(eventRecordClass);
        return stream;
    }

    private EventRecordClass LowerEvent(TsdlEventBlock block)
    {
        _scopes[(int)FieldScope.EventSpecificContext] = block.Context;
        _scopes[(int)FieldScope.EventPayload] = block.Fields;
        return new EventRecordClass
        {
            Id = block.Id.GetValueOrDefault(),
            Name = block.Name,
            LogLevel = block.LogLevel,
            EmfUri = block.EmfUri,
            SpecificContext = LowerRoot(FieldScope.EventSpecificContext, block.Context),
            Payload = LowerRoot(FieldScope.EventPayload, block.Fields),
        };
    }

    private StructureFieldClass? LowerRoot(FieldScope scope, TsdlStructure? root)
    {
        if (root is null)
            return null;
        _scope = scope;
        _stack.Clear();
        return LowerStructure(root);
    }

    private FieldClass Lower(TsdlDraft draft, string name)
    {
        if (++_fieldClassCount > MaxFieldClasses)
            throw new CtfMetadataException(0, 0, $"the metadata declares more than {MaxFieldClasses} fields");
        return draft switch
        {
            TsdlLeaf leaf => LowerLeaf(leaf, name),
            TsdlStructure structure => LowerStructure(structure),
            TsdlVariant variant => LowerVariant(variant),
            TsdlArray array => LowerArray(array, name),
            _ => throw new InvalidOperationException("Every kind of draft is listed above."),
        };
    }

    private FieldClass LowerLeaf(TsdlLeaf leaf, string name)
    {
        if (leaf.Class is not IntegerFieldClass integer)
            return leaf.Class;
        var role = RoleOf(name);
        var clock = integer.MappedClock ?? (IsTimestamp(name) ? FindImplicitClock() : null);
        if (clock is not null && _scope != FieldScope.PacketHeader)
        {
            if (_streamClock is not null && _streamClock != clock)
                throw Error(0, $"one stream's fields map to two clocks, '{_streamClock.Name}' and '{clock.Name}'");
            _streamClock = clock;
        }
        return role == FieldRole.None && clock == integer.MappedClock ? integer : integer.With(role: role, mappedClock: clock);
    }

    /// <summary>Members of these names are timestamps at any depth of their scope.</summary>
    private bool IsTimestamp(string name) => _scope switch
    {
        FieldScope.EventHeader => name == "timestamp",
        FieldScope.PacketContext => name is "timestamp_begin" or "timestamp_end",
        _ => false,
    };

    private FieldRole RoleOf(string name)
    {
        bool isRootMember = _stack.Count == 1;
        return _scope switch
        {
            FieldScope.PacketHeader when isRootMember => name switch
            {
                "magic" => FieldRole.PacketMagicNumber,
                "stream_id" => FieldRole.DataStreamClassId,
                "stream_instance_id" => FieldRole.DataStreamId,
                _ => FieldRole.None,
            },
            FieldScope.PacketContext when isRootMember => name switch
            {
                "timestamp_begin" => FieldRole.PacketBeginTime,
                "timestamp_end" => FieldRole.PacketEndTime,
                "content_size" => FieldRole.PacketContentLength,
                "packet_size" => FieldRole.PacketTotalLength,
                "events_discarded" => FieldRole.DiscardedEventCount,
                "packet_seq_num" => FieldRole.PacketSequenceNumber,
                _ => FieldRole.None,
            },
            // The header's own id, and that of an option of its variant "v".
            FieldScope.EventHeader when name == "id" && (isRootMember || IsOptionOfHeader()) => FieldRole.EventClassId,
            _ => FieldRole.None,
        };
    }

    private bool IsOptionOfHeader() =>
        _stack.Count == 3 && _stack[1].Draft is TsdlVariant && ((TsdlCompound)_stack[0].Draft).Members[_stack[0].Index].Name == "v";

    private ClockClass FindImplicitClock()
    {
        if (clocks.Count == 0)
            clocks.Add(new ClockClass { Name = "default", PrecisionCycles = 0 });
        return clocks.Count == 1
            ? clocks[0]
            : throw Error(0, "a timestamp maps to no clock, and the trace has several: expected 'map = clock.NAME.value'");
    }

    private StructureFieldClass LowerStructure(TsdlStructure structure)
    {
        var members = new StructureMember[structure.Members.Count];
        LowerMembers(structure, (i, name, fieldClass) => members[i] = new StructureMember(name, fieldClass));
        RejectEqualNames(structure, members);
        return new StructureFieldClass(members, structure.MinimumAlignmentBits);
    }

    private void RejectEqualNames(TsdlStructure structure, StructureMember[] members)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < members.Length; i++)
        {
            if (!names.Add(members[i].Name))
                throw Error(structure.Members[i].Position, $"two members are named '{members[i].Name}' once a leading underscore is taken off");
        }
    }

    private void LowerMembers(TsdlCompound compound, Action<int, string, FieldClass> lowered)
    {
        int depth = _stack.Count;
        _stack.Add((compound, -1));
        for (int i = 0; i < compound.Members.Count; i++)
        {
            var member = compound.Members[i];
            _stack[depth] = (compound, i);
            lowered(i, DisplayName(member.Name), Lower(member.Draft, member.Name));
        }
        _stack.RemoveAt(depth);
    }

    /// <summary>A leading underscore keeps a member's name from being a keyword and is no part of it.</summary>
    private static string DisplayName(string name) => name.Length > 1 && name[0] == '_' ? name[1..] : name;

    private FieldClass LowerArray(TsdlArray array, string name)
    {
        var location = array.LengthReference is { } path ? Resolve(path, array.Position, isLength: true) : null;
        if (array.Element is TsdlLeaf { IsTextElement: true })
            return location is null ? new StaticStringFieldClass(array.Length) : new DynamicStringFieldClass(location);
        _stack.Add((array, -1));
        var element = Lower(array.Element, "");
        _stack.RemoveAt(_stack.Count - 1);
        if (location is not null)
            return new DynamicArrayFieldClass(element, location);
        bool isUuid = _scope == FieldScope.PacketHeader && _stack.Count == 1 && name == "uuid";
        return new StaticArrayFieldClass(element, array.Length) { Role = isUuid ? FieldRole.TraceUuid : FieldRole.None };
    }

    private VariantFieldClass LowerVariant(TsdlVariant variant)
    {
        if (variant.Tag is null)
            throw Error(variant.Position, "this variant has no tag: expected '<' and the name of an enumeration");
        var location = Resolve(variant.Tag, variant.Position, isLength: false);
        var selector = (IntegerFieldClass)((TsdlLeaf)_resolved!).Class;
        var mappings = selector.Mappings!;
        var options = new VariantOption[variant.Members.Count];
        LowerMembers(variant, (i, name, fieldClass) =>
            options[i] = new VariantOption(name, fieldClass, RangesOf(mappings, variant.Members[i].Name)));
        return new VariantFieldClass(location, options, selector.IsSigned);
    }

    /// <summary>Labels may be written with or without the underscore that their option needs.</summary>
    private static IReadOnlyList<IntegerRange> RangesOf(IReadOnlyList<EnumerationMapping> mappings, string option)
    {
        foreach (var mapping in mappings)
        {
            if (mapping.Label == option)
                return mapping.Ranges;
        }
        foreach (var mapping in mappings)
        {
            if (DisplayName(mapping.Label) == DisplayName(option))
                return mapping.Ranges;
        }
        return [];
    }

    private TsdlDraft? _resolved;

    private FieldLocation Resolve(string path, int position, bool isLength)
    {
        string[] words = path.Split('.');
        var location = ResolveAbsolute(path, words, position) ?? ResolveRelative(words);
        if (location is null)
            throw Error(position, $"no field '{path}' stands before this one");
        if (_resolved is not TsdlLeaf { Class: IntegerFieldClass integer })
            throw Error(position, $"the field '{path}' is no integer");
        if (isLength && integer.IsSigned)
            throw Error(position, $"the field '{path}' is signed: expected an unsigned integer as a length");
        if (!isLength && integer.Mappings is null)
            throw Error(position, $"the field '{path}' is no enumeration: expected one as the tag of a variant");
        return location;
    }

    private FieldLocation? ResolveAbsolute(string path, string[] words, int position)
    {
        (FieldScope Scope, int Words)? root = words switch
        {
            ["trace", "packet", "header", _, ..] => (FieldScope.PacketHeader, 3),
            ["stream", "packet", "context", _, ..] => (FieldScope.PacketContext, 3),
            ["stream", "event", "header", _, ..] => (FieldScope.EventHeader, 3),
            ["stream", "event", "context", _, ..] => (FieldScope.EventCommonContext, 3),
            ["event", "context", _, ..] => (FieldScope.EventSpecificContext, 2),
            ["event", "fields", _, ..] => (FieldScope.EventPayload, 2),
            _ => null,
        };
        if (root is null)
            return null;
        var names = new List<string>();
        var (scope, count) = root.Value;
        bool isSameScope = scope == _scope;
        if (scope > _scope || _scopes[(int)scope] is not { } structure || !Walk(structure, isSameScope ? 0 : -1, words.AsSpan(count), names))
            throw Error(position, $"no field '{path}' stands before this one");
        return new FieldLocation(scope, [.. names]);
    }

    /// <summary>Looks from the innermost structure outwards, then in the scopes that were read before.</summary>
    private FieldLocation? ResolveRelative(string[] words)
    {
        for (int depth = _stack.Count - 1; depth >= 0; depth--)
        {
            var names = new List<string>();
            for (int i = 0; i < depth; i++)
            {
                if (_stack[i].Draft is TsdlStructure outer)
                    names.Add(DisplayName(outer.Members[_stack[i].Index].Name));
            }
            if (_stack[depth].Draft is TsdlCompound compound && Walk(compound, depth, words, names))
                return new FieldLocation(_scope, [.. names]);
        }
        for (int scope = (int)_scope - 1; scope >= 0; scope--)
        {
            var names = new List<string>();
            if (_scopes[scope] is { } structure && Walk(structure, -1, words, names))
                return new FieldLocation((FieldScope)scope, [.. names]);
        }
        return null;
    }

    /// <summary>
    /// Follows <paramref name="words"/> down from a compound. <paramref name="depth"/> is its place on the stack, or -1 when all of
    /// it was read before; what is being read now may not be passed over.
    /// </summary>
    private bool Walk(TsdlCompound compound, int depth, ReadOnlySpan<string> words, List<string> names)
    {
        TsdlDraft current = compound;
        for (int i = 0; i < words.Length; i++)
        {
            while (current is TsdlArray array)
            {
                // Which element is meant is known only while the array is being read.
                if (depth < 0 || depth >= _stack.Count || _stack[depth].Draft != array)
                    return false;
                current = array.Element;
                depth++;
            }
            if (current is not TsdlCompound parent)
                return false;
            int index = parent.IndexOf(words[i]);
            if (index < 0)
                return false;
            if (depth >= 0 && depth < _stack.Count)
            {
                int reading = _stack[depth].Index;
                bool isLast = i == words.Length - 1;
                if (index > reading || (index == reading && isLast) || (index != reading && parent is TsdlVariant))
                    return false;
                depth = index == reading ? depth + 1 : -1;
            }
            // TSDL names the option, the schema does not.
            if (parent is TsdlStructure)
                names.Add(DisplayName(words[i]));
            current = parent.Members[index].Draft;
        }
        _resolved = current;
        return true;
    }
}
