using CsCheck;
using Weir.Ctf;
using Xunit;

namespace Weir.Tests.Ctf.Decoding;

public unsafe class EventSkipperTests
{
    /// <summary>Random bytes between real events: whatever comes, both ways stop at the same place with the same answer.</summary>
    [Theory]
    [InlineData(LttngEventHeader.Compact)]
    [InlineData(LttngEventHeader.Large)]
    public void Passing_over_events_counts_what_walking_them_gives(LttngEventHeader header)
    {
        var decoder = new TraceDecoder(CreateTrace(header));
        using var walkers = new ThreadLocal<FieldWalker>(() => new FieldWalker(decoder));
        long total = 0;
        Gen.Select(Gen.Int, Gen.Int[0, 60], Gen.Int[0, 3], Gen.Double[0, 1]).Sample((seed, events, changes, cut) =>
        {
            var random = new Random(seed);
            var walker = walkers.Value!;
            using var writer = new BitWriter();
            for (int i = 0; i < events; i++)
                Write(writer, header, random);
            fixed (byte* packet = writer.Written.ToArray().Append((byte)0).ToArray())
            {
                for (int i = 0; i < changes; i++)
                    packet[random.Next((int)writer.LengthBytes + 1)] = (byte)random.Next(256);
                long limit = (long)(writer.LengthBytes * cut) * 8;
                var (walked, skipped) = (Begin(decoder, packet, writer.LengthBytes * 8), Begin(decoder, packet, writer.LengthBytes * 8));
                var record = default(EventRecord);
                long expected = 0;
                DecodeStatus status;
                while ((status = walked.MoveNext(packet, limit, ref record)) == DecodeStatus.Done)
                {
                    expected++;
                    AssertEndsThere(walker, in record, packet);
                }
                long count = 0;
                Assert.Equal(status, MoveRuns(skipped, packet, limit, ref count));
                Assert.Equal((expected, walked.PositionBits, walked.ClockValue), (count, skipped.PositionBits, skipped.ClockValue));
                Interlocked.Add(ref total, count);
            }
        }, iter: 3000);
        Assert.True(total > 3000, $"{total} events were passed over");
    }

    /// <summary>A run ends before the first event that is later than it may be, and is then as if it had been asked for only so far.</summary>
    [Theory]
    [InlineData(LttngEventHeader.Compact)]
    [InlineData(LttngEventHeader.Large)]
    public void A_run_says_where_it_lies_and_ends_at_the_largest_time(LttngEventHeader header)
    {
        var decoder = new TraceDecoder(CreateTrace(header));
        Gen.Select(Gen.Int, Gen.Int[1, 60], Gen.Double[0, 1.5]).Sample((seed, events, part) =>
        {
            var random = new Random(seed);
            using var writer = new BitWriter();
            for (int i = 0; i < events; i++)
                Write(writer, header, random);
            long bits = writer.LengthBytes * 8;
            fixed (byte* packet = writer.Written.ToArray())
            {
                var (walked, ran) = (Begin(decoder, packet, bits), Begin(decoder, packet, bits));
                var records = new List<EventRecord>();
                var record = default(EventRecord);
                while (walked.MoveNext(packet, bits, ref record) == DecodeStatus.Done)
                    records.Add(record);
                Assert.Equal(events, records.Count);
                ulong largest = (ulong)(records[^1].ClockValue * part);
                for (int done = 0; done < records.Count;)
                {
                    int count = (int)ran.MoveRun(packet, bits, largest, ref record);
                    if (count == 0)
                    {
                        Assert.Equal(DecodeStatus.Done, ran.MoveNext(packet, bits, ref record));
                        done++;
                        continue;
                    }
                    var (first, last) = (records[done], records[done + count - 1]);
                    Assert.Equal((first.Decoder, first.StartBits, first.FieldsBits, first.ClockValue), (record.Decoder, record.StartBits, record.FieldsBits, record.ClockValue));
                    Assert.Equal((last.EndBits, last.EndBits, last.ClockValue), (record.EndBits, ran.PositionBits, ran.ClockValue));
                    Assert.True(last.ClockValue <= largest);
                    done += count;
                }
            }
        }, iter: 1000);
    }

    private static DecodeStatus MoveRuns(PacketCursor cursor, byte* packet, long limit, ref long count)
    {
        var record = default(EventRecord);
        while (true)
        {
            count += cursor.MoveRun(packet, limit, ulong.MaxValue, ref record);
            var status = cursor.MoveNext(packet, limit, ref record);
            if (status != DecodeStatus.Done)
                return status;
            count++;
        }
    }

