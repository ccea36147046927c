using Weir.Clock;
using Weir.Ring;
using Xunit;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Ring;

/// <summary>On the atomic path, a writer dies while it switches packets, and others go on: what is left is whole, in order, and complete.</summary>
public sealed unsafe class DeadSwitchTests
{
    private const int PayloadBytes = 40;
    private const int RecordBytes = RecordLayout.CompactBytes + PayloadBytes;

    public static TheoryData<RingPoint, int, bool> Deaths()
    {
        var data = new TheoryData<RingPoint, int, bool>();
        for (var point = RingPoint.Announced; point <= RingPoint.TimeStored; point++)
        {
            // None, some in the same packet, some in packets after it, and until the packet is the oldest.
            foreach (int after in (ReadOnlySpan<int>)[0, 10, 100, 200])
            {
                foreach (bool isOverwrite in (ReadOnlySpan<bool>)[false, true])
                    data.Add(point, after, isOverwrite);
            }
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Deaths))]
    public void A_writer_dies_in_a_switch_and_others_go_on(RingPoint point, int after, bool isOverwrite)
    {
        Native.OnPinnedThread([Cpus.Allowed()[0]], () =>
        {
            if (isOverwrite)
                Check<PacketClient<PerCpu<Atomic>, Overwrite, CtfCompact<MonotonicClock>, Dying>>(point, after);
            else
                Check<PacketClient<PerCpu<Atomic>, Discard<NoWakeUp>, CtfCompact<MonotonicClock>, Dying>>(point, after);
        });
    }

    private static void Check<TClient>(RingPoint point, int after)
        where TClient : struct, IRingClient
    {
        string directory = TestRing.NewDirectory();
        byte* payload = stackalloc byte[PayloadBytes];
        new Span<byte>(payload, PayloadBytes).Fill(7);
        var first = WriterThread.New();
        var second = WriterThread.New();
        try
        {
            var ring = RingBuffer<TClient>.Create(TestRing.Options(directory));
            using var reader = StreamReader.TryOpen(TestRing.StreamPath(directory, Cpus.Allowed()[0]))!;
            int records = 0;
            for (; (reader.Position % 4096) + RecordBytes < 4096; records++)
                ring.Write(first, 1, payload, PayloadBytes);
            Dying.Point = point;
            Assert.Throws<OperationCanceledException>(() => { ring.Write(first, 1, payload, PayloadBytes); });
            records += point >= RingPoint.Done ? 1 : 0;
            for (int i = 0; i < after; i++)
                Assert.InRange(ring.Write(second, 1, payload, PayloadBytes), CommitResult.Committed, CommitResult.CommittedInNewPacket);
            records += after;

            CheckSnapshot(StreamSnapshot.Take(reader), reader, records);
            CheckSnapshot(StreamSnapshot.Recover(reader), reader, records);
            if (!reader.IsOverwrite && reader.TryGetComplete(out _))
            {
                // Without the packets before it, the packet that was switched to must say the same.
                int firstRecords = (4096 - PacketLayout.Records - 1) / RecordBytes;
                reader.Release();
                CheckSnapshot(StreamSnapshot.Take(reader), reader, records - firstRecords);
                CheckSnapshot(StreamSnapshot.Recover(reader), reader, records - firstRecords);
            }
            GC.KeepAlive(ring);
        }
        finally
        {
            WriterThread.Free(first);
            WriterThread.Free(second);
            Directory.Delete(directory, recursive: true);
        }
    }

    private static void CheckSnapshot(StreamSnapshot snapshot, StreamReader reader, int records)
    {
        Assert.False(snapshot.IsCut);
        ulong now = MonotonicClock.ReadOrdered();
        var parser = new PacketParser(TestRing.Uuid, reader.Cpu, _ => PayloadBytes, snapshot.FirstPacket);
        int found = 0;
        foreach (var packet in snapshot.Packets)
        {
            foreach (var record in parser.Parse(packet.Span))
            {
                // A time that is decoded from a wrong begin is off by 2^27 cycles or more.
                Assert.InRange(record.Time, now - (1UL << 37), now);
                found++;
            }
        }
        Assert.Equal(records, found);
    }
}
