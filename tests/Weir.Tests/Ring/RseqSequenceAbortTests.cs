using System.Runtime.InteropServices;
using Weir.Clock;
using Weir.Ring;
using Xunit;

namespace Weir.Tests.Ring;

/// <summary>
/// An attempt that ends at any instruction of the section leaves nothing that a repetition, another writer or a reader could tell.
/// Proved by running the code up to every instruction, and by the kernel's own aborts.
/// </summary>
public sealed unsafe class RseqSequenceAbortTests
{
    private const uint CompactId = 5;
    private const uint WideId = 0x12345678;
    private const int OpenPacket = 3;
    private const uint OtherId = 9;
    private const int OtherLength = 6;

    private static readonly byte[] s_pattern = [.. Enumerable.Range(0, PrivateStream.PacketBytes * PrivateStream.PacketCount).Select(i => (byte)(i * 7 + (i >> 12)))];

    private static readonly int[] s_lengths = [0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 100];

    /// <summary>A record and the state of the stream that it meets.</summary>
    /// <param name="Used">Bytes of the open packet before it.</param>
    /// <param name="Free">Whether the next sub-buffer is free.</param>
    private sealed record Scenario(string Name, uint Id, int Length, int Used = 500, bool Free = true, bool IsLate = false, bool IsAbsent = false)
    {
        public override string ToString() => $"{Name}, id {Id}, {Length} bytes";
    }

    private static IEnumerable<Scenario> Scenarios()
    {
        foreach (int length in s_lengths)
        {
            yield return new Scenario("compact", CompactId, length);
            yield return new Scenario("extended by id", WideId, length);
            yield return new Scenario("extended by time", CompactId, length, IsLate: true);
            yield return new Scenario("switch", CompactId, length, Used: 4096 - 4 - length);
            yield return new Scenario("switch, extended", WideId, length, Used: 4096 - 13 - length);
            yield return new Scenario("switch, compact although late", CompactId, length, Used: 4096 - 13 - length, IsLate: true);
            yield return new Scenario("full", CompactId, length, Used: 4096 - 4 - length, Free: false);
            yield return new Scenario("last byte but one", CompactId, length, Used: 4096 - 5 - length);
        }
        yield return new Scenario("too large", CompactId, 4096);
        yield return new Scenario("too large by one", CompactId, 4096 - PacketLayout.Records - 4);
        yield return new Scenario("as large as can be", CompactId, 4096 - PacketLayout.Records - 5);
        yield return new Scenario("too large by its wide id", WideId, 4096 - PacketLayout.Records - 13);
        yield return new Scenario("absent", CompactId, 8, IsAbsent: true);
    }

    [Fact]
    public void An_attempt_aborted_at_any_instruction_leaves_no_trace()
    {
        Assert.SkipUnless(RseqSequence.IsAvailable, RseqSequence.Verdict);
        Native.OnPinnedThread([Cpus.Allowed()[0]], () =>
        {
            using var stream = new PrivateStream();
            var section = InterruptedSequence.Section();
            var reached = new HashSet<int>();
            foreach (int offset in section)
            {
                var attempt = InterruptedSequence.LeftAt(offset);
                foreach (var scenario in Scenarios())
                {
                    foreach (bool isInterleaved in (ReadOnlySpan<bool>)[false, true])
                        CheckAbort(stream, scenario, attempt, offset, isInterleaved, reached);
                }
            }
            Assert.Equal(section, reached.Order());
        });
    }

    [Fact]
    public void A_section_that_stored_the_time_before_its_commit_would_be_caught()
    {
        // The same check on a stream whose last time an aborted attempt has already moved: it must see that.
        Assert.SkipUnless(RseqSequence.IsAvailable, RseqSequence.Verdict);
        using var stream = new PrivateStream();
        var scenario = new Scenario("compact", CompactId, 8);
        Prepare(stream, scenario);
        byte[] before = stream.Save();
        stream.LastTime++;
        Assert.ThrowsAny<Exception>(() => AssertNothingPublished(before, stream, "mutation"));
        Prepare(stream, scenario);
        before = stream.Save();
        stream.Packet(OpenPacket)[499] ^= 1;
        Assert.ThrowsAny<Exception>(() => AssertNothingPublished(before, stream, "mutation"));
    }

