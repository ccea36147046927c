using System.Globalization;
using System.Text;

namespace Weir.Ctf;

/// <summary>
/// Writes a trace class as TSDL, the metadata language of CTF 1.8. The text is plain (not packetized) UTF-8 once encoded; parts may be
/// written one after the other, so an event record class that appears late is appended with <see cref="WriteEvent"/>.
/// </summary>
/// <remarks>
/// TSDL selects a variant's option by the label of its selector's enumeration, so the ranges of <see cref="VariantOption"/> are not
/// written; build variants with <see cref="VariantFieldClass.ByLabel"/>. What TSDL has no words for (booleans, optional fields, BLOBs, text
/// of other encodings than UTF-8) has to be lowered before. Not thread-safe.
/// </remarks>
public sealed class TsdlWriter
{
    /// <summary>What babeltrace2 prints for an event without a name, which TSDL does not allow.</summary>
    private const string UnnamedEvent = "<unknown>";

    private readonly TraceClass _trace;
    private readonly StringBuilder _text;
    private readonly List<(StructureFieldClass Structure, int Index, int PathLength)> _frames = [];
    private readonly List<string> _path = [];
    private DataStreamClass? _stream;
    private EventRecordClass? _event;
    private int _depth;

    /// <summary>Creates a writer that appends to <paramref name="text"/>.</summary>
    public TsdlWriter(TraceClass trace, StringBuilder text)
    {
        ArgumentNullException.ThrowIfNull(trace);
        ArgumentNullException.ThrowIfNull(text);
        _trace = trace;
        _text = text;
    }

    /// <summary>The whole metadata of <paramref name="trace"/>.</summary>
    public static string Write(TraceClass trace)
    {
        var text = new StringBuilder();
        var writer = new TsdlWriter(trace, text);
        writer.WriteTrace();
        foreach (var stream in trace.DataStreamClasses)
            writer.WriteStream(stream);
        return text.ToString();
    }

    /// <summary>Writes the beginning: the signature, the trace, its environment and its clocks, but no stream.</summary>
    public void WriteTrace()
    {
        _text.Append("/* CTF 1.8 */\n\n");
        Open("trace {");
        Line("major = 1;");
        Line("minor = 8;");
        if (_trace.Uuid is { } uuid)
            Line($"uuid = \"{uuid:D}\";");
        Line($"byte_order = {Name(_trace.NativeByteOrder)};");
        if (_trace.PacketHeader is { } header)
            WriteRoot("packet.header", header, FieldScope.PacketHeader);
        Close("};");
        WriteEnvironment();
        foreach (var clock in _trace.ClockClasses)
            WriteClock(clock);
    }

    /// <summary>Writes a stream and its event record classes.</summary>
    public void WriteStream(DataStreamClass stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _stream = stream;
        Open("stream {");
        // A trace whose packets carry no stream ID has one stream, and then TSDL wants none.
        if (CarriesStreamId())
            Line($"id = {stream.Id};");
        if (stream.PacketContext is { } packetContext)
            WriteRoot("packet.context", packetContext, FieldScope.PacketContext);
        if (stream.EventHeader is { } header)
            WriteRoot("event.header", header, FieldScope.EventHeader);
        if (stream.EventCommonContext is { } context)
            WriteRoot("event.context", context, FieldScope.EventCommonContext);
        Close("};");
        foreach (var eventRecordClass in stream.EventRecordClasses)
            WriteEvent(stream, eventRecordClass);
    }

