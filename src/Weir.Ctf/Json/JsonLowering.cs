namespace Weir.Ctf;

/// <summary>
/// Turns field classes of CTF 2 metadata into the schema. An alias is lowered at each place where it stands, because what a relative
/// location means depends on the place; where it is declared it is only checked.
/// </summary>
internal sealed class JsonLowering
{
    /// <summary>Deepest nesting of field classes; a limit against hostile metadata.</summary>
    private const int MaxDepth = 128;

    /// <summary>Most field classes of a trace; a limit against aliases that double at each step.</summary>
    private const int MaxFieldClasses = 4_000_000;

    private readonly Dictionary<string, Alias> _aliases = new(StringComparer.Ordinal);
    private readonly JsonLocations _locations = new();
    private JsonFragment _fragment = null!;
    private FieldScope? _scope;
    private ClockClass? _clock;
    private int _depth;
    private int _count;

    /// <summary>Whether packet headers may repeat the metadata's UUID.</summary>
    public bool HasUuid { get; set; }

    /// <summary>Declares an alias.</summary>
    public void AddAlias(JsonFragment fragment)
    {
        fragment.CheckProperties(fragment.Root, hasType: true, "name", "field-class");
        var name = fragment.Require(fragment.Root, "name");
        var json = fragment.Require(fragment.Root, "field-class");
        _scope = null;
        _fragment = fragment;
        _depth = 0;
        var checkedClass = Lower(json);
        var (home, target) = json.Kind == MetadataJsonKind.Text ? (_aliases[json.Text].Fragment, _aliases[json.Text].Json) : (fragment, json);
        if (!_aliases.TryAdd(fragment.RequireText(name), new Alias(home, target, checkedClass)))
            throw fragment.Error(name, $"the alias '{name.Text}' is declared twice");
    }

    /// <summary>Lowers the root structure of a scope.</summary>
    /// <param name="fragment">The fragment.</param>
    /// <param name="name">The property that declares the scope's structure.</param>
    /// <param name="scope">The scope.</param>
    /// <param name="clock">The default clock of the data stream class, or null.</param>
    public StructureFieldClass? LowerRoot(JsonFragment fragment, string name, FieldScope scope, ClockClass? clock)
    {
        _locations.Begin(scope);
        if (fragment.Root.Find(name) is not { } json)
            return null;
        _fragment = fragment;
        _scope = scope;
        _clock = clock;
        _depth = 0;
        var root = Lower(json) as StructureFieldClass ?? throw fragment.Error(json, "expected a structure");
        _locations.Set(scope, root);
        return root;
    }

    /// <summary>Makes the fields of an earlier scope known to locations.</summary>
    public void SetScope(FieldScope scope, StructureFieldClass? root) => _locations.Set(scope, root);

    private FieldClass Lower(MetadataJson json)
    {
        if (json.Kind == MetadataJsonKind.Text)
            return LowerAlias(json);
        if (++_count > MaxFieldClasses)
            throw _fragment.Error(json, $"the metadata declares more than {MaxFieldClasses} fields");
        if (_depth == MaxDepth)
            throw _fragment.Error(json, $"field classes are nested deeper than {MaxDepth} levels");
        _fragment.RequireKind(json, MetadataJsonKind.Object, "a field class or the name of an alias");
        _depth++;
        var type = _fragment.Require(json, "type");
        FieldClass lowered = _fragment.RequireText(type) switch
        {
            "fixed-length-bit-array" => LowerBitArray(json),
            "fixed-length-bit-map" => LowerBitMap(json),
            "fixed-length-boolean" => LowerBoolean(json),
            "fixed-length-unsigned-integer" => LowerInteger(json, isSigned: false),
            "fixed-length-signed-integer" => LowerInteger(json, isSigned: true),
            "fixed-length-floating-point-number" => LowerFloatingPoint(json),
            "variable-length-unsigned-integer" => LowerVariableLength(json, isSigned: false),
            "variable-length-signed-integer" => LowerVariableLength(json, isSigned: true),
            "null-terminated-string" => LowerString(json),
            "static-length-string" => LowerStaticString(json),
            "dynamic-length-string" => LowerDynamicString(json),
            "static-length-blob" => LowerStaticBlob(json),
            "dynamic-length-blob" => LowerDynamicBlob(json),
            "structure" => LowerStructure(json),
            "static-length-array" => LowerStaticArray(json),
            "dynamic-length-array" => LowerDynamicArray(json),
            "optional" => LowerOptional(json),
            "variant" => LowerVariant(json),
            _ => throw _fragment.Error(type, $"there is no field class '{(type.Text.Length < 64 ? type.Text : type.Text[..64] + "...")}'"),
        };
        _depth--;
        return lowered;
    }

