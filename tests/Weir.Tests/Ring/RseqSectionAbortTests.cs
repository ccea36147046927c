using System.Diagnostics;
using Weir.Ring;
using Xunit;

namespace Weir.Tests.Ring;

/// <summary>
/// An attempt that ends at any instruction of the section leaves nothing that a repetition, another writer or a reader could tell.
/// Proved by running the code up to every instruction, and by the kernel's own aborts.
/// </summary>
public sealed class RseqSectionAbortTests
{
    public RseqSectionAbortTests() => Assert.SkipUnless(RseqSection.IsAvailable, RseqSection.Verdict);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_attempt_left_at_any_instruction_leaves_no_trace(bool isPair)
    {
        Assert.SkipUnless(RseqSection.Native!.Signature == RseqSection.X64.Signature, "on Arm64 the test in the virtual machine does this");
        Native.OnPinnedThread([Cpus.Allowed()[0]], () => AbortedAttempts.Check(
            InterruptedSection.Offsets(isPair), offset => InterruptedSection.LeftAt(offset, isPair), InterruptedSection.Left, isPair));
    }

    /// <summary>The same check, of attempts that are left behind their commit: it must see that.</summary>
    [Fact]
    public void An_attempt_that_shows_would_be_caught()
    {
        Assert.SkipUnless(RseqSection.Native!.Signature == RseqSection.X64.Signature, "on Arm64 the test in the virtual machine does this");
        Native.OnPinnedThread([Cpus.Allowed()[0]], () =>
        {
            var failure = Assert.Throws<InvalidOperationException>(() => AbortedAttempts.Check(
                [RseqSection.X64.Done], offset => InterruptedSection.LeftAt(offset, isPair: true), InterruptedSection.Left, isPair: true));
            Assert.EndsWith("the attempt shows", failure.Message, StringComparison.Ordinal);
        });
    }

    /// <summary>Real preemptions and signals, until there were some.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Records_survive_the_kernels_aborts(bool isPair)
    {
        int[] cpus = [.. Cpus.Allowed().Take(isPair ? 1 : 2)];
        var clock = Stopwatch.StartNew();
        long aborted = 0;
        while (aborted < 10)
        {
            Assert.True(clock.Elapsed.TotalSeconds < 60, "no aborts in 60 s");
            var result = SectionStorm.Run(cpus, threads: 8, recordsPerThread: 40_000, isPair);
            TestContext.Current.TestOutputHelper?.WriteLine(result.ToString());
            aborted += result.Aborted;
        }
    }
}
