using System.Collections;
using System.Globalization;
using Weir.Clock;
using Weir.Ring;
using Xunit;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Ring;

/// <summary>A process that writes from several threads is killed at a random moment, again and again.</summary>
[Collection(nameof(AloneCollection))]
public sealed unsafe class KilledWriterTests
{
    private const int Threads = 6;
    private const int ProgressStride = 64;

    private static int PayloadBytes(uint id) => id is >= 1 and <= 40 ? 8 + (int)(id * 5) : -1;

    [Theory]
    [InlineData(SequenceKind.Rseq)]
    [InlineData(SequenceKind.Atomic)]
    public void Every_event_that_the_ring_took_survives_a_kill(SequenceKind sequence)
    {
        TestRing.SkipUnlessPossible(sequence, ClockKind.Monotonic);
        int seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        long events = 0;
        long unreported = 0;
        int holes = 0;
        int rounds = 2 * Stress.Seconds;
        for (int round = 0; round < rounds; round++)
        {
            // By turns many switches, and a ring that no writer finds full: those that wait for room leave no holes.
            KillOnce(sequence, random, round % 2 == 0 ? 4096 : 2 << 20, ref events, ref unreported, ref holes);
        }
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{rounds} kills, {events} events, {unreported} of them committed but not reported yet, {holes} open packets with holes");
        if (sequence == SequenceKind.Rseq)
            Assert.Equal(0, holes);
        Assert.True(events > 0);
    }

    private static void KillOnce(
        SequenceKind sequence, Random random, int packetBytes, ref long events, ref long unreported, ref int holes)
    {
        string directory = TestRing.NewDirectory();
        string progressPath = Path.Combine(directory, "progress");
        using var child = Child.Start(WriteUntilKilled, [directory, progressPath, sequence.ToString(), packetBytes.ToString(CultureInfo.InvariantCulture)]);
        try
        {
            Assert.Equal("ready", child.StandardOutput.ReadLine());
            var read = Enumerable.Range(0, Threads).Select(_ => new BitArray(1024)).ToArray();
            var readers = TestRing.OpenAll(directory);
            var parsers = readers.ConvertAll(r => new PacketParser(TestRing.Uuid, r.Cpu, PayloadBytes));
            Assert.Equal(Cpus.Allowed().Count, readers.Count);
            int lifeMs = random.Next(1, 40);
            int id = child.Id;
            using (var killer = new Timer(_ => Assert.Equal(0, Native.Kill(id, Native.SigKill)), null, lifeMs, Timeout.Infinite))
            {
                while (!child.HasExited)
                    Drain();
            }
            child.WaitForExit();
            Drain();
            for (int i = 0; i < readers.Count; i++)
            {
                var parser = parsers[i];
                Assert.False(TestRing.Recover(readers[i], directory, parser.End, packet => Note(parser, packet), out int holeBytes), "cut");
                holes += holeBytes > 0 ? 1 : 0;
            }
            byte[] progress = File.ReadAllBytes(progressPath);
            for (int t = 0; t < Threads; t++)
            {
                int reported = BitConverter.ToInt32(progress, t * ProgressStride);
                int all = 0;
                while (all < read[t].Length && read[t][all])
                    all++;
                // The thread may have died after its commit and before it told.
                Assert.InRange(all, reported, reported + 1);
                for (int i = all; i < read[t].Length; i++)
                    Assert.False(read[t][i], $"event {i} of thread {t} was never written");
                events += all;
                unreported += all - reported;
            }
            readers.ForEach(r => r.Dispose());

            void Drain()
            {
                for (int i = 0; i < readers.Count; i++)
                {
                    var parser = parsers[i];
                    TestRing.Drain(readers[i], packet => Note(parser, packet));
                }
            }

            void Note(PacketParser parser, ReadOnlySpan<byte> packet)
            {
                foreach (var record in parser.Parse(packet))
                {
                    var payload = packet.Slice(record.PayloadOffset, record.LengthBytes);
                    int thread = BitConverter.ToInt32(payload);
                    int number = BitConverter.ToInt32(payload[4..]);
                    Assert.False(payload[8..].ContainsAnyExcept((byte)(0x80 | number)), "torn");
                    Assert.InRange(thread, 0, Threads - 1);
                    while (number >= read[thread].Length)
                        read[thread].Length *= 2;
                    Assert.False(read[thread][number], $"event {number} of thread {thread} twice");
                    read[thread][number] = true;
                }
            }
        }
        finally
        {
            _ = Native.Kill(child.Id, Native.SigKill);
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>The child: each thread numbers its events, tells a number once it is committed, and repeats one that was lost.</summary>
    internal static int WriteUntilKilled(string[] args)
    {
        var sequence = Enum.Parse<SequenceKind>(args[2]);
        var clock = CpuCounter.IsTrusted ? ClockKind.Counter : ClockKind.Monotonic;
        var progress = MappedMemory.Create(RingBacking.Files(args[0]), Path.GetFileName(args[1]), Threads * ProgressStride, node: null);
        var ring = RingBuffer.CreateCtf(TestRing.Options(args[0], int.Parse(args[3], CultureInfo.InvariantCulture), 16), clock, sequence);
        for (int t = 0; t < Threads; t++)
        {
            int thread = t;
            new Thread(() =>
            {
                var writer = WriterThread.New();
                var random = new Random(thread);
                byte* payload = stackalloc byte[512];
                int number = 0;
                while (true)
                {
                    uint id = (uint)random.Next(1, 41);
                    int length = PayloadBytes(id);
                    new Span<byte>(payload, length).Fill((byte)(0x80 | number));
                    *(int*)payload = thread;
                    *(int*)(payload + 4) = number;
                    if (ring.Write(writer, id, payload, length) > CommitResult.CommittedInNewPacket)
                    {
                        Thread.Yield();
                        continue;
                    }
                    number++;
                    Volatile.Write(ref *(int*)(progress.Address + (thread * ProgressStride)), number);
                }
            }).Start();
        }
        Console.WriteLine("ready");
        Thread.Sleep(TimeSpan.FromSeconds(60)); // Should nobody kill it.
        Environment.Exit(1);
        return 1;
    }
}
