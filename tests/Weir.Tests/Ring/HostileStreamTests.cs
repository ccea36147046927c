using System.Globalization;
using Weir.Clock;
using Weir.Ring;
using Xunit;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Ring;

/// <summary>Streams and rings that somebody has changed: what <see cref="FuzzCampaign"/> does, for a short while, and what it has found.</summary>
public sealed unsafe class HostileStreamTests : IDisposable
{
    private const int Floor = StreamLayout.Control + StreamLayout.Floor;
    private const int Position = StreamLayout.Control + StreamLayout.Position;

    private readonly string _directory = TestRing.NewDirectory();

    private string StreamPath => TestRing.StreamPath(_directory, 0);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Changed_files_are_read_or_refused()
    {
        int seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        using var campaign = new FuzzCampaign(seed);
        for (int number = 0; number < 1000 * Stress.Seconds; number++)
            campaign.Mutate(number);
        TestContext.Current.TestOutputHelper?.WriteLine(campaign.ToString());
    }

    /// <summary>A cursor went from the floor to the position, through packets that the ring cannot hold, or never came to an end.</summary>
    [Theory]
    [InlineData(Floor, 0UL)] // the position is beyond it by more than a ring
    [InlineData(Floor, 4096UL * 1000)] // beyond the position
    [InlineData(Floor, 0xFFFFFFFFFFFFF000UL)] // whose packet's end is 0
    [InlineData(Floor, (1UL << 52) - 4096)]
    [InlineData(Floor, 4096UL + 1)]
    [InlineData(Position, (1UL << 50) + 200)]
    public void A_floor_that_no_writer_leaves_is_refused(int offset, ulong value)
    {
        foreach (var original in Overwritten())
        {
            Store(original, (offset, value));
            using var reader = StreamReader.TryOpen(StreamPath, ReaderAccess.Observe)!;
            var e = Assert.Throws<InvalidDataException>(() => Walk(reader));
            Assert.StartsWith(string.Create(CultureInfo.InvariantCulture, $"{StreamPath}: offset {Floor}: "), e.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>What was asked where the committed part ends took the position itself for what was given back, and refused every stream.</summary>
    [Fact]
    public void A_cursor_in_discard_mode_finds_every_record()
    {
        foreach (var original in Discarding(records: 300))
        {
            Store(original);
            using var reader = StreamReader.TryOpen(StreamPath)!;
            // Heads of packets are left out, and the last records found no room.
            ulong heads = ((reader.Position / 4096) + 1) * (ulong)PlainRecords.PacketHeadBytes;
            long bytes = Walk(reader);
            Assert.InRange((ulong)bytes, reader.Position - heads - (3 * 48), reader.Position - heads);
            Assert.Equal(0, bytes % 48);
        }
    }

    /// <summary>The words that it gives packets back by are mapped read-only: that was the end of the process.</summary>
    [Fact]
    public void A_reader_that_observes_gives_nothing_back()
    {
        foreach (var original in Discarding(records: 300))
        {
            Store(original);
            using var reader = StreamReader.TryOpen(StreamPath, ReaderAccess.Observe)!;
            Assert.Throws<InvalidOperationException>(reader.Release);
            Assert.Throws<InvalidOperationException>(() => new StreamCursor(reader));
            Assert.True(reader.TryGetComplete(out _));
            Assert.Equal(4, StreamSnapshot.Take(reader).Packets.Count);
        }
    }

    [Theory]
    [InlineData(2U, 24U)]
    [InlineData(0xFFFFFFFF, 24U)]
    [InlineData(1U, 0U)] // without packets there is nothing that could be overwritten as a whole
    public void An_overwrite_mode_that_there_is_not_is_refused(uint isOverwrite, uint packetHeadBytes)
    {
        Assert.SkipUnless(RseqSection.IsAvailable, RseqSection.Verdict);
        var original = packetHeadBytes == 0
            ? StreamCorpus.Of<ContinuousClient<NoWakeUp, PerfRecords<MonotonicClock>, NoHooks>>("perf", 10)
            : Discarding(10)[0];
        BitConverter.TryWriteBytes(original.Stream.AsSpan(StreamLayout.IsOverwrite), isOverwrite);
        Store(original);
        var e = Assert.Throws<InvalidDataException>(() => StreamReader.TryOpen(StreamPath));
        Assert.StartsWith(string.Create(CultureInfo.InvariantCulture, $"{StreamPath}: offset {StreamLayout.IsOverwrite}: "), e.Message, StringComparison.Ordinal);
    }

    private static List<StreamCorpus> Overwritten() => Of<Overwrite>(1000);

    private static List<StreamCorpus> Discarding(int records) => Of<Discard<NoWakeUp>>(records);

    private static List<StreamCorpus> Of<TMode>(int records)
        where TMode : struct, IMode
    {
        List<StreamCorpus> all = [StreamCorpus.Of<PacketClient<PerCpu<Atomic>, TMode, PlainRecords, NoHooks>>("atomic", records)];
        if (RseqSection.IsAvailable)
            all.Add(StreamCorpus.Of<PacketClient<PerCpu<Rseq>, TMode, PlainRecords, NoHooks>>("rseq", records));
        return all;
    }

    private static long Walk(StreamReader reader)
    {
        var cursor = new StreamCursor(reader);
        long bytes = 0;
        for (var span = cursor.Peek(); !span.IsEmpty; span = cursor.Peek())
        {
            bytes += span.Length;
            Assert.InRange(bytes, 0, (long)reader.PacketCount * reader.PacketBytes);
            cursor.Advance(span.Length);
        }
        return bytes;
    }

    private void Store(StreamCorpus original, params ReadOnlySpan<(int Offset, ulong Value)> words)
    {
        byte[] stream = [.. original.Stream];
        foreach (var (offset, value) in words)
            BitConverter.TryWriteBytes(stream.AsSpan(offset), value);
        File.WriteAllBytes(StreamPath, stream);
        File.WriteAllBytes(Path.Combine(_directory, RingControl.FileName), original.Ring);
    }
}
