using System.Collections;
using System.Globalization;
using Weir.Clock;
using Weir.Ring;
using Xunit;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Ring;

/// <summary>How long the random tests go on.</summary>
internal static class Stress
{
    /// <summary>3, or what <c>WEIR_STRESS_SECONDS</c> says; rounds that take no fixed time are as many more.</summary>
    public static int Seconds { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("WEIR_STRESS_SECONDS"), CultureInfo.InvariantCulture, out int seconds) ? seconds : 3;
}

/// <summary>
/// More writers than CPUs, tiny packets, a reader that cannot keep up, signals and garbage collections: every event that the ring
/// took is read once, in order, with its time; every other one is counted.
/// </summary>
[Collection(nameof(Alone))]
public sealed unsafe class StressTests
{
    private const int Threads = 8;

    // A sequence number, the time before the write, and the time after the thread's write before; then filling.
    private const int FixedBytes = 4 + 4 + 8 + 8;

    // The counter's two readings, ours and the sequence's, are not fenced against each other.
    private const ulong ReorderCycles = 200;

    private static readonly (uint Id, int Bytes)[] s_events =
    [
        (1, FixedBytes), (2, FixedBytes + 1), (3, FixedBytes + 7), (7, FixedBytes + 8), (8, FixedBytes + 16), (29, FixedBytes + 76),
        (30, FixedBytes + 300), (31, FixedBytes), (32, FixedBytes + 3), (1_000_000, FixedBytes + 40), (40, 4096),
    ];

    private static int PayloadBytes(uint id) => Array.Find(s_events, e => e.Id == id) is { Id: > 0 } e ? e.Bytes : -1;

    [Theory]
    [InlineData(SequenceKind.Rseq, ClockKind.Counter)]
    [InlineData(SequenceKind.Atomic, ClockKind.Counter)]
    [InlineData(SequenceKind.Atomic, ClockKind.Monotonic)]
    public void Each_event_is_read_once_in_order_or_counted(SequenceKind sequence, ClockKind clock)
    {
        int seed = Random.Shared.Next();
        var duration = TimeSpan.FromSeconds(Stress.Seconds);
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        Native.EnsureSignalIsHarmless();
        using var ring = new TestRing(sequence, clock);
        int[] cpus = [.. Cpus.Allowed().Take(2)];
        var logs = Enumerable.Range(0, Threads).Select(t => new WriterLog(t, seed)).ToArray();
        bool isStopped = false;
        var writers = logs.Select(log => new Thread(() => log.Run(() => Write(ring, clock, log, cpus, ref isStopped))) { IsBackground = true }).ToArray();
        var readers = TestRing.OpenAll(ring.Directory).Select(r => new StreamCheck(r, logs)).ToArray();
        Assert.Equal(Cpus.Allowed().Count, readers.Length);
        foreach (var writer in writers)
            writer.Start();
        var collector = new Thread(() =>
        {
            while (!Volatile.Read(ref isStopped))
            {
                GC.Collect(0);
                Thread.Sleep(1);
            }
        })
        {
            IsBackground = true,
        };
        collector.Start();

        var random = new Random(seed);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        while (watch.Elapsed < duration && logs.All(log => log.Failure == null))
        {
            for (int i = 0; i < 20; i++)
            {
                int id = logs[random.Next(Threads)].ThreadId;
                if (id != 0)
                    _ = Native.SendSignal(Environment.ProcessId, id, Native.Signal);
            }
            foreach (var reader in readers)
                TestRing.Drain(reader.Stream, reader.Check);
        }
        Volatile.Write(ref isStopped, true);
        foreach (var thread in writers.Append(collector))
            thread.Join();
        Assert.All(logs, log => Assert.Null(log.Failure));
        foreach (var reader in readers)
        {
            TestRing.Drain(reader.Stream, reader.Check);
            Assert.False(TestRing.Recover(reader.Stream, ring.Directory, reader.End, reader.Check));
            Assert.Equal(reader.Stream.LostFull + reader.Stream.LostTooLarge, reader.Discarded);
        }
        ulong lostFull = readers.Aggregate(0UL, (sum, r) => sum + r.Stream.LostFull);
        ulong lostTooLarge = readers.Aggregate(0UL, (sum, r) => sum + r.Stream.LostTooLarge);
        foreach (var log in logs)
        {
            // Both say which numbers: those that the ring said it took, and those that were read.
            Assert.Equal(log.Emitted, log.Taken.Count);
            for (int i = 0; i < log.Taken.Count; i++)
                Assert.True(log.Taken[i] == log.IsRead(i), $"event {i} of thread {log.Index}: taken {log.Taken[i]}, read {log.IsRead(i)}");
        }
        long emitted = logs.Sum(l => (long)l.Emitted);
        long read = readers.Sum(r => r.Read);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{emitted} emitted, {read} read, {lostFull} lost for want of room, {lostTooLarge} too large, {readers.Sum(r => r.Packets)} packets");
        Assert.Equal(logs.Sum(l => l.Count(CommitResult.LostFull)), (long)lostFull);
        Assert.Equal(logs.Sum(l => l.Count(CommitResult.LostTooLarge)), (long)lostTooLarge);
        Assert.Equal((ulong)logs.Sum(l => l.Count(CommitResult.NoStream)), RingControl.Read(ring.Directory).LostNoStream);
        Assert.Equal(emitted, read + (long)lostFull + (long)lostTooLarge);
        Assert.True(lostFull > 0 && read > 0);
        foreach (var reader in readers)
            reader.Stream.Dispose();
    }

