using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using Weir.Clock;
using Weir.Ring;
using Xunit;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Ring;

/// <summary>
/// Writers on all CPUs, in overwrite mode with tiny packets, and readers in this process and another that take snapshots all the time:
/// each is for each CPU a suffix of its stream.
/// </summary>
[Collection(nameof(Alone))]
public sealed unsafe class SnapshotStressTests
{
    private const int MaxCpus = 4;
    private const int Readers = 2;

    [Theory]
    [InlineData(nameof(Rseq))]
    [InlineData(nameof(Atomic))]
    [InlineData(nameof(Global))]
    public void Every_snapshot_is_a_suffix_of_its_stream(string kind)
    {
        if (kind == nameof(Rseq))
            Assert.SkipUnless(RseqSection.IsAvailable, RseqSection.Verdict);
        int seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        string directory = TestRing.NewDirectory();
        try
        {
            var options = TestRing.Options(directory);
            RingBuffer ring = kind switch
            {
                nameof(Rseq) => RingBuffer<PacketClient<PerCpu<Rseq>, Overwrite, CtfCompact<MonotonicClock>, NoHooks>>.Create(options),
                nameof(Atomic) => RingBuffer<PacketClient<PerCpu<Atomic>, Overwrite, CtfCompact<MonotonicClock>, NoHooks>>.Create(options),
                _ => RingBuffer<PacketClient<Global, Overwrite, CtfCompact<MonotonicClock>, NoHooks>>.Create(options),
            };
            Run(ring, directory, seed);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>In discard mode a consumer gives packets back, and the writer fills them, while snapshots are taken.</summary>
    [Fact]
    public void A_snapshot_of_a_ring_that_is_drained_is_never_refused()
    {
        var ring = RingBuffer<PacketClient<Global, Discard<NoWakeUp>, PlainRecords, NoHooks>>.Create(
            new RingOptions { Backing = RingBacking.Anonymous, PacketBytes = 4096, PacketCount = 2 });
        bool isStopped = false;
        var failures = new List<Exception>();
        Thread[] threads =
        [
            new(() => Guard(failures, () =>
            {
                var thread = WriterThread.New();
                var payload = stackalloc byte[2000];
                while (!Volatile.Read(ref isStopped))
                    ring.Write(thread, 1, payload, 2000);
                WriterThread.Free(thread);
            })),
            new(() => Guard(failures, () =>
            {
                using var reader = ring.OpenReader(0);
                while (!Volatile.Read(ref isStopped))
                {
                    while (reader.TryGetComplete(out _))
                        reader.Release();
                }
            })),
        ];
        Array.ForEach(threads, thread => thread.Start());
        using var observer = ring.OpenReader(0);
        var watch = Stopwatch.StartNew();
        int snapshots = 0;
        for (; watch.Elapsed.TotalSeconds < Stress.Seconds / 3.0; snapshots++)
            Guard(failures, () => StreamSnapshot.Take(observer));
        Volatile.Write(ref isStopped, true);
        Array.ForEach(threads, thread => thread.Join());
        Assert.Empty(failures);
        Assert.True(snapshots > 0);
    }

    private static void Run(RingBuffer ring, string directory, int seed)
    {
        // Two that stay on each CPU, and two that go where they like.
        int[] cpus = [.. Cpus.Allowed().Take(MaxCpus)];
        int pinned = 2 * cpus.Length;
        var committed = new int[pinned + 2];
        bool isStopped = false;
        var failures = new List<Exception>();
        var writers = Enumerable.Range(0, committed.Length).Select(i => new Thread(() => Guard(failures, () =>
        {
            if (i < pinned)
                Native.Pin(cpus[i % cpus.Length]);
            Write(ring, i, new Random(seed + i), ref committed[i], ref isStopped);
        }))).ToList();
        int inOrder = ring.Traits.IsPerCpu ? pinned : committed.Length;
        double seconds = Stress.Seconds / 3.0;
        using var child = Child.Start(ReadInAnotherProcess, [directory, inOrder.ToString(CultureInfo.InvariantCulture), seconds.ToString(CultureInfo.InvariantCulture)]);
        long taken = 0;
        long records = 0;
        var readers = Enumerable.Range(0, Readers).Select(_ => new Thread(() => Guard(failures, () =>
        {
            var checks = ring.StreamCpus.Select(cpu => new SnapshotCheck(ring.OpenReader(cpu), inOrder)).ToList();
            while (!Volatile.Read(ref isStopped))
                checks.ForEach(check => check.TakeOne(committed));
            Interlocked.Add(ref taken, checks.Sum(check => check.Taken));
            Interlocked.Add(ref records, checks.Sum(check => check.Records));
        }))).ToList();
        writers.ForEach(thread => thread.Start());
        readers.ForEach(thread => thread.Start());
        string said = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Volatile.Write(ref isStopped, true);
        foreach (var thread in writers.Concat(readers))
            thread.Join();
        Assert.Empty(failures);
        Assert.True(child.ExitCode == 0, said);
        TestContext.Current.TestOutputHelper?.WriteLine($"{committed.Sum()} written; {taken} snapshots with {records} records here, {said.Trim()} there");
        Assert.True(taken > 0 && records > 0);

        // At rest, what was written last is there.
        foreach (var check in ring.StreamCpus.Select(cpu => new SnapshotCheck(ring.OpenReader(cpu), inOrder)))
            check.TakeOne(committed);
    }

    /// <summary>The other process: knows nothing of the writers but the files.</summary>
    internal static int ReadInAnotherProcess(string[] args)
    {
        var checks = TestRing.OpenAll(args[0])
            .ConvertAll(stream => new SnapshotCheck(stream, int.Parse(args[1], CultureInfo.InvariantCulture)));
        var watch = Stopwatch.StartNew();
        try
        {
            while (watch.Elapsed.TotalSeconds < double.Parse(args[2], CultureInfo.InvariantCulture))
                checks.ForEach(check => check.TakeOne([]));
            Console.WriteLine($"{checks.Sum(check => check.Taken)} with {checks.Sum(check => check.Records)}");
            return 0;
        }
        catch (Exception e)
        {
            Console.WriteLine(e);
            return 1;
        }
    }

    private static void Write(RingBuffer ring, int index, Random random, ref int committed, ref bool isStopped)
    {
        var thread = WriterThread.New();
        byte* payload = stackalloc byte[SteppedRing.MaxPayloadBytes];
        while (!Volatile.Read(ref isStopped))
        {
            for (int burst = random.Next(1, 300); burst > 0; burst--)
            {
                uint id = random.Next(20) == 0 ? (uint)random.Next(31, 36) : (uint)random.Next(1, 12);
                int length = SteppedRing.PayloadBytes(id);
                SteppedRing.Fill(new Span<byte>(payload, length), index, committed);
                if (ring.Write(thread, id, payload, length) <= CommitResult.CommittedInNewPacket)
                    Volatile.Write(ref committed, committed + 1);
                else
                    Thread.Yield();
            }
            if (random.Next(4) == 0)
                Thread.Sleep(random.Next(2));
        }
        WriterThread.Free(thread);
    }

    private static void Guard(List<Exception> failures, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e)
        {
            lock (failures)
                failures.Add(e);
        }
    }

    /// <summary>One reader's view of one stream, snapshot after snapshot.</summary>
    private sealed class SnapshotCheck(StreamReader stream, int inOrder)
    {
        private readonly Dictionary<int, int> _last = [];
        private ulong _first;
        private ulong _end;

        public long Taken { get; private set; }

        public long Records { get; private set; }

        /// <param name="committed">How many records each writer has committed, or nothing where that is not known.</param>
        public void TakeOne(int[] committed)
        {
            int[] before = [.. committed];
            Interlocked.MemoryBarrier();
            var snapshot = StreamSnapshot.Take(stream);
            ulong end = snapshot.FirstPacket + (ulong)snapshot.Packets.Count;
            Assert.False(snapshot.IsCut);
            Assert.True(snapshot.FirstPacket >= _first && end >= _end, $"packets {snapshot.FirstPacket} to {end} after {_first} to {_end}");
            Assert.InRange(snapshot.OverwrittenMeanwhile, 0, stream.PacketCount - snapshot.Packets.Count);
            (_first, _end) = (snapshot.FirstPacket, end);
            var parser = new PacketParser(TestRing.Uuid, stream.Cpu, SteppedRing.PayloadBytes, snapshot.FirstPacket);
            var last = new Dictionary<int, int>();
            foreach (var packet in snapshot.Packets)
            {
                foreach (var record in parser.Parse(packet.Span))
                {
                    var payload = packet.Span.Slice(record.PayloadOffset, record.LengthBytes);
                    int writer = BinaryPrimitives.ReadInt32LittleEndian(payload);
                    int number = BinaryPrimitives.ReadInt32LittleEndian(payload[4..]);
                    var whole = new byte[payload.Length];
                    SteppedRing.Fill(whole, writer, number);
                    Assert.True(payload.SequenceEqual(whole), "torn");
                    if (last.TryGetValue(writer, out int previous))
                        Assert.True(writer < inOrder ? number == previous + 1 : number > previous, $"writer {writer}: {number} after {previous}");
                    last[writer] = number;
                    Records++;
                }
            }
            foreach (var (writer, number) in last)
            {
                Assert.True(number >= _last.GetValueOrDefault(writer, -1), $"writer {writer}: ends with {number}, and ended with {_last.GetValueOrDefault(writer)} before");
                if (writer < inOrder && before.Length > 0)
                    Assert.True(number >= before[writer] - 1, $"writer {writer}: {before[writer]} were committed, the last one here is {number}");
                _last[writer] = number;
            }
            Taken++;
        }
    }
}