    private FieldClass LowerAlias(MetadataJson json)
    {
        if (!_aliases.TryGetValue(json.Text, out var alias))
            throw _fragment.Error(json, "no alias of this name is declared before");
        if (_scope is null)
            return alias.Checked;
        var outer = _fragment;
        _fragment = alias.Fragment;
        var lowered = Lower(alias.Json);
        _fragment = outer;
        return lowered;
    }

    private (int SizeBits, ByteOrder ByteOrder, BitOrder BitOrder, int AlignmentBits) ReadBits(MetadataJson json)
    {
        var length = _fragment.Require(json, "length");
        ulong sizeBits = _fragment.RequireUnsigned(length);
        if (sizeBits is 0 or > 64)
            throw _fragment.Error(length, $"expected 1 to 64 bits, found {sizeBits}");
        var byteOrder = _fragment.RequireWord(
            _fragment.Require(json, "byte-order"), ("little-endian", ByteOrder.LittleEndian), ("big-endian", ByteOrder.BigEndian));
        var bitOrder = json.Find("bit-order") is { } order
            ? _fragment.RequireWord(order, ("first-to-last", BitOrder.FirstToLast), ("last-to-first", BitOrder.LastToFirst))
            : BitOrder.Natural;
        return ((int)sizeBits, byteOrder, bitOrder, _fragment.FindAlignment(json, "alignment"));
    }

    private BitArrayFieldClass LowerBitArray(MetadataJson json)
    {
        _fragment.CheckProperties(json, hasType: true, "length", "byte-order", "bit-order", "alignment");
        var bits = ReadBits(json);
        return new BitArrayFieldClass(bits.SizeBits, bits.AlignmentBits)
        {
            ByteOrder = bits.ByteOrder,
            BitOrder = bits.BitOrder,
            Attributes = _fragment.FindAttributes(json),
        };
    }

    private BitArrayFieldClass LowerBitMap(MetadataJson json)
    {
        _fragment.CheckProperties(json, hasType: true, "length", "byte-order", "bit-order", "alignment", "flags");
        var bits = ReadBits(json);
        var flagsJson = _fragment.Require(json, "flags");
        var flags = _fragment.RequireMappings(flagsJson, isSigned: false);
        if (flags.Count == 0)
            throw _fragment.Error(flagsJson, "expected at least one flag");
        foreach (var flag in flags)
        {
            foreach (var range in flag.Ranges)
            {
                if ((ulong)range.Upper >= (ulong)bits.SizeBits)
                    throw _fragment.Error(flagsJson.Find(flag.Label)!, $"there is no bit {(ulong)range.Upper} in {bits.SizeBits} bits");
            }
        }
        return new BitArrayFieldClass(bits.SizeBits, bits.AlignmentBits)
        {
            ByteOrder = bits.ByteOrder,
            BitOrder = bits.BitOrder,
            Flags = flags,
            Attributes = _fragment.FindAttributes(json),
        };
    }

    private BooleanFieldClass LowerBoolean(MetadataJson json)
    {
        _fragment.CheckProperties(json, hasType: true, "length", "byte-order", "bit-order", "alignment");
        var bits = ReadBits(json);
        return new BooleanFieldClass(bits.SizeBits, bits.AlignmentBits)
        {
            ByteOrder = bits.ByteOrder,
            BitOrder = bits.BitOrder,
            Attributes = _fragment.FindAttributes(json),
        };
    }

    private IntegerFieldClass LowerInteger(MetadataJson json, bool isSigned)
    {
        if (isSigned)
            _fragment.CheckProperties(json, hasType: true, "length", "byte-order", "bit-order", "alignment", "preferred-display-base", "mappings");
        else
            _fragment.CheckProperties(json, hasType: true, "length", "byte-order", "bit-order", "alignment", "preferred-display-base", "mappings", "roles");
        var bits = ReadBits(json);
        var (role, otherRoles, clock) = ReadRoles(json);
        return new IntegerFieldClass(bits.SizeBits, isSigned, bits.AlignmentBits)
        {
            ByteOrder = bits.ByteOrder,
            BitOrder = bits.BitOrder,
            DisplayBase = ReadBase(json),
            Mappings = ReadMappings(json, isSigned),
            Role = role,
            OtherRoles = otherRoles,
            MappedClock = clock,
            Attributes = _fragment.FindAttributes(json),
        };
    }