    /// <summary>Real preemptions and signals: the kernel aborts, and every record is there once, in order, with rising times.</summary>
    [Fact]
    public void Records_survive_the_kernels_aborts()
    {
        Assert.SkipUnless(RseqSequence.IsAvailable, RseqSequence.Verdict);
        Native.EnsureSignalIsHarmless();
        const int Threads = 8;
        const int RecordBytes = RecordLayout.CompactBytes + 8;
        int cpu = Cpus.Allowed()[0];
        using var stream = new PrivateStream();
        stream.UseOn((uint)cpu);
        ulong* aborts = (ulong*)NativeMemory.AlignedAlloc(64, 64);
        *aborts = 0;
        nint commit = (nint)InterruptedSequence.Counting(aborts);
        var written = new ulong[Threads];
        var threadIds = new int[Threads];
        bool isStopped = false;
        var writers = Enumerable.Range(0, Threads).Select(t => new Thread(() =>
        {
            Native.Pin(cpu);
            threadIds[t] = Native.ThreadId();
            var code = (delegate* unmanaged[SuppressGCTransition]<RingMemory*, byte*, byte*, nint, nint, int>)commit;
            byte* area = RseqArea.OfThisThread();
            ulong payload = (ulong)t << 56;
            while (!Volatile.Read(ref isStopped))
            {
                if (code(stream.Ring, area, (byte*)&payload, 8, (nint)CompactId) <= (int)CommitResult.CommittedInNewPacket)
                    payload++;
            }
            written[t] = payload & ((1UL << 56) - 1);
        })
        {
            IsBackground = true,
        }).ToArray();
        foreach (var writer in writers)
            writer.Start();

        // This thread reads and sends the signals; from the other CPU if there is one.
        var expected = new ulong[Threads];
        var clock = System.Diagnostics.Stopwatch.StartNew();
        ulong packet = 0;
        ulong lastTime = 0;
        while (clock.ElapsedMilliseconds < 1500 || *aborts == 0)
        {
            Assert.True(clock.ElapsedMilliseconds < 30_000, "no abort in 30 s");
            for (int t = 0; t < Threads; t++)
            {
                if (threadIds[t] != 0)
                    _ = Native.SendSignal(Environment.ProcessId, threadIds[t], Native.Signal);
            }
            while ((packet + 1) * PrivateStream.PacketBytes <= Volatile.Read(ref stream.Position))
            {
                Read(stream.Packet(packet), PrivateStream.PacketBytes);
                packet++;
                Volatile.Write(ref stream.Consumed, packet * PrivateStream.PacketBytes);
            }
        }
        Volatile.Write(ref isStopped, true);
        foreach (var writer in writers)
            writer.Join();
        while ((packet + 1) * PrivateStream.PacketBytes <= stream.Position)
        {
            Read(stream.Packet(packet), PrivateStream.PacketBytes);
            packet++;
        }
        Read(stream.Packet(packet), (int)(stream.Position % PrivateStream.PacketBytes));
        Assert.Equal(written, expected);
        TestContext.Current.TestOutputHelper?.WriteLine($"{*aborts} aborts, {written.Sum(n => (decimal)n)} records");
        NativeMemory.AlignedFree(aborts);

        void Read(ReadOnlySpan<byte> bytes, int used)
        {
            ulong time = BitConverter.ToUInt64(bytes[PacketLayout.TimestampBegin..]);
            Assert.Equal(packet, BitConverter.ToUInt64(bytes[PacketLayout.SequenceNumber..]));
            if (used == PrivateStream.PacketBytes)
                used = (int)BitConverter.ToUInt64(bytes[PacketLayout.ContentSize..]) / 8;
            for (int at = PacketLayout.Records; at < used;)
            {
                int head = RecordLayout.CompactBytes;
                if ((bytes[at] & 31) == 31)
                {
                    head = RecordLayout.ExtendedBytes;
                    time = BitConverter.ToUInt64(bytes[(at + 5)..]);
                }
                else
                {
                    time += (BitConverter.ToUInt32(bytes[at..]) >> 5) - time & 0x7ffffff;
                }
                Assert.True(time >= lastTime, "time goes back");
                lastTime = time;
                ulong payload = BitConverter.ToUInt64(bytes[(at + head)..]);
                Assert.Equal(expected[payload >> 56]++, payload & ((1UL << 56) - 1));
                at += head + RecordBytes - RecordLayout.CompactBytes;
                Assert.True(at <= used);
            }
        }
    }

