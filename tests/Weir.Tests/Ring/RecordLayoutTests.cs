using Weir.Clock;
using Weir.Ring;
using Xunit;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Ring;

/// <summary>When a record is compact, and that its time is right on both sides of the limit.</summary>
[Collection(nameof(Alone))]
public sealed unsafe class RecordLayoutTests
{
    private const ulong WrapCycles = 1UL << 27;

    private static int PayloadBytes(uint id) => 8;

    /// <summary>Pauses just under and just over 2^27 cycles: 52 ms at 2.6 GHz.</summary>
    [Theory]
    [InlineData(SequenceKind.Rseq)]
    [InlineData(SequenceKind.Atomic)]
    public void A_quiet_stream_whose_27_bits_wrapped_decodes_right(SequenceKind sequence)
    {
        using var ring = new TestRing(sequence);
        var brackets = new List<(ulong Before, ulong After)>();
        Native.OnPinnedThread([Cpus.Allowed()[0]], () =>
        {
            var thread = WriterThread.New();
            for (int i = 0; i < 16; i++)
            {
                ulong target = CpuCounter.ReadOrdered() + WrapCycles + (i % 2 == 0 ? 20_000UL : unchecked(0UL - 20_000UL));
                while (i > 0 && CpuCounter.ReadOrdered() < target)
                {
                }
                ulong before = CpuCounter.ReadOrdered();
                Assert.Equal(CommitResult.Committed, ring.Write(thread, 5, BitConverter.GetBytes((ulong)i)));
                brackets.Add((before, CpuCounter.ReadOrdered()));
            }
            WriterThread.Free(thread);
        });
        var records = ReadAll(ring);
        Assert.Equal(brackets.Count, records.Count);
        for (int i = 1; i < records.Count; i++)
        {
            Assert.InRange(records[i].Time, brackets[i].Before, brackets[i].After);
            Assert.Equal(records[i].Time - records[i - 1].Time >= WrapCycles, records[i].IsExtended);
        }
        Assert.Contains(records[1..], r => r.IsExtended);
    }

    [Theory]
    [InlineData(SequenceKind.Rseq)]
    [InlineData(SequenceKind.Atomic)]
    public void Ids_from_31_on_need_the_extended_head(SequenceKind sequence)
    {
        using var ring = new TestRing(sequence);
        uint[] ids = [1, 2, 29, 30, 31, 32, 255, 256, 65536, uint.MaxValue];
        Native.OnPinnedThread([Cpus.Allowed()[0]], () =>
        {
            var thread = WriterThread.New();
            foreach (uint id in ids)
                ring.Write(thread, id, new byte[8]);
            WriterThread.Free(thread);
        });
        var records = ReadAll(ring);
        Assert.Equal(ids, records.Select(r => r.Id));
        Assert.Equal(ids.Where(id => id >= 31), records.Where(r => r.Id >= 31 && r.IsExtended).Select(r => r.Id));
        // A pause in this thread may extend a small id, but most are compact.
        Assert.Contains(records, r => r.Id == 30 && !r.IsExtended);
    }

    [Fact]
    public void Offsets_are_those_that_the_format_demands()
    {
        Assert.Equal((4, 13, 5, 27, 31U, 1U), (
            RecordLayout.CompactBytes, RecordLayout.ExtendedBytes, RecordLayout.IdBits, RecordLayout.TimeBits, RecordLayout.ExtendedId, RecordLayout.FirstId));
        Assert.Equal(Weir.Ctf.LttngLayout.CompactEventHeaderBytes, RecordLayout.CompactBytes);
        Assert.Equal(Weir.Ctf.LttngLayout.ExtendedEventHeaderBytes, RecordLayout.ExtendedBytes);
        Assert.Equal((uint)Weir.Ctf.LttngLayout.ExtendedEventId, RecordLayout.ExtendedId);
        Assert.Equal(32, RecordLayout.IdBits + RecordLayout.TimeBits);
    }

    private static List<ParsedRecord> ReadAll(TestRing ring)
    {
        using var reader = StreamReader.TryOpen(ring.StreamPath(Cpus.Allowed()[0]))!;
        var parser = new PacketParser(TestRing.Uuid, reader.Cpu, PayloadBytes);
        var records = new List<ParsedRecord>();
        Assert.False(TestRing.Recover(reader, ring.Directory, 0, packet => records.AddRange(parser.Parse(packet))));
        return records;
    }
}
