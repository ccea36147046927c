namespace Weir.Ctf;

/// <summary>What a length or a selector may be.</summary>
internal enum SelectorKind : byte
{
    Boolean,
    Unsigned,
    Signed,
}

/// <summary>
/// Makes CTF 2's field locations absolute and checks what they name. While a scope is being lowered this keeps the structures, arrays,
/// options around the field that is lowered now, because a location may only name what stands before that field.
/// </summary>
internal sealed class JsonLocations
{
    private readonly StructureFieldClass?[] _scopes = new StructureFieldClass?[6];

    /// <summary>What is around the field, outermost first; members are those of a structure that are lowered already.</summary>
    private readonly List<(List<StructureMember>? Members, string Name)> _open = [];
    private FieldScope _scope;

    /// <summary>Begins a scope; later ones are no longer known.</summary>
    public void Begin(FieldScope scope)
    {
        _scope = scope;
        _open.Clear();
        for (int i = (int)scope; i < _scopes.Length; i++)
            _scopes[i] = null;
    }

    /// <summary>Keeps a scope for the fields of later ones.</summary>
    public void Set(FieldScope scope, StructureFieldClass? root) => _scopes[(int)scope] = root;

    /// <summary>Enters a structure with its list of lowered members, or with null an array, an option or an optional field.</summary>
    public void Enter(List<StructureMember>? members) => _open.Add((members, ""));

    /// <summary>Says which member of the innermost structure is lowered now.</summary>
    public void Name(string member) => _open[^1] = (_open[^1].Members, member);

    public void Leave() => _open.RemoveAt(_open.Count - 1);

    /// <summary>The absolute location and what kind of field is there.</summary>
    public (FieldLocation Location, SelectorKind Kind) Resolve(JsonFragment fragment, MetadataJson json)
    {
        var (origin, path) = ReadAbsolute(fragment, json);
        SelectorKind? kind = null;
        if (origin > _scope)
            throw fragment.Error(json, "the field is in a scope that is decoded later");
        if (origin < _scope)
            Walk(_scopes[(int)origin] ?? throw fragment.Error(json, "there is no such scope here"), 0);
        else
            WalkOpen();
        return (new FieldLocation(origin, path), kind!.Value);

        void WalkOpen()
        {
            int at = 0;
            foreach (var (members, name) in _open)
            {
                if (members is null)
                    continue;
                if (at == path.Length)
                    throw fragment.Error(json, "the field is a structure: expected an integer or a boolean");
                if (members.Find(member => member.Name == path[at]) is { } member)
                {
                    Walk(member.Class, at + 1);
                    return;
                }
                if (name != path[at])
                    break;
                at++;
            }
            throw fragment.Error(json, $"no field '{string.Join('.', path)}' stands before this one");
        }

        void Walk(FieldClass current, int at)
        {
            switch (current)
            {
                case IntegerFieldClass or BooleanFieldClass when at == path.Length:
                    var found = current is not IntegerFieldClass integer ? SelectorKind.Boolean
                        : integer.IsSigned ? SelectorKind.Signed : SelectorKind.Unsigned;
                    if (kind is not null && kind != found)
                        throw fragment.Error(json, "the fields that are meant are of different kinds");
                    kind = found;
                    break;
                case StructureFieldClass structure when at < path.Length:
                    Walk(structure.Find(path[at]) ?? throw fragment.Error(json, $"there is no field '{path[at]}'"), at + 1);
                    break;
                case VariantFieldClass variant:
                    foreach (var option in variant.Options)
                        Walk(option.Class, at);
                    break;
                case StaticArrayFieldClass or DynamicArrayFieldClass:
                    throw fragment.Error(json, "the field is inside an array, and no element of it is being decoded");
                case OptionalFieldClass:
                    throw fragment.Error(json, "the field is inside an optional field, so it may not be there");
                default:
                    throw fragment.Error(json, at < path.Length
                        ? $"the field before '{path[at]}' has no members"
                        : "the field is neither an integer nor a boolean");
            }
        }
    }

    /// <summary>Checks a location's form.</summary>
    public static void Check(JsonFragment fragment, MetadataJson json)
    {
        fragment.RequireKind(json, MetadataJsonKind.Object, "an object");
        foreach (var property in json.Items)
        {
            if (property.Name is not ("origin" or "path"))
                throw fragment.Error(property, "this property is not known here");
        }
        var path = fragment.Require(json, "path");
        fragment.RequireKind(path, MetadataJsonKind.Array, "an array");
        if (path.Items.Count == 0)
            throw fragment.Error(path, "expected at least one name");
        foreach (var item in path.Items)
        {
            if (item.Kind is not (MetadataJsonKind.Text or MetadataJsonKind.Null))
                throw fragment.Error(item, "expected a text or null");
        }
        if (path.Items[^1].Kind == MetadataJsonKind.Null)
            throw fragment.Error(path.Items[^1], "a path ends with a name");
        if (json.Find("origin") is { } origin)
            ReadOrigin(fragment, origin);
    }

    private static FieldScope ReadOrigin(JsonFragment fragment, MetadataJson json) => fragment.RequireWord(
        json,
        ("packet-header", FieldScope.PacketHeader),
        ("packet-context", FieldScope.PacketContext),
        ("event-record-header", FieldScope.EventHeader),
        ("event-record-common-context", FieldScope.EventCommonContext),
        ("event-record-specific-context", FieldScope.EventSpecificContext),
        ("event-record-payload", FieldScope.EventPayload));

    /// <summary>Without an origin a path begins in the structure around the field, and null goes to the structure around that.</summary>
    private (FieldScope Origin, string[] Path) ReadAbsolute(JsonFragment fragment, MetadataJson json)
    {
        var names = new List<string>();
        var origin = _scope;
        if (json.Find("origin") is { } given)
        {
            origin = ReadOrigin(fragment, given);
        }
        else
        {
            foreach (var (members, name) in _open)
            {
                if (members is not null)
                    names.Add(name);
            }
            names.RemoveAt(names.Count - 1);
        }
        foreach (var item in json.Find("path")!.Items)
        {
            if (item.Kind == MetadataJsonKind.Text)
                names.Add(item.Text);
            else if (names.Count > 0)
                names.RemoveAt(names.Count - 1);
            else
                throw fragment.Error(item, "there is no structure around this one");
        }
        return (origin, [.. names]);
    }
}