    private static void CheckAbort(
        PrivateStream stream, Scenario scenario, delegate* unmanaged[SuppressGCTransition]<RingMemory*, byte*, byte*, nint, nint, int> attempt,
        int offset, bool isInterleaved, HashSet<int> reached)
    {
        (Scenario, string, bool) what = (scenario, $"aborted at 0x{offset:x}", isInterleaved);
        ulong begun;
        byte[] interrupted;
        byte[] whole;
        CommitResult result;
        CommitResult expected;
        do
        {
            // Each run begins with the same relation of the last time to now, unless the thread was held up for too long.
            begun = CpuCounter.Read();
            Prepare(stream, scenario);
            byte[] before = stream.Save();
            fixed (byte* payload = Payload(scenario.Length))
            {
                int left = attempt(stream.Ring, RseqArea.OfThisThread(), payload, scenario.Length, (nint)scenario.Id);
                if (left == InterruptedSequence.Aborted)
                    reached.Add(offset);
                else
                    return; // This record does not pass that instruction.
            }
            AssertNothingPublished(before, stream, what);
            if (isInterleaved)
                WriteOther(stream);
            result = Write(stream, scenario);
            interrupted = Published(stream, scenario);

            Prepare(stream, scenario);
            if (isInterleaved)
                WriteOther(stream);
            expected = Write(stream, scenario);
            whole = Published(stream, scenario);
        }
        while (CpuCounter.Read() - begun > 1 << (RecordLayout.TimeBits - 1));
        if (expected != result || !whole.AsSpan().SequenceEqual(interrupted))
            Assert.Fail($"{what}: {result} and {expected}, or the streams differ");
    }

    // Packets 1 and 2 are complete and wait for their reader, packet 3 is open; the next sub-buffer is that of packet 0.
    private static void Prepare(PrivateStream stream, Scenario scenario)
    {
        ulong lateCycles = 1UL << (RecordLayout.TimeBits + 1);
        stream.Reset();
        s_pattern.CopyTo(stream.Data);
        stream.Position = (OpenPacket * (ulong)PrivateStream.PacketBytes) + (ulong)scenario.Used;
        stream.Consumed = scenario.Free ? PrivateStream.PacketBytes : 0UL;
        stream.LostFull = 11;
        stream.LostTooLarge = 22;
        stream.LastTime = CpuCounter.Read() - (scenario.IsLate ? lateCycles : 0);
        stream.UseOn(WriterCpu(), !scenario.IsAbsent);
    }

    private static uint WriterCpu() => RseqArea.CurrentCpu(RseqArea.OfThisThread());

    private static byte[] Payload(int length)
    {
        var payload = new byte[Math.Max(length, 1)];
        for (int i = 0; i < length; i++)
            payload[i] = (byte)(0x80 | i * 13 % 128);
        return payload;
    }

    private static CommitResult Write(PrivateStream stream, Scenario scenario)
    {
        fixed (byte* payload = Payload(scenario.Length))
            return RseqSequence.Commit(stream.Ring, RseqArea.OfThisThread(), payload, scenario.Length, scenario.Id);
    }

