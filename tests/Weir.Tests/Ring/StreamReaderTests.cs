using System.Globalization;
using Weir.Clock;
using Weir.Ring;
using Xunit;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Ring;

/// <summary>Bytes that no writer leaves: an error that names file and offset, never a crash and never a hang.</summary>
public sealed unsafe class StreamReaderTests : IDisposable
{
    private const int StreamBytes = StreamLayout.HeadBytes + (4 * 4096);

    private readonly string _directory = TestRing.NewDirectory();

    private string FilePath => Path.Combine(_directory, "copy");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(0, 8, 0x1122334455667788, 0)]
    [InlineData(8, 4, 0, 8)]
    [InlineData(8, 4, 1, 8)]
    [InlineData(8, 4, 3, 8)]
    [InlineData(8, 4, 0xFFFFFFFF, 8)]
    [InlineData(12, 4, 0, 12)]
    [InlineData(12, 4, 3, 12)]
    [InlineData(16, 8, 0, 16)]
    [InlineData(16, 8, 4095, 16)]
    [InlineData(16, 8, 1UL << 31, 16)]
    [InlineData(16, 8, ulong.MaxValue, 16)]
    [InlineData(16, 8, 1UL << 63, 16)]
    [InlineData(16, 8, 8192, StreamBytes)] // longer than the file
    [InlineData(24, 4, 0, 16)]
    [InlineData(24, 4, 3, 16)]
    [InlineData(24, 4, 128, 16)]
    [InlineData(24, 4, 0xFFFFFFFF, 16)]
    [InlineData(24, 4, 64, StreamBytes)]
    public void A_wrong_head_is_refused(int offset, int width, ulong value, int toldOffset)
    {
        MakeStream(SequenceKind.Atomic);
        Overwrite(offset, BitConverter.GetBytes(value)[..width]);
        AssertNames(Assert.Throws<InvalidDataException>(() => StreamReader.TryOpen(FilePath)), toldOffset);
    }

    [Fact]
    public void Any_bytes_in_the_head_are_taken_or_refused()
    {
        int seed = Random.Shared.Next();
        var random = new Random(seed);
        MakeStream(SequenceKind.Atomic);
        byte[] good = File.ReadAllBytes(FilePath);
        for (int i = 0; i < 500; i++)
        {
            byte[] bad = [.. good];
            for (int n = random.Next(1, 4); n > 0; n--)
                bad[random.Next(random.Next(2) == 0 ? 48 : StreamLayout.HeadBytes)] = (byte)random.Next(256);
            File.WriteAllBytes(FilePath, bad);
            try
            {
                using var reader = StreamReader.TryOpen(FilePath);
                if (reader is { IsOverwrite: false, PacketHeadBytes: > 0 } && reader.TryGetComplete(out var packet))
                    reader.Copy(packet.SequenceNumber, new byte[packet.LengthBytes]);
            }
            catch (InvalidDataException e)
            {
                Assert.Contains(FilePath, e.Message, StringComparison.Ordinal);
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, round {i}: {e}");
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(StreamLayout.HeadBytes - 1)]
    public void A_file_whose_head_is_not_there_yet_is_no_stream_yet(int length)
    {
        MakeStream(SequenceKind.Rseq);
        Truncate(length);
        Assert.Null(StreamReader.TryOpen(FilePath));
    }

    [Fact]
    public void A_stream_without_its_magic_is_not_there_yet()
    {
        MakeStream(SequenceKind.Rseq);
        Overwrite(0, new byte[8]);
        Assert.Null(StreamReader.TryOpen(FilePath));
    }

    [Theory]
    [InlineData(StreamLayout.HeadBytes)]
    [InlineData(StreamBytes - 1)]
    public void A_file_that_ends_too_early_is_refused(int length)
    {
        MakeStream(SequenceKind.Rseq);
        Truncate(length);
        AssertNames(Assert.Throws<InvalidDataException>(() => StreamReader.TryOpen(FilePath)), length);
    }

    [Fact]
    public void A_file_that_loses_its_end_later_is_told_when_it_is_read()
    {
        MakeStream(SequenceKind.Rseq);
        using var reader = StreamReader.TryOpen(FilePath)!;
        Truncate(StreamLayout.HeadBytes + 5000);
        AssertNames(Assert.Throws<InvalidDataException>(() => reader.Copy(1, new byte[4096])), StreamLayout.HeadBytes + 5000);
    }

    [Theory]
    [InlineData(0UL, 0UL)] // in a packet's head
    [InlineData(83UL, 0UL)]
    [InlineData(4096UL, 0UL)] // at a packet's boundary
    [InlineData(100UL, 4096UL)] // less than was given back
    [InlineData(4096UL * 4 + 100, 0UL)] // more than the ring holds
    [InlineData(ulong.MaxValue, 0UL)]
    [InlineData(100UL, 50UL)] // half a packet given back
    [InlineData(100UL, ulong.MaxValue)]
    [InlineData(100UL, 0xFFFFFFFFFFFFF000UL)]
    public void A_position_that_no_writer_reaches_is_refused(ulong position, ulong consumed)
    {
        MakeStream(SequenceKind.Rseq);
        Overwrite(StreamLayout.Control + StreamLayout.Position, BitConverter.GetBytes(position));
        Overwrite(StreamLayout.Control + StreamLayout.Consumed, BitConverter.GetBytes(consumed));
        using var reader = StreamReader.TryOpen(FilePath)!;
        AssertNames(Assert.Throws<InvalidDataException>(() => reader.TryGetComplete(out _)), StreamLayout.Control);
        AssertNames(Assert.Throws<InvalidDataException>(() => reader.CheckedPosition(reader.Consumed)), StreamLayout.Control);
    }

    [Fact]
    public void A_commit_count_that_no_writer_reaches_is_refused()
    {
        MakeStream(SequenceKind.Atomic);
        Overwrite(StreamLayout.Control + StreamLayout.Position, BitConverter.GetBytes(4096UL + 100));
        Overwrite(StreamLayout.Control + StreamLayout.CommitCounts, BitConverter.GetBytes(4097UL));
        using var reader = StreamReader.TryOpen(FilePath)!;
        AssertNames(Assert.Throws<InvalidDataException>(() => reader.TryGetComplete(out _)), StreamLayout.Control + StreamLayout.CommitCounts);
    }

    [Fact]
    public void On_the_atomic_path_a_packet_waits_for_its_last_byte()
    {
        MakeStream(SequenceKind.Atomic);
        Overwrite(StreamLayout.Control + StreamLayout.Position, BitConverter.GetBytes(4096UL + 100));
        Overwrite(StreamLayout.Control + StreamLayout.CommitCounts, BitConverter.GetBytes(4095UL));
        using var reader = StreamReader.TryOpen(FilePath)!;
        Assert.False(reader.TryGetComplete(out _));
        Overwrite(StreamLayout.Control + StreamLayout.CommitCounts, BitConverter.GetBytes(4096UL));
        Overwrite(StreamLayout.HeadBytes, [.. Enumerable.Repeat((byte)1, 4096)]);
        Assert.True(reader.TryGetComplete(out var packet));
        Assert.Equal(new PendingPacket(StreamLayout.HeadBytes, 4096, 0), packet);

        reader.Release();
        Assert.Equal(4096UL, reader.Consumed);
    }

    [Theory]
    [InlineData(ReaderAccess.Observe)]
    [InlineData(ReaderAccess.Consume)]
    public void A_pipe_is_refused_and_not_waited_for(ReaderAccess access)
    {
        using (var mkfifo = System.Diagnostics.Process.Start("mkfifo", [FilePath]))
            mkfifo.WaitForExit();
        AssertNames(Assert.Throws<InvalidDataException>(() => StreamReader.TryOpen(FilePath, access)), 0);
    }

    [Fact]
    public void A_ring_file_that_is_none_is_refused()
    {
        string path = Path.Combine(_directory, RingControl.FileName);
        File.WriteAllBytes(path, []);
        AssertNames(Assert.Throws<InvalidDataException>(() => RingControl.Read(_directory)), 0, path);
        File.WriteAllBytes(path, new byte[10000]);
        AssertNames(Assert.Throws<InvalidDataException>(() => RingControl.Read(_directory)), 0, path);
        byte[] bytes = [.. BitConverter.GetBytes(RingControl.Magic), .. BitConverter.GetBytes(7), .. new byte[10000]];
        File.WriteAllBytes(path, bytes);
        AssertNames(Assert.Throws<InvalidDataException>(() => RingControl.Read(_directory)), 8, path);

        // More intents than the file holds, and than a ring has: those that are there.
        BitConverter.TryWriteBytes(bytes.AsSpan(8), StreamLayout.Version);
        BitConverter.TryWriteBytes(bytes.AsSpan(RingControl.IntentCountOffset), uint.MaxValue);
        bytes.AsSpan(RingControl.IntentsOffset).Fill(0xFF);
        File.WriteAllBytes(path, bytes);
        Assert.Equal((bytes.Length - RingControl.IntentsOffset) / IntentTable.LineBytes, RingControl.Read(_directory).Intents.Count);
    }

    private void MakeStream(SequenceKind sequence)
    {
        using var ring = new TestRing(sequence, sequence == SequenceKind.Rseq ? ClockKind.Counter : ClockKind.Monotonic);
        File.Copy(ring.StreamPath(Cpus.Allowed()[0]), FilePath, overwrite: true);
    }

    private void Overwrite(long offset, byte[] bytes)
    {
        using var file = File.OpenHandle(FilePath, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        RandomAccess.Write(file, bytes, offset);
    }

    private void Truncate(long length)
    {
        using var file = File.OpenHandle(FilePath, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        RandomAccess.SetLength(file, length);
    }

    private void AssertNames(InvalidDataException e, int offset, string? path = null) =>
        Assert.StartsWith(string.Create(CultureInfo.InvariantCulture, $"{path ?? FilePath}: offset {offset}: "), e.Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(SequenceKind.Rseq)]
    [InlineData(SequenceKind.Atomic)]
    public unsafe void A_position_is_settled_when_all_that_is_reserved_is_committed(SequenceKind sequence)
    {
        using var ring = new TestRing(sequence);
        var thread = WriterThread.New();
        for (int i = 0; i < 10; i++)
            ring.Write(thread, 1, [1, 2, 3, 4, 5, 6, 7, 8]);
        WriterThread.Free(thread);
        foreach (var stream in TestRing.OpenAll(ring.Directory))
        {
            using (stream)
            {
                Assert.True(stream.TryGetSettled(out ulong position));
                Assert.Equal(stream.Position, position);
                if (sequence == SequenceKind.Rseq)
                    continue;
                // A writer that has reserved and not committed.
                MoveControl(stream.Path, StreamLayout.Position, 12);
                Assert.False(stream.TryGetSettled(out position));
                Assert.Equal(stream.Position, position);
                MoveControl(stream.Path, StreamLayout.CommitCounts, 12);
                Assert.True(stream.TryGetSettled(out _));
            }
        }
    }

    private static void MoveControl(string path, int offset, ulong by)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        var word = new byte[sizeof(ulong)];
        RandomAccess.Read(file, word, StreamLayout.Control + offset);
        RandomAccess.Write(file, BitConverter.GetBytes(BitConverter.ToUInt64(word) + by), StreamLayout.Control + offset);
    }
}