    private IntegerFieldClass LowerVariableLength(MetadataJson json, bool isSigned)
    {
        if (isSigned)
            _fragment.CheckProperties(json, hasType: true, "preferred-display-base", "mappings");
        else
            _fragment.CheckProperties(json, hasType: true, "preferred-display-base", "mappings", "roles");
        var (role, otherRoles, clock) = ReadRoles(json);
        return new IntegerFieldClass(64, isSigned)
        {
            IsVariableLength = true,
            DisplayBase = ReadBase(json),
            Mappings = ReadMappings(json, isSigned),
            Role = role,
            OtherRoles = otherRoles,
            MappedClock = clock,
            Attributes = _fragment.FindAttributes(json),
        };
    }

    private DisplayBase ReadBase(MetadataJson json)
    {
        if (json.Find("preferred-display-base") is not { } value)
            return DisplayBase.Decimal;
        return value is { Kind: MetadataJsonKind.Integer, IsNegative: false, Bits: 2 or 8 or 10 or 16 }
            ? (DisplayBase)value.Bits
            : throw _fragment.Error(value, "expected 2, 8, 10 or 16");
    }

    private List<EnumerationMapping>? ReadMappings(MetadataJson json, bool isSigned)
    {
        var mappings = json.Find("mappings") is { } value ? _fragment.RequireMappings(value, isSigned) : null;
        return mappings is { Count: > 0 } ? mappings : null;
    }

    private (FieldRole Role, IReadOnlyList<FieldRole> Others, ClockClass? Clock) ReadRoles(MetadataJson json)
    {
        if (json.Find("roles") is not { } value)
            return (FieldRole.None, [], null);
        var roles = JsonRoles.Read(_fragment, value, _scope, out bool isTimestamp);
        if (isTimestamp && _scope is not null && _clock is null)
            throw _fragment.Error(value, "the field is a timestamp, but its data stream class names no default clock");
        return (roles.Count > 0 ? roles[0] : FieldRole.None, roles.Count > 1 ? roles[1..] : [], isTimestamp ? _clock : null);
    }

    private FloatingPointFieldClass LowerFloatingPoint(MetadataJson json)
    {
        _fragment.CheckProperties(json, hasType: true, "length", "byte-order", "bit-order", "alignment");
        var bits = ReadBits(json);
        if (bits.SizeBits is not (32 or 64))
            throw _fragment.Error(json.Find("length")!, $"expected 32 or 64 bits, found {bits.SizeBits}");
        return new FloatingPointFieldClass(bits.SizeBits, bits.AlignmentBits)
        {
            ByteOrder = bits.ByteOrder,
            BitOrder = bits.BitOrder,
            Attributes = _fragment.FindAttributes(json),
        };
    }

    private TextEncoding ReadEncoding(MetadataJson json) => json.Find("encoding") is not { } value
        ? TextEncoding.Utf8
        : _fragment.RequireWord(
            value,
            ("utf-8", TextEncoding.Utf8),
            ("utf-16be", TextEncoding.Utf16BigEndian),
            ("utf-16le", TextEncoding.Utf16LittleEndian),
            ("utf-32be", TextEncoding.Utf32BigEndian),
            ("utf-32le", TextEncoding.Utf32LittleEndian));

    private StringFieldClass LowerString(MetadataJson json)
    {
        _fragment.CheckProperties(json, hasType: true, "encoding");
        return new StringFieldClass { Encoding = ReadEncoding(json), Attributes = _fragment.FindAttributes(json) };
    }

    private StaticStringFieldClass LowerStaticString(MetadataJson json)
    {
        _fragment.CheckProperties(json, hasType: true, "encoding", "length");
        ulong lengthBytes = _fragment.RequireUnsigned(_fragment.Require(json, "length"));
        return new StaticStringFieldClass(lengthBytes) { Encoding = ReadEncoding(json), Attributes = _fragment.FindAttributes(json) };
    }

    private DynamicStringFieldClass LowerDynamicString(MetadataJson json)
    {
        _fragment.CheckProperties(json, hasType: true, "encoding", "length-field-location");
        return new DynamicStringFieldClass(ResolveLength(json)) { Encoding = ReadEncoding(json), Attributes = _fragment.FindAttributes(json) };
    }