    private static void WriteOther(PrivateStream stream)
    {
        ulong payload = 0x5555555555555555;
        RseqSequence.Commit(stream.Ring, RseqArea.OfThisThread(), (byte*)&payload, OtherLength, OtherId);
    }

    private static void AssertNothingPublished(byte[] before, PrivateStream stream, object what)
    {
        byte[] after = stream.Save();
        if (!before.AsSpan(0, StreamLayout.Data).SequenceEqual(after.AsSpan(0, StreamLayout.Data)))
            Assert.Fail($"{what}: the control page changed");
        for (int number = 1; number <= OpenPacket; number++)
        {
            int packet = StreamLayout.Data + (number * PrivateStream.PacketBytes);
            int length = PrivateStream.PacketBytes;
            if (number == OpenPacket)
            {
                // Nobody believes these fields of an open packet.
                length = (int)(stream.Position % PrivateStream.PacketBytes);
                foreach (byte[] side in (byte[][])[before, after])
                {
                    side.AsSpan(packet + PacketLayout.TimestampEnd, PacketLayout.PacketSize - PacketLayout.TimestampEnd).Clear();
                    side.AsSpan(packet + PacketLayout.EventsDiscarded, PacketLayout.CpuId - PacketLayout.EventsDiscarded).Clear();
                }
            }
            if (!before.AsSpan(packet, length).SequenceEqual(after.AsSpan(packet, length)))
                Assert.Fail($"{what}: packet {number} changed");
        }
    }

    /// <summary>All that a reader can come to see, with the times masked.</summary>
    private static byte[] Published(PrivateStream stream, Scenario scenario)
    {
        byte[] all = stream.Save();
        all.AsSpan(StreamLayout.LastTime, 8).Clear();
        ulong open = stream.Position / PrivateStream.PacketBytes;
        ulong first = stream.Consumed / PrivateStream.PacketBytes;
        for (ulong number = 0; number < PrivateStream.PacketCount; number++)
        {
            ulong here = number < first ? number + PrivateStream.PacketCount : number;
            var packet = all.AsSpan(StreamLayout.Data + ((int)number * PrivateStream.PacketBytes), PrivateStream.PacketBytes);
            if (here > open)
            {
                packet.Clear();
                continue;
            }
            if (here == open)
                packet[(int)(stream.Position % PrivateStream.PacketBytes)..].Clear();
            if (here < OpenPacket)
                continue;
            // Content and losses of an open packet are not believed either.
            packet.Slice(PacketLayout.TimestampEnd, 8).Clear();
            if (here == open)
            {
                packet.Slice(PacketLayout.ContentSize, 8).Clear();
                packet.Slice(PacketLayout.EventsDiscarded, 8).Clear();
            }
            if (here > OpenPacket)
            {
                packet.Slice(PacketLayout.TimestampBegin, 8).Clear();
                MaskTimes(packet, scenario, PacketLayout.Records, (int)(stream.Position % PrivateStream.PacketBytes));
            }
            else
            {
                int used = here == open ? (int)(stream.Position % PrivateStream.PacketBytes) : (int)BitConverter.ToUInt64(packet[PacketLayout.ContentSize..]) / 8;
                if (here < open)
                    packet[used..].Clear(); // Padding: left as it was, and an attempt's leavings may lie there.
                MaskTimes(packet, scenario, scenario.Used, used);
            }
        }
        return all;
    }

    private static void MaskTimes(Span<byte> packet, Scenario scenario, int from, int to)
    {
        for (int at = from; at < to;)
        {
            bool isExtended = (packet[at] & 31) == 31;
            uint id = isExtended ? BitConverter.ToUInt32(packet[(at + 1)..]) : packet[at] & 31U;
            if (isExtended)
                packet.Slice(at + 5, 8).Clear();
            else
                BitConverter.TryWriteBytes(packet[at..], id);
            at += (isExtended ? RecordLayout.ExtendedBytes : RecordLayout.CompactBytes) + (id == OtherId ? OtherLength : scenario.Length);
            Assert.True(at <= to, "a record reaches beyond the position");
        }
    }
}
