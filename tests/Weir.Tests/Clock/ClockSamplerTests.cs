using System.Collections.Concurrent;
using Weir.Clock;
using Xunit;

namespace Weir.Tests.Clock;

public sealed class ClockSamplerTests
{
    private static readonly TimeSpan s_never = TimeSpan.FromDays(1);

    private readonly ConcurrentQueue<(ClockSample Sample, int Thread)> _given = [];
    private long _next;

    private ClockSampler Create(TimeSpan period) => new(
        () => new ClockSample((ulong)Interlocked.Increment(ref _next), 0, 0, 0),
        period,
        sample => _given.Enqueue((sample, Environment.CurrentManagedThreadId)));

    private static int ClockThreads() => Directory.GetDirectories("/proc/self/task").Count(directory =>
    {
        try
        {
            return File.ReadAllText(Path.Combine(directory, "comm")).Trim() == "Weir clock";
        }
        catch (IOException)
        {
            return false; // It has ended meanwhile.
        }
    });

    [Fact]
    public void There_is_a_sample_at_the_start_and_one_at_the_end()
    {
        var sampler = Create(s_never);
        Assert.Empty(_given);
        sampler.Get();
        Assert.Single(_given);
        sampler.Put();
        Assert.Equal([1UL, 2UL], _given.Select(item => item.Sample.Cycles));
        Assert.All(_given, item => Assert.Equal(Environment.CurrentManagedThreadId, item.Thread));
    }

    [Fact]
    public void Whoever_comes_later_or_goes_earlier_changes_nothing()
    {
        var sampler = Create(s_never);
        sampler.Get();
        sampler.Get();
        sampler.Put();
        Assert.Single(_given);
        sampler.Put();
        Assert.Equal(2, _given.Count);
        sampler.Get();
        sampler.Put();
        Assert.Equal(4, _given.Count);
        Assert.Throws<InvalidOperationException>(sampler.Put);
    }

    [Fact]
    public void Samples_come_each_period_while_somebody_traces_and_in_order()
    {
        var sampler = Create(TimeSpan.FromMilliseconds(1));
        sampler.Get();
        Sessions.Wait.Until(() => _given.Count > 20, "20 samples");
        sampler.Put();
        int count = _given.Count;
        Assert.Equal(Enumerable.Range(1, count).Select(i => (ulong)i), _given.Select(item => item.Sample.Cycles));
        Thread.Sleep(20);
        Assert.Equal(count, _given.Count);
    }

    /// <summary>In a process of its own, where no other test samples.</summary>
    [Fact]
    public void With_nobody_tracing_there_is_no_thread()
    {
        string[] lines = Child.Run(CountThreads, []);
        Assert.Equal(["before 0", "meanwhile 1", "after 0"], lines);
    }

    internal static int CountThreads(string[] arguments)
    {
        var sampler = new ClockSampler(() => default, s_never, _ => { });
        Console.WriteLine($"before {ClockThreads()}");
        sampler.Get();
        sampler.Get();
        Sessions.Wait.Until(() => ClockThreads() > 0, "the sampler's thread");
        Console.WriteLine($"meanwhile {ClockThreads()}");
        sampler.Put();
        sampler.Put();
        // The kernel may need a moment to take the thread off its list.
        Sessions.Wait.Until(() => ClockThreads() == 0, "the end of the sampler's thread");
        Console.WriteLine($"after {ClockThreads()}");
        return 0;
    }
}
