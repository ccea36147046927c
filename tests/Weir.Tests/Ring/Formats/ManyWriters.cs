using Weir.Clock;
using Weir.Ring;
using Xunit;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Ring.Formats;

/// <summary>A record in a packet: its id, its time (0 where the format has none), and where its payload lies, padding included.</summary>
internal readonly record struct FoundRecord(uint Id, ulong Time, int PayloadOffset, int LengthBytes);

/// <summary>Reads the packets of one stream in order, knowing nothing of the ring; fails the test on what no packet may hold.</summary>
internal delegate IReadOnlyList<FoundRecord> ParsePacket(ReadOnlySpan<byte> packet);

/// <summary>
/// Several threads write to one ring, of any client with packets, more than it holds: what the ring took is read once, whole, in order
/// and with its time; everything else is counted.
/// </summary>
internal static unsafe class ManyWriters
{
    public const int Threads = 4;

    private const int RecordsPerThread = 2500;
    private const int SmallPacketBytes = 4096;

    // The length itself u16, the thread u16, the record's number u32, the time before the write u64; then filling.
    private const int FixedBytes = 16;

    private static readonly int[] s_lengths = [FixedBytes, 17, 23, 24, 40, 109, 110, 111, 300, SmallPacketBytes];

    /// <summary>Every placement with every mode.</summary>
    public static TheoryData<string, string> Combinations => new(
        from placement in new[] { nameof(Rseq), nameof(Atomic), nameof(Global) }
        from mode in new[] { "Discard", "Overwrite", "OverwriteAll" }
        select (placement, mode));

    /// <summary>The length of a record by its id, of the ids in use: for formats whose records do not say it themselves.</summary>
    public static int LengthOf(uint[] ids, uint id) => Array.IndexOf(ids, id) is >= 0 and int i ? s_lengths[i % s_lengths.Length] : -1;

    public static void Check<TFormat>(string placement, string mode, uint[] ids, Func<uint, ParsePacket> parserOf)
        where TFormat : struct, IPacketFormat
    {
        switch (placement)
        {
            case nameof(Rseq):
                CheckMode<PerCpu<Rseq>, TFormat>(mode, ids, parserOf);
                break;
            case nameof(Atomic):
                CheckMode<PerCpu<Atomic>, TFormat>(mode, ids, parserOf);
                break;
            default:
                CheckMode<Global, TFormat>(mode, ids, parserOf);
                break;
        }
    }

    private static void CheckMode<TPlacement, TFormat>(string mode, uint[] ids, Func<uint, ParsePacket> parserOf)
        where TPlacement : struct, IPlacement
        where TFormat : struct, IPacketFormat
    {
        if (mode == "Discard")
            new Run<PacketClient<TPlacement, Discard<WakeOnPacket>, TFormat, NoHooks>>(ids, parserOf, packetCount: 8).Check();
        else
            new Run<PacketClient<TPlacement, Overwrite, TFormat, NoHooks>>(ids, parserOf, mode == "Overwrite" ? 4 : 0).Check();
    }

