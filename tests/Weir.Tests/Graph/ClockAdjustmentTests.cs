using System.Text.Json.Nodes;
using Weir.Ctf;
using Weir.Graph;
using Weir.Tests.Graph.Sources;
using Xunit;

namespace Weir.Tests.Graph;

/// <summary>Every source that has a clock can move it, with the same parameters.</summary>
public sealed class ClockAdjustmentTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("weir-clocks-").FullName;

    public static TheoryData<string> Formats => ["trace-cmd", "perf", "nettrace", "json", "dmesg"];

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [MemberData(nameof(Formats))]
    public void Times_move_and_the_origin_becomes_the_Epoch(string format)
    {
        string path = Path.Combine(_directory, "input");
        File.WriteAllBytes(path, Sample(format));
        var source = format == "dmesg" ? DmesgSource.Class : Components.InputFormats[format];
        Assert.True(source.AdjustsClocks);
        var (before, _, lossEnd) = Read(source, path, []);
        Assert.NotEmpty(before);
        var (after, areAbsolute, movedLossEnd) = Read(source, path, new JsonObject
        {
            ["clock-class-offset-s"] = 5, ["clock-class-offset-ns"] = -1000, ["force-clock-class-origin-unix-epoch"] = true,
        });
        Assert.Equal(before.Select(time => time + 4_999_999_000), after);
        Assert.Equal(lossEnd + 4_999_999_000, movedLossEnd);
        Assert.True(areAbsolute);
        Assert.Throws<TraceReadException>(() => Read(source, path, new JsonObject { ["clock-class-offset-s"] = long.MaxValue / 2 }));
        Assert.Throws<ComponentParameterException>(() => Read(source, path, new JsonObject { ["clock-class-offset-s"] = "5" }));
    }

    private static byte[] Sample(string format) => format switch
    {
        "trace-cmd" => FtraceDatSourceTests.Sample(6, ByteOrder.LittleEndian, 8, "none").Build(),
        "perf" => PerfDataSourceTests.Sample(ByteOrder.LittleEndian, isPipe: false).Build(),
        "nettrace" => NettraceBuilder.CreateVersion6(),
        "json" => """
            {"time":7,"name":"a"}
            {"kind":"discarded_events","time":8,"end_time":9,"count":3}

            """u8.ToArray(),
        _ => "[    1.500000] a\n[    2.500000] b\n"u8.ToArray(),
    };

    private static (List<long> Times, bool AreAbsolute, long? LossEnd) Read(SourceClass source, string path, JsonObject parameters)
    {
        parameters["inputs"] = new JsonArray(path);
        List<long> times = [];
        bool areAbsolute = true;
        long? lossEnd = null;
        using var created = source.Create(new ComponentContext { Name = "source", Parameters = parameters });
        for (int i = 0; i < created.Outputs.Count; i++)
        {
            using var messages = created.CreateIterator(i);
            for (var batch = messages.Next(); batch.Count > 0; batch = messages.Next())
            {
                foreach (ref readonly var message in batch.AsSpan())
                {
                    if (message.HasTime)
                        times.Add(message.TimeNs);
                    areAbsolute &= message.Stream.IsClockAbsolute;
                    if (message.Kind == MessageKind.DiscardedEvents)
                        lossEnd = message.EndTimeNs;
                }
            }
        }
        return (times, areAbsolute, lossEnd);
    }
}
