namespace Weir.Ctf;

/// <summary>Named types of one block of TSDL and of those around it. Structures, variants, enumerations and aliases do not clash.</summary>
internal sealed class TsdlScope(TsdlScope? parent)
{
    private Dictionary<string, TsdlDraft>? _types;

    public TsdlScope? Parent => parent;

    /// <summary>Names a type; false when this very block already has the name.</summary>
    public bool TryAdd(string name, TsdlDraft draft) => (_types ??= []).TryAdd(name, draft);

    public bool HasOwn(string name) => _types is not null && _types.ContainsKey(name);

    public TsdlDraft? Find(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope._types is not null && scope._types.TryGetValue(name, out var draft))
                return draft;
        }
        return null;
    }
}
