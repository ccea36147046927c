using Weir.Ctf;

namespace Weir.Graph;

/// <summary>A directory with <c>metadata</c> and stream files.</summary>
internal sealed class CtfFsTrace
{
    public const string MetadataFileName = "metadata";

    private readonly List<string> _directories;

    private CtfFsTrace(TraceClass traceClass, string name, List<string> directories)
    {
        Class = traceClass;
        Name = name;
        _directories = directories;
    }

    public TraceClass Class { get; }

    /// <summary>The host's name, then the path from the directory that was asked for.</summary>
    public string Name { get; }

    /// <summary>The first of its directories.</summary>
    public string Directory => _directories[0];

    /// <summary>Reads the metadata of a directory.</summary>
    /// <param name="root">The directory that was asked for.</param>
    /// <param name="directory">The trace's directory, there or further down.</param>
    /// <param name="traceName">Stands in the name for the path between them.</param>
    public static CtfFsTrace Open(string root, string directory, string? traceName)
    {
        string path = Path.Combine(directory, MetadataFileName);
        try
        {
            var traceClass = MetadataReader.Read(ReadMetadata(path));
            return new CtfFsTrace(traceClass, NameOf(traceClass, root, directory, traceName), [directory]);
        }
        catch (CtfMetadataException e)
        {
            throw new TraceReadException(path, -1, e.Message, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TraceReadException(path, -1, "the metadata cannot be read", e);
        }
    }

    /// <summary>Some files say no length, so it is what was read that counts.</summary>
    private static byte[] ReadMetadata(string path)
    {
        RegularFile.Check(path);
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var bytes = new MemoryStream((int)Math.Min(file.Length, MetadataReader.MaxMetadataBytes));
        var buffer = new byte[64 << 10];
        for (int read = file.Read(buffer); read > 0; read = file.Read(buffer))
        {
            if (bytes.Length + read > MetadataReader.MaxMetadataBytes)
                throw new TraceReadException(path, -1, $"the metadata is longer than {MetadataReader.MaxMetadataBytes >> 20} MiB");
            bytes.Write(buffer, 0, read);
        }
        return bytes.ToArray();
    }

    /// <summary>One trace of both: the metadata that declares more, and the files of both.</summary>
    public CtfFsTrace MergeWith(CtfFsTrace other)
    {
        var winner = CountClasses(other.Class) > CountClasses(Class) ? other : this;
        return new CtfFsTrace(winner.Class, winner.Name, [.. _directories, .. other._directories]);
    }

    /// <summary>Reads the first packet of each stream file and joins the files of each data stream.</summary>
    /// <param name="options">Offsets of clocks.</param>
    /// <param name="failures">Takes what is wrong with files that are bad from their first packet on, which belong to no stream.</param>
    public List<CtfFsStreamGroup> CreateStreams(CtfFsOptions options, List<TraceReadException> failures)
    {
        var decoder = new TraceDecoder(Class);
        var trace = new Trace(decoder, Name);
        var groups = new List<CtfFsStreamGroup>();
        var byId = new Dictionary<(ulong Class, ulong Id), CtfFsStreamGroup>();
        var anonymous = new List<DataStream>();
        foreach (string directory in _directories)
        {
            foreach (string path in FindStreamFiles(directory))
            {
                var first = ReadFirst(path, decoder, options);
                if (first.Stream is not { } stream || first.AvailableBytes == 0)
                {
                    failures.Add(first.Failure!);
                    continue;
                }
                bool hasId = first.Properties.StreamId is not null && first.Properties.BeginTime is not null;
                var key = (stream.Class.Id, first.Properties.StreamId.GetValueOrDefault());
                if (hasId && byId.TryGetValue(key, out var group))
                {
                    group.Add(path, in first);
                    continue;
                }
                group = new CtfFsStreamGroup(CreateStream(trace, stream, path, key.Item2, options), [path], first);
                groups.Add(group);
                if (hasId)
                    byId.Add(key, group);
                else
                    anonymous.Add(group.Stream);
            }
        }
        Number(anonymous, byId.Keys);
        return groups;
    }

    /// <summary>
    /// The first packet, by which the file's stream is known. Where that is bad, whoever keeps going takes the first that the tracer's index has
    /// behind it; the bad one is said when the stream is read.
    /// </summary>
    private static CtfFsPacketHead ReadFirst(string path, TraceDecoder decoder, CtfFsOptions options)
    {
        using var reader = new CtfFsHeadReader(path, decoder);
        var first = reader.Read(0, 0);
        bool isGood = first.Stream is not null && first.AvailableBytes > 0;
        return !isGood && options.KeepGoing && CtfFsIndexFile.FindNextPacket(path, 0, decoder, options) is var (offset, number) ? reader.Read(offset, number) : first;
    }

    private static int CountClasses(TraceClass traceClass)
    {
        int count = traceClass.DataStreamClasses.Count;
        foreach (var stream in traceClass.DataStreamClasses)
            count += stream.EventRecordClasses.Count;
        return count;
    }

    private static DataStream CreateStream(Trace trace, StreamDecoder decoder, string path, ulong id, CtfFsOptions options)
    {
        var clock = decoder.Class.DefaultClock;
        return new DataStream
        {
            Trace = trace,
            Decoder = decoder,
            Id = id,
            Name = path,
            ClockOffsetNs = options.Clocks.OffsetOf(clock, path),
            FrequencyHz = clock?.FrequencyHz ?? 1_000_000_000,
            IsClockAbsolute = options.Clocks.IsAbsolute(clock),
        };
    }

    private static void Number(List<DataStream> anonymous, IEnumerable<(ulong Class, ulong Id)> taken)
    {
        ulong next = 0;
        foreach (var (_, id) in taken)
            next = Math.Max(next, unchecked(id + 1));
        foreach (var stream in anonymous)
            stream.Id = next++;
    }

    private static List<string> FindStreamFiles(string directory)
    {
        var files = new List<string>();
        foreach (string path in System.IO.Directory.GetFiles(directory))
        {
            string name = Path.GetFileName(path);
            if (name == MetadataFileName || name.StartsWith('.') || new FileInfo(path).Length == 0 || RegularFile.DescribeOther(path) is not null)
                continue;
            files.Add(path);
        }
        files.Sort(StringComparer.Ordinal);
        return files;
    }

    private static string NameOf(TraceClass traceClass, string root, string directory, string? traceName)
    {
        string host = traceClass.FindEnvironment("hostname")?.Text ?? "";
        string suffix = traceName ?? (directory == root ? "" : Path.GetRelativePath(root, directory));
        return host.Length > 0 && suffix.Length > 0 ? $"{host}/{suffix}" : host + suffix;
    }
}
