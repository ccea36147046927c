using Weir.Clock;
using Weir.Ctf;

namespace LargeHeaders;

/// <summary>Describes the trace.</summary>
internal static class Metadata
{
    public static string Write(Guid uuid, ClockCorrelation correlation, IEnumerable<uint> ids)
    {
        var clock = new ClockClass
        {
            Name = "monotonic",
            FrequencyHz = correlation.FrequencyHz,
            OffsetSeconds = correlation.OffsetSeconds,
            OffsetCycles = correlation.OffsetCycles,
            IsAbsolute = true,
        };
        var trace = LttngLayout.CreateTrace(uuid, clock, new EnvironmentEntry("hostname", Environment.MachineName), new EnvironmentEntry("domain", "ust"));
        var stream = LttngLayout.CreateStream(0, clock, eventHeader: LttngEventHeader.Large);
        foreach (uint id in ids)
        {
            stream.Add(new EventRecordClass
            {
                Id = id,
                Name = $"kind:{id}",
                Payload = new StructureFieldClass([new("worker", new IntegerFieldClass(32)), new("round", new IntegerFieldClass(32))]),
            });
        }
        trace.Add(stream);
        return TsdlWriter.Write(trace);
    }
}
