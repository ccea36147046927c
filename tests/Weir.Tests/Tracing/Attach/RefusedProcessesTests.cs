using Weir.Tests.Sessions;
using Weir.Tracing;
using Xunit;

namespace Weir.Tests.Tracing.Attach;

public class RefusedProcessesTests
{
    [Fact]
    public void All_are_counted_that_are_refused_at_the_same_time()
    {
        using var place = new Place();
        RefusedProcesses.Create(place.Directory);
        Assert.Equal(0, RefusedProcesses.Count(place.Directory));
        var threads = Enumerable.Range(0, 8).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < 5; i++)
                RefusedProcesses.Add(place.Directory);
        })).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        Assert.Equal(40, RefusedProcesses.Count(place.Directory));
    }

    [Fact]
    public void Without_a_session_nothing_is_counted_and_nothing_made()
    {
        using var place = new Place();
        RefusedProcesses.Add(place.In("gone"));
        Assert.Equal(0, RefusedProcesses.Count(place.In("gone")));
        Assert.False(Directory.Exists(place.In("gone")));
    }
}
