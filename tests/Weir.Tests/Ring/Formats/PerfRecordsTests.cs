using System.Buffers.Binary;
using Weir.Clock;
using Weir.Ring;
using Xunit;

namespace Weir.Tests.Ring.Formats;

/// <summary>Read by a parser that was written from linux, include/uapi/linux/perf_event.h, and that knows the file alone.</summary>
[Collection(nameof(Alone))]
public sealed unsafe class PerfRecordsTests
{
    private const int Threads = 4;
    private const int Records = 5000;
    private const int ControlPage = 4096;

    private static RingBuffer<ContinuousClient<WakeAtWatermark, PerfRecords<MonotonicClock>, NoHooks>> Create(string directory, int ringBytes = 4096)
    {
        Assert.SkipUnless(RseqSection.IsAvailable, RseqSection.Verdict);
        return RingBuffer<ContinuousClient<WakeAtWatermark, PerfRecords<MonotonicClock>, NoHooks>>.Create(
            new RingOptions { Backing = RingBacking.Files(directory), PacketBytes = ringBytes, PacketCount = 1 });
    }

    [Fact]
    public void The_control_page_is_that_of_perf()
    {
        string directory = TestRing.NewDirectory();
        var ring = Create(directory, 1 << 16);
        byte[] page = File.ReadAllBytes(TestRing.StreamPath(directory, ring.StreamCpus[0]))[ControlPage..];
        Assert.Equal((0U, 0U), (U32(page, 0), U32(page, 4))); // version, compat_version
        Assert.Equal(96U, U32(page, 72)); // size: offsetof(__reserved)
        Assert.Equal((0UL, 0UL), (U64(page, 1024), U64(page, 1032))); // data_head, data_tail
        Assert.Equal((8192UL, 1UL << 16), (U64(page, 1040), U64(page, 1048))); // data_offset, data_size
        Assert.Equal(1UL << 16, (ulong)page.Length - U64(page, 1040));
        GC.KeepAlive(ring);
        Directory.Delete(directory, recursive: true);
    }

    [Theory]
    [InlineData(0, 48, 4)]
    [InlineData(4, 48, 4)]
    [InlineData(5, 56, 12)]
    public void A_sample_has_the_fields_of_its_sample_type_in_order(int lengthBytes, int size, int rawBytes)
    {
        byte[] head = FormatHeads.Record<PerfRecords<MonotonicClock>>(77, 0x1122334455667788, 0, lengthBytes, cpu: 3);
        Assert.Equal(44, head.Length);
        Assert.Equal((9U, 2, size), (U32(head, 0), BitConverter.ToUInt16(head, 4), (int)BitConverter.ToUInt16(head, 6)));
        Assert.Equal(77UL, U64(head, 8)); // identifier
        Assert.Equal(((uint)Environment.ProcessId, (uint)Native.ThreadId()), (U32(head, 16), U32(head, 20)));
        Assert.Equal(0x1122334455667788UL, U64(head, 24));
        Assert.Equal((3U, 0U), (U32(head, 32), U32(head, 36)));
        Assert.Equal((uint)rawBytes, U32(head, 40));
        Assert.Equal(size - 44 - lengthBytes, PerfRecords<MonotonicClock>.TailBytes(44, lengthBytes));
        // IDENTIFIER | TID | TIME | CPU | RAW, perf_event.h.
        Assert.Equal((1UL << 16) | (1 << 1) | (1 << 2) | (1 << 7) | (1 << 10), PerfRecords<MonotonicClock>.SampleType);
    }

