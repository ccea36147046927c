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
        var options = new RingOptions { Backing = RingBacking.Anonymous, PacketBytes = 4096, PacketCount = 4, WatermarkBytes = 1024 };
        var ring = RingBuffer<TClient>.Create(options);
        using var reader = ring.OpenReader(0);
        using var held = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        var first = new Thread(() =>
        {
            HeldThread.AtWritten = () =>
            {
                held.Set();
                goOn.Wait();
            };
            Write(1);
        });
        first.Start();
        held.Wait(TestContext.Current.CancellationToken);
        Write((bytesOfOthers / RecordBytes) + 1);
        uint* word = ring.Doorbell.Word;
        ring.Doorbell.Prepare();
        Assert.False(isReadable(reader));

        goOn.Set();
        first.Join();
        Assert.Equal(0U, *word);
        Assert.True(isReadable(reader));

        void Write(int count)
        {
            var thread = WriterThread.New();
            byte* payload = stackalloc byte[RecordBytes - PlainRecords.RecordHeadBytes];
            for (int i = 0; i < count; i++)
                Assert.True(ring.Write(thread, 1, payload, RecordBytes - PlainRecords.RecordHeadBytes) <= CommitResult.CommittedInNewPacket);
            WriterThread.Free(thread);
        }
    }

    private readonly struct HeldThread : IRingHooks
    {
        [ThreadStatic]
        private static Action? s_atWritten;

        public static Action? AtWritten { set => s_atWritten = value; }

        public static void At(RingPoint point)
        {
            if (point == RingPoint.Written)
                s_atWritten?.Invoke();
        }
    }
}
