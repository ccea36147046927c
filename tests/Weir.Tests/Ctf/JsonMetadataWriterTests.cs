using System.Text.Json.Nodes;
using Weir.Ctf;
using Xunit;

namespace Weir.Tests.Ctf;

public class JsonMetadataWriterTests
{
    [Fact]
    public void What_is_written_reads_back_with_identities_clocks_and_attributes()
    {
        var clock = new ClockClass
        {
            Id = "c", Name = "", Uid = "u", Namespace = "n", Description = "\"words\"", FrequencyHz = 1000, PrecisionCycles = 3, AccuracyCycles = 4,
            OffsetSeconds = -5, OffsetCycles = 2001, Origin = new ClockOrigin(null, "boot", "1"), Attributes = new JsonObject { ["k"] = 1 },
        };
        var trace = new TraceClass { Uuid = LttngTraceBuilder.Uuid, Name = "t", Namespace = "space", Uid = "id", Attributes = new JsonObject { ["a"] = new JsonArray(1, "é") } };
        trace.Add(clock);
        trace.Add(new EnvironmentEntry("text", "v"));
        trace.Add(new EnvironmentEntry("number", long.MinValue));
        var stream = new DataStreamClass { Id = 4, DefaultClock = clock, EventHeader = new StructureFieldClass([new("id", new IntegerFieldClass(8) { Role = FieldRole.EventClassId })]) };
        stream.Add(new EventRecordClass { Id = 9, Name = "e", LogLevel = 13, EmfUri = "http://x/", Attributes = new JsonObject { ["mine"] = true } });
        trace.Add(stream);

        var read = MetadataReader.Read(JsonMetadataWriter.Write(trace));

        Assert.Equal((trace.Uuid, "t", "space", "id"), (read.Uuid, read.Name, read.Namespace, read.Uid));
        Assert.Equal("""{"a":[1,"é"]}""", read.Attributes!.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        Assert.Equal(trace.Environment, read.Environment);
        var readClock = Assert.Single(read.ClockClasses);
        Assert.Equal(("c", "", "u", "n", "\"words\"", 1000UL), (readClock.Id, readClock.Name, readClock.Uid, readClock.Namespace, readClock.Description, readClock.FrequencyHz));
        // More than a second in cycles becomes seconds.
        Assert.Equal((3UL, 4UL, -3L, 1UL, clock.Origin), (readClock.PrecisionCycles, readClock.AccuracyCycles, readClock.OffsetSeconds, readClock.OffsetCycles, readClock.Origin));
        var readEvent = read.FindStream(4)!.FindEvent(9)!;
        Assert.Equal(("e", 13, "http://x/"), (readEvent.Name, readEvent.LogLevel, readEvent.EmfUri));
        Assert.True(readEvent.Attributes!["mine"]!.GetValue<bool>());
        Assert.Equal(read.ClockClasses[0], read.FindStream(4)!.DefaultClock);
    }
}
