using System.Globalization;
using Weir.Ring;
using Xunit;
using GlobalRing = Weir.Ring.RingBuffer<Weir.Ring.PacketClient<Weir.Ring.Global, Weir.Ring.Discard<Weir.Ring.NoWakeUp>, Weir.Ring.PlainRecords, Weir.Ring.NoHooks>>;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Ring;

/// <summary>The memory that a ring lives in, and for which CPUs there is some.</summary>
[Collection(nameof(Alone))]
public sealed unsafe class BackingTests : IDisposable
{
    private const int PacketBytes = 64 << 10;
    private const int StreamBytes = PacketBytes * 16;

    private readonly string _directory = TestRing.NewDirectory();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(BackingKind.Files)]
    [InlineData(BackingKind.MemoryFiles)]
    [InlineData(BackingKind.Anonymous)]
    public void Touched_memory_is_there_from_the_start_and_other_memory_comes_as_it_is_written(BackingKind kind)
    {
        var touched = Create(new RingBacking(kind, _directory)).DescribeMemory();
        Assert.True(touched.ResidentBytes >= StreamBytes, touched.ToString());
        Assert.True(touched.MappedBytes >= touched.ResidentBytes, touched.ToString());
        Array.ForEach(Directory.GetFiles(_directory), File.Delete);

        var ring = Create(new RingBacking(kind, _directory) { IsTouchedUpFront = false });
        var before = ring.DescribeMemory();
        Assert.True(before.MappedBytes >= StreamBytes, before.ToString());
        Assert.True(before.ResidentBytes < StreamBytes / 2, before.ToString());
        Fill(ring);
        var after = ring.DescribeMemory();
        Assert.True(after.ResidentBytes >= StreamBytes * 3 / 4, after.ToString());
        GC.KeepAlive(ring);
    }

    [Fact]
    public void Nobody_cuts_a_memory_file()
    {
        var ring = Create(RingBacking.MemoryFiles);
        using var reader = ring.OpenReader(0);
        long length = RandomAccess.GetLength(reader.File!);
        Assert.NotEqual(0, LibC.SetLength(reader.File!, 0));
        Assert.NotEqual(0, LibC.SetLength(reader.File!, length * 2));
        Assert.Equal(length, RandomAccess.GetLength(reader.File!));
        Fill(ring);
    }

    /// <summary>Who has the descriptor, here by /proc, reads the ring as if it had a name.</summary>
    [Fact]
    public void A_memory_file_is_read_by_its_descriptor()
    {
        var ring = Create(RingBacking.MemoryFiles);
        using var own = ring.OpenReader(0);
        Fill(ring);
        using var other = StreamReader.TryOpen(string.Create(CultureInfo.InvariantCulture, $"/proc/{Environment.ProcessId}/fd/{own.File!.DangerousGetHandle()}"))!;
        Assert.True(other.TryGetComplete(out var packet));
        byte[] expected = new byte[PacketBytes], actual = new byte[PacketBytes];
        own.Copy(packet.SequenceNumber, expected);
        other.Copy(packet.SequenceNumber, actual);
        Assert.Equal(expected, actual);
        GC.KeepAlive(ring);
    }

    [Theory]
    [InlineData(BackingKind.MemoryFiles)]
    [InlineData(BackingKind.Anonymous)]
    public void Huge_pages_are_asked_for(BackingKind kind)
    {
        var ring = GlobalRing.Create(new RingOptions
        {
            Backing = new RingBacking(kind) { HugePages = true }, PacketBytes = 1 << 20, PacketCount = 8,
        });
        using var reader = ring.OpenReader(0);
        // Whether they come is the kernel's business; that they were asked for is the mapping's flag "hg".
        string flags = FlagsOfMapping((ulong)reader.OwnData);
        Assert.SkipWhen(flags.Length == 0, "the kernel does not show a mapping's flags in /proc/self/smaps");
        Assert.SkipUnless(Directory.Exists("/sys/kernel/mm/transparent_hugepage"), "this kernel has no transparent huge pages");
        Assert.Contains("hg", flags.Split(' '));
        var use = ring.DescribeMemory();
        Assert.InRange(use.HugeBytes, 0, use.ResidentBytes);
        TestContext.Current.TestOutputHelper?.WriteLine(use.ToString());
        GC.KeepAlive(ring);
    }

    [Fact]
    public void Memory_of_the_CPUs_own_node_is_as_good_as_any_where_there_is_one_node()
    {
        var ring = Create(RingBacking.Anonymous with { NodeLocal = true });
        Fill(ring);
        using var reader = ring.OpenReader(0);
        Assert.True(reader.TryGetComplete(out _));
    }

    [Fact]
    public void CPUs_beyond_the_limit_have_no_stream_and_their_events_are_counted()
    {
        Assert.SkipWhen(Cpus.Allowed().Count < 2, "needs two CPUs");
        var ring = RingBuffer<PacketClient<PerCpu<Atomic>, Discard<NoWakeUp>, PlainRecords, NoHooks>>.Create(new RingOptions
        {
            Backing = RingBacking.Anonymous, PacketBytes = 4096, PacketCount = 4, MaxBytes = StreamLayout.HeadBytes + (4 * 4096),
        });
        Assert.Equal(Cpus.Allowed().Take(1), ring.StreamCpus);
        Assert.Equal([CommitResult.Committed, CommitResult.NoStream], Cpus.Allowed().Take(2).Select(cpu => WriteOn(ring, cpu)));
        Assert.Equal(1UL, ring.Control.Summarize().LostNoStream);
    }

    [Theory]
    [InlineData("150000 100000\n", null, null, 1.5)]
    [InlineData("max 100000\n", "200000 100000\n", null, 2.0)]
    [InlineData("300000 100000\n", "200000 100000\n", "50000 100000\n", 0.5)]
    [InlineData("50000 100000\n", "200000 100000\n", "300000 100000\n", 0.5)]
    [InlineData("max 100000\n", null, null, null)]
    [InlineData("nonsense", "5", null, null)]
    [InlineData(null, null, null, null)]
    public void The_least_share_of_the_groups_above_counts(string? root, string? outer, string? inner, double? quota)
    {
        string groups = Path.Combine(_directory, "cgroup");
        Directory.CreateDirectory(Path.Combine(groups, "outer/inner"));
        foreach (var (path, text) in new[] { ("", root), ("outer", outer), ("outer/inner", inner) })
        {
            if (text != null)
                File.WriteAllText(Path.Combine(groups, path, "cpu.max"), text);
        }
        string membership = Path.Combine(_directory, "membership");
        File.WriteAllText(membership, "12:cpuset:/old\n0::/outer/inner\n");
        Assert.Equal(quota, Cpus.CpuQuota(groups, membership));
    }

    [Fact]
    public void A_group_that_cannot_be_seen_from_here_grants_what_the_root_does()
    {
        string groups = Path.Combine(_directory, "cgroup");
        Directory.CreateDirectory(groups);
        File.WriteAllText(Path.Combine(groups, "cpu.max"), "100000 100000\n");
        string membership = Path.Combine(_directory, "membership");
        File.WriteAllText(membership, "0::/../of/the/host\n");
        Assert.Equal(1, Cpus.CpuQuota(groups, membership));
        Assert.Null(Cpus.CpuQuota(groups + "no", membership + "no"));
    }

    [Fact]
    public void Only_CPUs_that_the_process_may_use_have_streams_and_others_when_they_write()
    {
        Assert.SkipWhen(Cpus.Allowed().Count < 2, "needs two CPUs");
        string[] cpus = [.. Cpus.Allowed().Take(2).Select(cpu => cpu.ToString(CultureInfo.InvariantCulture))];
        Assert.Equal([cpus[1], $"{cpus[0]} {cpus[1]}"], Child.Run(PrintStreamCpus, cpus));
    }

    internal static int PrintStreamCpus(string[] args)
    {
        int[] cpus = [.. args.Select(cpu => int.Parse(cpu, CultureInfo.InvariantCulture))];
        Native.Pin(cpus[1]);
        var ring = RingBuffer<PacketClient<PerCpu<Atomic>, Discard<NoWakeUp>, PlainRecords, NoHooks>>.Create(
            new RingOptions { Backing = RingBacking.Anonymous, PacketBytes = 4096, PacketCount = 4 });
        Console.WriteLine(string.Join(' ', ring.StreamCpus));
        WriteOn(ring, cpus[0]);
        Console.WriteLine(string.Join(' ', ring.StreamCpus));
        return 0;
    }

    private static GlobalRing Create(RingBacking backing) => GlobalRing.Create(
        new RingOptions { Backing = backing, PacketBytes = PacketBytes, PacketCount = StreamBytes / PacketBytes });

    private static CommitResult WriteOn(RingBuffer ring, int cpu)
    {
        var result = CommitResult.NoStream;
        Native.OnPinnedThread([cpu], () =>
        {
            var thread = WriterThread.New();
            ulong payload = 1;
            result = ring.Write(thread, 1, (byte*)&payload, sizeof(ulong));
            WriterThread.Free(thread);
        });
        return result;
    }

    private static void Fill(RingBuffer ring)
    {
        var thread = WriterThread.New();
        byte* payload = stackalloc byte[1000];
        while (ring.Write(thread, 1, payload, 1000) <= CommitResult.CommittedInNewPacket)
        {
        }
        WriterThread.Free(thread);
    }

    private static string FlagsOfMapping(ulong address)
    {
        bool isIt = false;
        foreach (string line in File.ReadLines("/proc/self/smaps"))
        {
            string[] range = line.Split(' ')[0].Split('-');
            if (range.Length == 2 && ulong.TryParse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong start)
                && ulong.TryParse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong end))
                isIt = address >= start && address < end;
            else if (isIt && line.StartsWith("VmFlags:", StringComparison.Ordinal))
                return line;
        }
        return "";
    }
}
