using Weir.Ctf;
using Xunit;

namespace Weir.Tests.Ctf;

public class TsdlWriterTests
{
    [Fact]
    public void What_is_written_is_read_back_as_the_same_schema()
    {
        var trace = new LttngTraceBuilder(2_600_000_001).Trace;
        string text = TsdlWriter.Write(trace);
        var read = MetadataReader.Read(text);
        AssertEqual(trace.PacketHeader, read.PacketHeader);
        Assert.Equal(trace.Uuid, read.Uuid);
        Assert.Equal(trace.Environment, read.Environment);
        Assert.Equal("a \"clock\"", read.ClockClasses[0].Description);
        Assert.Equal(2_600_000_001UL, read.ClockClasses[0].FrequencyHz);
        var stream = Assert.Single(read.DataStreamClasses);
        AssertEqual(trace.DataStreamClasses[0].PacketContext, stream.PacketContext);
        AssertEqual(trace.DataStreamClasses[0].EventHeader, stream.EventHeader);
        AssertEqual(trace.DataStreamClasses[0].EventCommonContext, stream.EventCommonContext);
        foreach (var written in trace.DataStreamClasses[0].EventRecordClasses)
        {
            var again = stream.FindEvent(written.Id)!;
            Assert.Equal((written.Name, written.LogLevel, written.EmfUri), (again.Name, again.LogLevel, again.EmfUri));
            AssertEqual(written.Payload, again.Payload);
        }
        Assert.Equal(text, TsdlWriter.Write(read));
    }

    [Fact]
    public void An_event_may_be_appended_to_metadata_that_was_written_before()
    {
        var builder = new LttngTraceBuilder();
        var text = new System.Text.StringBuilder(TsdlWriter.Write(builder.Trace));
        var late = new EventRecordClass { Id = 7, Name = "late:one", Payload = new StructureFieldClass([new("event", new StringFieldClass())]) };
        new TsdlWriter(builder.Trace, text).WriteEvent(builder.Stream, late);
        var read = MetadataReader.Read(text.ToString());
        Assert.Equal("event", read.DataStreamClasses[0].FindEvent(7)!.Payload!.Members[0].Name);
    }

    [Fact]
    public void Text_of_a_length_and_lengths_inside_options_are_written_as_TSDL_has_them()
    {
        var length = new FieldLocation(FieldScope.EventPayload, "v", "len");
        var selector = new IntegerFieldClass(8) { Mappings = [new EnumerationMapping("a", 0), new EnumerationMapping("b", 1)] };
        var option = new StructureFieldClass([new("len", new IntegerFieldClass(8)), new("text", new DynamicStringFieldClass(length))]);
        var payload = new StructureFieldClass(
        [
            new("tag", selector),
            new("name", new StaticStringFieldClass(16)),
            new("v", VariantFieldClass.ByLabel(new FieldLocation(FieldScope.EventPayload, "tag"), selector, new("a", option), new("b", new StringFieldClass()))),
        ]);
        var trace = new TraceClass();
        var stream = new DataStreamClass();
        stream.Add(new EventRecordClass { Name = "e", Payload = payload });
        trace.Add(stream);
        string text = TsdlWriter.Write(trace);
        var read = MetadataReader.Read(text).DataStreamClasses[0].EventRecordClasses[0].Payload!;
        Assert.Equal(16UL, ((StaticStringFieldClass)read.Members[1].Class).LengthBytes);
        var variant = (VariantFieldClass)read.Members[2].Class;
        Assert.Equal(length, ((DynamicStringFieldClass)((StructureFieldClass)variant.Options[0].Class).Members[1].Class).LengthLocation);
    }

    private static void AssertEqual(FieldClass? expected, FieldClass? actual)
    {
        Assert.Equal(expected?.GetType(), actual?.GetType());
        Assert.Equal(expected?.AlignmentBits, actual?.AlignmentBits);
        switch (expected)
        {
            case IntegerFieldClass integer:
                var other = (IntegerFieldClass)actual!;
                Assert.Equal(
                    (integer.SizeBits, integer.IsSigned, integer.ByteOrder, integer.DisplayBase, integer.Role, integer.MappedClock?.Name),
                    (other.SizeBits, other.IsSigned, other.ByteOrder, other.DisplayBase, other.Role, other.MappedClock?.Name));
                Assert.Equal(integer.Mappings?.Count, other.Mappings?.Count);
                for (int i = 0; i < integer.Mappings?.Count; i++)
                {
                    Assert.Equal(integer.Mappings[i].Label, other.Mappings![i].Label);
                    Assert.Equal(integer.Mappings[i].Ranges, other.Mappings[i].Ranges);
                }
                break;
            case StructureFieldClass structure:
                var members = ((StructureFieldClass)actual!).Members;
                Assert.Equal(structure.Members.Select(member => member.Name), members.Select(member => member.Name));
                for (int i = 0; i < members.Count; i++)
                    AssertEqual(structure.Members[i].Class, members[i].Class);
                break;
            case StaticArrayFieldClass array:
                Assert.Equal((array.Length, array.Role), (((StaticArrayFieldClass)actual!).Length, ((StaticArrayFieldClass)actual).Role));
                AssertEqual(array.Element, ((StaticArrayFieldClass)actual).Element);
                break;
            case DynamicArrayFieldClass array:
                Assert.Equal(array.LengthLocation, ((DynamicArrayFieldClass)actual!).LengthLocation);
                AssertEqual(array.Element, ((DynamicArrayFieldClass)actual).Element);
                break;
            case VariantFieldClass variant:
                var options = ((VariantFieldClass)actual!).Options;
                Assert.Equal(variant.SelectorLocation, ((VariantFieldClass)actual).SelectorLocation);
                for (int i = 0; i < variant.Options.Count; i++)
                {
                    Assert.Equal(variant.Options[i].Ranges, options[i].Ranges);
                    AssertEqual(variant.Options[i].Class, options[i].Class);
                }
                break;
        }
    }
}