    private sealed class Run<TClient>
        where TClient : struct, IRingClient
    {
        private readonly uint[] _ids;
        private readonly Func<uint, ParsePacket> _parserOf;
        private readonly RingBuffer<TClient> _ring;
        private readonly bool _isLarge;
        private readonly Log[] _logs;

        // Without a number of packets the ring is one that all records fit into.
        public Run(uint[] ids, Func<uint, ParsePacket> parserOf, int packetCount)
        {
            if (TClient.Traits.Sequence == SequenceKind.Rseq)
                Assert.SkipUnless(RseqSection.IsAvailable, RseqSection.Verdict);
            _ids = ids;
            _parserOf = parserOf;
            _isLarge = packetCount == 0;
            _logs = [.. Enumerable.Range(0, Threads).Select(thread => new Log(thread))];
            _ring = RingBuffer<TClient>.Create(new RingOptions
            {
                Backing = RingBacking.Anonymous with { IsTouchedUpFront = !_isLarge },
                Uuid = TestRing.Uuid,
                PacketBytes = SmallPacketBytes,
                PacketCount = _isLarge ? 64 : packetCount,
            });
        }

        private static bool HasTime => TClient.Traits.Clock != null;

        private int Records => _isLarge ? 64 * SmallPacketBytes / 2 / 100 / Threads : RecordsPerThread;

        public void Check()
        {
            var writers = _logs.Select(log => new Thread(() => log.Guard(() => Write(log)))).ToArray();
            Array.ForEach(writers, writer => writer.Start());
            var parsers = new Dictionary<int, ParsePacket>();
            while (writers.Any(writer => writer.IsAlive))
            {
                foreach (int cpu in _ring.StreamCpus)
                    Look(cpu, parsers);
            }
            Array.ForEach(writers, writer => writer.Join());
            Assert.All(_logs, log => Assert.Null(log.Failure));

            ulong lost = 0;
            foreach (int cpu in _ring.StreamCpus)
            {
                if (!TClient.Traits.IsOverwrite)
                    Look(cpu, parsers);
                using var reader = _ring.OpenReader(cpu);
                var rest = StreamSnapshot.Recover(reader);
                Assert.False(rest.IsCut);
                var parser = TClient.Traits.IsOverwrite ? _parserOf((uint)cpu) : ParserOf(cpu, parsers);
                Note(rest, parser);
                lost += reader.LostFull + reader.LostTooLarge;
            }
            lost += _ring.Control.Summarize().LostNoStream;
            Assert.Equal(_logs.Sum(log => log.Lost), (long)lost);
            Assert.All(_logs, log => Assert.Equal(Records, log.Taken.Count));
            bool isComplete = !TClient.Traits.IsOverwrite || _isLarge;
            foreach (var log in _logs)
                log.AssertRead(isComplete, isSuffix: !TClient.Traits.IsPerCpu);
            Assert.Contains(_logs, log => log.Lost > 0);
            GC.KeepAlive(_ring);
        }

        /// <summary>Discard mode: takes what is complete. Overwrite mode: takes a snapshot, which stands for itself.</summary>
        private void Look(int cpu, Dictionary<int, ParsePacket> parsers)
        {
            using var reader = _ring.OpenReader(cpu);
            if (TClient.Traits.IsOverwrite)
            {
                var parser = _parserOf((uint)cpu);
                var ends = new long[Threads];
                ends.AsSpan().Fill(-1);
                foreach (var packet in StreamSnapshot.Take(reader).Packets)
                {
                    foreach (var found in parser(packet.Span))
                    {
                        var (thread, number, _) = ReadPayload(packet.Span, found);
                        Assert.True(number > ends[thread], $"record {number} of thread {thread} behind {ends[thread]}");
                        ends[thread] = number;
                    }
                }
                return;
            }
            var bytes = new byte[reader.PacketBytes];
            while (reader.TryGetComplete(out var pending))
            {
                reader.Copy(pending.SequenceNumber, bytes);
                reader.Release();
                Note(bytes, ParserOf(cpu, parsers));
            }
        }

        private ParsePacket ParserOf(int cpu, Dictionary<int, ParsePacket> parsers) =>
            parsers.TryGetValue(cpu, out var parser) ? parser : parsers[cpu] = _parserOf((uint)cpu);

        private void Note(StreamSnapshot snapshot, ParsePacket parser)
        {
            foreach (var packet in snapshot.Packets)
                Note(packet.Span, parser);
        }

        private void Note(ReadOnlySpan<byte> packet, ParsePacket parser)
        {
            foreach (var found in parser(packet))
            {
                var (thread, number, before) = ReadPayload(packet, found);
                _logs[thread].Note(number, found.Time, HasTime ? before : 0);
            }
        }

        private (int Thread, int Number, ulong Before) ReadPayload(ReadOnlySpan<byte> packet, FoundRecord found)
        {
            var payload = packet.Slice(found.PayloadOffset, found.LengthBytes);
            int length = BitConverter.ToUInt16(payload);
            int thread = BitConverter.ToUInt16(payload[2..]);
            int number = BitConverter.ToInt32(payload[4..]);
            Assert.InRange(thread, 0, Threads - 1);
            Assert.Equal(_ids[number % _ids.Length], found.Id);
            Assert.Equal(s_lengths[number % _ids.Length % s_lengths.Length], length);
            Assert.InRange(payload.Length - length, 0, 7);
            Assert.False(payload[FixedBytes..length].ContainsAnyExcept((byte)(0x80 | number)), $"record {number} of thread {thread} is torn");
            Assert.False(payload[length..].ContainsAnyExcept((byte)0), $"record {number} of thread {thread} is padded with something");
            ulong before = BitConverter.ToUInt64(payload[8..]);
            Assert.True(!HasTime || found.Time >= before, $"record {number} of thread {thread} at {found.Time}, before its write at {before}");
            return (thread, number, before);
        }

        private void Write(Log log)
        {
            var thread = WriterThread.New();
            byte* payload = stackalloc byte[SmallPacketBytes];
            for (int number = 0; number < Records; number++)
            {
                int kind = number % _ids.Length;
                int length = s_lengths[kind % s_lengths.Length];
                new Span<byte>(payload, length).Fill((byte)(0x80 | number));
                *(ushort*)payload = (ushort)length;
                *(ushort*)(payload + 2) = (ushort)log.Thread;
                *(int*)(payload + 4) = number;
                *(ulong*)(payload + 8) = MonotonicClock.Read();
                log.Taken.Add(_ring.Write(thread, _ids[kind], payload, length) <= CommitResult.CommittedInNewPacket);
                // Not all at once: the others are to come in between.
                if (number % 16 == log.Thread)
                    Thread.Yield();
            }
            WriterThread.Free(thread);
        }
    }

    /// <summary>What one thread has written, and what was read of it.</summary>
    private sealed class Log(int thread)
    {
        private readonly SortedDictionary<int, (ulong Time, ulong Before)> _read = [];

        public int Thread => thread;

        /// <summary>Of each record in order, whether the ring took it.</summary>
        public List<bool> Taken { get; } = [];

        public long Lost => Taken.Count(isTaken => !isTaken);

        public Exception? Failure { get; private set; }

        public void Guard(Action action)
        {
            try
            {
                action();
            }
            catch (Exception e)
            {
                Failure = e;
            }
        }

        public void Note(int number, ulong time, ulong before) => Assert.True(_read.TryAdd(number, (time, before)), $"record {number} of thread {thread} twice");

        public void AssertRead(bool isComplete, bool isSuffix)
        {
            int[] taken = [.. Enumerable.Range(0, Taken.Count).Where(i => Taken[i])];
            if (isComplete)
                Assert.Equal(taken, _read.Keys);
            else if (isSuffix)
                Assert.Equal(taken[^_read.Count..], _read.Keys);
            else
                Assert.Empty(_read.Keys.Except(taken));
            // A record's time lies before the next write of its thread begins.
            ulong last = 0;
            foreach (var (number, (time, before)) in _read)
            {
                Assert.True(last <= before, $"record {number} of thread {thread}: the one before has time {last}, and this one was begun at {before}");
                last = time;
            }
        }
    }
}