    private static void Write(TestRing ring, ClockKind clock, WriterLog log, int[] cpus, ref bool isStopped)
    {
        Native.Pin(cpus);
        log.ThreadId = Native.ThreadId();
        var thread = WriterThread.New();
        var random = log.Random;
        byte* payload = stackalloc byte[4096];
        ulong after = 0;
        while (!Volatile.Read(ref isStopped))
        {
            for (int burst = random.Next(1, 200); burst > 0; burst--)
            {
                var (id, length) = s_events[random.Next(s_events.Length)];
                new Span<byte>(payload + FixedBytes, length - FixedBytes).Fill((byte)((uint)log.Emitted * 31 + (uint)log.Index));
                *(int*)payload = log.Index;
                *(int*)(payload + 4) = log.Emitted;
                *(ulong*)(payload + 16) = after;
                *(ulong*)(payload + 8) = Now(clock);
                var result = ring.Ring.Write(thread, id, payload, length);
                after = Now(clock);
                log.Add(result);
            }
            switch (random.Next(8))
            {
                case 0:
                    Thread.Sleep(random.Next(3));
                    break;
                case < 4:
                    Thread.Yield();
                    break;
            }
        }
        WriterThread.Free(thread);
    }

    private static ulong Now(ClockKind clock) => clock == ClockKind.Counter ? CpuCounter.ReadOrdered() : MonotonicClock.ReadOrdered();

    /// <summary>What a writer knows of its events.</summary>
    private sealed class WriterLog(int index, int seed)
    {
        private readonly long[] _counts = new long[5];
        private readonly BitArray _read = new(0);

        public int Index => index;

        public Random Random { get; } = new(seed + index + 1);

        public volatile int ThreadId;

        public int Emitted { get; private set; }

        public BitArray Taken { get; } = new(1024);

        public Exception? Failure { get; private set; }

        public long Count(CommitResult result) => _counts[(int)result];

        public void Run(Action action)
        {
            try
            {
                action();
            }
            catch (Exception e)
            {
                Failure = e;
            }
            ThreadId = 0;
            Taken.Length = Emitted;
        }

        public void Add(CommitResult result)
        {
            if (Emitted == Taken.Length)
                Taken.Length *= 2;
            Taken[Emitted++] = result is CommitResult.Committed or CommitResult.CommittedInNewPacket;
            _counts[(int)result]++;
        }

        public bool IsRead(int sequence) => sequence < _read.Length && _read[sequence];

        /// <summary>False when it had been read before.</summary>
        public bool AddRead(int sequence)
        {
            if (sequence >= _read.Length)
                _read.Length = Math.Max(sequence + 1, _read.Length * 2);
            bool isFirst = !_read[sequence];
            _read[sequence] = true;
            return isFirst;
        }
    }

    /// <summary>Checks what one stream holds.</summary>
    private sealed class StreamCheck(StreamReader stream, WriterLog[] logs)
    {
        private readonly PacketParser _parser = new(TestRing.Uuid, stream.Cpu, PayloadBytes);
        private readonly int[] _last = [.. Enumerable.Repeat(-1, Threads)];
        private readonly (int Sequence, ulong Time)[] _lastTimes = new (int, ulong)[Threads];

        public StreamReader Stream => stream;

        public long Read { get; private set; }

        public long Packets { get; private set; }

        public ulong End => _parser.End;

        public ulong Discarded => _parser.Discarded;

        public void Check(ReadOnlySpan<byte> packet)
        {
            Packets++;
            foreach (var record in _parser.Parse(packet))
            {
                var payload = packet.Slice(record.PayloadOffset, record.LengthBytes);
                int thread = BitConverter.ToInt32(payload);
                int sequence = BitConverter.ToInt32(payload[4..]);
                ulong before = BitConverter.ToUInt64(payload[8..]);
                ulong afterPrevious = BitConverter.ToUInt64(payload[16..]);
                Assert.InRange(thread, 0, Threads - 1);
                Assert.False(payload[FixedBytes..].ContainsAnyExcept((byte)((uint)sequence * 31 + (uint)thread)), "the filling is torn");
                Assert.True(sequence > _last[thread], $"thread {thread}: {sequence} after {_last[thread]}");
                _last[thread] = sequence;
                Assert.True(logs[thread].AddRead(sequence), $"thread {thread}: {sequence} twice");
                Assert.True(record.Time + ReorderCycles >= before, $"thread {thread}: {sequence}: time {record.Time} before the write at {before}");
                var (lastSequence, lastTime) = _lastTimes[thread];
                if (lastSequence == sequence - 1 && lastTime != 0)
                    Assert.True(lastTime <= afterPrevious + ReorderCycles, $"thread {thread}: {sequence - 1}: time {lastTime} after its write at {afterPrevious}");
                _lastTimes[thread] = (sequence, record.Time);
                Read++;
            }
        }
    }
}
