using Weir.Ctf;
using Xunit;

namespace Weir.Tests.Ctf;

public unsafe class PacketCursorTests
{
    [Fact]
    public void Events_are_found_with_their_offset_length_and_time()
    {
        var builder = new LttngTraceBuilder();
        ulong begin = (1UL << 40) + (1UL << 27) - 10;
        byte[] packet = builder.Packet(3, 1, begin, begin + 1000, 16, (begin + 5, 0, 1), (begin + 20, 0, -1), (begin + 30, 1, 5), (begin + 40, 0, 2));
        var cursor = new PacketCursor(new TraceDecoder(builder.Trace));
        var records = new List<EventRecord>();
        fixed (byte* start = packet)
        {
            Assert.Equal(DecodeStatus.Done, cursor.BeginPacket(start, packet.Length * 8L, out _));
            Assert.Equal((LttngLayout.PacketHeaderBytes + LttngLayout.PacketContextBytes) * 8, cursor.PositionBits);
            Assert.Equal(3UL, cursor.Properties.StreamId);
            var record = default(EventRecord);
            DecodeStatus status;
            while ((status = cursor.MoveNext(start, packet.Length * 8L, ref record)) == DecodeStatus.Done)
                records.Add(record);
            Assert.Equal(DecodeStatus.EndOfPacket, status);
        }
        Assert.Equal(builder.EventOffsets, records.Select(record => record.OffsetBytes));
        Assert.Equal([begin + 5, begin + 20, begin + 30, begin + 40], records.Select(record => record.ClockValue));
        Assert.Equal(LttngLayout.CompactEventHeaderBytes + 4 + 8, records[0].LengthBytes);
        Assert.Equal("test:mixed", records[2].Decoder.Class.Name);
        Assert.Equal(LttngLayout.ExtendedEventHeaderBytes * 8, records[2].FieldsBits - records[2].StartBits);
    }

    [Fact]
    public void Cut_anywhere_the_events_before_the_cut_are_given_and_no_byte_behind_it_is_touched()
    {
        var builder = new LttngTraceBuilder();
        byte[] packet = builder.Packet(0, 0, 100, 200, 0, (101, 1, 3), (102, 0, 4), (103, 1, 6));
        var decoder = new TraceDecoder(builder.Trace);
        for (int cut = 0; cut < packet.Length; cut++)
        {
            byte[] part = packet[..cut];
            var cursor = new PacketCursor(decoder);
            int count = 0;
            fixed (byte* start = part)
            {
                var status = cursor.BeginPacket(start, cut * 8L, out _);
                var record = default(EventRecord);
                while (status == DecodeStatus.Done && (status = cursor.MoveNext(start, cut * 8L, ref record)) == DecodeStatus.Done)
                    count++;
                Assert.Equal(DecodeStatus.OutOfBytes, status);
            }
            int whole = builder.EventOffsets.Skip(1).Count(offset => offset <= cut);
            Assert.Equal(whole, count);
        }
    }

    [Fact]
    public void A_call_that_ran_out_of_bytes_may_be_repeated()
    {
        var builder = new LttngTraceBuilder();
        byte[] packet = builder.Packet(0, 0, 100, 200, 0, (150, 0, 4));
        var cursor = new PacketCursor(new TraceDecoder(builder.Trace));
        var record = default(EventRecord);
        fixed (byte* start = packet)
        {
            Assert.Equal(DecodeStatus.Done, cursor.BeginPacket(start, packet.Length * 8L, out _));
            Assert.Equal(DecodeStatus.OutOfBytes, cursor.MoveNext(start, (packet.Length - 1) * 8L, ref record));
            Assert.Equal(DecodeStatus.Done, cursor.MoveNext(start, packet.Length * 8L, ref record));
        }
        Assert.Equal(150UL, record.ClockValue);
    }

    [Fact]
    public void Walking_events_allocates_nothing()
    {
        var builder = new LttngTraceBuilder();
        var events = Enumerable.Range(0, 1000).Select(i => ((ulong)(100 + i), i % 2, (long)i)).ToArray();
        byte[] packet = builder.Packet(0, 0, 100, 5000, 0, events);
        var cursor = new PacketCursor(new TraceDecoder(builder.Trace));
        fixed (byte* start = packet)
        {
            Assert.Equal(1000, Count(cursor, start, packet.Length));
            long before = GC.GetAllocatedBytesForCurrentThread();
            Count(cursor, start, packet.Length);
            Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        }
    }

    private static int Count(PacketCursor cursor, byte* start, int length)
    {
        cursor.BeginPacket(start, length * 8L, out _, keepsClock: false);
        var record = default(EventRecord);
        int count = 0;
        while (cursor.MoveNext(start, length * 8L, ref record) == DecodeStatus.Done)
            count++;
        return count;
    }
}