    private string ReadMediaType(MetadataJson json) => _fragment.FindText(json, "media-type") ?? StaticBlobFieldClass.DefaultMediaType;

    private StaticBlobFieldClass LowerStaticBlob(MetadataJson json)
    {
        _fragment.CheckProperties(json, hasType: true, "length", "media-type", "roles");
        var length = _fragment.Require(json, "length");
        ulong lengthBytes = _fragment.RequireUnsigned(length);
        var role = FieldRole.None;
        if (json.Find("roles") is { } roles)
        {
            role = JsonRoles.ReadBlobRole(_fragment, roles, _scope);
            if (role != FieldRole.None && lengthBytes != 16)
                throw _fragment.Error(length, $"expected 16 bytes of a field with the role '{JsonRoles.MetadataStreamUuid}', found {lengthBytes}");
            if (role != FieldRole.None && _scope is not null && !HasUuid)
                throw _fragment.Error(roles, "the preamble has no 'uuid' with which this field could agree");
        }
        return new StaticBlobFieldClass(lengthBytes) { MediaType = ReadMediaType(json), Role = role, Attributes = _fragment.FindAttributes(json) };
    }

    private DynamicBlobFieldClass LowerDynamicBlob(MetadataJson json)
    {
        _fragment.CheckProperties(json, hasType: true, "media-type", "length-field-location");
        return new DynamicBlobFieldClass(ResolveLength(json)) { MediaType = ReadMediaType(json), Attributes = _fragment.FindAttributes(json) };
    }

    private StructureFieldClass LowerStructure(MetadataJson json)
    {
        _fragment.CheckProperties(json, hasType: true, "member-classes", "minimum-alignment");
        var members = new List<StructureMember>();
        int alignmentBits = _fragment.FindAlignment(json, "minimum-alignment");
        if (json.Find("member-classes") is { } list)
        {
            _fragment.RequireKind(list, MetadataJsonKind.Array, "an array of member classes");
            var names = new HashSet<string>(StringComparer.Ordinal);
            _locations.Enter(members);
            foreach (var item in list.Items)
            {
                _fragment.CheckProperties(item, hasType: false, "name", "field-class");
                var name = _fragment.Require(item, "name");
                if (!names.Add(_fragment.RequireText(name)))
                    throw _fragment.Error(name, $"two members are named '{name.Text}'");
                _locations.Name(name.Text);
                var fieldClass = Lower(_fragment.Require(item, "field-class"));
                members.Add(new StructureMember(name.Text, fieldClass) { Attributes = _fragment.FindAttributes(item) });
            }
            _locations.Leave();
        }
        return new StructureFieldClass(members, alignmentBits) { Attributes = _fragment.FindAttributes(json) };
    }

    private FieldClass LowerInside(MetadataJson json)
    {
        _locations.Enter(null);
        var lowered = Lower(json);
        _locations.Leave();
        return lowered;
    }

    private StaticArrayFieldClass LowerStaticArray(MetadataJson json)
    {
        _fragment.CheckProperties(json, hasType: true, "element-field-class", "minimum-alignment", "length");
        ulong length = _fragment.RequireUnsigned(_fragment.Require(json, "length"));
        int alignmentBits = _fragment.FindAlignment(json, "minimum-alignment");
        var element = LowerInside(_fragment.Require(json, "element-field-class"));
        return new StaticArrayFieldClass(element, length, alignmentBits) { Attributes = _fragment.FindAttributes(json) };
    }

    private DynamicArrayFieldClass LowerDynamicArray(MetadataJson json)
    {
        _fragment.CheckProperties(json, hasType: true, "element-field-class", "minimum-alignment", "length-field-location");
        var location = ResolveLength(json);
        int alignmentBits = _fragment.FindAlignment(json, "minimum-alignment");
        var element = LowerInside(_fragment.Require(json, "element-field-class"));
        return new DynamicArrayFieldClass(element, location, alignmentBits) { Attributes = _fragment.FindAttributes(json) };
    }