    /// <summary>Writes an event record class of <paramref name="stream"/>.</summary>
    public void WriteEvent(DataStreamClass stream, EventRecordClass eventRecordClass)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(eventRecordClass);
        _stream = stream;
        _event = eventRecordClass;
        Open("event {");
        Line($"name = {Quote(eventRecordClass.Name ?? UnnamedEvent)};");
        Line($"id = {eventRecordClass.Id};");
        if (CarriesStreamId())
            Line($"stream_id = {stream.Id};");
        if (eventRecordClass.LogLevel is { } level)
            Line($"loglevel = {level};");
        if (eventRecordClass.EmfUri is { } uri)
            Line($"model.emf.uri = {Quote(uri)};");
        if (eventRecordClass.SpecificContext is { } context)
            WriteRoot("context", context, FieldScope.EventSpecificContext);
        if (eventRecordClass.Payload is { } payload)
            WriteRoot("fields", payload, FieldScope.EventPayload);
        Close("};");
    }

    private bool CarriesStreamId() => _trace.PacketHeader?.Find("stream_id") is not null;

    private void WriteEnvironment()
    {
        if (_trace.Environment.Count == 0)
            return;
        Open("env {");
        foreach (var entry in _trace.Environment)
            Line($"{entry.Name} = {(entry.Text is { } text ? Quote(text) : entry.Number.GetValueOrDefault().ToString(CultureInfo.InvariantCulture))};");
        Close("};");
    }

    /// <summary>Writes a clock.</summary>
    public void WriteClock(ClockClass clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        Open("clock {");
        Line($"name = {clock.Name};");
        if (clock.Uuid is { } uuid)
            Line($"uuid = \"{uuid:D}\";");
        if (clock.Description is { } description)
            Line($"description = {Quote(description)};");
        Line($"freq = {clock.FrequencyHz};");
        if (clock.PrecisionCycles is { } precision and not 0)
            Line($"precision = {precision};");
        Line($"offset_s = {clock.OffsetSeconds};");
        Line($"offset = {clock.OffsetCycles};");
        Line($"absolute = {(clock.IsAbsolute ? "TRUE" : "FALSE")};");
        Close("};");
    }

    private void WriteRoot(string name, StructureFieldClass root, FieldScope scope)
    {
        Indent();
        _text.Append(name).Append(" := ");
        _path.Clear();
        WriteStructure(root, scope);
        _text.Append(";\n");
    }

    /// <summary>Writes a class and the declarator after it, <c>uint32 _name[4]</c>; for an option or a member.</summary>
    private void WriteMember(string identifier, FieldClass fieldClass, FieldScope scope)
    {
        Indent();
        var element = fieldClass;
        while (true)
        {
            if (element is StaticArrayFieldClass fixedArray)
                element = fixedArray.Element;
            else if (element is DynamicArrayFieldClass dynamicArray)
                element = dynamicArray.Element;
            else
                break;
        }
        WriteClass(element, scope);
        _text.Append(' ').Append(identifier);
        WriteLengths(fieldClass, scope);
        _text.Append(";\n");
    }

    /// <summary>The lengths of nested arrays, outermost first, as in C.</summary>
    private void WriteLengths(FieldClass fieldClass, FieldScope scope)
    {
        if (fieldClass is StaticArrayFieldClass fixedArray)
        {
            _text.Append(CultureInfo.InvariantCulture, $"[{fixedArray.Length}]");
            WriteLengths(fixedArray.Element, scope);
        }
        else if (fieldClass is DynamicArrayFieldClass dynamicArray)
        {
            _text.Append('[');
            WriteLocation(dynamicArray.LengthLocation, scope);
            _text.Append(']');
            WriteLengths(dynamicArray.Element, scope);
        }
        else if (fieldClass is StaticStringFieldClass fixedText)
        {
            _text.Append(CultureInfo.InvariantCulture, $"[{fixedText.LengthBytes}]");
        }
        else if (fieldClass is DynamicStringFieldClass dynamicText)
        {
            _text.Append('[');
            WriteLocation(dynamicText.LengthLocation, scope);
            _text.Append(']');
        }
    }

    private void WriteClass(FieldClass fieldClass, FieldScope scope)
    {
        switch (fieldClass)
        {
            case IntegerFieldClass { Mappings: { } mappings } enumeration:
                WriteEnumeration(enumeration, mappings);
                break;
            case IntegerFieldClass integer:
                WriteInteger(integer);
                break;
            case FloatingPointFieldClass real:
                _text.Append(CultureInfo.InvariantCulture,
                    $"floating_point {{ exp_dig = {(real.SizeBits == 32 ? 8 : 11)}; mant_dig = {(real.SizeBits == 32 ? 24 : 53)}; align = {real.AlignmentBits}; {ByteOrderOf(real.ByteOrder)}}}");
                break;
            case StringFieldClass { Encoding: TextEncoding.Utf8 }:
                _text.Append("string { encoding = UTF8; }");
                break;
            case StaticStringFieldClass { Encoding: TextEncoding.Utf8 } or DynamicStringFieldClass { Encoding: TextEncoding.Utf8 }:
                _text.Append("integer { size = 8; align = 8; signed = 0; encoding = UTF8; base = 10; }");
                break;
            case StructureFieldClass structure:
                WriteStructure(structure, scope);
                break;
            case VariantFieldClass variant:
                WriteVariant(variant, scope);
                break;
            default:
                throw new ArgumentException($"TSDL has no {fieldClass.GetType().Name}.", nameof(fieldClass));
        }
    }

    private void WriteInteger(IntegerFieldClass integer)
    {
        _text.Append(CultureInfo.InvariantCulture,
            $"integer {{ size = {integer.SizeBits}; align = {integer.AlignmentBits}; signed = {(integer.IsSigned ? 1 : 0)}; encoding = none; base = {(int)integer.DisplayBase}; {ByteOrderOf(integer.ByteOrder)}");
        if (integer.MappedClock is { } clock)
            _text.Append(CultureInfo.InvariantCulture, $"map = clock.{clock.Name}.value; ");
        _text.Append('}');
    }

    private void WriteEnumeration(IntegerFieldClass integer, IReadOnlyList<EnumerationMapping> mappings)
    {
        _text.Append("enum : ");
        WriteInteger(integer);
        Open(" {", indented: false);
        foreach (var mapping in mappings)
        {
            foreach (var range in mapping.Ranges)
            {
                string lower = Number(range.Lower, integer.IsSigned);
                Line(range.Lower == range.Upper
                    ? $"{Quote(mapping.Label)} = {lower},"
                    : $"{Quote(mapping.Label)} = {lower} ... {Number(range.Upper, integer.IsSigned)},");
            }
        }
        Close("}", endsLine: false);
    }

    private void WriteStructure(StructureFieldClass structure, FieldScope scope)
    {
        Open("struct {", indented: false);
        for (int i = 0; i < structure.Members.Count; i++)
        {
            var member = structure.Members[i];
            _frames.Add((structure, i, _path.Count));
            _path.Add(member.Name);
            WriteMember(Identifier(member.Name, scope, member.Class), member.Class, scope);
            _path.RemoveAt(_path.Count - 1);
            _frames.RemoveAt(_frames.Count - 1);
        }
        Close(structure.MinimumAlignmentBits > 1 ? $"}} align({structure.MinimumAlignmentBits})" : "}", endsLine: false);
    }

    private void WriteVariant(VariantFieldClass variant, FieldScope scope)
    {
        var mappings = (Find(variant.SelectorLocation) as IntegerFieldClass)?.Mappings;
        _text.Append("variant <");
        WriteLocation(variant.SelectorLocation, scope);
        Open("> {", indented: false);
        foreach (var option in variant.Options)
        {
            string? identifier = mappings is null ? null : FindLabel(mappings, option);
            WriteMember(identifier ?? Identifier(option.Name, scope, option.Class), option.Class, scope);
        }
        Close("}", endsLine: false);
    }

    /// <summary>
    /// The label that selects an option: of the same values and of its name, or of its name behind the underscore that readers take off.
    /// Null where there is none that could name an option.
    /// </summary>
    internal static string? FindLabel(IReadOnlyList<EnumerationMapping> mappings, VariantOption option)
    {
        foreach (var mapping in mappings)
        {
            string label = mapping.Label;
            bool isName = label == option.Name ? !label.StartsWith('_') : label == "_" + option.Name;
            if (isName && IsIdentifier(label) && !TsdlKeywords.Contains(label) && mapping.Ranges.SequenceEqual(option.Ranges))
                return label;
        }
        return null;
    }

    /// <summary>
    /// Writes a location as seen from a scope: where its last name alone, looked up from the innermost structure outwards, finds it, by that
    /// name, which is what every reader takes; else by its whole path.
    /// </summary>
    private void WriteLocation(FieldLocation location, FieldScope scope)
    {
        if (location.Origin == scope && FindByLastName(location) is { } member)
        {
            _text.Append(Identifier(member.Name, scope, member.Class));
            return;
        }
        _text.Append(ScopePath(location.Origin));
        FieldClass? parent = RootOf(location.Origin);
        foreach (string name in location.Path)
        {
            parent = Step(parent, name);
            _text.Append('.').Append(Identifier(name, location.Origin, parent));
        }
    }

    private StructureMember? FindByLastName(FieldLocation location)
    {
        for (int i = _frames.Count - 1; i >= 0; i--)
        {
            var (structure, index, pathLength) = _frames[i];
            for (int j = 0; j < index; j++)
            {
                if (structure.Members[j].Name != location.Path[^1])
                    continue;
                bool isIt = pathLength == location.Path.Count - 1;
                for (int k = 0; k < pathLength && isIt; k++)
                    isIt = _path[k] == location.Path[k];
                return isIt ? structure.Members[j] : null;
            }
        }
        return null;
    }

    private FieldClass? Find(FieldLocation location)
    {
        FieldClass? found = RootOf(location.Origin);
        foreach (string name in location.Path)
            found = Step(found, name);
        return found;
    }

    private StructureFieldClass? RootOf(FieldScope scope) => scope switch
    {
        FieldScope.PacketHeader => _trace.PacketHeader,
        FieldScope.PacketContext => _stream?.PacketContext,
        FieldScope.EventHeader => _stream?.EventHeader,
        FieldScope.EventCommonContext => _stream?.EventCommonContext,
        FieldScope.EventSpecificContext => _event?.SpecificContext,
        _ => _event?.Payload,
    };

    private static FieldClass? Step(FieldClass? parent, string name)
    {
        switch (parent)
        {
            case StructureFieldClass structure:
                return structure.Find(name);
            case StaticArrayFieldClass array:
                return Step(array.Element, name);
            case DynamicArrayFieldClass array:
                return Step(array.Element, name);
            case VariantFieldClass variant:
                return variant.Options.Select(option => Step(option.Class, name)).FirstOrDefault(found => found is not null);
            default:
                return null;
        }
    }

    private void Indent() => _text.Append('\t', _depth);

    private void Line(string line)
    {
        Indent();
        _text.Append(line).Append('\n');
    }

    private void Open(string line, bool indented = true)
    {
        if (indented)
            Indent();
        _text.Append(line).Append('\n');
        _depth++;
    }

    private void Close(string line, bool endsLine = true)
    {
        _depth--;
        Indent();
        _text.Append(line);
        if (endsLine)
            _text.Append(_depth == 0 ? "\n\n" : "\n");
    }

    private string ByteOrderOf(ByteOrder order) => order == _trace.NativeByteOrder ? "" : $"byte_order = {Name(order)}; ";

    private static string Name(ByteOrder order) => order == ByteOrder.LittleEndian ? "le" : "be";

    private static string Number(long value, bool isSigned) =>
        isSigned ? value.ToString(CultureInfo.InvariantCulture) : ((ulong)value).ToString(CultureInfo.InvariantCulture);

    private static string ScopePath(FieldScope scope) => scope switch
    {
        FieldScope.PacketHeader => "trace.packet.header",
        FieldScope.PacketContext => "stream.packet.context",
        FieldScope.EventHeader => "stream.event.header",
        FieldScope.EventCommonContext => "stream.event.context",
        FieldScope.EventSpecificContext => "event.context",
        _ => "event.fields",
    };

    /// <summary>A name made of what TSDL allows in names that no underscore protects, such as those of clocks and of the environment.</summary>
    internal static string ToIdentifier(string name) => IsIdentifier(name) && !TsdlKeywords.Contains(name) ? name : Protect(name);

    /// <summary>
    /// A member's name in TSDL. Readers take one leading underscore off, so every name of a context or a payload gets one, as LTTng
    /// does. Headers keep their bare names, by which readers know them, unless a name begins with an underscore, is a keyword, or would
    /// have readers take the member for what it is not.
    /// </summary>
    private static string Identifier(string name, FieldScope scope, FieldClass? fieldClass)
    {
        bool isBare = scope is FieldScope.PacketHeader or FieldScope.PacketContext or FieldScope.EventHeader
            && !name.StartsWith('_') && !TsdlKeywords.Contains(name) && IsIdentifier(name);
        if (scope == FieldScope.PacketContext && fieldClass is not IntegerFieldClass { Role: not FieldRole.None })
            isBare &= !TsdlWellKnown.IsPacketContextMember(name);
        return isBare ? name : Protect(name);
    }

    private static string Protect(string name)
    {
        var safe = new StringBuilder("_");
        foreach (char c in name)
            safe.Append(char.IsAsciiLetterOrDigit(c) || c == '_' ? c : '_');
        return safe.ToString();
    }

    private static bool IsIdentifier(string name)
    {
        foreach (char c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '_')
                return false;
        }
        return name.Length > 0 && !char.IsAsciiDigit(name[0]);
    }

    /// <summary>A string literal; what is not printable ASCII is kept as UTF-8, controls become escapes.</summary>
    private static string Quote(string text)
    {
        var quoted = new StringBuilder("\"", text.Length + 2);
        foreach (char c in text)
        {
            switch (c)
            {
                case '"':
                    quoted.Append("\\\"");
                    break;
                case '\\':
                    quoted.Append("\\\\");
                    break;
                case '\n':
                    quoted.Append("\\n");
                    break;
                case < ' ' or '\x7f':
                    // Three octal digits, so that a digit that follows cannot join them.
                    quoted.Append('\\').Append((char)('0' + (c >> 6))).Append((char)('0' + ((c >> 3) & 7))).Append((char)('0' + (c & 7)));
                    break;
                default:
                    quoted.Append(c);
                    break;
            }
        }
        return quoted.Append('"').ToString();
    }
}
