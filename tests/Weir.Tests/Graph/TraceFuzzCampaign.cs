using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Weir.Ctf;
using Weir.Graph;
using Weir.Tests.Ctf;
using Weir.Tests.Graph.Sources;

namespace Weir.Tests.Graph;

/// <summary>
/// Changes the metadata, the streams and the indexes of traces in all ways that somebody who may write them could, and converts them to text:
/// what is wrong is said by a <see cref="CtfException"/>, and nothing else happens. The files lie in memory, in a directory for each worker.
/// </summary>
internal sealed class TraceFuzzCampaign
{
    /// <summary>Most that a conversion may allocate; metadata may say that it needs the most, see <c>docs/ctf.md</c>.</summary>
    public const long MaxAllocatedBytes = 64L << 20;

    /// <summary>The same where the metadata is changed: it may then declare up to its own limit of field classes.</summary>
    public const long MaxAllocatedByMetadataBytes = 2L << 30;

    private const string Manifest = """
        <instrumentationManifest><provider name="Weir-Old">
          <events><event value="5" version="0" symbol="WorkStart" opcode="win:Start" template="t5" /></events>
          <templates><template tid="t5"><data name="id" inType="win:Int32" /><data name="label" inType="win:UnicodeString" /></template></templates>
        </provider></instrumentationManifest>
        """;

    private const int HangSeconds = 60;
    private const int MaxOriginalBytes = 64 << 10;

    /// <summary>Words that mean something to the parser, to be put where they do not belong.</summary>
    private static readonly string[] s_words =
    [
        "{", "}", ";", ":=", "=", "[", "]", ",", "<", ">", "struct", "variant", "enum", "integer", "floating_point", "string", "typealias", "typedef", "event",
        "stream", "trace", "env", "clock", "size", "align", "signed", "byte_order", "map", "encoding", "-1", "0", "64", "65", "18446744073709551616", "0x7fffffff", "\"", "/*", "//",
    ];

    private readonly List<Original> _originals;
    private readonly string _directory;
    private readonly int _seed;
    private long _lastProgress = Stopwatch.GetTimestamp();
    private string _current = "";

    public TraceFuzzCampaign(int seed, string directory, List<Original> originals)
    {
        _seed = seed;
        _directory = directory;
        _originals = originals;
        Directory.CreateDirectory(directory);
    }

    public long Refused { get; private set; }

    public long Converted { get; private set; }

    public long MostAllocatedBytes { get; private set; }

