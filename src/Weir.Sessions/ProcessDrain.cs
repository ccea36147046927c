using Weir.Ctf;
using Weir.Ring;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Sessions;

/// <summary>Moves what one process records into its trace directory. Not thread-safe.</summary>
internal sealed class ProcessDrain : IDisposable
{
    private const string MetadataName = "metadata";

    /// <summary>Larger ones are not what a process writes about its events.</summary>
    private const int MaxDescriptionBytes = 64 << 20;

    private const int SchemaAttempts = 3;
    private const int SchemaRetryMs = 20;

    private readonly string _buffers;
    private readonly Dictionary<string, StreamDrain> _streams = [];
    private readonly HashSet<string> _unreadable = [];
    private readonly List<string> _problems = [];
    private readonly DirectoryChange _change;
    private readonly Func<bool> _describe;
    private long _metadataBytes;

    public ProcessDrain(string buffersDirectory, string traceDirectory)
    {
        _buffers = buffersDirectory;
        _change = new DirectoryChange(buffersDirectory);
        _describe = UpdateMetadata;
        TraceDirectory = traceDirectory;
    }

    /// <summary>Where the process's trace lies.</summary>
    public string TraceDirectory { get; }

    /// <summary>Losses, once finished.</summary>
    public LossCounts Losses { get; private set; }

    /// <summary>What went wrong, each thing once; all of it once finished.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Moves complete packets; returns how many.</summary>
    public int MoveComplete()
    {
        if (_change.HasChanged())
            OpenNewStreams();
        int moved = 0;
        foreach (var stream in _streams.Values)
            moved += stream.MoveComplete(_describe);
        return moved;
    }

    /// <summary>Moves everything that is committed now and closes the trace, but for the final measure of the clock.</summary>
    public void Finish(ulong now)
    {
        OpenNewStreams();
        if (_streams.Count > 0 || File.Exists(Path.Combine(_buffers, MetadataName)))
        {
            UpdateMetadata();
            var ring = ReadRing();
            var decoder = ReadSchema();
            foreach (var stream in _streams.Values)
                stream.MoveRest(now, _describe, ring.Intents, decoder);
            Losses = new LossCounts
            {
                BufferFull = Sum(stream => stream.LostFull),
                TooLarge = Sum(stream => stream.LostTooLarge),
                NoBuffer = ring.LostNoStream,
                NotWritten = Sum(stream => stream.LostUnwritten),
                FieldsCut = ring.FieldsCut,
            };
            if (decoder == null)
                SetMetadataAside();
        }
        _problems.AddRange(_streams.Values.Select(stream => stream.Problem).OfType<string>());
        Dispose();
    }

    /// <summary>Replaces the clock that was measured at the session's start by one measured over its whole length.</summary>
    public void ReplaceClock(string before, string after)
    {
        string path = Path.Combine(TraceDirectory, MetadataName);
        try
        {
            if (File.Exists(path))
                WriteMetadata(target => File.WriteAllText(target, File.ReadAllText(path).Replace(before, after, StringComparison.Ordinal)));
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
        _streams.Clear();
    }

    private ulong Sum(Func<StreamDrain, ulong> count) => _streams.Values.Aggregate(0UL, (sum, stream) => sum + count(stream));

    private void OpenNewStreams()
    {
        foreach (string path in EnumerateStreams())
        {
            if (_streams.ContainsKey(path) || _unreadable.Contains(path))
                continue;
            try
            {
                if (StreamReader.TryOpen(path) is not { } reader)
                    continue;
                if (Path.GetFileName(path) == StreamDrain.NameOf(reader.Cpu))
                    _streams.Add(path, new StreamDrain(reader, TraceDirectory));
                else
                {
                    reader.Dispose();
                    throw new InvalidDataException($"{path}: offset {StreamLayout.Cpu}: CPU {reader.Cpu}, which is not the file's name");
                }
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

    /// <summary>
    /// Copies the metadata when it has grown; false where that fails. Records are moved only after the metadata that describes them, so
    /// a trace can be read at any moment, even if nobody finishes it.
    /// </summary>
    private bool UpdateMetadata()
    {
        try
        {
            var source = new FileInfo(Path.Combine(_buffers, MetadataName));
            if (!source.Exists)
                return false;
            if (source.Length == _metadataBytes)
                return true;
            if (source.Length > MaxDescriptionBytes)
                throw new IOException($"{source.FullName}: {source.Length} bytes are no description of events");
            Directory.CreateDirectory(TraceDirectory);
            long length = source.Length;
            WriteMetadata(target => source.CopyTo(target, overwrite: true));
            _metadataBytes = length;
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (_unreadable.Add(MetadataName))
                _problems.Add($"{TraceDirectory}: the metadata could not be written: {e.Message}");
            return false;
        }
    }

    /// <summary>Writes the trace's metadata beside the old and replaces that, all or nothing.</summary>
    private void WriteMetadata(Action<string> write)
    {
        // Not in the trace's directory: what is left there would be taken for a stream.
        string temporary = TraceDirectory + ".metadata";
        try
        {
            write(temporary);
            File.Move(temporary, Path.Combine(TraceDirectory, MetadataName), overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Metadata that cannot be read makes readers refuse the traces beside it too.</summary>
    private void SetMetadataAside()
    {
        string path = Path.Combine(TraceDirectory, MetadataName);
        try
        {
            if (!File.Exists(path))
                return;
            File.Move(path, path + ".broken", overwrite: true);
            _problems.Add($"{path}: cannot be read, and so is called {MetadataName}.broken; this process's events are not in the trace");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _problems.Add($"{path}: {e.Message}");
        }
    }

    private RingSummary ReadRing()
    {
        try
        {
            if (new FileInfo(Path.Combine(_buffers, RingControl.FileName)).Length <= MaxDescriptionBytes)
                return RingControl.Read(_buffers);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            // A process that was killed while it attached.
        }
        return new RingSummary(0, 0, []);
    }

    private TraceDecoder? ReadSchema()
    {
        string path = Path.Combine(_buffers, MetadataName);
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                // Empty or missing: the process was killed while it attached, or attaches just now. It has written no event.
                if (new FileInfo(path) is not { Exists: true, Length: > 0 and <= MaxDescriptionBytes })
                    return null;
                return new TraceDecoder(MetadataReader.Read(File.ReadAllBytes(path)));
            }
            catch (CtfException) when (attempt < SchemaAttempts)
            {
                // The process may be writing a declaration just now.
                Thread.Sleep(SchemaRetryMs);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or CtfException)
            {
                _problems.Add($"{path}: {e.Message}");
                return null;
            }
        }
    }
}
