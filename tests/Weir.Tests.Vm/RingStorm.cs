using Weir.Clock;
using Weir.Ring;

namespace Weir.Tests.Vm;

/// <summary>
/// Threads write numbered records into a ring while others read it: what is read is whole, each record once, each thread's in order, and
/// times do not fall.
/// </summary>
internal static unsafe class RingStorm
{
    private const int Threads = 4;
    private const int RecordsPerThread = 5000;
    private const int PayloadBytes = 16;
    private const uint Id = 7;

    /// <summary>A discarding ring, drained while it is written: what was taken is read.</summary>
    public static string Drain<TPlacement>()
        where TPlacement : struct, IPlacement
    {
        var ring = RingBuffer<PacketClient<TPlacement, Discard<WakeOnPacket>, CtfCompact<CounterClock>, NoHooks>>.Create(Options());
        long taken = 0, read = 0;
        var writers = Start(ring, result => Interlocked.Add(ref taken, result <= CommitResult.CommittedInNewPacket ? 1 : 0));
        var readers = ring.StreamCpus.Select(cpu => ring.OpenReader(cpu)).ToList();
        var checks = readers.ConvertAll(_ => new Check());
        var cursors = readers.ConvertAll(reader => new StreamCursor(reader));
        bool isOver;
        do
        {
            isOver = writers.TrueForAll(writer => !writer.IsAlive);
            ring.Doorbell.Prepare();
            for (int i = 0; i < cursors.Count; i++)
            {
                while (cursors[i].Peek() is { IsEmpty: false } records)
                {
                    read += checks[i].Read(records);
                    cursors[i].Advance(records.Length);
                }
            }
            if (!isOver)
                ring.Doorbell.Sleep(TimeSpan.FromMilliseconds(10));
        }
        while (!isOver);
        if (read != taken)
            throw new InvalidOperationException($"{taken} taken, {read} read");
        return $"{read} of {Threads * RecordsPerThread} records";
    }

    /// <summary>A flight recorder: each snapshot is a suffix.</summary>
    public static string Snapshot<TPlacement>()
        where TPlacement : struct, IPlacement
    {
        var ring = RingBuffer<PacketClient<TPlacement, Overwrite, CtfCompact<CounterClock>, NoHooks>>.Create(Options());
        var writers = Start(ring, _ => { });
        int snapshots = 0;
        long read = 0;
        while (writers.Exists(writer => writer.IsAlive) || snapshots == 0)
        {
            foreach (int cpu in ring.StreamCpus)
            {
                using var reader = ring.OpenReader(cpu);
                var check = new Check();
                foreach (var packet in StreamSnapshot.Take(reader).Packets)
                    read += check.Read(packet.Span[PacketLayout.Records..(int)(BitConverter.ToUInt64(packet.Span[PacketLayout.ContentSize..]) / 8)]);
                snapshots++;
            }
            Thread.Yield();
        }
        return $"{snapshots} snapshots, {read} records";
    }

    private static RingOptions Options() => new() { Backing = RingBacking.MemoryFiles, PacketBytes = 4096, PacketCount = 8 };

    private static List<Thread> Start(RingBuffer ring, Action<CommitResult> done)
    {
        var writers = Enumerable.Range(0, Threads).Select(index => new Thread(() =>
        {
            var thread = WriterThread.New();
            ulong* payload = stackalloc ulong[2];
            for (int number = 0; number < RecordsPerThread; number++)
            {
                payload[0] = ((ulong)index << 32) | (uint)number;
                payload[1] = ~payload[0];
                done(ring.Write(thread, Id, (byte*)payload, PayloadBytes));
            }
            WriterThread.Free(thread);
        })).ToList();
        writers.ForEach(writer => writer.Start());
        return writers;
    }

    private sealed class Check
    {
        private readonly long[] _last = [.. Enumerable.Repeat(-1L, Threads)];

        public int Read(ReadOnlySpan<byte> records)
        {
            int count = 0;
            ulong time = 0;
            while (!records.IsEmpty)
            {
                bool isCompact = (records[0] & 31) == Id;
                if (!isCompact && BitConverter.ToUInt32(records[1..]) != Id)
                    throw new InvalidOperationException($"no record begins with {records[0]}");
                if (!isCompact)
                {
                    ulong now = BitConverter.ToUInt64(records[5..]);
                    if (now < time)
                        throw new InvalidOperationException("time falls");
                    time = now;
                }
                var payload = records.Slice(isCompact ? RecordLayout.CompactBytes : RecordLayout.ExtendedBytes, PayloadBytes);
                ulong value = BitConverter.ToUInt64(payload);
                if (BitConverter.ToUInt64(payload[8..]) != ~value)
                    throw new InvalidOperationException("torn");
                int thread = (int)(value >> 32);
                if ((uint)value <= _last[thread])
                    throw new InvalidOperationException($"{(uint)value} of thread {thread} after {_last[thread]}");
                _last[thread] = (uint)value;
                records = records[((isCompact ? RecordLayout.CompactBytes : RecordLayout.ExtendedBytes) + PayloadBytes)..];
                count++;
            }
            return count;
        }
    }
}