    [Fact]
    public void Many_threads_write_and_every_sample_is_read_once()
    {
        string directory = TestRing.NewDirectory();
        var ring = Create(directory);
        var taken = new List<int>[Threads];
        var tooLarge = new int[Threads];
        var lost = new int[Threads];
        var writers = Enumerable.Range(0, Threads).Select(t => new Thread(() => taken[t] = Write(ring, t, ref lost[t], ref tooLarge[t]))).ToArray();
        Array.ForEach(writers, writer => writer.Start());
        var found = Enumerable.Range(0, Threads).Select(_ => new SortedSet<int>()).ToArray();
        bool isLast = false;
        while (!isLast)
        {
            isLast = writers.All(writer => !writer.IsAlive);
            foreach (int cpu in ring.StreamCpus)
                ReadAll(TestRing.StreamPath(directory, cpu), cpu, found);
        }
        ulong lostFull = 0, lostTooLarge = 0;
        foreach (int cpu in ring.StreamCpus)
        {
            using var reader = ring.OpenReader(cpu);
            (lostFull, lostTooLarge) = (lostFull + reader.LostFull, lostTooLarge + reader.LostTooLarge);
        }
        for (int t = 0; t < Threads; t++)
            Assert.Equal(taken[t], found[t]);
        Assert.Equal((lost.Sum(), tooLarge.Sum()), ((int)lostFull, (int)lostTooLarge));
        Assert.True(tooLarge.Sum() > 0);
        GC.KeepAlive(ring);
        Directory.Delete(directory, recursive: true);
    }

    private static List<int> Write(RingBuffer ring, int index, ref int lost, ref int tooLarge)
    {
        var thread = WriterThread.New();
        var taken = new List<int>();
        byte* payload = stackalloc byte[4096];
        for (int number = 0; number < Records; number++)
        {
            int length = number % 1000 == 999 ? 4096 : 8 + (number % 301);
            new Span<byte>(payload, length).Fill((byte)(0x80 | number));
            *(int*)payload = index;
            *(int*)(payload + 4) = number;
            var result = ring.Write(thread, (uint)length, payload, length);
            if (result == CommitResult.Committed)
                taken.Add(number);
            else if (result == CommitResult.LostFull)
                lost++;
            else
                tooLarge += result == CommitResult.LostTooLarge ? 1 : 0;
            if (number % 8 == index)
                Thread.Yield();
        }
        WriterThread.Free(thread);
        return taken;
    }

    private static void ReadAll(string path, int cpu, SortedSet<int>[] found)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        ulong head = Word(file, 1024);
        ulong tail = Word(file, 1032);
        // Another CPU's stores and these reads go through the same page of memory; the system calls between them are the barriers.
        ulong offset = ControlPage + Word(file, 1040);
        ulong size = Word(file, 1048);
        Assert.InRange(head - tail, 0UL, size);
        var bytes = new byte[head - tail];
        int first = (int)Math.Min((ulong)bytes.Length, size - (tail % size));
        Assert.Equal(first, RandomAccess.Read(file, bytes.AsSpan(0, first), (long)(offset + (tail % size))));
        Assert.Equal(bytes.Length - first, RandomAccess.Read(file, bytes.AsSpan(first), (long)offset));
        for (int at = 0; at < bytes.Length;)
        {
            Assert.Equal((9U, 2), (U32(bytes, at), BitConverter.ToUInt16(bytes, at + 4)));
            int recordBytes = BitConverter.ToUInt16(bytes, at + 6);
            Assert.Equal(0, recordBytes % 8);
            int length = (int)U64(bytes, at + 8);
            Assert.Equal((uint)Environment.ProcessId, U32(bytes, at + 16));
            Assert.Equal((uint)cpu, U32(bytes, at + 32));
            Assert.Equal(recordBytes - 44, (int)U32(bytes, at + 40));
            var raw = bytes.AsSpan(at + 44, recordBytes - 44);
            int number = BitConverter.ToInt32(raw[4..]);
            Assert.False(raw[8..length].ContainsAnyExcept((byte)(0x80 | number)), "torn");
            Assert.False(raw[length..].ContainsAnyExcept((byte)0), "padded with something");
            Assert.True(found[BitConverter.ToInt32(raw)].Add(number), "twice");
            at += recordBytes;
        }
        RandomAccess.Write(file, BitConverter.GetBytes(head), ControlPage + 1032);
    }

    private static ulong Word(Microsoft.Win32.SafeHandles.SafeFileHandle file, int offset)
    {
        var word = new byte[sizeof(ulong)];
        RandomAccess.Read(file, word, ControlPage + offset);
        return U64(word, 0);
    }

    private static uint U32(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);

    private static ulong U64(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[offset..]);
}
