using Weir.Ring;
using Xunit;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Ring;

/// <summary>A writer is held up with its record unfinished while others go on: who makes the bytes readable wakes the reader.</summary>
public sealed unsafe class AtomicWakeUpTests
{
    private const int RecordBytes = 64;

    [Fact]
    public void Who_completes_a_packet_rings_though_another_closed_it() =>
        HoldOne<PacketClient<Global, Discard<WakeOnPacket>, PlainRecords, HeldThread>>(
            reader => reader.TryGetComplete(out _), bytesOfOthers: 4096);

    [Fact]
    public void Who_fills_the_hole_before_a_watermark_rings_though_others_passed_it() =>
        HoldOne<PacketClient<Global, Discard<WakeAtWatermark>, PlainRecords, HeldThread>>(
            reader =>
            {
                var cursor = new StreamCursor(reader);
                return !cursor.Peek().IsEmpty;
            },
            bytesOfOthers: 1500);

    private static void HoldOne<TClient>(Func<StreamReader, bool> isReadable, int bytesOfOthers)
        where TClient : struct, IRingClient
    {
        var ring = RingBuffer<TClient>.Create(
            new RingOptions { Backing = RingBacking.Anonymous, PacketBytes = 4096, PacketCount = 4, WatermarkBytes = 1024 });
        using var reader = ring.OpenReader(0);
        var goOn = HeldThread.Hold(() => Write(1));
        Write((bytesOfOthers / RecordBytes) + 1);
        uint* word = ring.Doorbell.Word;
        ring.Doorbell.Prepare();
        Assert.False(isReadable(reader));

        goOn();
        Assert.Equal(0U, *word);
        Assert.True(isReadable(reader));
        GC.KeepAlive(ring);

        void Write(int count)
        {
            var thread = WriterThread.New();
            byte* payload = stackalloc byte[RecordBytes - PlainRecords.RecordHeadBytes];
            for (int i = 0; i < count; i++)
                Assert.True(ring.Write(thread, 1, payload, RecordBytes - PlainRecords.RecordHeadBytes) <= CommitResult.CommittedInNewPacket);
            WriterThread.Free(thread);
        }
    }
}
