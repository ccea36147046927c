using System.Diagnostics;
using Weir.Ring;
using Xunit;

namespace Weir.Tests.Ring;

/// <summary>What becomes of records whose writers meet at any of their steps; see <see cref="RingPoint"/>.</summary>
[Collection(nameof(Alone))]
public sealed class InterleavingTests
{
    // Bytes are left in the packet for the small record and not for the large one.
    private const int AlmostFull = SteppedRing.PacketBytes - 60;
    private const uint Small = 1;
    private const uint Extended = 31;
    private const uint Large = 32;

    private const string Stays = nameof(CommitResult.Committed);
    private const string Switches = nameof(CommitResult.CommittedInNewPacket);

    [Theory]
    [InlineData(SteppedClient.Global)]
    [InlineData(SteppedClient.PerCpu)]
    [InlineData(SteppedClient.PlainOverwrite)]
    public void Two_appends_are_both_there(SteppedClient client) =>
        Explore(client, 1, 1000, [$"{Stays} | {Stays}"], [Small], [Large]);

    [Theory]
    [InlineData(SteppedClient.Global)]
    [InlineData(SteppedClient.GlobalOverwrite)]
    [InlineData(SteppedClient.Plain)]
    public void An_append_comes_before_a_switch_or_behind_it(SteppedClient client) =>
        Explore(client, 5, AlmostFull, [$"{Stays} | {Switches}"], [Small], [Large]);

    [Theory]
    [InlineData(SteppedClient.PerCpu)]
    [InlineData(SteppedClient.PerCpuOverwrite)]
    [InlineData(SteppedClient.Plain)]
    public void Of_two_switches_one_is_made(SteppedClient client) =>
        Explore(client, 5, AlmostFull, [$"{Switches} | {Stays}", $"{Stays} | {Switches}"], [Large], [Extended]);

    /// <summary>More of them than can all be run, so some, at random. Two records of a thread: the second must not lose a mark to the first's.</summary>
    [Theory]
    [InlineData(SteppedClient.Global)]
    [InlineData(SteppedClient.PerCpuOverwrite)]
    [InlineData(SteppedClient.Plain)]
    public void Three_writers_are_all_there(SteppedClient client)
    {
        int seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        SteppedRing.Run(client, 5, AlmostFull - 400, writers: 3, ring =>
            new Interleavings(ring, [Small, Large], [Small, Small], [Extended, Large]).Sample(new Random(seed), 100 * Stress.Seconds));
    }

    /// <summary>The mark for a thread's first record comes when its second has been marked already.</summary>
    [Fact]
    public void A_late_mark_takes_no_newer_one_away() => SteppedRing.Run(SteppedClient.Global, 1, 1000, writers: 3, ring =>
    {
        var (a, b, c) = (ring.Writers[0], ring.Writers[1], ring.Writers[2]);
        ring.StepTo(a, Small, RingPoint.Reserved);
        ring.StepTo(c, Small, RingPoint.Helping);
        ring.Finish(a);
        ring.StepTo(a, Small, RingPoint.Reserved);
        ring.Write(b, Small);
        ring.StepTo(c, Small, RingPoint.Announced);
        ring.Observe();
        ring.Finish(c);
        ring.Observe();
        ring.Finish(a);
        ring.CheckQuiet();
    });

    public static TheoryData<SteppedClient> Clients => [.. Enum.GetValues<SteppedClient>().Where(c => c < SteppedClient.Rseq)];

    /// <summary>It holds its packet, and in overwrite mode thereby the lap; everything else goes on, and its record comes late but whole.</summary>
    [Theory]
    [MemberData(nameof(Clients))]
    public void A_writer_that_is_held_up_anywhere_hinders_no_other(SteppedClient client) => SteppedRing.Run(client, 5, AlmostFull, writers: 2, ring =>
    {
        foreach (uint id in (ReadOnlySpan<uint>)[Small, Large])
        {
            foreach (var point in Enum.GetValues<RingPoint>())
            {
                foreach (uint others in (ReadOnlySpan<uint>)[Extended, 38])
                {
                    ring.Restore();
                    var (held, other) = (ring.Writers[0], ring.Writers[1]);
                    ring.Rename(held);
                    ring.Rename(other);
                    if (ring.StepTo(held, id, point) == null)
                        continue;
                    bool isHolding = point is >= RingPoint.Reserved and < RingPoint.Counted;
                    for (int i = 0; i < 16; i++)
                    {
                        var result = ring.Write(other, others);
                        if (ring.Reader.IsOverwrite && !isHolding)
                            Assert.True(result <= CommitResult.CommittedInNewPacket, $"{result} although nobody holds a packet");
                        if (i % 4 == 0)
                            ring.Observe();
                        if (!ring.Reader.IsOverwrite)
                            ring.Consume();
                    }
                    ring.Finish(held);
                    ring.Observe();
                    ring.CheckQuiet();
                    Assert.True(ring.Write(other, others) <= CommitResult.CommittedInNewPacket || !ring.Reader.IsOverwrite);
                }
            }
        }
    });

    private static void Explore(SteppedClient client, ulong packet, int offset, string[] outcomes, params uint[][] scripts) =>
        SteppedRing.Run(client, packet, offset, scripts.Length, ring =>
        {
            var all = new Interleavings(ring, scripts);
            var watch = Stopwatch.StartNew();
            all.Explore();
            TestContext.Current.TestOutputHelper?.WriteLine($"{client}: {all.States} states, {all.Runs} runs, {watch.ElapsedMilliseconds} ms");
            Assert.Equal(outcomes.Order(StringComparer.Ordinal), all.Outcomes);
        });
}
