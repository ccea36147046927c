using Weir.Clock;
using Weir.Ring;
using Xunit;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Ring;

[Collection(nameof(Alone))]
public sealed unsafe class RingBufferTests
{
    [Theory]
    [InlineData(SequenceKind.Rseq, ClockKind.Counter)]
    [InlineData(SequenceKind.Atomic, ClockKind.Counter)]
    [InlineData(SequenceKind.Atomic, ClockKind.Monotonic)]
    public void A_write_allocates_nothing_and_an_event_of_8_bytes_takes_12(SequenceKind sequence, ClockKind clock)
    {
        using var ring = new TestRing(sequence, clock, packetBytes: 1 << 20);
        Native.OnPinnedThread([Cpus.Allowed()[0]], () =>
        {
            using var reader = StreamReader.TryOpen(ring.StreamPath(Cpus.Allowed()[0]))!;
            var thread = WriterThread.New();
            ulong payload = 42;
            ring.Ring.Write(thread, 1, (byte*)&payload, 8);
            ulong position = reader.Position;
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 10_000; i++)
                ring.Ring.Write(thread, 1, (byte*)&payload, 8);
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - allocated);
            // Where the thread was held up for 2^27 cycles a head was extended by 9 bytes.
            ulong rest = reader.Position - position - 120_000;
            Assert.True(rest % 9 == 0 && rest < 900, $"{rest} bytes too many");
            WriterThread.Free(thread);
        });
    }

    [Theory]
    [InlineData(SequenceKind.Rseq)]
    [InlineData(SequenceKind.Atomic)]
    public void A_negative_length_is_lost_and_counted(SequenceKind sequence)
    {
        using var ring = new TestRing(sequence);
        Native.OnPinnedThread([Cpus.Allowed()[0]], () =>
        {
            var thread = WriterThread.New();
            byte payload;
            foreach (int length in (ReadOnlySpan<int>)[-1, -4, -13, int.MinValue, int.MaxValue])
                Assert.Equal(CommitResult.LostTooLarge, ring.Ring.Write(thread, 1, &payload, length));
            WriterThread.Free(thread);
        });
        Assert.Equal(5UL, TestRing.OpenAll(ring.Directory).Aggregate(0UL, (sum, r) => sum + r.LostTooLarge));
    }

    [Fact]
    public void Options_that_no_ring_can_have_are_refused()
    {
        string directory = TestRing.NewDirectory();
        var options = TestRing.Options(directory);
        Assert.Throws<ArgumentException>(() => Create(options with { PacketBytes = 5000 }));
        Assert.Throws<ArgumentException>(() => Create(options with { PacketCount = 3 }));
        Assert.Throws<ArgumentException>(() => Create(options with { PacketCount = 1 }));
        Assert.Empty(Directory.GetFiles(directory));
        Directory.Delete(directory);
    }

    [Theory]
    [InlineData("/nonexistent/weir")]
    [InlineData("/proc/weir")]
    public void A_directory_that_cannot_be_written_is_an_IOException_that_names_the_file(string directory)
    {
        var e = Assert.Throws<IOException>(() => Create(TestRing.Options(directory)));
        Assert.Contains(Path.Combine(directory, RingControl.FileName), e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stream_that_cannot_be_made_loses_events_and_counts_them()
    {
        Assert.SkipWhen(Cpus.Allowed().Count < 2, "needs two CPUs");
        string directory = TestRing.NewDirectory();
        int blocked = Cpus.Allowed()[1];
        File.WriteAllText(TestRing.StreamPath(directory, blocked), "in the way");
        var ring = Create(TestRing.Options(directory));
        Native.OnPinnedThread([blocked], () =>
        {
            var thread = WriterThread.New();
            ulong payload = 1;
            Assert.Equal(CommitResult.NoStream, ring.Write(thread, 1, (byte*)&payload, 8));
            Assert.Equal(CommitResult.NoStream, ring.Write(thread, 1, (byte*)&payload, 8));
            WriterThread.Free(thread);
        });
        ring.Control.CountFieldsCut(3);
        var summary = RingControl.Read(directory);
        Assert.Equal((2UL, 3UL), (summary.LostNoStream, summary.FieldsCut));
        GC.KeepAlive(ring);
        Directory.Delete(directory, recursive: true);
    }

    /// <summary>The table of intents has a line for each writing thread up to its end.</summary>
    [Fact]
    public void A_thread_beyond_the_table_loses_its_records_and_counts_them()
    {
        string directory = TestRing.NewDirectory();
        var ring = RingBuffer.CreateCtf(TestRing.Options(directory) with { IntentCount = 1 }, ClockKind.Monotonic, SequenceKind.Atomic);
        var first = WriterThread.New();
        var second = WriterThread.New();
        var slots = (first->Slot, second->Slot);
        (first->Slot, second->Slot) = (0, 1);
        ulong payload = 1;
        Assert.Equal(CommitResult.Committed, ring.Write(first, 1, (byte*)&payload, 8));
        Assert.Equal(CommitResult.NoStream, ring.Write(second, 1, (byte*)&payload, 8));
        Assert.Equal(1UL, RingControl.Read(directory).LostNoStream);
        (first->Slot, second->Slot) = slots;
        WriterThread.Free(first);
        WriterThread.Free(second);
        GC.KeepAlive(ring);
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public void Where_no_stream_at_all_can_be_made_there_is_no_ring()
    {
        string directory = TestRing.NewDirectory();
        for (int cpu = 0; cpu < Cpus.PossibleCount; cpu++)
            File.WriteAllText(TestRing.StreamPath(directory, cpu), "in the way");
        var e = Assert.Throws<IOException>(() => Create(TestRing.Options(directory)));
        Assert.Contains("stream_", e.InnerException!.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(directory, RingControl.FileName)));
        Directory.Delete(directory, recursive: true);
    }

    /// <summary>Rings come and go under the garbage collector while their control is still counted in.</summary>
    [Fact]
    public void A_collected_ring_leaves_its_control_usable()
    {
        var controls = new List<RingControl>();
        for (int i = 0; i < 20; i++)
            controls.Add(Make());
        GC.Collect();
        GC.WaitForPendingFinalizers();
        foreach (var control in controls)
            control.CountFieldsCut(1);

        static RingControl Make()
        {
            using var ring = new TestRing(SequenceKind.Atomic, ClockKind.Monotonic);
            return ring.Ring.Control;
        }
    }

    [Fact]
    public void The_fallback_can_be_asked_for() =>
        Assert.Equal(
            ["Monotonic WEIR_CLOCK=monotonic", "Atomic WEIR_SEQUENCE=atomic"],
            Child.Run(PrintChoices, [], new() { ["WEIR_CLOCK"] = "monotonic", ["WEIR_SEQUENCE"] = "atomic" }));

    [Fact]
    public void Without_a_wish_the_best_that_runs_here_is_chosen()
    {
        var clock = CpuCounter.IsTrusted ? ClockKind.Counter : ClockKind.Monotonic;
        var sequence = RseqSection.IsAvailable ? SequenceKind.Rseq : SequenceKind.Atomic;
        string[] lines = Child.Run(PrintChoices, [], new() { ["WEIR_CLOCK"] = null, ["WEIR_SEQUENCE"] = null });
        Assert.Equal($"{clock} {CounterTrust.Examine().Reason}", lines[0]);
        Assert.Equal($"{sequence} {RseqSection.Verdict}", lines[1]);
    }

    internal static int PrintChoices(string[] args)
    {
        var clock = TraceClock.Choose(out string reason);
        Console.WriteLine($"{clock} {reason}");
        Console.WriteLine($"{RingBuffer.ChooseSequence(out reason)} {reason}");
        return 0;
    }

    [Theory]
    [InlineData(SequenceKind.Rseq)]
    [InlineData(SequenceKind.Atomic)]
    public unsafe void A_retired_ring_holds_no_memory_and_takes_records_that_nobody_reads(SequenceKind sequence)
    {
        using var ring = new TestRing(sequence);
        var thread = WriterThread.New();
        ring.Write(thread, 1, [1, 2, 3, 4, 5, 6, 7, 8]);
        Assert.Contains(ring.Directory, File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
        var before = Positions(ring);

        ring.Ring.Retire();
        Assert.DoesNotContain(ring.Directory, File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
        // Enough for every sub-buffer and for losses.
        for (int i = 0; i < 10_000; i++)
            ring.Write(thread, (uint)(1 + (i % 60)), new byte[i % 300]);
        ring.Ring.Control.CountFieldsCut(1);
        WriterThread.Free(thread);
        Assert.Equal(before, Positions(ring));
        Assert.Equal(0UL, RingControl.Read(ring.Directory).FieldsCut);
    }

    [Fact]
    public void A_retired_rings_memory_files_are_gone_and_it_cannot_be_read()
    {
        var ring = RingBuffer<PacketClient<Global, Discard<NoWakeUp>, PlainRecords, NoHooks>>.Create(
            new RingOptions { Backing = RingBacking.MemoryFiles, PacketBytes = 4096, PacketCount = 4 });
        var file = ring.OpenReader(0).File!;
        Assert.False(file.IsClosed);
        ring.Retire();
        Assert.True(file.IsClosed);
        Assert.Throws<InvalidOperationException>(() => ring.OpenReader(0));
    }

    [Fact]
    public void A_cursor_passes_only_what_it_gave_out()
    {
        var ring = RingBuffer<PacketClient<Global, Discard<NoWakeUp>, PlainRecords, NoHooks>>.Create(
            new RingOptions { Backing = RingBacking.Anonymous, PacketBytes = 4096, PacketCount = 4 });
        var thread = WriterThread.New();
        ulong payload = 1;
        ring.Write(thread, 1, (byte*)&payload, 8);
        WriterThread.Free(thread);
        using var reader = ring.OpenReader(0);
        var cursor = new StreamCursor(reader);
        int length = cursor.Peek().Length;
        Assert.Throws<ArgumentOutOfRangeException>(() => cursor.Advance(length + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => cursor.Advance(-1));
        cursor.Advance(length);
        Assert.True(cursor.Peek().IsEmpty);
    }

    private static RingBuffer Create(RingOptions options) => RingBuffer.CreateCtf(options, ClockKind.Monotonic, SequenceKind.Atomic);

    private static ulong[] Positions(TestRing ring)
    {
        var positions = new List<ulong>();
        foreach (var stream in TestRing.OpenAll(ring.Directory))
        {
            using (stream)
                positions.Add(stream.Position);
        }
        return [.. positions];
    }
}
