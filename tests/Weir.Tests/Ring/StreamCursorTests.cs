using System.Globalization;
using Weir.Clock;
using Weir.Ring;
using Xunit;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Ring;

/// <summary>Records where they lie, by their own process and by others, as soon as they are committed.</summary>
[Collection(nameof(Alone))]
public sealed unsafe class StreamCursorTests : IDisposable
{
    private readonly string _directory = TestRing.NewDirectory();

    public static TheoryData<SequenceKind, BackingKind> Backings => new(
        from sequence in Enum.GetValues<SequenceKind>()
        from kind in Enum.GetValues<BackingKind>()
        select (sequence, kind));

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [MemberData(nameof(Backings))]
    public void What_is_committed_is_there_at_once_in_the_open_packet_too(SequenceKind sequence, BackingKind kind)
    {
        var ring = Create<Discard<NoWakeUp>>(sequence, kind);
        OnFirstCpu(thread =>
        {
            using var reader = ring.OpenReader(Cpus.Allowed()[0]);
            var cursor = new StreamCursor(reader);
            Assert.True(cursor.Peek().IsEmpty);
            Write(ring, thread, 1, 2);
            var records = cursor.Peek();
            Assert.Equal([1, 2], Take(records));
            // Until it is passed it stays, and more comes.
            Write(ring, thread, 3, 1);
            records = cursor.Peek();
            Assert.Equal([1, 2, 3], Take(records));
            cursor.Advance(records.Length);
            Assert.True(cursor.Peek().IsEmpty);
            Assert.True(cursor.IsIntact());
            Assert.Equal(0UL, reader.Consumed);

            // Over a packet's end, which gives the packet back.
            Write(ring, thread, 4, 400);
            var numbers = new List<int>();
            while (cursor.Peek() is { IsEmpty: false } more)
            {
                numbers.AddRange(Take(more));
                cursor.Advance(more.Length);
            }
            Assert.Equal(Enumerable.Range(4, 400), numbers);
            Assert.Equal(reader.Position / 4096 * 4096, reader.Consumed);
            Assert.Equal(cursor.Position, reader.Position);
        });
        GC.KeepAlive(ring);
    }

    [Theory]
    [InlineData(SequenceKind.Rseq)]
    [InlineData(SequenceKind.Atomic)]
    public void In_overwrite_mode_a_cursor_knows_when_it_was_overtaken(SequenceKind sequence)
    {
        var ring = Create<Overwrite>(sequence, BackingKind.Files);
        OnFirstCpu(thread =>
        {
            using var reader = StreamReader.TryOpen(TestRing.StreamPath(_directory, Cpus.Allowed()[0]), ReaderAccess.Observe)!;
            var cursor = new StreamCursor(reader);
            Write(ring, thread, 1, 100);
            var records = cursor.Peek();
            Assert.Equal(Enumerable.Range(1, 100), Take(records));
            Assert.True(cursor.IsIntact());

            Write(ring, thread, 101, 2000);
            Assert.False(cursor.IsIntact());
            var numbers = new List<int>();
            while (cursor.Peek() is { IsEmpty: false } more)
            {
                numbers.AddRange(Take(more));
                Assert.True(cursor.IsIntact());
                cursor.Advance(more.Length);
            }
            Assert.Equal(Enumerable.Range(numbers[0], 2100 + 1 - numbers[0]), numbers);
            Assert.True(cursor.PacketsMissed > 0);
            Assert.Equal(0UL, reader.Consumed);
        });
        GC.KeepAlive(ring);
    }

    [Fact]
    public void A_record_that_is_being_written_hides_those_behind_it_until_it_is_there()
    {
        var ring = RingBuffer<PacketClient<Global, Discard<NoWakeUp>, PlainRecords, HeldThread>>.Create(Options(BackingKind.Anonymous));
        using var reader = ring.OpenReader(0);
        var cursor = new StreamCursor(reader);
        OnFirstCpu(thread =>
        {
            Write(ring, thread, 1, 2);
            var goOn = HeldThread.Hold(() =>
            {
                var other = WriterThread.New();
                Write(ring, other, 3, 1);
                WriterThread.Free(other);
            });
            Write(ring, thread, 4, 2);
            Assert.Equal([1, 2], Take(cursor.Peek()));
            goOn();
            Assert.Equal([1, 2, 3, 4, 5], Take(cursor.Peek()));
        });
    }

    /// <summary>One stream for all threads: a reader beside them sees one order, in which each thread's records are in order.</summary>
    [Fact]
    public void A_cursor_beside_the_writers_takes_each_record_once()
    {
        const int Threads = 4, Records = 5_000;
        var ring = RingBuffer<PacketClient<Global, Discard<NoWakeUp>, PlainRecords, NoHooks>>.Create(Options(BackingKind.MemoryFiles));
        using var reader = ring.OpenReader(0);
        var cursor = new StreamCursor(reader);
        var lost = new long[Threads];
        var writers = Enumerable.Range(0, Threads).Select(t => new Thread(() => lost[t] = WriteAll(t))).ToArray();
        Array.ForEach(writers, writer => writer.Start());
        var next = new int[Threads];
        long found = 0;
        bool isLast = false;
        while (!isLast)
        {
            isLast = writers.All(writer => !writer.IsAlive);
            while (cursor.Peek() is { IsEmpty: false } records)
            {
                int length = records.Length;
                while (PlainRecords.TryTake(ref records, out uint thread, out var payload))
                {
                    int number = BitConverter.ToInt32(payload);
                    Assert.True(number >= next[thread], $"record {number} of thread {thread}, where {next[thread]} may come next");
                    Assert.False(payload[4..].ContainsAnyExcept((byte)number), "torn");
                    next[thread] = number + 1;
                    found++;
                }
                cursor.Advance(length);
            }
        }
        Assert.Equal(Threads * Records, found + lost.Sum());
        Assert.Equal((ulong)lost.Sum(), reader.LostFull);

        long WriteAll(int index)
        {
            long losses = 0;
            var thread = WriterThread.New();
            byte* payload = stackalloc byte[64];
            for (int number = 0; number < Records; number++)
            {
                int length = 4 + (number % 60);
                new Span<byte>(payload, length).Fill((byte)number);
                *(int*)payload = number;
                if (ring.Write(thread, (uint)index, payload, length) == CommitResult.LostFull)
                {
                    losses++;
                    Thread.Yield();
                }
            }
            WriterThread.Free(thread);
            return losses;
        }
    }

