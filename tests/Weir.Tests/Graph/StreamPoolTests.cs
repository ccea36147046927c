using Weir.Graph;
using Xunit;

namespace Weir.Tests.Graph;

public class StreamPoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(16)]
    public void All_events_are_counted_however_many_streams_at_a_time(int jobs)
    {
        using var trace = RandomTrace.Create(new Random(1), 9, 30, 20);
        Assert.Equal(Conversion.Run(trace.Directory).Text.Count(c => c == '\n'), Count(trace, jobs, keepGoing: false, null));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void The_first_streams_error_is_thrown_and_with_keep_going_all_are_reported(int jobs)
    {
        using var trace = RandomTrace.Create(new Random(2), 6, 30, 20);
        foreach (int file in new[] { 4, 2 })
            File.WriteAllBytes(trace.FilePath(file), File.ReadAllBytes(trace.FilePath(file))[..^5]);
        var error = Assert.Throws<TraceReadException>(() => Count(trace, jobs, keepGoing: false, null));
        Assert.Equal(trace.FilePath(2), error.Path);
        var errors = new List<TraceReadException>();
        Assert.NotEqual(0, Count(trace, jobs, keepGoing: true, errors.Add));
        Assert.Equal([trace.FilePath(2), trace.FilePath(4)], errors.Select(each => each.Path));
    }

    private static long Count(RandomTrace trace, int jobs, bool keepGoing, Action<TraceReadException>? report)
    {
        using var source = CtfFsSource.Open([trace.Directory], new CtfFsOptions { KeepGoing = keepGoing });
        var streams = source.CreateIterators();
        using var sink = new DummySink();
        try
        {
            StreamPool.Run(streams, batch => sink.Consume(batch), sink.TakesStreamsAtOnce, jobs, report);
        }
        finally
        {
            streams.ForEach(stream => stream.Dispose());
        }
        return sink.EventCount;
    }
}
