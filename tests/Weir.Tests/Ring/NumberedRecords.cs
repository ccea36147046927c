using System.Buffers.Binary;
using Xunit;

namespace Weir.Tests.Ring;

/// <summary>What a reader found of the records of <see cref="NumberedWriters"/>: each whole, once, and all that must be there.</summary>
internal sealed class NumberedRecords
{
    // The counter's two readings, the writer's and the ring's, are not fenced against each other.
    private const ulong ReorderCycles = 200;

    private readonly List<(int Number, ulong Time)>[] _found = [.. Enumerable.Range(0, NumberedWriters.Threads).Select(_ => new List<(int, ulong)>())];

    public long Count => _found.Sum(records => (long)records.Count);

    /// <summary>Takes a stream's next packet.</summary>
    public void Add(PacketParser parser, ReadOnlySpan<byte> packet)
    {
        foreach (var record in parser.Parse(packet))
        {
            var payload = packet.Slice(record.PayloadOffset, record.LengthBytes);
            int thread = BinaryPrimitives.ReadInt32LittleEndian(payload);
            int number = BinaryPrimitives.ReadInt32LittleEndian(payload[4..]);
            if (payload[8..].ContainsAnyExcept(NumberedWriters.Filling(number)))
                Assert.Fail($"thread {thread}: record {number} is torn");
            Assert.InRange(thread, 0, NumberedWriters.Threads - 1);
            _found[thread].Add((number, record.Time));
        }
    }

    /// <summary>Checks that no record is there twice; for records that may be any part of what was written.</summary>
    public void CheckOnce()
    {
        for (int thread = 0; thread < NumberedWriters.Threads; thread++)
        {
            var records = _found[thread];
            records.Sort();
            for (int i = 1; i < records.Count; i++)
            {
                if (records[i].Number == records[i - 1].Number)
                    Assert.Fail($"thread {thread}: record {records[i].Number} twice");
                if (records[i].Time < records[i - 1].Time)
                    Assert.Fail($"thread {thread}: record {records[i].Number} is older than the one before it");
            }
        }
    }

    /// <summary>Checks that all records are there that the threads had told of.</summary>
    /// <param name="progress">What they told.</param>
    /// <param name="overwrittenUntil">Records up to this time may have been overwritten; null where none may.</param>
    /// <returns>Records that were committed and not told of yet, of threads that died in between.</returns>
    public int CheckAll(ReadOnlySpan<byte> progress, ulong? overwrittenUntil)
    {
        CheckOnce();
        int untold = 0;
        for (int thread = 0; thread < NumberedWriters.Threads; thread++)
        {
            var line = progress.Slice(thread * NumberedWriters.LineBytes, NumberedWriters.LineBytes);
            int told = (int)BinaryPrimitives.ReadUInt64LittleEndian(line);
            int next = 0;
            ulong time = 0;
            foreach (var record in _found[thread])
            {
                if (record.Number > told)
                    Assert.Fail($"thread {thread}: record {record.Number} was never written: {told} were");
                MayLack(next, record.Number, time);
                (next, time) = (record.Number + 1, record.Time);
                untold += record.Number == told ? 1 : 0;
            }
            if (next < told)
                MayLack(next, told, Math.Max(time, BinaryPrimitives.ReadUInt64LittleEndian(line[(8 + ((told - 1) % 2 * sizeof(ulong)))..])));

            // Those from one number to before another were written after a time.
            void MayLack(int from, int to, ulong after)
            {
                if (from < to && !(after <= overwrittenUntil + ReorderCycles))
                    Assert.Fail($"thread {thread}: records {from} to {to - 1} of {told} are not there; written after {after}, overwritten until {overwrittenUntil}");
            }
        }
        return untold;
    }
}
