using System.Globalization;

namespace Weir.Tests.Ctf.Json;

/// <summary>Metadata of CTF 2 in few words.</summary>
internal static class Ctf2Text
{
    public const string Preamble = """{"type": "preamble", "version": 2}""";

    public const string Stream = """{"type": "data-stream-class"}""";

    /// <summary>Metadata of these fragments.</summary>
    public static string Metadata(params string[] fragments) => string.Concat(fragments.Select(fragment => $"\u001e{fragment}\n"));

    /// <summary>Metadata of one event of one structure.</summary>
    public static string Payload(params (string Name, string Class)[] members) => Metadata(Preamble, Stream, Event(Structure(members)));

    public static string Event(string payload, string more = "") =>
        $$"""{"type": "event-record-class", "name": "e", {{more}} "payload-field-class": {{payload}}}""";

    public static string Structure(params (string Name, string Class)[] members) =>
        $$"""{"type": "structure", "member-classes": [{{string.Join(", ", members.Select(member => $$"""{"name": "{{member.Name}}", "field-class": {{member.Class}}}"""))}}]}""";

    public static string Bits(string type, int length, string more = "", string byteOrder = "little-endian") =>
        string.Create(CultureInfo.InvariantCulture, $$"""{"type": "fixed-length-{{type}}", "length": {{length}}, "byte-order": "{{byteOrder}}"{{more}}}""");

    public static string Unsigned(int length, string more = "") => Bits("unsigned-integer", length, more);

    public static string DynamicText(string location, string encoding = "utf-8") =>
        $$"""{"type": "dynamic-length-string", "encoding": "{{encoding}}", "length-field-location": {{location}}}""";
}
