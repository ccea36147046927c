using Weir.Ring;
using Xunit;

namespace Weir.Tests.Ring;

/// <summary>
/// What is left when writers die in the middle of a record: every record that was written is recovered, and no other.
/// <see cref="SteppedRing.Recover"/> compares; heads are read by <see cref="PacketParser"/>.
/// </summary>
[Collection(nameof(Alone))]
public sealed class PacketRecoveryTests
{
    private const int AlmostFull = SteppedRing.PacketBytes - 60;
    private const uint Small = 1;
    private const uint Large = 32;

    // One point more than there are: a writer that does not die.
    private static readonly RingPoint[] s_points = [.. Enum.GetValues<RingPoint>().Where(p => p > RingPoint.Published), (RingPoint)99];

    public static TheoryData<SteppedClient> Clients => [.. Enum.GetValues<SteppedClient>().Where(c => c < SteppedClient.Rseq)];

    /// <summary>Alone and in pairs, before a packet's end and across it. Of two, the first may have announced what the second then got.</summary>
    [Theory]
    [InlineData(SteppedClient.Global)]
    [InlineData(SteppedClient.PerCpuOverwrite)]
    [InlineData(SteppedClient.Plain)]
    public void Writers_that_die_anywhere_cost_their_own_records_only(SteppedClient client) => SteppedRing.Run(client, 5, AlmostFull, writers: 3, ring =>
    {
        foreach (var (first, second) in from a in s_points from b in s_points select (a, b))
        {
            foreach (var (firstId, secondId) in ((uint, uint)[])[(Small, Small), (Small, Large), (Large, Small), (Large, Large)])
            {
                ring.Restore();
                RenameAll(ring);
                ring.StepTo(ring.Writers[0], firstId, first);
                ring.StepTo(ring.Writers[1], secondId, second);
                ring.Recover();
                Kill(ring.Writers[0]);
                Kill(ring.Writers[1]);
                for (int i = 0; i < 6; i++)
                    ring.Write(ring.Writers[2], i % 5 == 0 ? Small : 33);
                ring.Observe();
                ring.Recover();
            }
        }
    });

    [Theory]
    [MemberData(nameof(Clients))]
    public void Every_written_record_is_recovered_after_any_deaths(SteppedClient client) =>
        AfterAnyDeaths(client);

    [Theory]
    [InlineData(SteppedClient.Rseq)]
    [InlineData(SteppedClient.RseqOverwrite)]
    public void An_open_packet_of_the_restartable_sequence_is_recovered_whole(SteppedClient client) => SteppedRing.Run(client, 5, 1000, writers: 2, ring =>
    {
        foreach (var point in (ReadOnlySpan<RingPoint>)[RingPoint.Staged, RingPoint.Published])
        {
            foreach (uint id in (ReadOnlySpan<uint>)[Small, 38])
            {
                ring.Restore();
                RenameAll(ring);
                ring.Write(ring.Writers[1], Small);
                ring.StepTo(ring.Writers[0], id, point);
                ring.Recover();
                Kill(ring.Writers[0]);
                ring.Write(ring.Writers[1], Small);
                ring.Recover();
            }
        }
    });

    [Fact]
    public void Intents_that_lie_never_lead_out_of_the_packet()
    {
        int seed = Random.Shared.Next();
        var random = new Random(seed);
        SteppedRing.Run(SteppedClient.Global, 2, 3000, writers: 1, ring =>
        {
            var reader = ring.Reader;
            var packet = new byte[reader.PacketBytes];
            ulong word = reader.PositionWord;
            for (int i = 0; i < 5000; i++)
            {
                ulong number = (ulong)random.Next(1, 3);
                ulong start = number * SteppedRing.PacketBytes;
                reader.Copy(number, packet);
                if (i % 2 == 1)
                    random.NextBytes(packet.AsSpan(random.Next(packet.Length)));
                var intents = Enumerable.Range(0, random.Next(30)).Select(slot =>
                {
                    ulong at = random.Next(8) == 0 ? (ulong)random.NextInt64() << random.Next(12) : start + (ulong)random.Next(-200, 4300);
                    uint size = random.Next(8) == 0 ? (uint)random.NextInt64(1L << 32) : (uint)random.Next(300);
                    ulong won = random.Next(2) == 0 ? IntentTable.Key(reader.Cpu, at + size) : (ulong)random.NextInt64();
                    return new WriteIntent(slot, reader.Cpu, at, size, random.Next(3) == 0, random.Next(2) == 0, won, start + (ulong)random.Next(-200, 4300), (ulong)random.NextInt64());
                }).ToList();
                var context = new RecoveryContext(number, word, 0, 0, reader.LastTime, 0, IsLive: i % 3 == 0);
                int bytes = PacketRecovery.Recover(reader, packet, context, intents, out _);
                Assert.True(bytes >= reader.PacketHeadBytes && bytes <= packet.Length, $"seed {seed}, round {i}: {bytes} bytes");
            }
        });
    }

    private static void AfterAnyDeaths(SteppedClient client)
    {
        int first = Random.Shared.Next(1 << 30);
        TestContext.Current.TestOutputHelper?.WriteLine($"first seed {first}");
        SteppedRing.Run(client, 1, 500, writers: 4, ring =>
        {
            for (int seed = first; seed < first + (5 * Stress.Seconds); seed++)
            {
                ring.Restore();
                RenameAll(ring);
                try
                {
                    LetDie(ring, new Random(seed));
                }
                catch (Exception e)
                {
                    throw new InvalidOperationException($"seed {seed}, after {ring.Trace}: {e.Message}", e);
                }
            }
        });
    }

    private static void LetDie(SteppedRing ring, Random random)
    {
        int deaths = random.Next(1, 30);
        for (int steps = random.Next(10, 600); steps > 0 && deaths > 0; steps--)
        {
            var writer = ring.Writers[random.Next(ring.Writers.Count)];
            uint id = random.Next(8) switch { 0 => 33, 1 => 31, _ => (uint)random.Next(1, 31) };
            if (writer.Point != null && random.Next(30) == 0)
            {
                writer.Die();
                ring.Rename(writer);
                deaths--;
            }
            ring.Step(writer, id);
            if (random.Next(8) == 0 && !ring.Reader.IsOverwrite)
                ring.Consume();
            if (random.Next(16) == 0)
                ring.Observe();
        }
        ring.Recover();
    }

    private static void RenameAll(SteppedRing ring)
    {
        foreach (var writer in ring.Writers)
            ring.Rename(writer);
    }

    private static void Kill(SteppedWriter writer)
    {
        if (writer.Point != null)
            writer.Die();
    }
}
