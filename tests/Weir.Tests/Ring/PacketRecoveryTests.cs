using Weir.Clock;
using Weir.Ring;
using Xunit;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Ring;

/// <summary>What is left when writers die between the reservation of a record and its commit, made by hand at each point.</summary>
[Collection(nameof(AloneCollection))]
public sealed unsafe class PacketRecoveryTests
{
    private const int FirstDeadSlot = 100;

    // Odd lengths, so that records begin at every alignment.
    private static int PayloadBytes(uint id) => id is >= 1 and <= 40 ? 8 + (int)(id * 11) : -1;

    /// <summary>How a writer died; the record that it was about to write has been reserved.</summary>
    private enum Death
    {
        /// <summary>Right after its swap: not even marked as won.</summary>
        BeforeMark,

        /// <summary>The same, and another thread had announced the same start with another size and lost.</summary>
        BeforeMarkWithLoser,

        /// <summary>Marked, nothing written.</summary>
        BeforePayload,

        /// <summary>The payload is there, the head not.</summary>
        BeforeHead,

        /// <summary>It took a new packet and had not closed the old one.</summary>
        BeforeClose,

        /// <summary>The old packet was closed, the new has no head.</summary>
        BeforeOpen,

        /// <summary>The new packet's head is half written.</summary>
        WhileOpening,

        /// <summary>The new packet's head is there, its first record not.</summary>
        AfterOpening,
    }

    [Theory]
    [InlineData("R R R")]
    [InlineData("0 R R")]
    [InlineData("R 0 R")]
    [InlineData("R R 0")]
    [InlineData("1 R 1 1 R 1")]
    [InlineData("R 2 R 3 R 3 3 R 2")]
    [InlineData("R 4 R R")]
    [InlineData("R 4 R 4 R 4")]
    [InlineData("R 5 R R")]
    [InlineData("R 6 R 6 R")]
    [InlineData("R 7 R 0 7 R")]
    [InlineData("4 4 R")]
    [InlineData("0 4 R")]
    [InlineData("0 0 0")]
    public void Every_committed_record_is_recovered(string script)
    {
        using var scene = new Scene(seed: 1);
        foreach (string step in script.Split(' '))
            scene.Do(step == "R" ? null : (Death)int.Parse(step, System.Globalization.CultureInfo.InvariantCulture));
        scene.Check();
    }

    [Fact]
    public void Every_committed_record_is_recovered_after_any_deaths()
    {
        int first = Random.Shared.Next();
        int scenes = 60 * Stress.Seconds;
        for (int i = 0; i < scenes; i++)
        {
            int seed = first + i;
            var random = new Random(seed);
            using var scene = new Scene(seed);
            try
            {
                for (int steps = random.Next(1, 90); steps > 0; steps--)
                    scene.Do(random.Next(3) == 0 ? (Death)random.Next(random.Next(4) == 0 ? 8 : 4) : null);
                scene.Check();
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException { Message: var m } || !m.StartsWith("seed", StringComparison.Ordinal))
            {
                throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
            }
        }
    }

    /// <summary>The loser's intent ends in the payload of the next record, whose head was never written.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Of_two_intents_the_winners_is_taken_although_the_losers_ends_at_a_byte(bool isLoserFirst)
    {
        using var scene = new Scene(seed: 5);
        scene.Do(null);
        scene.Die(Death.BeforeMarkWithLoser, hasIntent: true, loserBytes: RecordLayout.CompactBytes, isLoserFirst);
        scene.Do(Death.BeforeHead);
        scene.Do(null);
        scene.Check();
    }

    [Fact]
    public void A_hole_without_an_intent_costs_the_rest_of_its_packet_and_is_told()
    {
        using var scene = new Scene(seed: 2);
        scene.Do(null);
        scene.Die(Death.BeforeMark, hasIntent: false);
        scene.Do(null, isReachable: false);
        scene.Do(null, isReachable: false);
        scene.Check(isCut: true);
    }

    [Fact]
    public void A_hole_without_an_intent_at_the_end_costs_nothing()
    {
        using var scene = new Scene(seed: 3);
        scene.Do(null);
        scene.Die(Death.BeforeMark, hasIntent: false);
        scene.Check();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(int.MaxValue)]
    public void A_measure_that_lies_ends_the_packet(int length)
    {
        using var scene = new Scene(seed: 4);
        scene.Do(null);
        scene.Do(null);
        using var reader = scene.Open();
        var packet = new byte[reader.PacketBytes];
        reader.Copy(0, packet);
        var context = new RecoveryContext(0, reader.Position, 0, reader.LastTime, 0);
        int bytes = PacketRecovery.Recover(reader, packet, context, [], (_, _) => length, out bool isCut);
        Assert.Equal((PacketLayout.Records, true), (bytes, isCut));
    }

