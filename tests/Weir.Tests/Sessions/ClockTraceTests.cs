using Weir.Clock;
using Weir.Graph;
using Weir.Sessions;
using Weir.Tests.Ctf;
using Weir.Tracing;
using Xunit;

namespace Weir.Tests.Sessions;

public sealed class ClockTraceTests
{
    private const long Second = 1_000_000_000;

    /// <summary>A clock of 2.5 GHz that began 1000 s after 1970.</summary>
    internal static readonly SessionDescription Session = new()
    {
        Clock = ClockKind.Counter,
        Correlation = new ClockCorrelation(2_500_000_000, 1000, 7),
    };

    internal static ClockSample At(double seconds, long realtimeOffset = 1000 * Second) => new(
        (ulong)(seconds * 2.5e9), (long)(seconds * Second), (long)(seconds * Second) + realtimeOffset, 50, 20);

    [Fact]
    public void What_was_written_is_read_whenever_it_is_read()
    {
        using var place = new Place();
        string directory = place.In("clock");
        using var trace = new ClockTrace(directory, Session);
        var written = new List<ClockSample>();
        for (int i = 1; i <= 300; i++)
        {
            var sample = At(i) with { UncertaintyCycles = (ulong)i };
            trace.Add(sample);
            written.Add(sample);
            if (i is 1 or 2 or > 90 and < 100 or 300)
                Assert.Equal(written, Read(directory).Conversion!.Samples);
        }
        // Some packets were filled, and nothing but their last lies in each.
        Assert.InRange(new FileInfo(Path.Combine(directory, "stream")).Length, 4 * 4096, 5 * 4096);
        Assert.Null(Read(directory).Skew);
    }

    [Fact]
    public void The_skew_is_read_as_it_was_written()
    {
        using var place = new Place();
        using var trace = new ClockTrace(place.In("clock"), Session);
        trace.AddSkew(5, 2, new CpuOffset(2, 0, 0, 0));
        trace.AddSkew(5, 2, new CpuOffset(3, -400, 250, 100));
        trace.AddSkew(6, 2, new CpuOffset(0, long.MinValue, long.MaxValue, 100));
        var skew = Read(place.In("clock")).Skew!;
        Assert.Equal(2, skew.ReferenceCpu);
        Assert.Equal([(3, -400L, 250L), (0, long.MinValue, long.MaxValue)], skew.Offsets.Select(offset => (offset.Cpu, offset.LeastCycles, offset.MostCycles)));
        Assert.False(skew.TryBound(2, 7, out _, out _));
        Assert.True(skew.TryBound(0, 3, out long least, out long most));
        Assert.Equal((long.MinValue, long.MaxValue), (least, most));
    }

    [Fact]
    public void Babeltrace_and_convert_print_the_same_lines_of_it_and_of_what_lies_beside()
    {
        Babeltrace.SkipIfMissing();
        using var place = new Place();
        using (var trace = new ClockTrace(place.In("out/clock"), Session))
        {
            trace.AddSkew(At(1).Cycles, 0, new CpuOffset(1, -300, 200, 5));
            trace.Add(At(1));
            trace.AddStep(At(2).Cycles, -5_000_000_000);
            trace.Add(At(2, 995 * Second));
            for (int i = 3; i < 200; i++)
                trace.Add(At(i, 995 * Second));
            trace.WriteMetadata(Session.Correlation);
        }
        var builder = new LttngTraceBuilder(clock: TraceMetadata.CreateClock(Session));
        builder.WriteTo(place.In("out/ust"), builder.Packet(0, 0, At(1).Cycles, At(99).Cycles, 8, (At(1.5).Cycles, 1, 3), (At(2).Cycles, 1, 4), (At(50.1).Cycles, 1, 5)));
        var expected = place.Run(["babeltrace2", "--no-delta", place.In("out")]);
        var actual = place.Run([Place.Weir, "convert", "--no-delta", place.In("out")]);
        Assert.Equal((0, 0, ""), (expected.Status, actual.Status, actual.Error));
        // Which of two traces comes first at the same time is another matter in babeltrace2 2.0 and 2.1.
        Assert.Equal(expected.Output.Split('\n').Order(StringComparer.Ordinal), actual.Output.Split('\n').Order(StringComparer.Ordinal));
        string[] lines = actual.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(204, lines.Length);
        Assert.Contains("weir_clock:skew: { cpu = 1, reference_cpu = 0, least_cycles = -300, most_cycles = 200 }", lines[0], StringComparison.Ordinal);
        Assert.Contains("weir_clock:sample: { monotonic_ns = 1000000000, realtime_ns = 1001000000000, uncertainty_cycles = 50, realtime_uncertainty_ns = 20 }", lines[1], StringComparison.Ordinal);
        Assert.Contains("weir_clock:realtime_step: { delta_ns = -5000000000 }", string.Join('\n', lines[2..6]), StringComparison.Ordinal);
    }

    private static KnownClock Read(string directory)
    {
        var source = CtfFsSource.Open([directory], new CtfFsOptions());
        var table = ClockTable.Read(source, new CtfFsOptions());
        var iterators = source.CreateIterators();
        try
        {
            return table.Find(iterators[0].Next()[0].Stream)!;
        }
        finally
        {
            foreach (var iterator in iterators)
                iterator.Dispose();
        }
    }
}
