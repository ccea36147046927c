using Weir.Ctf;

namespace Weir.Graph;

/// <summary>The packets of one data stream in the order of time, and what they belong to.</summary>
internal sealed record CtfFsStreamGroup(DataStream Stream, List<CtfFsPacketEntry> Packets);

/// <summary>A directory with <c>metadata</c> and stream files.</summary>
internal sealed class CtfFsTrace
{
    public const string MetadataFileName = "metadata";

    private readonly List<string> _directories;

    private CtfFsTrace(TraceClass traceClass, List<string> directories)
    {
        Class = traceClass;
        _directories = directories;
    }

    public TraceClass Class { get; }

    public static CtfFsTrace Open(string directory)
    {
        string path = Path.Combine(directory, MetadataFileName);
        try
        {
            if (new FileInfo(path).Length > MetadataReader.MaxMetadataBytes)
                throw new TraceReadException(path, -1, $"the metadata is longer than {MetadataReader.MaxMetadataBytes >> 20} MiB");
            return new CtfFsTrace(MetadataReader.Read(File.ReadAllBytes(path)), [directory]);
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

    /// <summary>One trace of both: the metadata that declares more, and the files of both.</summary>
    public CtfFsTrace MergeWith(CtfFsTrace other) =>
        new(CountClasses(other.Class) > CountClasses(Class) ? other.Class : Class, [.. _directories, .. other._directories]);

    /// <summary>Indexes the packets of all stream files and joins the files of each data stream.</summary>
    public List<CtfFsStreamGroup> CreateStreams(CtfFsOptions options)
    {
        var decoder = new TraceDecoder(Class);
        var trace = new Trace(decoder, NameOf());
        var groups = new List<CtfFsStreamGroup>();
        var byId = new Dictionary<(ulong Class, ulong Id), CtfFsStreamGroup>();
        var anonymous = new List<DataStream>();
        foreach (string directory in _directories)
        {
            foreach (string path in FindStreamFiles(directory))
            {
                var packets = CtfFsIndex.Build(path, decoder);
                var first = packets[0];
                if (first.Stream is not { } stream)
                    throw first.Failure!;
                bool hasId = first.Properties.StreamId is not null && first.Properties.BeginTime is not null;
                var key = (stream.Class.Id, first.Properties.StreamId.GetValueOrDefault());
                if (hasId && byId.TryGetValue(key, out var group))
                {
                    CtfFsIndex.Merge(group.Packets, packets);
                    continue;
                }
                group = new CtfFsStreamGroup(CreateStream(trace, stream, path, key.Item2, options), packets);
                groups.Add(group);
                if (hasId)
                    byId.Add(key, group);
                else
                    anonymous.Add(group.Stream);
            }
        }
        Number(anonymous, byId.Keys);
        foreach (var group in groups)
            CtfFsIndex.CheckIds(group.Packets);
        return groups;
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
        long offsetNs = 0;
        if (decoder.Class.DefaultClock is { } clock
            && !ClockValue.TryGetOffset(clock, options.ClockOffsetSeconds, options.ClockOffsetNanoseconds, out offsetNs))
            throw new TraceReadException(path, -1, $"the offset of clock '{clock.Name}' has more than 64 bits in nanoseconds");
        return new DataStream
        {
            Trace = trace,
            Decoder = decoder,
            Id = id,
            Name = path,
            ClockOffsetNs = offsetNs,
            IsClockAbsolute = options.ForceClockAbsolute || decoder.Class.DefaultClock is { IsAbsolute: true },
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
        foreach (string path in Directory.GetFiles(directory))
        {
            string name = Path.GetFileName(path);
            if (name == MetadataFileName || name.StartsWith('.') || new FileInfo(path).Length == 0)
                continue;
            files.Add(path);
        }
        files.Sort(StringComparer.Ordinal);
        return files;
    }

    /// <summary>The host's name, then for LTTng's layout the path from <c>ust</c> or <c>kernel</c> on; else the directory's name.</summary>
    private string NameOf()
    {
        string path = _directories[0];
        string? host = Class.FindEnvironment("hostname")?.Text;
        string[] parts = path.Split(Path.DirectorySeparatorChar);
        int from = Array.FindLastIndex(parts, part => part is "ust" or "kernel");
        string suffix = from >= 0 ? string.Join('/', parts[from..]) : "";
        if (host is null)
            return suffix.Length > 0 ? suffix : Path.GetFileName(path);
        return suffix.Length > 0 ? $"{host}/{suffix}" : host;
    }
}
