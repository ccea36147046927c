using Weir.Ring;
using Xunit;

namespace Weir.Tests.Ring;

/// <summary>What becomes of a record that is staged while others commit on the same CPU.</summary>
[Collection(nameof(Alone))]
public sealed class RseqPacketWriterTests
{
    private const int AlmostFull = SteppedRing.PacketBytes - 60;
    private const uint Small = 1;
    private const uint Extended = 31;
    private const uint Large = 38;
    private const uint TooLarge = 40;

    [Theory]
    [InlineData(SteppedClient.Rseq)]
    [InlineData(SteppedClient.RseqOverwrite)]
    public void Whatever_is_staged_when_another_commits_is_staged_anew(SteppedClient client) => SteppedRing.Run(client, 5, AlmostFull, writers: 2, ring =>
    {
        var all = new Interleavings(ring, [Small, Extended, Large], [Large, TooLarge]);
        all.Explore();
        TestContext.Current.TestOutputHelper?.WriteLine($"{all.States} states, {all.Runs} runs");
        Assert.All(all.Outcomes, outcome => Assert.Equal(1, outcome.Split(nameof(CommitResult.LostTooLarge)).Length - 1));
        if (client == SteppedClient.RseqOverwrite)
            Assert.DoesNotContain(all.Outcomes, outcome => outcome.Contains(nameof(CommitResult.LostFull), StringComparison.Ordinal));
    });

    [Theory]
    [InlineData(Small, AlmostFull - 200)]
    [InlineData(Extended, AlmostFull)]
    [InlineData(Large, AlmostFull)]
    public void A_record_that_is_staged_while_the_ring_goes_round_comes_behind_all_others(uint id, int offset) =>
        SteppedRing.Run(SteppedClient.RseqOverwrite, 5, offset, writers: 2, ring =>
        {
            var (held, other) = (ring.Writers[0], ring.Writers[1]);
            ring.StepTo(held, id, RingPoint.Staged);
            for (int i = 0; i < 30; i++)
            {
                Assert.True(ring.Write(other, i % 3 == 0 ? Large : Small) <= CommitResult.CommittedInNewPacket);
                ring.Observe();
            }
            Assert.Equal(RingPoint.Staged, ring.Step(held));
            Assert.Equal(RingPoint.Published, ring.Step(held));
            ring.Finish(held);
            Assert.Same(ring.Reservations.MaxBy(r => r.End), ring.Reservations.Last(r => r.Slot == held.Slot));
            ring.Observe();
            ring.CheckQuiet();
        });

    /// <summary>The oldest packet is hidden, though it is still there; nothing else is.</summary>
    [Fact]
    public void The_floor_of_an_aborted_attempt_is_harmless() => SteppedRing.Run(SteppedClient.RseqOverwrite, 5, AlmostFull, writers: 2, ring =>
    {
        ring.StepTo(ring.Writers[0], Large, RingPoint.Staged);
        ring.RaiseFloor();
        ring.Observe();
        ring.Write(ring.Writers[1], Small);
        ring.Observe();
        Assert.Equal(CommitResult.CommittedInNewPacket, ring.Finish(ring.Writers[0]));
        ring.Observe();
        ring.CheckQuiet();
    });
}
