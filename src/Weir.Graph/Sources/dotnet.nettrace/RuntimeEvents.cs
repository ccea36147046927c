using System.Globalization;

namespace Weir.Graph;

/// <summary>An event that its provider's manifest declares, not the file.</summary>
/// <param name="Name">Task and opcode, as <c>GC/Start</c>.</param>
/// <param name="Fields">The payload's fields.</param>
internal sealed record DeclaredEvent(string Name, IReadOnlyList<NettraceField> Fields);

/// <summary>
/// The events of the .NET runtime, whose fields no file has: facts from the runtime's own manifest, kept in <c>runtime-events.txt</c>:
/// <code>
/// = provider
/// number task/opcode
/// version: type name, type name[field that counts], {members} name[...]
/// version: + what the version before does not have
/// </code>
/// </summary>
internal sealed class RuntimeEvents
{
    private static readonly Lazy<RuntimeEvents> s_known = new(Load);

    private readonly Dictionary<(string Provider, uint Id), List<(uint Version, DeclaredEvent Event)>> _events = [];

    /// <summary>The events that are known.</summary>
    public static RuntimeEvents Known => s_known.Value;

    /// <summary>All providers, numbers and versions.</summary>
    public IEnumerable<(string Provider, uint Id, uint Version, DeclaredEvent Event)> All =>
        from pair in _events from item in pair.Value select (pair.Key.Provider, pair.Key.Id, item.Version, item.Event);

    /// <summary>The event of the highest version that is not above <paramref name="version"/>, or null: what later versions have is behind that.</summary>
    public DeclaredEvent? Find(string provider, uint id, uint version)
    {
        if (!_events.TryGetValue((provider, id), out var versions))
            return null;
        DeclaredEvent? found = null;
        foreach (var (candidate, declared) in versions)
        {
            if (candidate <= version)
                found = declared;
        }
        return found;
    }

    private static RuntimeEvents Load()
    {
        var events = new RuntimeEvents();
        using var stream = typeof(RuntimeEvents).Assembly.GetManifestResourceStream("runtime-events.txt")
            ?? throw new InvalidOperationException("The assembly carries its table of events.");
        using var reader = new StreamReader(stream);
        string provider = "";
        string name = "";
        List<(uint Version, DeclaredEvent Event)> versions = [];
        while (reader.ReadLine() is { } line)
        {
            int colon = line.IndexOf(": ", StringComparison.Ordinal);
            if (line.StartsWith("= ", StringComparison.Ordinal))
            {
                provider = line[2..];
            }
            else if (colon < 0 && !line.EndsWith(':'))
            {
                string[] parts = line.Split(' ', 2);
                name = parts[1];
                events._events.Add((provider, uint.Parse(parts[0], CultureInfo.InvariantCulture)), versions = []);
            }
            else
            {
                uint version = uint.Parse(line[..line.IndexOf(':', StringComparison.Ordinal)], CultureInfo.InvariantCulture);
                string fields = colon < 0 ? "" : line[(colon + 2)..];
                bool isMore = fields.StartsWith('+');
                var parser = new FieldParser(isMore ? fields[1..] : fields);
                versions.Add((version, new DeclaredEvent(name, [.. isMore ? versions[^1].Event.Fields : [], .. parser.ReadFields()])));
            }
        }
        return events;
    }

    private sealed class FieldParser(string text)
    {
        private int _at;

        public List<NettraceField> ReadFields()
        {
            var fields = new List<NettraceField>();
            SkipSpaces();
            while (_at < text.Length && text[_at] != '}')
            {
                fields.Add(ReadField());
                if (_at < text.Length && text[_at] == ',')
                    _at++;
                SkipSpaces();
            }
            return fields;
        }

        private NettraceField ReadField()
        {
            var type = ReadType();
            SkipSpaces();
            string name = ReadWord();
            if (_at == text.Length || text[_at] != '[')
                return new NettraceField(name, type);
            _at++;
            string length = ReadWord();
            _at++;
            return new NettraceField(name, new NettraceType(NettraceTypeKind.CountedArray) { Element = type, LengthName = length });
        }

        private NettraceType ReadType()
        {
            if (text[_at] != '{')
                return new NettraceType(KindOf(ReadWord()));
            _at++;
            var members = ReadFields();
            _at++;
            return new NettraceType(NettraceTypeKind.Object) { Members = members };
        }

        private string ReadWord()
        {
            int start = _at;
            while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] == '_'))
                _at++;
            return text[start.._at];
        }

        private void SkipSpaces()
        {
            while (_at < text.Length && text[_at] == ' ')
                _at++;
        }

        private static NettraceTypeKind KindOf(string word) => word switch
        {
            "u8" => NettraceTypeKind.Byte,
            "u16" => NettraceTypeKind.UInt16,
            "u32" => NettraceTypeKind.UInt32,
            "u64" => NettraceTypeKind.UInt64,
            "i8" => NettraceTypeKind.SByte,
            "i16" => NettraceTypeKind.Int16,
            "i32" => NettraceTypeKind.Int32,
            "i64" => NettraceTypeKind.Int64,
            "f32" => NettraceTypeKind.Single,
            "f64" => NettraceTypeKind.Double,
            "bool" => NettraceTypeKind.Boolean,
            "guid" => NettraceTypeKind.Guid,
            "ptr" => NettraceTypeKind.Pointer,
            "str" => NettraceTypeKind.Text16,
            "ansi" => NettraceTypeKind.Text8,
            _ => throw new InvalidOperationException($"The table of events has no type '{word}'."),
        };
    }
}