    /// <summary>The fields, decoded one by one, lie before the record's end, and would not before the byte that precedes it.</summary>
    private static void AssertEndsThere(FieldWalker walker, in EventRecord record, byte* packet)
    {
        var visitor = default(Nobody);
        Assert.Equal(DecodeStatus.Done, walker.WalkEvent(in record, packet, null, ref visitor));
        var shorter = EventRecord.Create(record.Decoder, record.StartBits, record.FieldsBits, record.EndBits - 8, 0);
        Assert.Equal(DecodeStatus.OutOfBytes, walker.WalkEvent(in shorter, packet, null, ref visitor));
    }

    private static PacketCursor Begin(TraceDecoder decoder, byte* packet, long contentBits)
    {
        var cursor = new PacketCursor(decoder);
        Assert.Equal(DecodeStatus.Done, cursor.BeginPacket(packet, contentBits, out _));
        cursor.ContentBits = contentBits;
        return cursor;
    }

    private static TraceClass CreateTrace(LttngEventHeader header)
    {
        var clock = new ClockClass { Name = "clock" };
        var trace = new TraceClass();
        trace.Add(clock);
        var full = LttngLayout.CreateStream(0, clock, null, header);
        var stream = new DataStreamClass { Id = 0, EventHeader = full.EventHeader, DefaultClock = clock };
        Add(new("a", new IntegerFieldClass(32)), new("b", new IntegerFieldClass(16)));
        Add(new("a", new IntegerFieldClass(8)), new("text", new StringFieldClass()), new("b", new IntegerFieldClass(64)));
        Add(
            new("n", new IntegerFieldClass(16)), new("list", new DynamicArrayFieldClass(new IntegerFieldClass(24, alignmentBits: 32), new FieldLocation(FieldScope.EventPayload, "n"))),
            new("m", new IntegerFieldClass(8)), new("text", new DynamicStringFieldClass(new FieldLocation(FieldScope.EventPayload, "m"))));
        Add(new StructureMember("text", new StringFieldClass()));
        Add(new("n", new IntegerFieldClass(8)), new("texts", new DynamicArrayFieldClass(new StringFieldClass(), new FieldLocation(FieldScope.EventPayload, "n"))));
        trace.Add(stream);
        return trace;

        void Add(params StructureMember[] members) =>
            stream.Add(new EventRecordClass { Id = (ulong)stream.EventRecordClasses.Count, Name = "e", Payload = new StructureFieldClass(members) });
    }

    private static void Write(BitWriter writer, LttngEventHeader header, Random random)
    {
        uint id = (uint)random.Next(5);
        writer.Align(8);
        if (header == LttngEventHeader.Compact)
        {
            writer.Write(id | ((uint)random.Next(1 << 20) << 5), 32);
        }
        else
        {
            writer.Write(id, 16);
            writer.Write((uint)random.Next(), 32);
        }
        switch (id)
        {
            case 0:
                writer.Write((uint)random.Next(), 32);
                writer.Write(7, 16);
                break;
            case 1:
                writer.Write(1, 8);
                Text();
                writer.Write((ulong)random.NextInt64(), 64);
                break;
            case 2:
                // As its list's elements.
                writer.Align(32);
                int count = random.Next(4);
                writer.Write((ulong)count, 16);
                writer.Align(32);
                for (int i = 0; i < count; i++)
                {
                    writer.Align(32);
                    writer.Write((uint)random.Next(1 << 24), 24);
                }
                count = random.Next(9);
                writer.Write((ulong)count, 8);
                for (int i = 0; i < count; i++)
                    writer.Write((ulong)random.Next(256), 8);
                break;
            case 3:
                Text();
                break;
            default:
                count = random.Next(3);
                writer.Write((ulong)count, 8);
                for (int i = 0; i < count; i++)
                    Text();
                break;
        }

        void Text()
        {
            for (int length = random.Next(20); length > 0; length--)
                writer.Write((ulong)random.Next(1, 256), 8);
            writer.Write(0, 8);
        }
    }

    private struct Nobody : IFieldVisitor
    {
        public readonly void Integer(int step, ulong value) { }

        public readonly void Real(int step, double value) { }

        public readonly void Text(int step, byte* text, int lengthBytes) { }

        public readonly void BeginStructure(int step) { }

        public readonly void EndStructure(int step) { }

        public readonly void BeginArray(int step, ulong length) { }

        public readonly void Element(int step, ulong index) { }

        public readonly void EndArray(int step) { }

        public readonly void BeginVariant(int step) { }

        public readonly void EndVariant(int step) { }

        public readonly void Blob(int step, byte* bytes, long lengthBytes) { }

        public readonly void BeginOptional(int step, bool isPresent) { }

        public readonly void EndOptional(int step) { }
    }
}
