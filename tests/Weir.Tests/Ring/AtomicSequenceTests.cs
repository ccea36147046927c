using Weir.Clock;
using Weir.Ring;
using Xunit;

namespace Weir.Tests.Ring;

/// <summary>Interleavings of two writers on the atomic path, one of them by hand.</summary>
public sealed unsafe class AtomicSequenceTests
{
    private const int OpenPacket = 0;

    /// <summary>
    /// A takes packet 1 and is held up; B fills packet 1, closes it and opens packet 2; A goes on and writes the head of packet 1.
    /// </summary>
    [Fact]
    public void A_late_head_does_not_undo_the_close_of_its_packet()
    {
        using var stream = new PrivateStream();
        stream.Data.Clear(); // as the reader leaves sub-buffers
        stream.UseEverywhere();
        var thread = TestRing.NewThread();
        const int Mine = RecordLayout.CompactBytes + 8;
        ulong taken = MonotonicClock.Read();
        stream.LastTime = taken;
        stream.Position = PrivateStream.PacketBytes + PacketLayout.Records + Mine;

        ulong payload = 7;
        ulong before;
        do
        {
            before = stream.Position;
        }
        while (AtomicSequence.Commit<MonotonicClock>(stream.Ring, thread, null, (byte*)&payload, 8, 3) == CommitResult.Committed);
        Assert.Equal(2UL, stream.Position / PrivateStream.PacketBytes);
        var closed = stream.Packet(1)[..PacketLayout.Records].ToArray();

        fixed (byte* packet = stream.Packet(1))
            PacketHead.Open(stream.Ring, packet, 0, taken, 1);
        var head = stream.Packet(1);
        Assert.Equal(before % PrivateStream.PacketBytes * 8, BitConverter.ToUInt64(head[PacketLayout.ContentSize..]));
        Assert.Equal(BitConverter.ToUInt64(closed, PacketLayout.TimestampEnd), BitConverter.ToUInt64(head[PacketLayout.TimestampEnd..]));
        Assert.Equal(BitConverter.ToUInt64(closed, PacketLayout.EventsDiscarded), BitConverter.ToUInt64(head[PacketLayout.EventsDiscarded..]));
        Assert.Equal(taken, BitConverter.ToUInt64(head[PacketLayout.TimestampBegin..]));
        TestRing.Free(thread);
    }

    /// <summary>The last time may be that of a record long before; the head is then extended and right, never compact and wrong.</summary>
    [Fact]
    public void A_last_time_that_lags_costs_an_extended_head_only()
    {
        using var stream = new PrivateStream();
        stream.Data.Clear();
        stream.UseEverywhere();
        var thread = TestRing.NewThread();
        stream.LastTime = MonotonicClock.Read() - (1UL << RecordLayout.TimeBits);
        ulong payload = 7;
        ulong before = MonotonicClock.Read();
        Assert.Equal(CommitResult.Committed, AtomicSequence.Commit<MonotonicClock>(stream.Ring, thread, null, (byte*)&payload, 8, 3));
        Assert.Equal((ulong)(PacketLayout.Records + RecordLayout.ExtendedBytes + 8), stream.Position);
        var record = stream.Packet(OpenPacket)[PacketLayout.Records..];
        Assert.Equal(31, record[0]);
        Assert.Equal(3U, BitConverter.ToUInt32(record[1..]));
        Assert.InRange(BitConverter.ToUInt64(record[5..]), before, stream.LastTime);
        Assert.Equal(7UL, BitConverter.ToUInt64(record[13..]));
        TestRing.Free(thread);
    }
}
