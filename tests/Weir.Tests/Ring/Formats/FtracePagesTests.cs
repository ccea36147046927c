using System.Buffers.Binary;
using System.Text;
using Weir.Clock;
using Weir.Ring;
using Xunit;

namespace Weir.Tests.Ring.Formats;

/// <summary>
/// Read by a parser that was written from the kernel's documents, and that reads the kernel's own pages here too, where it lets us.
/// </summary>
[Collection(nameof(Alone))]
public class FtracePagesTests
{
    private static readonly uint[] s_ids = [1, 2, 255, 256, 65_535, 6, 7, 8, 9, 10];

    [Theory]
    [InlineData(1, 5, 5, 8, true, "030000000100")]
    [InlineData(0x1234, 6, 5, 110, true, "3C0000003412")]
    [InlineData(1, 6, 5, 111, true, "20000000780000000100")]
    [InlineData(1, 0x7FFFFFF, 0, 0, true, "E1FFFFFF0100")]
    [InlineData(1, 0x8000001, 0, 0, true, "3E00000001000000" + "010000000100")]
    [InlineData(1, 0x8000001, 0, 300, true, "3E00000001000000" + "00000000340100000100")]
    [InlineData(1, 0x8000001, 0x8000000, 0, false, "3F00000001000000" + "010000000100")]
    public void A_head_has_the_shortest_form_that_holds_it(uint id, ulong now, ulong last, int lengthBytes, bool isLastExact, string bytes) =>
        Assert.Equal(bytes, Convert.ToHexString(FormatHeads.Record<FtracePages<MonotonicClock>>(id, now, last, lengthBytes, isLastExact)));

    [Theory]
    [MemberData(nameof(ManyWriters.Combinations), MemberType = typeof(ManyWriters))]
    public void Many_threads_write_and_every_record_is_read_once(string placement, string mode) =>
        ManyWriters.Check<FtracePages<MonotonicClock>>(placement, mode, s_ids, _ => Parse);

    /// <summary>
    /// The stream's last time is still that of its begin, because the record before is not committed: a difference to it, added to that record's
    /// time, would lie in the future.
    /// </summary>
    [Fact]
    public unsafe void Behind_a_record_that_is_not_committed_yet_times_are_right()
    {
        var ring = RingBuffer<PacketClient<Global, Discard<NoWakeUp>, FtracePages<MonotonicClock>, HeldThread>>.Create(
            new RingOptions { Backing = RingBacking.Anonymous, PacketBytes = 4096, PacketCount = 2 });
        // Far more than a write takes.
        Thread.Sleep(20);
        var goOn = HeldThread.Hold(Write);
        Write();
        ulong after = MonotonicClock.Read();
        goOn();
        using var reader = ring.OpenReader(0);
        var records = Parse(StreamSnapshot.Recover(reader).Packets.Single().Span);
        Assert.Equal(2, records.Count);
        Assert.InRange(records[1].Time, records[0].Time, after);

        void Write()
        {
            var thread = WriterThread.New();
            ulong payload = 1;
            Assert.Equal(CommitResult.Committed, ring.Write(thread, 1, (byte*)&payload, sizeof(ulong)));
            WriterThread.Free(thread);
        }
    }

    [Fact]
    public void The_kernel_says_the_same_of_its_own_pages()
    {
        using var tracing = new Tracing();
        string page = File.ReadAllText(Path.Combine(tracing.Path, "events/header_page"));
        foreach (string field in new[] { @"u64 timestamp;\s*offset:0;\s*size:8;", @"local_t commit;\s*offset:8;\s*size:8;", @"char data;\s*offset:16;" })
            Assert.Matches(field, page);
        string header = File.ReadAllText(Path.Combine(tracing.Path, "events/header_event"));
        foreach (string field in new[]
        {
            @"type_len\s*:\s*5 bits", @"time_delta\s*:\s*27 bits", @"time_extend : type == 30", @"time_stamp : type == 31", "data max type_len  == 28",
        })
            Assert.Matches(field, header);
    }

