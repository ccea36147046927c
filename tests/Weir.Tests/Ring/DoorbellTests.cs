using System.Diagnostics;
using System.Globalization;
using Weir.Ring;
using Xunit;
using BallRing = Weir.Ring.RingBuffer<Weir.Ring.PacketClient<Weir.Ring.Global, Weir.Ring.Discard<Weir.Ring.WakeAtWatermark>, Weir.Ring.PlainRecords, Weir.Ring.NoHooks>>;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Ring;

/// <summary>Two processes throw a ball, each by a ring of its own, and sleep while the other has it: one lost wake-up and the game stands still.</summary>
[Collection(nameof(Alone))]
public sealed unsafe class DoorbellTests
{
    private const int Rounds = 5000;

    // So long that a sleep ends by its timeout only if nobody rang.
    private static readonly TimeSpan s_forever = TimeSpan.FromSeconds(60);

    /// <summary>Two rings share a word; one of them is retired, and the other's reader is woken all the same.</summary>
    [Fact]
    public void A_retired_ring_leaves_the_word_that_it_shares()
    {
        string directory = TestRing.NewDirectory();
        try
        {
            var bell = SharedDoorbell.Create(directory, "wake");
            var opened = SharedDoorbell.TryOpen(Path.Combine(directory, "wake"));
            Assert.NotNull(opened);
            var options = new RingOptions { Backing = RingBacking.Anonymous, PacketBytes = 4096, PacketCount = 4, WatermarkBytes = 8, Doorbell = opened };
            var retired = BallRing.Create(options);
            var ring = BallRing.Create(options);
            retired.Retire();
            bell.Prepare();
            var writer = new Thread(() =>
            {
                Thread.Sleep(20);
                var thread = WriterThread.New();
                ulong ball = 1;
                ring.Write(thread, 1, (byte*)&ball, sizeof(ulong));
                WriterThread.Free(thread);
            });
            var slept = Stopwatch.StartNew();
            writer.Start();
            bell.Sleep(s_forever);
            Assert.True(slept.Elapsed < s_forever);
            writer.Join();
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void A_word_cannot_be_cut_short_by_whoever_finds_its_name()
    {
        string directory = TestRing.NewDirectory();
        try
        {
            var bell = SharedDoorbell.Create(directory, "wake");
            Assert.ThrowsAny<Exception>(() => { using var file = File.Open(Path.Combine(directory, "wake"), FileMode.Truncate); });
            bell.Prepare();
            bell.Ring();
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void No_wake_up_is_lost()
    {
        string here = TestRing.NewDirectory(), there = TestRing.NewDirectory();
        try
        {
            var ring = CreateRing(here);
            using var child = Child.Start(ThrowBack, [here, there]);
            Assert.Equal("ready", child.StandardOutput.ReadLine());
            using var partner = new Partner(ring, there);
            for (int i = 0; i < Rounds; i++)
            {
                partner.Throw(i);
                Assert.Equal(i, partner.Catch());
            }
            child.WaitForExit();
            Assert.Equal(0, child.ExitCode);
        }
        finally
        {
            Directory.Delete(here, recursive: true);
            Directory.Delete(there, recursive: true);
        }
    }

    internal static int ThrowBack(string[] args)
    {
        var ring = CreateRing(args[1]);
        using var partner = new Partner(ring, args[0]);
        Console.WriteLine("ready");
        for (int i = 0; i < Rounds; i++)
            partner.Throw(partner.Catch());
        return 0;
    }

    // A record takes 16 bytes, so each passes the watermark.
    private static BallRing CreateRing(string directory) => BallRing.Create(
        new RingOptions { Backing = RingBacking.Files(directory), PacketBytes = 4096, PacketCount = 4, WatermarkBytes = 16 });

    private sealed class Partner : IDisposable
    {
        private readonly BallRing _ring;
        private readonly WriterThread* _thread = WriterThread.New();
        private readonly StreamReader _stream;
        private readonly StreamCursor _cursor;
        private readonly SharedDoorbell _bell;

        public Partner(BallRing ring, string directory)
        {
            _ring = ring;
            _stream = StreamReader.TryOpen(TestRing.StreamPath(directory, 0))!;
            _cursor = new StreamCursor(_stream);
            _bell = SharedDoorbell.TryOpenRing(directory)!;
        }

        public void Throw(int ball)
        {
            if (_ring.Write(_thread, 1, (byte*)&ball, sizeof(int)) > CommitResult.CommittedInNewPacket)
                throw new InvalidOperationException("no room");
        }

        public int Catch()
        {
            while (true)
            {
                _bell.Prepare();
                var records = _cursor.Peek();
                int length = records.Length;
                if (PlainRecords.TryTake(ref records, out _, out var payload))
                {
                    int ball = BitConverter.ToInt32(payload);
                    _cursor.Advance(length);
                    return ball;
                }
                var slept = Stopwatch.StartNew();
                _bell.Sleep(s_forever);
                if (slept.Elapsed >= s_forever)
                    throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"nobody rang at {_stream.Position}"));
            }
        }

        public void Dispose()
        {
            WriterThread.Free(_thread);
            _stream.Dispose();
        }
    }
}
