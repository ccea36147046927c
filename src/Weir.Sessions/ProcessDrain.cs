using Weir.Ctf;
using Weir.Ring;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Sessions;

/// <summary>Moves what one process records into its trace directory. Not thread-safe.</summary>
internal sealed class ProcessDrain : IDisposable
{
    private const string MetadataName = "metadata";

    private readonly string _buffers;
    private readonly Dictionary<string, StreamDrain> _streams = [];
    private readonly HashSet<string> _unreadable = [];
    private readonly List<string> _problems = [];
    private readonly DirectoryChange _change;
    private long _metadataBytes;

    public ProcessDrain(string buffersDirectory, string traceDirectory)
    {
        _buffers = buffersDirectory;
        _change = new DirectoryChange(buffersDirectory);
        TraceDirectory = traceDirectory;
    }

    /// <summary>Where the process's trace lies.</summary>
    public string TraceDirectory { get; }

    /// <summary>Losses until now.</summary>
    public LossCounts Losses { get; private set; }

    /// <summary>What went wrong, each thing once.</summary>
    public IEnumerable<string> Problems => _problems.Concat(_streams.Values.Select(stream => stream.Problem).OfType<string>());

    /// <summary>Moves complete packets; returns how many.</summary>
    public int MoveComplete()
    {
        OpenNewStreams();
        UpdateMetadata();
        int moved = 0;
        foreach (var stream in _streams.Values)
            moved += stream.MoveComplete();
        return moved;
    }

    /// <summary>Moves everything that is committed now and closes the trace, but for the final metadata.</summary>
    public void Finish(ulong now)
    {
        OpenNewStreams();
        UpdateMetadata();
        var ring = ReadRing();
        var decoder = ReadSchema();
        foreach (var stream in _streams.Values)
            stream.MoveRest(now, ring.Intents, decoder);
        Losses = new LossCounts
        {
            BufferFull = Sum(stream => stream.LostFull),
            TooLarge = Sum(stream => stream.LostTooLarge),
            NoBuffer = ring.LostNoStream,
            NotWritten = Sum(stream => stream.LostUnwritten),
            FieldsCut = ring.FieldsCut,
        };
    }

    /// <summary>Replaces the clock that was measured at the session's start by one measured over its whole length.</summary>
    public void ReplaceClock(string before, string after)
    {
        string path = Path.Combine(TraceDirectory, MetadataName);
        try
        {
            string text = File.ReadAllText(path);
            string temporary = path + ".new";
            File.WriteAllText(temporary, text.Replace(before, after, StringComparison.Ordinal));
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _problems.Add($"{path}: the clock's final measure could not be written: {e.Message}");
        }
    }

    public void Dispose()
    {
        foreach (var stream in _streams.Values)
            stream.Dispose();
    }

    private ulong Sum(Func<StreamDrain, ulong> count) => _streams.Values.Aggregate(0UL, (sum, stream) => sum + count(stream));

    private void OpenNewStreams()
    {
        if (!_change.HasChanged())
            return;
        foreach (string path in EnumerateStreams())
        {
            if (_streams.ContainsKey(path) || _unreadable.Contains(path))
                continue;
            try
            {
                if (StreamReader.TryOpen(path) is { } reader)
                    _streams.Add(path, new StreamDrain(reader, TraceDirectory));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                _unreadable.Add(path);
                _problems.Add(e.Message);
            }
        }
    }

    private string[] EnumerateStreams()
    {
        try
        {
            return Directory.GetFiles(_buffers, "stream_*");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Copies the metadata whenever it has grown, so that the trace can be read even if nobody finishes it.</summary>
    private void UpdateMetadata()
    {
        try
        {
            var source = new FileInfo(Path.Combine(_buffers, MetadataName));
            if (!source.Exists || source.Length == _metadataBytes)
                return;
            Directory.CreateDirectory(TraceDirectory);
            source.CopyTo(Path.Combine(TraceDirectory, MetadataName), overwrite: true);
            _metadataBytes = source.Length;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (_unreadable.Add(MetadataName))
                _problems.Add($"{TraceDirectory}: the metadata could not be written: {e.Message}");
        }
    }

    private RingSummary ReadRing()
    {
        try
        {
            return RingControl.Read(_buffers);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            // A process that was killed while it attached.
            return new RingSummary(0, 0, []);
        }
    }

    private TraceDecoder? ReadSchema()
    {
        try
        {
            return new TraceDecoder(MetadataReader.Read(File.ReadAllBytes(Path.Combine(_buffers, MetadataName))));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CtfException)
        {
            _problems.Add($"{_buffers}: {e.Message}");
            return null;
        }
    }
}