    [Fact]
    public void The_parser_reads_the_kernels_own_pages()
    {
        using var tracing = new Tracing();
        string instance = Path.Combine(tracing.Path, "instances", $"weir-test-{Guid.NewGuid():n}");
        Directory.CreateDirectory(instance);
        try
        {
            string[] lines = [.. Enumerable.Range(0, 300).Select(i => $"{i} {new string('x', i)}")];
            using (var marker = new FileStream(Path.Combine(instance, "trace_marker"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0))
            {
                foreach (string line in lines)
                    marker.Write(Encoding.ASCII.GetBytes(line));
            }
            var found = new List<string>();
            foreach (string cpu in Directory.GetDirectories(Path.Combine(instance, "per_cpu")))
            {
                byte[] pages = ReadAll(Path.Combine(cpu, "trace_pipe_raw"));
                for (int at = 0; at < pages.Length; at += 4096)
                {
                    foreach (var record in Parse(pages.AsSpan(at, 4096)))
                    {
                        var payload = pages.AsSpan(at + record.PayloadOffset, record.LengthBytes);
                        // struct print_entry behind its type: flags, preempt count, pid, instruction pointer; then the text.
                        found.Add(Encoding.ASCII.GetString(payload[14..]).TrimEnd('\0', '\n'));
                    }
                }
            }
            Assert.Equal(lines.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
        }
        finally
        {
            Directory.Delete(instance);
        }
    }

    /// <summary>
    /// Linux, include/linux/ring_buffer.h: <c>struct ring_buffer_event</c> and <c>enum ring_buffer_type</c>; kernel/trace/ring_buffer.c:
    /// <c>struct buffer_data_page</c>.
    /// </summary>
    internal static IReadOnlyList<FoundRecord> Parse(ReadOnlySpan<byte> page)
    {
        ulong time = BinaryPrimitives.ReadUInt64LittleEndian(page);
        ulong commit = BinaryPrimitives.ReadUInt64LittleEndian(page[8..]);
        Assert.True(commit <= (ulong)page.Length - 16, $"{commit} bytes in a page of {page.Length}");
        int end = 16 + (int)commit;
        var records = new List<FoundRecord>();
        int at = 16;
        while (at < end)
        {
            uint word = BinaryPrimitives.ReadUInt32LittleEndian(page[at..]);
            uint type = word & 31;
            ulong delta = word >> 5;
            ulong second = at + 8 <= page.Length ? BinaryPrimitives.ReadUInt32LittleEndian(page[(at + 4)..]) : 0;
            at += 4;
            switch (type)
            {
                case 29: // Padding.
                    Assert.NotEqual(0UL, delta);
                    at += (int)second;
                    break;
                case 30: // Time extend.
                    time += (second << 27) | delta;
                    at += 4;
                    break;
                case 31: // Time stamp: the low 59 bits.
                    time = (time & ~((1UL << 59) - 1)) | (second << 27) | delta;
                    at += 4;
                    break;
                default:
                    time += delta;
                    int data = (int)type * 4;
                    if (type == 0)
                    {
                        data = (int)second - 4;
                        at += 4;
                    }
                    records.Add(new FoundRecord(BinaryPrimitives.ReadUInt16LittleEndian(page[at..]), time, at + 2, data - 2));
                    at += data;
                    break;
            }
        }
        Assert.Equal(end, at);
        return records;
    }

    private static byte[] ReadAll(string path)
    {
        var bytes = new List<byte>();
        var page = new byte[4096];
        int fd = Native.Open(path, Native.NonBlocking);
        Assert.True(fd >= 0, path);
        using var file = new Microsoft.Win32.SafeHandles.SafeFileHandle(fd, ownsHandle: true);
        while (Native.Read(file, page, page.Length) is > 0 and var read)
            bytes.AddRange(page.AsSpan(0, (int)read));
        return [.. bytes];
    }

    /// <summary>The kernel's file system of traces, mounted for a test where it is not.</summary>
    private sealed class Tracing : IDisposable
    {
        private const string Usual = "/sys/kernel/tracing";

        private readonly bool _isOurs;

        public Tracing()
        {
            Path = Usual;
            if (Directory.Exists($"{Usual}/events"))
                return;
            Path = Directory.CreateTempSubdirectory("weir-test-").FullName;
            _isOurs = Native.Mount("nodev", Path, "tracefs", 0, "") == 0;
            if (_isOurs)
                return;
            Directory.Delete(Path);
            Assert.Skip("tracefs cannot be mounted here (needs root, and a kernel with ftrace), so the kernel's own pages are not compared with.");
        }

        public string Path { get; }

        public void Dispose()
        {
            // Not what is in it.
            if (_isOurs && Native.Unmount(Path) == 0)
                Directory.Delete(Path);
        }
    }
}