    private OptionalFieldClass LowerOptional(MetadataJson json)
    {
        _fragment.CheckProperties(json, hasType: true, "field-class", "selector-field-location", "selector-field-ranges");
        var ranges = json.Find("selector-field-ranges");
        var (location, kind) = Resolve(_fragment.Require(json, "selector-field-location"));
        if (ranges is null && kind is not (null or SelectorKind.Boolean))
            throw _fragment.Error(json, "the selector is an integer: expected a property 'selector-field-ranges'");
        if (ranges is not null && kind == SelectorKind.Boolean)
            throw _fragment.Error(ranges, "the selector is a boolean, which has no ranges");
        bool? isSigned = kind is null ? null : kind == SelectorKind.Signed;
        var selecting = ranges is null ? null : _fragment.RequireRanges(ranges, isSigned);
        var content = LowerInside(_fragment.Require(json, "field-class"));
        return new OptionalFieldClass(location, content)
        {
            Ranges = selecting,
            IsSelectorSigned = isSigned == true,
            Attributes = _fragment.FindAttributes(json),
        };
    }

    private VariantFieldClass LowerVariant(MetadataJson json)
    {
        _fragment.CheckProperties(json, hasType: true, "options", "selector-field-location");
        var selector = _fragment.Require(json, "selector-field-location");
        var (location, kind) = Resolve(selector);
        if (kind == SelectorKind.Boolean)
            throw _fragment.Error(selector, "the selector of a variant is an integer, and this is a boolean");
        bool? isSigned = kind is null ? null : kind == SelectorKind.Signed;
        var list = _fragment.Require(json, "options");
        _fragment.RequireKind(list, MetadataJsonKind.Array, "an array of options");
        if (list.Items.Count == 0)
            throw _fragment.Error(list, "expected at least one option");
        var names = new HashSet<string>(StringComparer.Ordinal);
        var options = new List<VariantOption>(list.Items.Count);
        foreach (var item in list.Items)
        {
            _fragment.CheckProperties(item, hasType: false, "name", "field-class", "selector-field-ranges");
            string? name = _fragment.FindText(item, "name");
            if (name is not null && !names.Add(name))
                throw _fragment.Error(item, $"two options are named '{name}'");
            var ranges = _fragment.RequireRanges(_fragment.Require(item, "selector-field-ranges"), isSigned);
            var fieldClass = LowerInside(_fragment.Require(item, "field-class"));
            options.Add(new VariantOption(name ?? "", fieldClass, ranges) { Attributes = _fragment.FindAttributes(item) });
        }
        if (isSigned is { } signed)
            CheckOverlap(list, options, signed);
        return new VariantFieldClass(location, options, isSigned == true) { Attributes = _fragment.FindAttributes(json) };
    }

    private void CheckOverlap(MetadataJson list, List<VariantOption> options, bool isSigned)
    {
        var ranges = new List<(IntegerRange Range, int Option)>();
        for (int i = 0; i < options.Count; i++)
        {
            foreach (var range in options[i].Ranges)
                ranges.Add((range, i));
        }
        // By the lower bound, as signed or unsigned numbers; then only neighbours of different options can overlap first.
        ranges.Sort((left, right) => isSigned
            ? left.Range.Lower.CompareTo(right.Range.Lower)
            : ((ulong)left.Range.Lower).CompareTo((ulong)right.Range.Lower));
        for (int i = 0, furthest = 0; i < ranges.Count; i++)
        {
            if (i > 0 && ranges[i].Option != ranges[furthest].Option && ranges[furthest].Range.Contains(ranges[i].Range.Lower, isSigned))
                throw _fragment.Error(list.Items[ranges[i].Option], $"the ranges of this option and of option {ranges[furthest].Option} overlap");
            bool reachesFurther = isSigned
                ? ranges[i].Range.Upper > ranges[furthest].Range.Upper
                : (ulong)ranges[i].Range.Upper > (ulong)ranges[furthest].Range.Upper;
            if (reachesFurther)
                furthest = i;
        }
    }

    private FieldLocation ResolveLength(MetadataJson json)
    {
        var value = _fragment.Require(json, "length-field-location");
        var (location, kind) = Resolve(value);
        return kind is null or SelectorKind.Unsigned
            ? location
            : throw _fragment.Error(value, "the field is no unsigned integer, so it cannot be a length");
    }

    private (FieldLocation Location, SelectorKind? Kind) Resolve(MetadataJson json)
    {
        JsonLocations.Check(_fragment, json);
        return _scope is null ? (new FieldLocation(FieldScope.EventPayload, ""), null) : _locations.Resolve(_fragment, json);
    }

    private sealed record Alias(JsonFragment Fragment, MetadataJson Json, FieldClass Checked);
}