    /// <summary>The traces that are changed: generated ones, and small ones of the directories that are given.</summary>
    public static List<Original> FindOriginals(int seed, IEnumerable<string> directories)
    {
        var originals = new List<Original>();
        for (int i = 0; i < 4; i++)
        {
            using var trace = RandomTrace.Create(new Random(seed + i), 1 + (i % 2), 3, 4);
            trace.WriteIndex(0);
            originals.Add(new Original(trace.Directory));
        }
        originals.Add(Rich(ByteOrder.LittleEndian));
        originals.Add(Rich(ByteOrder.BigEndian));
        foreach (string directory in directories)
        {
            foreach (string metadata in Directory.EnumerateFiles(directory, "metadata", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            {
                var original = new Original(Path.GetDirectoryName(metadata)!);
                if (original.TotalBytes <= MaxOriginalBytes)
                    originals.Add(original);
            }
        }
        return originals;
    }

    /// <summary>Files of the other binary formats, in each byte order and packing.</summary>
    public static List<Original> CreateFiles()
    {
        var originals = new List<Original>();
        foreach (var kind in FtraceDatSourceTests.Kinds)
        {
            var (version, byteOrder, longBytes, compression) = kind.Data;
            originals.Add(new Original($"trace.dat {kind.Data}", FtraceDatSource.Class, FtraceDatSourceTests.Sample(version, byteOrder, longBytes, compression).Build()));
        }
        foreach (var kind in PerfDataSourceTests.Kinds)
        {
            var (byteOrder, isPipe) = kind.Data;
            originals.Add(new Original($"perf.data {kind.Data}", PerfDataSource.Class, PerfDataSourceTests.Sample(byteOrder, isPipe).Build()));
        }
        originals.Add(new Original("perf.data packed", PerfDataSource.Class, PerfDataSourceTests.Sample(ByteOrder.LittleEndian, false).Pack(100).Build()));
        originals.Add(new Original("nettrace 6", NettraceSource.Class, NettraceBuilder.CreateVersion6()));
        originals.Add(new Original("nettrace manifest", NettraceSource.Class, NettraceBuilder.CreateWithManifest(Manifest)));
        return originals;
    }

    /// <summary>One mutation.</summary>
    /// <exception cref="InvalidOperationException">The converter did what it must not; the message says what, the files are left.</exception>
    public void Mutate(long number)
    {
        var random = new Random(unchecked((int)(_seed + (number * 7919))));
        var original = _originals[random.Next(_originals.Count)];
        _current = $"mutation {number}, seed {_seed}, original {original.Name}";
        Volatile.Write(ref _lastProgress, Stopwatch.GetTimestamp());
        int chosen = random.Next(original.Files.Count);
        original.WriteTo(_directory, chosen, ChangeBytes(random, original, chosen));
        bool isMetadata = original.Files[chosen].Name == "metadata";
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            if (original.Source is { } source)
                ConvertFile(source, Path.Combine(_directory, original.Files[0].Name));
            else
                Convert(random);
            Converted++;
        }
        catch (CtfException)
        {
            Refused++;
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{_current}: {_directory}: {e}");
        }
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        MostAllocatedBytes = Math.Max(MostAllocatedBytes, allocated);
        if (allocated > (isMetadata ? MaxAllocatedByMetadataBytes : MaxAllocatedBytes))
            throw new InvalidOperationException($"{_current}: {_directory}: {allocated} bytes were allocated");
    }

    /// <summary>What the test program runs: SEED COUNT [DIRECTORY...].</summary>
    public static int Run(string[] arguments)
    {
        int traceSeed = int.Parse(arguments[0], CultureInfo.InvariantCulture);
        return Run(arguments, FindOriginals(traceSeed, arguments[2..]));
    }

    /// <summary>The same of <see cref="CreateFiles"/>: SEED COUNT.</summary>
    public static int RunFiles(string[] arguments) => Run(arguments, CreateFiles());

    private static int Run(string[] arguments, List<Original> originals)
    {
        int seed = int.Parse(arguments[0], CultureInfo.InvariantCulture);
        long count = long.Parse(arguments[1], CultureInfo.InvariantCulture);
        string place = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"weir-fuzz-{Environment.ProcessId}");
        var campaigns = new TraceFuzzCampaign[Environment.ProcessorCount];
        for (int i = 0; i < campaigns.Length; i++)
            campaigns[i] = new TraceFuzzCampaign(seed, Path.Combine(place, i.ToString(CultureInfo.InvariantCulture)), originals);
        Exception? failure = null;
        long next = -1;
        using var watch = new Timer(_ => EndHung(campaigns), null, 1000, 1000);
        var threads = campaigns.Select(campaign => new Thread(() =>
        {
            try
            {
                for (long number = Interlocked.Increment(ref next); number < count && failure is null; number = Interlocked.Increment(ref next))
                    campaign.Mutate(number);
                campaign._current = "";
            }
            catch (Exception e)
            {
                failure = e;
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{count} mutations of {originals.Count} traces: {campaigns.Sum(each => each.Converted)} converted, {campaigns.Sum(each => each.Refused)} refused, at most {campaigns.Max(each => each.MostAllocatedBytes) >> 10} KiB allocated, seed {seed}"));
        if (failure is not null)
        {
            Console.Error.WriteLine(failure.Message);
            return 1;
        }
        Directory.Delete(place, recursive: true);
        return 0;
    }

    private static void EndHung(TraceFuzzCampaign[] campaigns)
    {
        foreach (var campaign in campaigns)
        {
            if (Stopwatch.GetElapsedTime(Volatile.Read(ref campaign._lastProgress)).TotalSeconds < HangSeconds)
                continue;
            // A worker that has nothing to do any more is no hung one.
            if (campaign._current.Length == 0)
                continue;
            Console.Error.WriteLine($"{campaign._current}: {campaign._directory}: no end after {HangSeconds} s");
            Environment.Exit(1);
        }
    }

    private static byte[] ChangeBytes(Random random, Original original, int chosen)
    {
        var file = original.Files[chosen];
        var bytes = new List<byte>(file.Bytes);
        for (int changes = random.Next(1, 5); changes > 0 && bytes.Count > 0; changes--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(file.Name == "metadata" ? 8 : 6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 3:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 16), bytes.Count - at));
                    break;
                case 4:
                    int from = random.Next(bytes.Count);
                    bytes.InsertRange(at, bytes.GetRange(from, Math.Min(random.Next(1, 64), bytes.Count - from)));
                    break;
                case 5:
                    for (int i = at; i < Math.Min(bytes.Count, at + 8); i++)
                        bytes[i] = (byte)(random.Next(2) * 255);
                    break;
                default:
                    bytes.InsertRange(at, System.Text.Encoding.UTF8.GetBytes(s_words[random.Next(s_words.Length)]));
                    break;
            }
        }
        return [.. bytes];
    }

    private void Convert(Random random)
    {
        bool keepGoing = random.Next(4) == 0;
        using var source = CtfFsSource.Open([_directory], new CtfFsOptions { KeepGoing = keepGoing, Warn = _ => { } });
        bool isTrimmed = random.Next(8) == 0;
        if (isTrimmed)
            source.SetRange(new TimeRange(RandomTrace.OriginNs + random.Next(200), RandomTrace.OriginNs + 200));
        var streams = source.CreateIterators();
        using var muxer = new Muxer(streams) { KeepsGoing = keepGoing };
        using var sink = PrettySink.Create(Stream.Null, TextWriter.Null, new PrettyOptions { ClockGmt = true }, null, leaveOpen: true, jobs: 1);
        TraceReadException? first = null;
        MessagePump.Run(muxer, sink, keepGoing ? error => first = error : null);
        if (first is not null)
            throw first;
    }

    private static void ConvertFile(SourceClass sourceClass, string path)
    {
        using var source = sourceClass.Create(new ComponentContext { Name = "source", Parameters = new JsonObject { ["inputs"] = new JsonArray(path) }, Log = TextWriter.Null });
        using var muxer = new Muxer([.. Enumerable.Range(0, source.Outputs.Count).Select(source.CreateIterator)]);
        using var sink = PrettySink.Create(Stream.Null, TextWriter.Null, new PrettyOptions { ClockGmt = true }, null, leaveOpen: true, jobs: 1);
        MessagePump.Run(muxer, sink);
    }

    /// <summary>A trace of one event of every kind of field.</summary>
    private static Original Rich(ByteOrder order)
    {
        string text = $$"""
            /* CTF 1.8 */
            typealias integer { size = 8; align = 8; signed = false; } := uint8_t;
            typealias integer { size = 32; align = 32; signed = true; base = hex; } := int32_t;
            trace { major = 1; minor = 8; byte_order = {{(order == ByteOrder.LittleEndian ? "le" : "be")}}; packet.header := struct { uint8_t stream_id; }; };
            clock { name = c; freq = 1000000; offset_s = 5; };
            typealias integer { size = 27; align = 1; signed = false; map = clock.c.value; } := time_t;
            stream { id = 0; packet.context := struct { integer { size = 32; align = 8; } packet_size; integer { size = 32; align = 8; } content_size; };
                event.header := struct { enum : integer { size = 5; align = 1; } { a = 0, b = 1 ... 3, c } id; time_t timestamp; }; };
            event { id = 0; stream_id = 0; name = all; fields := struct {
                uint8_t n; string s; int32_t x; integer { size = 3; } bits; floating_point { exp_dig = 8; mant_dig = 24; align = 8; } f;
                floating_point { exp_dig = 11; mant_dig = 53; align = 8; } d; enum : uint8_t { A, B = 5 ... 9, A = 2 } tag;
                variant <tag> { uint8_t A; string B; } v; uint8_t seq[n]; struct { uint8_t y; } inner[n][2]; string { encoding = ASCII; } texts[n]; }; };
            event { id = 1; stream_id = 0; name = none; fields := struct { }; };
            """;
        var random = new Random(3);
        var stream = new byte[400];
        random.NextBytes(stream);
        for (int i = 9; i < stream.Length; i++)
            stream[i] &= 3;
        stream.AsSpan(0, 9).Clear();
        var lengths = stream.AsSpan(1, 8);
        foreach (int at in new[] { 0, 4 })
            lengths[at + (order == ByteOrder.LittleEndian ? 1 : 2)] = 0x0c;
        lengths[order == ByteOrder.LittleEndian ? 0 : 3] = 0x80;
        lengths[order == ByteOrder.LittleEndian ? 4 : 7] = 0x80;
        return new Original($"rich {order}", [("metadata", System.Text.Encoding.UTF8.GetBytes(text)), ("stream_0", stream)]);
    }

    /// <summary>A trace that is changed, in memory.</summary>
    internal sealed class Original
    {
        public Original(string name, List<(string Name, byte[] Bytes)> files)
        {
            Name = name;
            Files = files;
        }

        public Original(string directory)
            : this(directory, [])
        {
            foreach (string path in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            {
                if (new FileInfo(path).Length is > 0 and <= MaxOriginalBytes)
                    Files.Add((Path.GetRelativePath(directory, path), File.ReadAllBytes(path)));
            }
        }

        public Original(string name, SourceClass source, byte[] bytes)
            : this(name, [("file", bytes)]) =>
            Source = source;

        public string Name { get; }

        /// <summary>What reads the one file; null for a CTF trace.</summary>
        public SourceClass? Source { get; }

        public List<(string Name, byte[] Bytes)> Files { get; }

        public long TotalBytes => Files.Sum(file => (long)file.Bytes.Length);

        public void WriteTo(string directory, int changed, byte[] bytes)
        {
            foreach (string path in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories))
                File.Delete(path);
            for (int i = 0; i < Files.Count; i++)
            {
                string path = Path.Combine(directory, Files[i].Name);
                if (Files[i].Name.Contains('/', StringComparison.Ordinal))
                    Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                File.WriteAllBytes(path, i == changed ? bytes : Files[i].Bytes);
            }
        }
    }
}
