using Weir.Ring;
using Xunit;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Ring;

/// <summary>On the atomic path, a writer is held up before it marks the one before it as the winner, and that one is at its next record by then.</summary>
public sealed unsafe class LateMarkTests
{
    [Fact]
    public void A_late_mark_does_not_take_the_place_of_a_newer_one() => Native.OnPinnedThread([Cpus.Allowed()[0]], Check);

    private static void Check()
    {
        string directory = TestRing.NewDirectory();
        byte* payload = stackalloc byte[8];
        var first = WriterThread.New();
        var late = WriterThread.New();
        var third = WriterThread.New();
        try
        {
            var ring = RingBuffer<PacketClient<PerCpu<Atomic>, Discard<NoWakeUp>, PlainRecords, Dying>>.Create(TestRing.Options(directory));
            using var reader = StreamReader.TryOpen(TestRing.StreamPath(directory, Cpus.Allowed()[0]))!;
            ring.Write(first, 1, payload, 8);
            Dying.Point = RingPoint.PositionRead;
            Dying.Meanwhile = () =>
            {
                Dying.Point = RingPoint.Reserved;
                Assert.Throws<OperationCanceledException>(() => { ring.Write(first, 2, payload, 8); });
                ring.Write(third, 3, payload, 8);
            };
            ring.Write(late, 4, payload, 8);
            foreach (var snapshot in (ReadOnlySpan<StreamSnapshot>)[StreamSnapshot.Take(reader), StreamSnapshot.Recover(reader)])
            {
                Assert.False(snapshot.IsCut);
                var records = Assert.Single(snapshot.Packets).Span[PlainRecords.PacketHeadBytes..];
                foreach (uint expected in (ReadOnlySpan<uint>)[1, 3, 4])
                {
                    Assert.True(PlainRecords.TryTake(ref records, out uint kind, out _));
                    Assert.Equal(expected, kind);
                }
                Assert.True(records.IsEmpty);
            }
            GC.KeepAlive(ring);
        }
        finally
        {
            WriterThread.Free(first);
            WriterThread.Free(late);
            WriterThread.Free(third);
            Directory.Delete(directory, recursive: true);
        }
    }
}
