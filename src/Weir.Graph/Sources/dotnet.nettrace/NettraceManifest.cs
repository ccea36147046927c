using System.Globalization;
using System.Xml;

namespace Weir.Graph;

/// <summary>
/// The manifests that providers send in events of their own, a piece each:
/// <code>
/// 0 format u8 (1) | 1 major u8 | 2 minor u8 | 3 magic u8 (0x5b) | 4 pieces u16 | 6 number of this u16 | 8 XML in UTF-8
/// </code>
/// What a manifest declares is used for events whose fields the file does not say.
/// </summary>
internal sealed class NettraceManifest
{
    private const int EnvelopeBytes = 8;
    private const int MaxManifestBytes = 16 << 20;

    private readonly Dictionary<string, (MemoryStream Text, int Next)> _pieces = [];
    private readonly Dictionary<string, Dictionary<(uint Id, uint Version), DeclaredEvent>> _declared = [];

    /// <summary>The event itself: the head of a piece.</summary>
    public static DeclaredEvent Event { get; } = new("ManifestData",
    [
        new("Format", new NettraceType(NettraceTypeKind.Byte)),
        new("MajorVersion", new NettraceType(NettraceTypeKind.Byte)),
        new("MinorVersion", new NettraceType(NettraceTypeKind.Byte)),
        new("Magic", new NettraceType(NettraceTypeKind.Byte)),
        new("TotalChunks", new NettraceType(NettraceTypeKind.UInt16)),
        new("ChunkNumber", new NettraceType(NettraceTypeKind.UInt16)),
    ]);

    /// <summary>Takes a piece. One that does not follow the piece before is left out, with its manifest.</summary>
    public void Add(string provider, ReadOnlySpan<byte> payload)
    {
        if (payload.Length < EnvelopeBytes || payload[0] != 1 || payload[3] != 0x5b)
            return;
        int count = payload[4] | payload[5] << 8;
        int number = payload[6] | payload[7] << 8;
        if (number == 0)
            _pieces[provider] = (new MemoryStream(), 0);
        if (!_pieces.TryGetValue(provider, out var piece) || piece.Next != number || piece.Text.Length + payload.Length > MaxManifestBytes)
            return;
        piece.Text.Write(payload[EnvelopeBytes..]);
        _pieces[provider] = (piece.Text, number + 1);
        if (number + 1 != count)
            return;
        _pieces.Remove(provider);
        _declared[provider] = Parse(piece.Text);
    }

    /// <summary>What a provider's manifest says of an event, or null.</summary>
    public DeclaredEvent? Find(string provider, uint id, uint version) =>
        _declared.TryGetValue(provider, out var events) ? events.GetValueOrDefault((id, version)) : null;

    private static Dictionary<(uint Id, uint Version), DeclaredEvent> Parse(MemoryStream text)
    {
        text.Position = 0;
        var templates = new Dictionary<string, List<NettraceField>>();
        var events = new List<(uint Id, uint Version, string Name, string? Template)>();
        try
        {
            using var reader = XmlReader.Create(text, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            List<NettraceField>? fields = null;
            while (reader.Read())
            {
                if (reader.NodeType != XmlNodeType.Element)
                    continue;
                if (reader.LocalName == "template" && reader.GetAttribute("tid") is { } template)
                    templates[template] = fields = [];
                else if (reader.LocalName == "data" && fields is not null)
                    fields.Add(new NettraceField(reader.GetAttribute("name") ?? "", TypeOf(reader.GetAttribute("inType"))));
                else if (reader.LocalName == "event" && uint.TryParse(reader.GetAttribute("value"), NumberStyles.None, CultureInfo.InvariantCulture, out uint id))
                    events.Add((id, VersionOf(reader.GetAttribute("version")), NameOf(reader), reader.GetAttribute("template")));
            }
        }
        catch (XmlException)
        {
            // What was read before stands; a manifest is a help, and its events can be shown without it.
        }
        var declared = new Dictionary<(uint Id, uint Version), DeclaredEvent>();
        foreach (var (id, version, name, template) in events)
            declared[(id, version)] = new DeclaredEvent(name, template is not null && templates.TryGetValue(template, out var found) ? found : []);
        return declared;
    }

    private static uint VersionOf(string? text) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint version) ? version : 0;

    /// <summary>The symbol, or task and opcode where these say more.</summary>
    private static string NameOf(XmlReader reader)
    {
        string symbol = reader.GetAttribute("symbol") ?? "";
        string opcode = reader.GetAttribute("opcode") is { } name && name.StartsWith("win:", StringComparison.Ordinal) ? name[4..] : "";
        if (opcode is not ("Start" or "Stop") || !symbol.EndsWith(opcode, StringComparison.Ordinal) || symbol.Length == opcode.Length)
            return symbol;
        return $"{symbol[..^opcode.Length]}/{opcode}";
    }

    private static NettraceType TypeOf(string? name) => new(name switch
    {
        "win:Int8" => NettraceTypeKind.SByte,
        "win:UInt8" => NettraceTypeKind.Byte,
        "win:Int16" => NettraceTypeKind.Int16,
        "win:UInt16" => NettraceTypeKind.UInt16,
        "win:Int32" => NettraceTypeKind.Int32,
        "win:UInt32" or "win:HexInt32" => NettraceTypeKind.UInt32,
        "win:Int64" => NettraceTypeKind.Int64,
        "win:UInt64" or "win:HexInt64" => NettraceTypeKind.UInt64,
        "win:Float" => NettraceTypeKind.Single,
        "win:Double" => NettraceTypeKind.Double,
        "win:Boolean" => NettraceTypeKind.Boolean,
        "win:GUID" => NettraceTypeKind.Guid,
        "win:FILETIME" => NettraceTypeKind.DateTime,
        "win:Pointer" => NettraceTypeKind.Pointer,
        "win:AnsiString" => NettraceTypeKind.Text8,
        _ => NettraceTypeKind.Text16,
    });
}
