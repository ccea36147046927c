using Weir.Ring;
using Xunit;

namespace Weir.Tests.Ring;

/// <summary>The short form of <see cref="KillCampaign"/>.</summary>
[Collection(nameof(Alone))]
public sealed class KilledWriterTests
{
    [Theory]
    [InlineData(false, false, SequenceKind.Rseq)]
    [InlineData(false, false, SequenceKind.Atomic)]
    [InlineData(false, true, SequenceKind.Atomic)]
    [InlineData(true, false, SequenceKind.Rseq)]
    [InlineData(true, false, SequenceKind.Atomic)]
    [InlineData(true, true, SequenceKind.Atomic)]
    public void Every_event_that_the_ring_took_survives_a_kill(bool isOverwrite, bool isGlobal, SequenceKind sequence)
    {
        TestRing.SkipUnlessPossible(sequence, CtfRing.Clock);
        var campaign = new KillCampaign(Random.Shared.Next());
        try
        {
            // By turns many switches, and a ring that no writer finds full: those that wait for room leave no holes.
            for (int round = 0; round < Stress.Seconds; round++)
                campaign.Kill(new CtfRing(isOverwrite, isGlobal, sequence, round % 2 == 0 ? 4096 : 2 << 20));
        }
        finally
        {
            TestContext.Current.TestOutputHelper?.WriteLine(campaign.ToString());
        }
        Assert.True(campaign.Records > 0);
        if (sequence == SequenceKind.Rseq)
            Assert.Equal(0, campaign.Holes);
    }
}
