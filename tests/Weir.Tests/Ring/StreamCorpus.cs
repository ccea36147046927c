using Weir.Clock;
using Weir.Ring;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Ring;

/// <summary>
/// The files of a stream and of its ring, as bytes: small ones in every format, mode and sequence, as writers leave them that run, have
/// finished, or died in the middle of a record.
/// </summary>
/// <param name="Name">What it is.</param>
/// <param name="Stream">The stream's file.</param>
/// <param name="Ring">The ring's file, cut behind the last intent that says something.</param>
internal sealed unsafe record StreamCorpus(string Name, byte[] Stream, byte[] Ring)
{
    public const int PacketBytes = 4096;
    public const int PacketCount = 4;

    private static readonly int s_cpu = Cpus.Allowed()[0];

    /// <summary>All that this machine can make.</summary>
    public static List<StreamCorpus> Make(int seed)
    {
        var all = new List<StreamCorpus>();
        Native.OnPinnedThread([s_cpu], () =>
        {
            var random = new Random(seed);
            AddFormats<MonotonicClock>(all, random);
        });
        return all;
    }

    /// <summary>Makes one, by records of 40 bytes from a single writer.</summary>
    public static StreamCorpus Of<TClient>(string name, int records, int consumedPackets = 0)
        where TClient : struct, IRingClient
    {
        StreamCorpus? made = null;
        Native.OnPinnedThread([s_cpu], () =>
        {
            using var place = new Place<TClient>();
            byte* payload = stackalloc byte[40];
            new Span<byte>(payload, 40).Fill(1);
            var writer = WriterThread.New();
            for (int i = 0; i < records; i++)
                place.Ring.Write(writer, 1, payload, 40);
            WriterThread.Free(writer);
            for (; consumedPackets > 0; consumedPackets--)
                place.Reader.Release();
            made = place.Capture(name);
        });
        return made!;
    }

    private static void AddFormats<TClock>(List<StreamCorpus> all, Random random)
        where TClock : struct, ITraceClock
    {
        AddModes<CtfCompact<TClock>>(all, random);
        AddModes<CtfLarge<TClock>>(all, random);
        AddModes<PlainRecords>(all, random);
        AddModes<FtracePages<TClock>>(all, random);
        if (RseqSection.IsAvailable)
            Add<ContinuousClient<WakeAtWatermark, PerfRecords<TClock>, Dying>>(all, random);
    }

    private static void AddModes<TFormat>(List<StreamCorpus> all, Random random)
        where TFormat : struct, IPacketFormat
    {
        Add<PacketClient<PerCpu<Atomic>, Discard<NoWakeUp>, TFormat, Dying>>(all, random);
        Add<PacketClient<PerCpu<Atomic>, Overwrite, TFormat, Dying>>(all, random);
        if (!RseqSection.IsAvailable)
            return;
        Add<PacketClient<PerCpu<Rseq>, Discard<NoWakeUp>, TFormat, Dying>>(all, random);
        Add<PacketClient<PerCpu<Rseq>, Overwrite, TFormat, Dying>>(all, random);
    }

    private static void Add<TClient>(List<StreamCorpus> all, Random random)
        where TClient : struct, IRingClient
    {
        var traits = TClient.Traits;
        string kind = $"{traits.Format}, {(traits.IsOverwrite ? "overwrite" : "discard")}, {traits.Sequence}";
        foreach (int records in (ReadOnlySpan<int>)[0, 10, 200, 2000])
        {
            using var place = new Place<TClient>();
            place.Write(records, deaths: 0, random);
            all.Add(place.Capture($"{kind}, {records} records"));
        }
        for (int i = 0; i < 4; i++)
        {
            using var place = new Place<TClient>();
            place.Write(500, deaths: 6, random);
            all.Add(place.Capture($"{kind}, killed"));
        }
        using (var place = new Place<TClient>())
        {
            bool isStopped = false;
            var writers = Enumerable.Range(0, 2).Select(_ => new Thread(() =>
            {
                var own = new Random(1);
                while (!Volatile.Read(ref isStopped))
                    place.Write(100, deaths: 0, own);
            })).ToList();
            writers.ForEach(writer => writer.Start());
            for (int i = 0; i < 3; i++)
                all.Add(place.Capture($"{kind}, running"));
            Volatile.Write(ref isStopped, true);
            writers.ForEach(writer => writer.Join());
        }
    }

    /// <summary>A ring in files, one stream of which is looked at.</summary>
    private sealed class Place<TClient> : IDisposable
        where TClient : struct, IRingClient
    {
        private readonly string _directory = TestRing.NewDirectory();
        private readonly bool _isConsumed;

        public Place()
        {
            bool isContinuous = TClient.Traits.PacketHeadBytes == 0;
            Ring = RingBuffer<TClient>.Create(TestRing.Options(
                _directory, isContinuous ? PacketBytes * PacketCount : PacketBytes, isContinuous ? 1 : PacketCount));
            Reader = StreamReader.TryOpen(TestRing.StreamPath(_directory, s_cpu))!;
            _isConsumed = !isContinuous && !TClient.Traits.IsOverwrite;
        }

        public RingBuffer Ring { get; }

        public StreamReader Reader { get; }

        public void Write(int records, int deaths, Random random)
        {
            byte* payload = stackalloc byte[200];
            new Span<byte>(payload, 200).Fill(0x55);
            var writer = WriterThread.New();
            var dead = new List<nint>();
            for (int i = 0; i < records; i++)
            {
                bool dies = deaths > 0 && random.Next(records) < 2 * deaths;
                Dying.PointsLeft = dies ? random.Next(1, 10) : 0;
                try
                {
                    if (Ring.Write(writer, (uint)random.Next(1, 40), payload, random.Next(200)) == CommitResult.LostFull && _isConsumed && random.Next(2) == 0)
                        Release();
                }
                catch (OperationCanceledException)
                {
                    // Its number and its line stay its own until the files are read.
                    deaths--;
                    dead.Add((nint)writer);
                    writer = WriterThread.New();
                }
            }
            Dying.PointsLeft = 0;
            WriterThread.Free(writer);
            dead.ForEach(thread => WriterThread.Free((WriterThread*)thread));
        }

        public StreamCorpus Capture(string name)
        {
            byte[] ring = File.ReadAllBytes(Path.Combine(_directory, RingControl.FileName));
            int used = Math.Max(ring.AsSpan().LastIndexOfAnyExcept((byte)0) + 1, RingControl.IntentsOffset);
            int lines = (used - RingControl.IntentsOffset + IntentTable.LineBytes - 1) / IntentTable.LineBytes;
            return new StreamCorpus(name, File.ReadAllBytes(Reader.Path), ring[..(RingControl.IntentsOffset + (lines * IntentTable.LineBytes))]);
        }

        private void Release()
        {
            lock (_directory)
            {
                if (Reader.TryGetComplete(out _))
                    Reader.Release();
            }
        }

        public void Dispose()
        {
            Reader.Dispose();
            GC.KeepAlive(Ring);
            Directory.Delete(_directory, recursive: true);
        }
    }
}