    /// <summary>Both processes have the data twice, one behind the other; so a record over the ring's end is one piece to either.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Without_packets_a_record_over_the_end_is_one_piece(bool isOwnProcess)
    {
        Assert.SkipUnless(RseqSection.IsAvailable, RseqSection.Verdict);
        var ring = RingBuffer<ContinuousClient<NoWakeUp, PerfRecords<MonotonicClock>, NoHooks>>.Create(Options(BackingKind.Files) with { PacketCount = 1 });
        OnFirstCpu(thread =>
        {
            int cpu = Cpus.Allowed()[0];
            using var reader = isOwnProcess ? ring.OpenReader(cpu) : StreamReader.TryOpen(TestRing.StreamPath(_directory, cpu))!;
            var cursor = new StreamCursor(reader);
            byte[] payload = new byte[1000];
            bool hasWrapped = false;
            for (int i = 0; i < 50; i++)
            {
                payload.AsSpan().Fill((byte)i);
                fixed (byte* p = payload)
                    Assert.Equal(CommitResult.Committed, ring.Write(thread, 1, p, payload.Length));
                var record = cursor.Peek();
                Assert.Equal(BitConverter.ToUInt16(record[6..]), record.Length);
                Assert.False(record.Slice(44, payload.Length).ContainsAnyExcept((byte)i));
                hasWrapped |= (cursor.Position % 4096) + (ulong)record.Length > 4096;
                cursor.Advance(record.Length);
                Assert.Equal(reader.Position, reader.Consumed);
            }
            Assert.True(hasWrapped);
        });
        GC.KeepAlive(ring);
    }

    [Theory]
    [InlineData(SequenceKind.Rseq)]
    [InlineData(SequenceKind.Atomic)]
    public void Another_process_takes_every_record_by_its_file(SequenceKind sequence)
    {
        const int Records = 3000;
        var ring = Create<Discard<NoWakeUp>>(sequence, BackingKind.Files);
        using var child = Child.Start(PrintRecords, [TestRing.StreamPath(_directory, Cpus.Allowed()[0]), Records.ToString(CultureInfo.InvariantCulture)]);
        OnFirstCpu(thread =>
        {
            for (int i = 0; i < Records; i++)
            {
                while (!TryWrite(ring, thread, i))
                    Thread.Yield();
            }
        });
        Assert.Equal(Enumerable.Range(0, Records).Select(i => i.ToString(CultureInfo.InvariantCulture)), child.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        child.WaitForExit();
        Assert.Equal(0, child.ExitCode);
        GC.KeepAlive(ring);
    }

    internal static int PrintRecords(string[] args)
    {
        using var reader = StreamReader.TryOpen(args[0])!;
        var cursor = new StreamCursor(reader);
        using var output = new StreamWriter(Console.OpenStandardOutput());
        for (int left = int.Parse(args[1], CultureInfo.InvariantCulture); left > 0;)
        {
            var records = cursor.Peek();
            foreach (int number in Take(records))
            {
                output.WriteLine(number);
                left--;
            }
            cursor.Advance(records.Length);
        }
        return 0;
    }

    private RingOptions Options(BackingKind kind) =>
        new() { Backing = new RingBacking(kind, _directory), PacketBytes = 4096, PacketCount = 4 };

    private RingBuffer Create<TMode>(SequenceKind sequence, BackingKind kind)
        where TMode : struct, IMode
    {
        if (sequence == SequenceKind.Rseq)
            Assert.SkipUnless(RseqSection.IsAvailable, RseqSection.Verdict);
        return sequence == SequenceKind.Rseq
            ? RingBuffer<PacketClient<PerCpu<Rseq>, TMode, PlainRecords, NoHooks>>.Create(Options(kind))
            : RingBuffer<PacketClient<PerCpu<Atomic>, TMode, PlainRecords, NoHooks>>.Create(Options(kind));
    }

    private delegate void WriterAction(WriterThread* thread);

    private static void OnFirstCpu(WriterAction action) => Native.OnPinnedThread([Cpus.Allowed()[0]], () =>
    {
        var thread = WriterThread.New();
        action(thread);
        WriterThread.Free(thread);
    });

    /// <summary>Writes numbered records of 24 bytes.</summary>
    private static void Write(RingBuffer ring, WriterThread* thread, int first, int count)
    {
        for (int number = first; number < first + count; number++)
            Assert.True(TryWrite(ring, thread, number));
    }

    private static bool TryWrite(RingBuffer ring, WriterThread* thread, int number)
    {
        var payload = (Low: number, High: 0, More: 0);
        return ring.Write(thread, 7, (byte*)&payload, 12) <= CommitResult.CommittedInNewPacket;
    }

    private static List<int> Take(ReadOnlySpan<byte> records)
    {
        var numbers = new List<int>();
        while (PlainRecords.TryTake(ref records, out uint kind, out var payload))
        {
            Assert.Equal((7U, 12), (kind, payload.Length));
            numbers.Add(BitConverter.ToInt32(payload));
        }
        return numbers;
    }
}
