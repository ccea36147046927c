using Weir.Ctf;
using Xunit;

namespace Weir.Tests.Ctf.Json;

public class JsonMetadataTests
{
    [Fact]
    public void Every_fragment_is_read()
    {
        var trace = MetadataReader.Read(Ctf2Text.Metadata(
            """{"type": "preamble", "version": 2, "uuid": [0, 17, 34, 51, 68, 85, 102, 119, 136, 153, 170, 187, 204, 221, 238, 255]}""",
            """{"type": "field-class-alias", "name": "u8", "field-class": {"type": "fixed-length-unsigned-integer", "length": 8, "byte-order": "big-endian"}}""",
            """{"type": "field-class-alias", "name": "byte", "field-class": "u8"}""",
            """{"type": "trace-class", "namespace": "ns", "name": "t", "uid": "1", "environment": {"a": -5, "b": "x"}, "packet-header-field-class": {"type": "structure", "member-classes": [{"name": "m", "field-class": {"type": "fixed-length-unsigned-integer", "length": 32, "byte-order": "little-endian", "roles": ["packet-magic-number"]}}, {"name": "u", "field-class": {"type": "static-length-blob", "length": 16, "roles": ["metadata-stream-uuid"]}}]}}""",
            """{"type": "clock-class", "id": "c", "name": "n", "namespace": "cn", "uid": "cu", "frequency": 1000, "precision": 1, "accuracy": 2, "description": "d", "offset-from-origin": {"seconds": -3, "cycles": 4}, "origin": {"name": "o", "uid": "ou"}, "attributes": {"my": [1, {"x": null}]}}""",
            """{"type": "data-stream-class", "id": 3, "name": "s", "namespace": "sn", "uid": "su", "default-clock-class-id": "c", "packet-context-field-class": {"type": "structure", "member-classes": [{"name": "l", "field-class": {"type": "variable-length-unsigned-integer", "roles": ["packet-end-default-clock-timestamp", "default-clock-timestamp", "packet-sequence-number"]}}]}, "event-record-header-field-class": {"type": "structure", "member-classes": [{"name": "i", "field-class": {"type": "fixed-length-unsigned-integer", "length": 8, "byte-order": "little-endian", "roles": ["event-record-class-id"]}}, {"name": "t", "field-class": {"type": "variable-length-unsigned-integer", "roles": ["default-clock-timestamp"]}}]}}""",
            """{"type": "event-record-class", "id": 7, "data-stream-class-id": 3, "name": "e", "namespace": "en", "uid": "eu", "payload-field-class": {"type": "structure", "member-classes": [{"name": "b", "field-class": "byte", "attributes": {"x": 1}}]}, "attributes": {"babeltrace.org,2020": {"log-level": "debug:line", "emf-uri": "u"}}}"""));

        Assert.Equal((2, "ns", "t", "1"), (trace.CtfVersion, trace.Namespace, trace.Name, trace.Uid));
        Assert.Equal(Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"), trace.Uuid);
        Assert.Equal([new EnvironmentEntry("a", -5), new EnvironmentEntry("b", "x")], trace.Environment);
        var clock = Assert.Single(trace.ClockClasses);
        Assert.Equal(("c", "n", "cn", "cu", "d"), (clock.Id, clock.Name, clock.Namespace, clock.Uid, clock.Description));
        Assert.Equal((1000UL, 1UL, 2UL, -3L, 4UL), (clock.FrequencyHz, clock.PrecisionCycles, clock.AccuracyCycles, clock.OffsetSeconds, clock.OffsetCycles));
        Assert.Equal(new ClockOrigin(null, "o", "ou"), clock.Origin);
        Assert.Equal("""{"my":[1,{"x":null}]}""", clock.Attributes!.ToJsonString());
        var stream = trace.FindStream(3)!;
        Assert.Equal(("s", "sn", "su"), (stream.Name, stream.Namespace, stream.Uid));
        Assert.Same(clock, stream.DefaultClock);
        var snapshot = (IntegerFieldClass)stream.PacketContext!.Members[0].Class;
        Assert.Equal((FieldRole.PacketBeginTime, true), (snapshot.Role, snapshot.IsVariableLength));
        Assert.Equal([FieldRole.PacketEndTime, FieldRole.PacketSequenceNumber], snapshot.OtherRoles);
        Assert.Same(clock, ((IntegerFieldClass)stream.EventHeader!.Members[1].Class).MappedClock);
        var record = stream.FindEvent(7)!;
        Assert.Equal(("e", "en", "eu", 13, "u"), (record.Name, record.Namespace, record.Uid, record.LogLevel, record.EmfUri));
        Assert.Equal(ByteOrder.BigEndian, ((IntegerFieldClass)record.Payload!.Members[0].Class).ByteOrder);
        Assert.Equal(1, (int)record.Payload.Members[0].Attributes!["x"]!);
    }

    [Fact]
    public void A_location_without_origin_begins_in_its_structure_and_goes_out_by_null()
    {
        string inner = Ctf2Text.Structure(("text", Ctf2Text.DynamicText("""{"path": [null, "lengths", null, "lengths", "n"]}""")));
        var trace = MetadataReader.Read(Ctf2Text.Payload(
            ("lengths", Ctf2Text.Structure(("n", Ctf2Text.Unsigned(8)))),
            ("list", $$"""{"type": "static-length-array", "length": 2, "element-field-class": {{inner}}}""")));
        var array = (StaticArrayFieldClass)trace.DataStreamClasses[0].EventRecordClasses[0].Payload!.Members[1].Class;
        var text = (DynamicStringFieldClass)((StructureFieldClass)array.Element).Members[0].Class;
        Assert.Equal(new FieldLocation(FieldScope.EventPayload, "lengths", "n"), text.LengthLocation);
    }

    [Theory]
    [InlineData("""{"path": ["later"]}""", "no field 'later' stands before")]
    [InlineData("""{"path": ["text"]}""", "no field 'text' stands before")]
    [InlineData("""{"path": [null, "n"]}""", "no structure around")]
    [InlineData("""{"path": []}""", "at least one name")]
    [InlineData("""{"path": ["n", null]}""", "ends with a name")]
    [InlineData("""{"path": [1]}""", "a text or null")]
    [InlineData("""{"path": ["signed"]}""", "no unsigned integer")]
    [InlineData("""{"path": ["flag"]}""", "no unsigned integer")]
    [InlineData("""{"path": ["list"]}""", "inside an array")]
    [InlineData("""{"path": ["n", "x"]}""", "has no members")]
    [InlineData("""{"path": ["n"], "origin": "packet-header"}""", "no such scope")]
    [InlineData("""{"path": ["n"], "origin": "elsewhere"}""", "expected one of packet-header")]
    [InlineData("""{"path": ["n"], "more": 1}""", "not known here")]
    [InlineData(""" "n" """, "expected an object")]
    public void A_location_that_means_nothing_is_an_error(string location, string expected)
    {
        string metadata = Ctf2Text.Payload(
            ("n", Ctf2Text.Unsigned(8)),
            ("signed", Ctf2Text.Bits("signed-integer", 8)),
            ("flag", Ctf2Text.Bits("boolean", 8)),
            ("list", $$"""{"type": "static-length-array", "length": 2, "element-field-class": {{Ctf2Text.Unsigned(8)}}}"""),
            ("text", Ctf2Text.DynamicText(location)),
            ("later", Ctf2Text.Unsigned(8)));
        AssertBad(metadata, expected);
    }

    [Theory]
    [InlineData("""{"type": "optional", "selector-field-location": {"path": ["n"]}, "field-class": "u8"}""", "selector-field-ranges")]
    [InlineData("""{"type": "optional", "selector-field-location": {"path": ["flag"]}, "selector-field-ranges": [[1, 1]], "field-class": "u8"}""", "has no ranges")]
    [InlineData("""{"type": "variant", "selector-field-location": {"path": ["flag"]}, "options": [{"field-class": "u8", "selector-field-ranges": [[1, 1]]}]}""", "is an integer")]
    [InlineData("""{"type": "variant", "selector-field-location": {"path": ["n"]}, "options": []}""", "at least one option")]
    [InlineData("""{"type": "variant", "selector-field-location": {"path": ["n"]}, "options": [{"field-class": "u8", "selector-field-ranges": [[1, 5], [20, 20]]}, {"field-class": "u8", "selector-field-ranges": [[6, 7], [3, 4]]}]}""", "overlap")]
    [InlineData("""{"type": "variant", "selector-field-location": {"path": ["n"]}, "options": [{"field-class": "u8", "selector-field-ranges": [[-1, 5]]}]}""", "not negative")]
    [InlineData("""{"type": "variant", "selector-field-location": {"path": ["n"]}, "options": [{"field-class": "u8", "selector-field-ranges": [[5, 1]]}]}""", "ends before it begins")]
    [InlineData("""{"type": "fixed-length-bit-map", "length": 8, "byte-order": "little-endian", "flags": {}}""", "at least one flag")]
    [InlineData("""{"type": "fixed-length-bit-map", "length": 8, "byte-order": "little-endian", "flags": {"a": [[0, 8]]}}""", "no bit 8")]
    [InlineData("""{"type": "fixed-length-floating-point-number", "length": 16, "byte-order": "little-endian"}""", "32 or 64")]
    [InlineData("""{"type": "fixed-length-unsigned-integer", "length": 65, "byte-order": "little-endian"}""", "1 to 64")]
    [InlineData("""{"type": "fixed-length-unsigned-integer", "length": 8, "byte-order": "little-endian", "roles": ["packet-total-length"]}""", "packet context only")]
    [InlineData("""{"type": "fixed-length-signed-integer", "length": 8, "byte-order": "little-endian", "roles": []}""", "not known here")]
    [InlineData("""{"type": "structure", "member-classes": [{"name": "a", "field-class": "u8"}, {"name": "a", "field-class": "u8"}]}""", "named 'a'")]
    [InlineData("""{"type": "structure", "minimum-alignment": 3}""", "power of two")]
    [InlineData("""{"type": "null-terminated-string", "extensions": {"x": {}}}""", "extension")]
    [InlineData("\"u9\"", "no alias")]
    public void A_field_class_against_the_rules_is_an_error(string fieldClass, string expected)
    {
        string payload = Ctf2Text.Structure(("n", Ctf2Text.Unsigned(8)), ("flag", Ctf2Text.Bits("boolean", 8)), ("x", fieldClass));
        string metadata = Ctf2Text.Metadata(
            Ctf2Text.Preamble,
            $$"""{"type": "field-class-alias", "name": "u8", "field-class": {{Ctf2Text.Unsigned(8)}}}""",
            Ctf2Text.Stream,
            Ctf2Text.Event(payload));
        AssertBad(metadata, expected);
    }

    [Fact]
    public void An_error_says_where_it_is()
    {
        string metadata = Ctf2Text.Payload(("a", Ctf2Text.Unsigned(8)), ("b", Ctf2Text.Unsigned(0)));
        var error = Assert.Throws<CtfMetadataException>(() => MetadataReader.Read(metadata));
        Assert.Equal(3, error.Line);
        Assert.Equal(metadata.Split('\n')[2].IndexOf("\"length\": 0", StringComparison.Ordinal) + "\"length\": ".Length + 1, error.Column);
        Assert.Contains("fragment 3 (event-record-class): payload-field-class.member-classes[1].field-class.length:", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\u001e{}")]
    [InlineData("\u001e\n\u001e{\"type\": \"preamble\", \"version\": 2}")]
    [InlineData("\u001e{\"type\": \"data-stream-class\"}")]
    [InlineData("\u001e{\"type\": \"preamble\", \"version\": 2}")]
    [InlineData("\u001e{\"type\": \"preamble\", \"version\": 2, \"version\": 2}\u001e{\"type\": \"data-stream-class\"}")]
    [InlineData("\u001e{\"type\": \"preamble\", \"version\": 3}\u001e{\"type\": \"data-stream-class\"}")]
    [InlineData("\u001e{\"type\": \"preamble\", \"version\": 2}\u001e{\"type\": \"data-stream-class\"}\u001e{\"type\": \"trace-class\"}")]
    [InlineData("\u001e{\"type\": \"preamble\", \"version\": 2}\u001e{\"type\": \"data-stream-class\"}\u001e{\"type\": \"data-stream-class\"}")]
    [InlineData("\u001e{\"type\": \"preamble\", \"version\": 2}\u001e{\"type\": \"data-stream-class\", \"default-clock-class-id\": \"c\"}")]
    [InlineData("\u001e{\"type\": \"preamble\", \"version\": 2}\u001e{\"type\": \"event-record-class\"}")]
    public void Fragments_out_of_order_are_an_error(string metadata) => Assert.Throws<CtfMetadataException>(() => MetadataReader.Read(metadata));

    [Fact]
    public void Aliases_that_double_at_each_step_are_an_error()
    {
        var fragments = new List<string> { Ctf2Text.Preamble, $$"""{"type": "field-class-alias", "name": "a0", "field-class": {{Ctf2Text.Unsigned(8)}}}""" };
        for (int i = 1; i < 60; i++)
            fragments.Add($$"""{"type": "field-class-alias", "name": "a{{i}}", "field-class": {{Ctf2Text.Structure(("x", $"\"a{i - 1}\""), ("y", $"\"a{i - 1}\""))}}}""");
        fragments.AddRange([Ctf2Text.Stream, Ctf2Text.Event("\"a59\"")]);
        AssertBad(Ctf2Text.Metadata([.. fragments]), "more than");
    }

    [Theory]
    [InlineData(100, true)]
    [InlineData(200, false)]
    public void Nesting_has_a_limit(int depth, bool isGood)
    {
        string nested = Ctf2Text.Unsigned(8);
        for (int i = 0; i < depth; i++)
            nested = Ctf2Text.Structure(("x", nested));
        string metadata = Ctf2Text.Metadata(Ctf2Text.Preamble, Ctf2Text.Stream, Ctf2Text.Event(nested));
        if (isGood)
            MetadataReader.Read(metadata);
        else
            AssertBad(metadata, "nested deeper");
    }

    private static void AssertBad(string metadata, string expected) =>
        Assert.Contains(expected, Assert.Throws<CtfMetadataException>(() => MetadataReader.Read(metadata)).Message, StringComparison.Ordinal);
}
