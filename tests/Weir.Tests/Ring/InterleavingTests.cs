using System.Diagnostics;
using Weir.Ring;
using Xunit;

namespace Weir.Tests.Ring;

/// <summary>What becomes of records whose writers meet at any of their steps; see <see cref="RingPoint"/>.</summary>
[Collection(nameof(AloneCollection))]
public sealed class InterleavingTests
{
    // Bytes are left in the packet for the small record and not for the large one.
    private const int AlmostFull = SteppedRing.PacketBytes - 60;
    private const uint Small = 1;
    private const uint Extended = 31;
    private const uint Large = 32;
    private const uint TooLarge = 40;

    private const string Stays = nameof(CommitResult.Committed);
    private const string Switches = nameof(CommitResult.CommittedInNewPacket);
    private const string Full = nameof(CommitResult.LostFull);

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

    private static void Explore(SteppedClient client, ulong packet, int offset, string[] outcomes, params uint[][] scripts)
    {
        SteppedRing? ring = null;
        Native.OnPinnedThread([Cpus.Allowed()[0]], () =>
        {
            using (ring = new SteppedRing(client))
            {
                foreach (var _ in scripts)
                    ring.AddWriter();
                ring.FillTo(ring.Writers[0], packet, offset);
                var all = new Interleavings(ring, scripts);
                var watch = Stopwatch.StartNew();
                all.Explore();
                TestContext.Current.TestOutputHelper?.WriteLine($"{client}: {all.States} states, {all.Runs} runs, {watch.ElapsedMilliseconds} ms");
                Assert.Equal(outcomes.Order(StringComparer.Ordinal), all.Outcomes);
            }
        });
    }
}
