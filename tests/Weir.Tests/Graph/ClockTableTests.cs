using System.Globalization;
using System.Text;
using Weir.Clock;
using Weir.Ctf;
using Weir.Graph;
using Weir.Sessions;
using Weir.Tests.Ctf;
using Weir.Tests.Sessions;
using Weir.Tracing;
using Xunit;

namespace Weir.Tests.Graph;

/// <summary>Text by the samples that a trace has stored: the kernel's clocks and the order of events.</summary>
public sealed class ClockTableTests
{
    private const long Second = 1_000_000_000;

    private static ulong Cycles(double seconds) => ClockTraceTests.At(seconds).Cycles;

    private static LttngTraceBuilder Builder() => new(clock: TraceMetadata.CreateClock(ClockTraceTests.Session));

    private static string[] Convert(Place place, PrettyOptions options, CtfFsOptions? clock = null)
    {
        clock ??= new CtfFsOptions();
        using var output = new MemoryStream();
        var source = CtfFsSource.Open([place.Directory], clock);
        using var sink = new PrettySink(output, TextWriter.Null, options, ClockTable.Read(source, clock));
        using var muxer = new Muxer(source.CreateIterators());
        for (var batch = muxer.Next(); batch.Count > 0; batch = muxer.Next())
            sink.Consume(batch);
        sink.Flush();
        return [.. Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line.Contains("test:", StringComparison.Ordinal))];
    }

    private static void WriteClock(Place place, params ClockSample[] samples)
    {
        using var trace = new ClockTrace(place.In("clock"), ClockTraceTests.Session);
        trace.AddSkew(samples[0].Cycles, 0, new CpuOffset(0, 0, 0, 0));
        trace.AddSkew(samples[0].Cycles, 0, new CpuOffset(1, -500, 250, 100));
        foreach (var sample in samples)
            trace.Add(sample);
    }

    [Fact]
    public void A_step_shows_in_the_real_time_and_nowhere_else()
    {
        using var place = new Place();
        // The frequency of the clock class is 100 ppm wrong from 12 s on, and at 13 s the clock was set back by a minute.
        ClockSample Late(double seconds, long offset) =>
            ClockTraceTests.At(seconds, offset) with { Cycles = Cycles(12) + (ulong)((seconds - 12) * 2.5e9 * 1.0001) };
        const long Before = 1000 * Second;
        const long After = 940 * Second;
        WriteClock(place, ClockTraceTests.At(11), ClockTraceTests.At(12), Late(13, Before), Late(13.0001, After), Late(14, After));
        var builder = Builder();
        // None at the time of a sample, which would be printed before or after it as the traces' UUIDs say.
        ulong[] times = [Cycles(11.5), Late(12.25, Before).Cycles, Late(12.75, Before).Cycles, Late(13.25, After).Cycles, Late(13.75, After).Cycles];
        builder.WriteTo(place.In("ust"), builder.Packet(0, 0, times[0], times[^1], 0, [.. times.Select((time, i) => (time, 1, (long)i))]));

        string[] realtime = Convert(place, new PrettyOptions { Times = PrettyTimes.Realtime, ClockSeconds = true });
        Assert.Equal(["1011.500", "1012.250", "1012.750", "953.250", "953.750"], realtime.Select(Time));
        Assert.Equal(["+0.500", "+0.250", "+0.500", "+0.250", "+0.500"], realtime.Select(Delta));
        string[] monotonic = Convert(place, new PrettyOptions { Times = PrettyTimes.Monotonic, ClockSeconds = true });
        Assert.Equal(["11.500", "12.250", "12.750", "13.250", "13.750"], monotonic.Select(Time));
        Assert.Equal(realtime.Select(Delta), monotonic.Select(Delta));
        string[] shifted = Convert(place, new PrettyOptions { Times = PrettyTimes.Realtime, ClockSeconds = true }, new CtfFsOptions { Clocks = new ClockAdjustment { OffsetSeconds = 5 } });
        Assert.Equal("1016.500", Time(shifted[0]));
        // The clock class goes on in a straight line, in the same order.
        Assert.Equal(["1011.500", "1012.250", "1012.750", "1013.250", "1013.750"], Convert(place, new PrettyOptions { ClockSeconds = true }).Select(Time));
    }

    [Fact]
    public void Events_that_cannot_be_told_apart_are_marked_with_the_distance_that_can()
    {
        using var place = new Place();
        WriteClock(place, ClockTraceTests.At(1), ClockTraceTests.At(2));
        var builder = Builder();
        // Kind 0 is of thread 7, kind 1 of thread 8. CPU 1 is 500 cycles behind (200 ns) to 250 ahead (100 ns).
        builder.WriteTo(
            place.In("ust"),
            builder.Packet(0, 0, 1000, 100_000, 0, (10_000, 1, 0), (10_000, 1, 1), (20_250, 0, 4), (30_000, 1, 5), (50_000, 1, 7), (60_500, 1, 10), (70_501, 1, 12)),
            builder.Packet(1, 1, 1000, 100_000, 0, (20_000, 1, 2), (20_000, 0, 3), (30_251, 0, 6), (50_250, 0, 8), (60_000, 0, 9), (70_000, 0, 11)));
        string[] lines = Convert(place, new PrettyOptions { ShowOrder = true });
        Assert.Equal(
            ["0", "1", "2", "3", "4", "5", "6", "7", "8 (?100ns)", "9", "10 (?200ns)", "11", "12"], lines.Select(Summary));
        // The same without marks, when they are not asked for.
        Assert.Equal(lines.Select(line => line.Replace(" (?100ns)", "", StringComparison.Ordinal).Replace(" (?200ns)", "", StringComparison.Ordinal)), Convert(place, new PrettyOptions()));
    }

    [Fact]
    public void Clocks_that_nothing_relates_have_no_bound()
    {
        using var place = new Place();
        WriteClock(place, ClockTraceTests.At(1), ClockTraceTests.At(2));
        var here = Builder();
        here.WriteTo(place.In("here"), here.Packet(0, 0, Cycles(1), Cycles(2), 0, (Cycles(1.2), 1, 0), (Cycles(1.8), 1, 2)));
        var other = new LttngTraceBuilder(clock: new ClockClass { Name = "cpu_counter", Uuid = Guid.NewGuid(), IsAbsolute = true, OffsetSeconds = 1000 });
        byte[] packet = other.Packet(0, 0, 1_000_000_000, 2_000_000_000, 0, (1_500_000_000, 1, 1), (1_600_000_000, 1, 2));
        // Another trace, so another UUID.
        byte[] bytes = Guid.NewGuid().ToByteArray();
        bytes.CopyTo(packet, 4);
        other.WriteTo(place.In("other"), packet);
        string metadata = File.ReadAllText(place.In("other/metadata"));
        File.WriteAllText(place.In("other/metadata"), metadata.Replace(LttngTraceBuilder.Uuid.ToString(), new Guid(bytes, bigEndian: true).ToString(), StringComparison.Ordinal));
        Assert.Equal(["0", "1 (?)", "2", "2 (?)"], Convert(place, new PrettyOptions { ShowOrder = true }).Select(Summary));
    }

    [Fact]
    public void The_kernels_clock_and_the_counter_of_one_machine_meet_in_the_kernels()
    {
        using var place = new Place();
        WriteClock(place, ClockTraceTests.At(1), ClockTraceTests.At(2));
        var counter = TraceMetadata.CreateClock(ClockTraceTests.Session);
        var here = Builder();
        here.WriteTo(place.In("here"), here.Packet(0, 0, Cycles(1), Cycles(2), 0, (Cycles(1.2), 1, 0), (Cycles(1.8), 1, 3)));
        var kernel = new LttngTraceBuilder(clock: new ClockClass { Name = "monotonic", Uuid = counter.Uuid, IsAbsolute = true, OffsetSeconds = 1000 });
        byte[] packet = kernel.Packet(0, 1, 1_000_000_000, 2_000_000_000, 0, (1_200_000_005, 1, 1), (1_500_000_000, 1, 2));
        byte[] bytes = Guid.NewGuid().ToByteArray();
        bytes.CopyTo(packet, 4);
        kernel.WriteTo(place.In("kernel"), packet);
        string metadata = File.ReadAllText(place.In("kernel/metadata"));
        File.WriteAllText(place.In("kernel/metadata"), metadata.Replace(LttngTraceBuilder.Uuid.ToString(), new Guid(bytes, bigEndian: true).ToString(), StringComparison.Ordinal));
        string[] lines = [.. Convert(place, new PrettyOptions { ShowOrder = true }).Select(Summary)];
        // 5 ns apart, with half a bracket of 20 ns.
        Assert.Matches(@"^1 \(\?1[0-3]ns\)$", lines[1]);
        Assert.Equal(["0", "2", "3"], [lines[0], lines[2], lines[3]]);
    }

    [Fact]
    public void Samples_that_cannot_be_are_an_error_that_names_the_stream()
    {
        using var place = new Place();
        WriteClock(place, ClockTraceTests.At(1), ClockTraceTests.At(2) with { MonotonicNs = 5 });
        var source = CtfFsSource.Open([place.Directory], new CtfFsOptions());
        var error = Assert.Throws<TraceReadException>(() => ClockTable.Read(source, new CtfFsOptions()));
        Assert.Contains("clock/stream: the samples of the clock cannot be right", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Recordings_of_one_time_have_one_conversion()
    {
        using var place = new Place();
        foreach (string name in new[] { "a", "b" })
        {
            using var trace = new ClockTrace(place.In(name + "/clock"), ClockTraceTests.Session);
            for (int i = 1; i < 10; i++)
            {
                // Taken at once, but for some cycles, and within the brackets the other way round.
                var sample = ClockTraceTests.At(i);
                trace.Add(name == "a" ? sample : sample with { Cycles = sample.Cycles + 5, MonotonicNs = sample.MonotonicNs - 3, RealtimeNs = sample.RealtimeNs - 3 });
            }
        }
        var builder = Builder();
        builder.WriteTo(place.In("ust"), builder.Packet(0, 0, Cycles(1), Cycles(9), 0, (Cycles(4.5), 1, 1)));
        Assert.Equal("4.500", Time(Assert.Single(Convert(place, new PrettyOptions { Times = PrettyTimes.Monotonic, ClockSeconds = true }))));
    }

    [Fact]
    public void An_event_of_that_name_with_other_fields_is_an_error()
    {
        using var place = new Place();
        var builder = Builder();
        builder.WriteTo(place.In("ust"), builder.Packet(0, 0, 100, 200, 0, (150, 0, 1)));
        string metadata = File.ReadAllText(place.In("ust/metadata"));
        File.WriteAllText(place.In("ust/metadata"), metadata.Replace("test:number", "weir_clock:sample", StringComparison.Ordinal));
        var source = CtfFsSource.Open([place.Directory], new CtfFsOptions());
        var error = Assert.Throws<TraceReadException>(() => ClockTable.Read(source, new CtfFsOptions()));
        Assert.Contains("does not have the integers monotonic_ns", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Changed_bytes_give_an_error_or_text_and_nothing_else()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        using var place = new Place();
        WriteClock(place, ClockTraceTests.At(1), ClockTraceTests.At(2), ClockTraceTests.At(3));
        var builder = Builder();
        builder.WriteTo(place.In("ust"), builder.Packet(0, 0, Cycles(1), Cycles(3), 0, (Cycles(1.5), 1, 1), (Cycles(2.5), 0, 2)));
        byte[] good = File.ReadAllBytes(place.In("clock/stream"));
        for (int i = 0; i < 200; i++)
        {
            byte[] bad = [.. good];
            for (int k = 0; k < 3; k++)
                bad[random.Next(400)] = (byte)random.Next(256);
            File.WriteAllBytes(place.In("clock/stream"), bad);
            try
            {
                Convert(place, new PrettyOptions { Times = PrettyTimes.Realtime, ShowOrder = true });
            }
            catch (TraceReadException)
            {
                // That is what it is for.
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}: {e}");
            }
        }
    }

    [Fact]
    public void Without_samples_the_kernels_clocks_cannot_be_had()
    {
        using var place = new Place();
        var builder = Builder();
        builder.WriteTo(place.In("ust"), builder.Packet(0, 0, 100, 200, 0, (150, 0, 1)));
        var error = Assert.Throws<TraceReadException>(() => Convert(place, new PrettyOptions { Times = PrettyTimes.Monotonic }));
        Assert.Contains("no samples of this stream's clock", error.Message, StringComparison.Ordinal);
        Assert.Single(Convert(place, new PrettyOptions { ShowOrder = true }));
    }

    /// <summary>To a millisecond, rounded.</summary>
    private static string Time(string line) => Rounded(line[1..line.IndexOf(']', StringComparison.Ordinal)]);

    private static string Delta(string line)
    {
        int begin = line.IndexOf('(', StringComparison.Ordinal);
        return "+" + Rounded(line[(begin + 2)..line.IndexOf(')', StringComparison.Ordinal)]);
    }

    private static string Rounded(string seconds) =>
        decimal.Parse(seconds, CultureInfo.InvariantCulture).ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>The number of an event (as it was made: of kind 1 it is in its text), and its mark.</summary>
    private static string Summary(string line)
    {
        string mark = System.Text.RegularExpressions.Regex.Match(line, @"\((\?\d*(ns)?|<)\) ").Value.TrimEnd();
        string number = System.Text.RegularExpressions.Regex.Match(line, @"(value = |""text )(-?\d+)").Groups[2].Value;
        return mark.Length == 0 ? number : $"{number} {mark}";
    }
}
