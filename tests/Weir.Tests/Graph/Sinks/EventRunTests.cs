using System.Text.Json.Nodes;
using CsCheck;
using Weir.Graph;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Graph.Sinks;

/// <summary>What sinks make of runs of events is what they make of single ones.</summary>
public class EventRunTests
{
    /// <summary>Random traces, with bytes changed, files cut, and packets that do not say when they begin.</summary>
    [Theory]
    [InlineData("1.8")]
    [InlineData("2")]
    public void The_same_files_are_written_of_runs_as_of_single_events(string version)
    {
        long runs = 0;
        Gen.Select(Gen.Int, Gen.Int[0, 3], Gen.Int[0, 2], Gen.Bool, Gen.Bool, Gen.Frequency((8, Gen.Const(60)), (1, Gen.Const(9000))))
            .Sample((seed, changes, cuts, hasBeginTimes, keepGoing, events) =>
            {
                using var place = new Place();
                using var trace = RandomTrace.Create(new Random(seed), streams: 2, packets: 4, events);
                var random = new Random(seed);
                for (int i = 0; i < changes; i++)
                    ChangeByte(trace.FilePath(random.Next(2)), random);
                if (cuts == 2)
                    Cut(trace.FilePath(random.Next(2)), random);
                string metadata = Path.Combine(trace.Directory, "metadata");
                if (!hasBeginTimes)
                    File.WriteAllText(metadata, File.ReadAllText(metadata).Replace("timestamp_begin", "begins", StringComparison.Ordinal));
                var (expected, _) = Convert(trace.Directory, place.In("single"), version, keepGoing, takesRuns: false);
                var (actual, count) = Convert(trace.Directory, place.In("runs"), version, keepGoing, takesRuns: true);
                Assert.Equal(expected, actual);
                AssertSameFiles(place.In("single"), place.In("runs"));
                Interlocked.Add(ref runs, count);
            }, iter: 150);
        Assert.True(runs > 1000, $"there were {runs} runs");
    }

    [Fact]
    public void The_counter_counts_the_events_of_runs()
    {
        using var trace = RandomTrace.Create(new Random(5), streams: 3, packets: 5, events: 400);
        var (expected, _) = Count(trace.Directory, takesRuns: false);
        var (actual, runs) = Count(trace.Directory, takesRuns: true);
        Assert.Equal(expected, actual);
        Assert.True(runs > 0);
    }

    private static (string Text, long Runs) Count(string trace, bool takesRuns)
    {
        using var output = new MemoryStream();
        var parameters = new JsonObject { ["step"] = 0 };
        using var sink = CounterSink.Class.Create(new ComponentContext { Name = "out", Parameters = parameters, Output = output });
        var (errors, runs) = Run(trace, sink, keepGoing: false, takesRuns);
        sink.Finish();
        Assert.Empty(errors);
        return (System.Text.Encoding.UTF8.GetString(output.ToArray()), runs);
    }

    private static (string Errors, long Runs) Convert(string trace, string path, string version, bool keepGoing, bool takesRuns)
    {
        var parameters = new JsonObject { ["path"] = path, ["ctf-version"] = version, ["assume-single-trace"] = true };
        using var sink = CtfFsSink.Class.Create(new ComponentContext { Name = "out", Parameters = parameters });
        var result = Run(trace, sink, keepGoing, takesRuns);
        sink.Finish();
        return result;
    }

    private static (string Errors, long Runs) Run(string trace, MessageSink sink, bool keepGoing, bool takesRuns)
    {
        var errors = new List<string>();
        long runs = 0;
        try
        {
            using var source = CtfFsSource.Open([trace], new CtfFsOptions { KeepGoing = keepGoing });
            var streams = source.CreateIterators();
            foreach (var stream in streams)
            {
                if (takesRuns)
                    stream.AllowRuns(sink.TakesRuns);
            }
            StreamPool.Run(streams, Consume, consumesAtOnce: false, jobs: 1, keepGoing ? e => errors.Add(e.Message) : null);
            foreach (var stream in streams)
                stream.Dispose();
        }
        catch (TraceReadException e)
        {
            errors.Add(e.Message);
        }
        return (string.Join('\n', errors), runs);

        void Consume(ArraySegment<Message> batch)
        {
            runs += batch.Count(message => message.Kind == MessageKind.EventRun);
            sink.Consume(batch);
        }
    }

    private static void ChangeByte(string path, Random random)
    {
        byte[] bytes = File.ReadAllBytes(path);
        bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        File.WriteAllBytes(path, bytes);
    }

    private static void Cut(string path, Random random)
    {
        byte[] bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..random.Next(1, bytes.Length)]);
    }

    private static void AssertSameFiles(string expected, string actual)
    {
        var names = Names(expected);
        Assert.Equal(names, Names(actual));
        foreach (string name in names)
            Assert.True(File.ReadAllBytes(Path.Combine(expected, name)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(actual, name))), $"{name} differs");
    }

    private static string[] Names(string directory) => Directory.Exists(directory)
        ? [.. Directory.GetFiles(directory, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(directory, path)).Order()]
        : [];
}