    [Fact]
    public void Intents_that_lie_never_lead_out_of_the_packet()
    {
        int seed = Random.Shared.Next();
        var random = new Random(seed);
        using var scene = new Scene(seed);
        scene.Do(null);
        scene.Die(Death.BeforeMark, hasIntent: false);
        scene.Do(null);
        using var reader = scene.Open();
        var packet = new byte[reader.PacketBytes];
        for (int i = 0; i < 2000; i++)
        {
            var intents = Enumerable.Range(0, 20).Select(_ => new WriteIntent(
                reader.Cpu, (ulong)random.Next(4200), random.Next(3) == 0 ? (uint)random.NextInt64(1L << 32) : (uint)random.Next(200), random.Next(2) == 0)).ToList();
            reader.Copy(0, packet);
            if (i % 2 == 1)
                random.NextBytes(packet.AsSpan(random.Next(packet.Length)));
            var context = new RecoveryContext(0, reader.Position, 0, reader.LastTime, 0);
            int bytes = PacketRecovery.Recover(reader, packet, context, intents, (p, o) => (p[o] * 3) - 5, out _);
            Assert.True(bytes >= PacketLayout.Records && bytes <= packet.Length, $"seed {seed}, round {i}");
        }
    }

    [Theory]
    [InlineData(SequenceKind.Rseq)]
    [InlineData(SequenceKind.Atomic)]
    public void An_open_packet_is_recovered_whole(SequenceKind sequence)
    {
        using var ring = new TestRing(sequence);
        Native.OnPinnedThread([Cpus.Allowed()[0]], () =>
        {
            var thread = TestRing.NewThread();
            for (int i = 0; i < 100; i++)
                ring.Write(thread, 3, new byte[PayloadBytes(3)]);
            TestRing.Free(thread);
        });
        using var reader = StreamReader.TryOpen(ring.StreamPath(Cpus.Allowed()[0]))!;
        var parser = new PacketParser(TestRing.Uuid, reader.Cpu, PayloadBytes);
        int count = 0;
        for (int twice = 0; twice < 2; twice++)
        {
            // Nothing in the stream has changed: it can be read again.
            var again = new PacketParser(TestRing.Uuid, reader.Cpu, PayloadBytes);
            Assert.False(TestRing.Recover(reader, ring.Directory, 0, PayloadBytes, packet => count += again.Parse(packet).Count));
        }
        Assert.Equal(200, count);
        Assert.Equal(0UL, parser.End);
    }

    /// <summary>A ring on the atomic path with one living writer, and dead ones made by hand.</summary>
    private sealed class Scene : IDisposable
    {
        private readonly TestRing _ring = new(SequenceKind.Atomic, ClockKind.Monotonic);
        private readonly Random _random;
        private readonly int _cpu = Cpus.Allowed()[0];
        private readonly MappedFile _stream;
        private readonly MappedFile _control;
        private readonly List<(uint Id, ulong Number, ulong Before, ulong After)> _expected = [];
        private readonly Thread _thread;
        private readonly System.Collections.Concurrent.BlockingCollection<Action> _work = [];
        private WriterThread* _writer;
        private ulong _number;
        private int _slot = FirstDeadSlot;

        public Scene(int seed)
        {
            _random = new Random(seed);
            _stream = MappedFile.Open(_ring.StreamPath(_cpu), StreamLayout.HeadBytes + (4 * 4096));
            _control = MappedFile.Open(Path.Combine(_ring.Directory, RingControl.FileName), RingControl.IntentsOffset + (RingControl.MaxIntents * RingControl.IntentBytes));
            _thread = new Thread(() =>
            {
                Native.Pin(_cpu);
                foreach (var action in _work.GetConsumingEnumerable())
                    action();
            });
            _thread.Start();
            OnWriter(() => _writer = TestRing.NewThread());
        }

        private ref ulong Position => ref *(ulong*)(_stream.Address + StreamLayout.Control + StreamLayout.Position);

        public StreamReader Open() => StreamReader.TryOpen(_ring.StreamPath(_cpu))!;

        /// <summary>Writes a record, or lets a writer die.</summary>
        public void Do(Death? death, bool isReachable = true)
        {
            if (death is { } how)
            {
                Die(how, hasIntent: true);
                return;
            }
            uint id = (uint)_random.Next(1, 41);
            var payload = new byte[PayloadBytes(id)];
            payload.AsSpan().Fill(0xA5);
            ulong number = ++_number;
            BitConverter.TryWriteBytes(payload, number);
            OnWriter(() =>
            {
                ulong before = MonotonicClock.Read();
                var result = _ring.Write(_writer, id, payload);
                if (isReachable && result is CommitResult.Committed or CommitResult.CommittedInNewPacket)
                    _expected.Add((id, number, before, MonotonicClock.Read()));
            });
        }

        /// <param name="loserBytes">By how much the loser's record is longer; random if 0.</param>
        public void Die(Death death, bool hasIntent, int loserBytes = 0, bool? isLoserFirst = null)
        {
            uint id = (uint)_random.Next(1, 31);
            ulong size = (ulong)(RecordLayout.CompactBytes + PayloadBytes(id));
            bool isSwitch = death >= Death.BeforeClose;
            ulong old = Position;
            ulong next = (old | 4095) + 1;
            ulong start = isSwitch ? next + PacketLayout.Records : old;
            if (isSwitch ? next >= 4 * 4096 : (old % 4096) + size > 4095)
                return; // No room: the writer would have done something else.
            if (hasIntent)
            {
                bool hasLoser = death == Death.BeforeMarkWithLoser;
                ulong loserSize = loserBytes == 0 ? (ulong)_random.Next(5, 400) : size + (ulong)loserBytes;
                isLoserFirst ??= _random.Next(2) == 0;
                if (hasLoser && isLoserFirst.Value)
                    RingControl.Announce(Intent(), (uint)_cpu, start, loserSize);
                ulong* intent = Intent();
                RingControl.Announce(intent, (uint)_cpu, start, size);
                if (hasLoser && !isLoserFirst.Value)
                    RingControl.Announce(Intent(), (uint)_cpu, start, loserSize);
                if (death is not (Death.BeforeMark or Death.BeforeMarkWithLoser))
                    RingControl.Win(intent, start);
            }
            Position = start + size;
            byte* data = _stream.Address + StreamLayout.HeadBytes;
            ulong now = MonotonicClock.Read();
            if (death == Death.BeforeHead)
                new Span<byte>(data + start + RecordLayout.CompactBytes, (int)size - RecordLayout.CompactBytes).Fill(0x77);
            if (death > Death.BeforeClose)
                PacketHead.Close(data + (old & ~4095UL), now, old % 4096 * 8, 0);
            if (death >= Death.WhileOpening)
            {
                var ring = RingMemory.Allocate(1, 4096, 4, TestRing.Uuid.ToByteArray(bigEndian: true));
                PacketHead.Open(ring, data + next, (uint)_cpu, now, next / 4096);
                RingMemory.Free(ring);
                if (death == Death.WhileOpening)
                {
                    // The magic is the last of it.
                    *(uint*)(data + next) = 0;
                    new Span<byte>(data + next + 4, 80)[_random.Next(80)..].Clear();
                }
            }
        }

        public void Check(bool isCut = false)
        {
            using var reader = Open();
            ulong begin = BitConverter.ToUInt64(new ReadOnlySpan<byte>(_stream.Address + StreamLayout.HeadBytes + PacketLayout.TimestampBegin, 8));
            var parser = new PacketParser(TestRing.Uuid, reader.Cpu, PayloadBytes);
            var found = new List<(uint, ulong)>();
            ulong last = 0;
            int at = 0;
            int complete = TestRing.Drain(reader, Read);
            bool wasCut = TestRing.Recover(reader, _ring.Directory, complete == 0 ? begin : parser.End, PayloadBytes, Read);
            Assert.Equal(_expected.Select(e => (e.Id, e.Number)), found);
            Assert.Equal(isCut, wasCut);

            void Read(ReadOnlySpan<byte> packet)
            {
                foreach (var record in parser.Parse(packet))
                {
                    var payload = packet.Slice(record.PayloadOffset, record.LengthBytes);
                    ulong number = BitConverter.ToUInt64(payload);
                    found.Add((record.Id, number));
                    Assert.False(payload[8..].ContainsAnyExcept((byte)0xA5), "torn");
                    Assert.InRange(record.Time, _expected[at].Before, _expected[at].After);
                    Assert.True(record.Time >= last);
                    last = record.Time;
                    at++;
                }
            }
        }

        public void Dispose()
        {
            OnWriter(() => TestRing.Free(_writer));
            _work.CompleteAdding();
            _thread.Join();
            _work.Dispose();
            _stream.Unmap();
            _control.Unmap();
            _ring.Dispose();
        }

        private ulong* Intent() => (ulong*)(_control.Address + RingControl.IntentsOffset + (_slot++ * RingControl.IntentBytes));

        private void OnWriter(Action action)
        {
            using var done = new ManualResetEventSlim();
            Exception? failure = null;
            _work.Add(() =>
            {
                try
                {
                    action();
                }
                catch (Exception e)
                {
                    failure = e;
                }
                done.Set();
            });
            done.Wait();
            Assert.Null(failure);
        }
    }
}
