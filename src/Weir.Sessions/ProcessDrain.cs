using System.Text;
using Weir.Ctf;
using Weir.Ring;
using Weir.Tracing;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Sessions;

/// <summary>Moves what one process records into its trace directory. Not thread-safe.</summary>
internal sealed class ProcessDrain : IDisposable
{
    private const string MetadataName = "metadata";
    private const int MaxRemarksBytes = 1 << 20;

    /// <summary>Larger ones are not what a process writes about its events.</summary>
    private const int MaxDescriptionBytes = 64 << 20;

    private const int DescriptionMs = 500;
    private const int SchemaAttempts = 3;
    private const int SchemaRetryMs = 20;

    private readonly string _buffers;
    private readonly SessionDescription _session;
    private readonly Dictionary<string, StreamDrain> _streams = [];
    private readonly HashSet<string> _unreadable = [];
    private readonly List<string> _problems = [];
    private readonly DirectoryChange _change;
    private readonly Func<bool> _describe;

    // As it was last readable; empty as long as it never was.
    private byte[] _description = [];
    private string? _descriptionProblem;
    private long _nextDescriptionMs;
    private long _writtenBytes;
    private bool _isUnwritable;

    public ProcessDrain(string buffersDirectory, string traceDirectory, SessionDescription session)
    {
        _session = session;
        _buffers = buffersDirectory;
        _change = new DirectoryChange(buffersDirectory);
        _describe = Describe;
        TraceDirectory = traceDirectory;
    }

    /// <summary>Where the process's trace lies.</summary>
    public string TraceDirectory { get; }

    /// <summary>Losses, once finished.</summary>
    public LossCounts Losses { get; private set; }

    /// <summary>Whether there is anything in <see cref="TraceDirectory"/>, or was.</summary>
    public bool HasTrace => _writtenBytes > 0;

    /// <summary>What went wrong, each thing once; all of it once finished.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Moves complete packets; returns how many.</summary>
    public int MoveComplete()
    {
        bool hasChanged = _change.HasChanged();
        if (hasChanged)
            OpenNewStreams();
        // Early, and in memory: whatever becomes of the file or of the disk, what the process has committed can still be counted.
        if (hasChanged || Environment.TickCount64 >= _nextDescriptionMs)
            ReadDescription();
        int moved = 0;
        foreach (var stream in _streams.Values)
            moved += stream.MoveComplete(_describe);
        return moved;
    }

    /// <summary>Moves everything that is committed now and closes the trace, but for the final measure of the clock.</summary>
    /// <param name="now">The time now.</param>
    /// <param name="isAlive">Whether the process may still be writing.</param>
    public void Finish(ulong now, bool isAlive)
    {
        OpenNewStreams();
        ReadDescription();
        if (_streams.Count > 0 || _unreadable.Count > 0 || _description.Length > 0)
        {
            // Of a process that could not attach, and took back what it had made, nothing is left and nothing is recorded.
            if (Directory.Exists(_buffers) || _streams.Values.Any(stream => stream.IsUsed))
                Describe();
            var ring = ReadRing();
            var decoder = ReadSchema();
            foreach (var stream in _streams.Values)
                stream.MoveRest(now, _describe, isAlive, ReadRing, decoder);
            Losses = new LossCounts
            {
                BufferFull = Sum(stream => stream.LostFull),
                TooLarge = Sum(stream => stream.LostTooLarge),
                NoBuffer = ring.LostNoStream,
                NotWritten = Sum(stream => stream.LostUnwritten),
                FieldsCut = ring.FieldsCut,
                UncountedStreams = (ulong)(_unreadable.Count + _streams.Values.Count(stream => stream.IsUncounted)),
                UncountedBytes = Sum(stream => stream.UncountedBytes),
            };
            if (decoder == null)
                SetMetadataAside();
            AddDescriptionProblem();
            AddRemarks();
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
                if (SessionHome.IsRegularFile(path) == false)
                    throw new InvalidDataException($"{path}: not a file of its own; what was recorded there is not in the trace");
                if (StreamReader.TryOpen(path) is not { } reader)
                    continue;
                if (Refusal(reader) is { } refusal)
                {
                    reader.Dispose();
                    throw new InvalidDataException($"{path}: {refusal}");
                }
                _streams.Add(path, new StreamDrain(reader, TraceDirectory));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                // A process that finds no room takes back what it has made.
                if (SessionHome.IsRegularFile(path) == null)
                    continue;
                _unreadable.Add(path);
                _problems.Add(e.Message);
            }
        }
    }

    /// <summary>Why a stream is none that a traced program makes; null if it is one.</summary>
    private string? Refusal(StreamReader reader) =>
        Path.GetFileName(reader.Path) != StreamDrain.NameOf(reader.Cpu) ? $"offset {StreamLayout.Cpu}: CPU {reader.Cpu}, which is not the file's name"
        : reader.Format != StreamFormat.CtfCompact ? $"offset {StreamLayout.Format}: a stream of format {reader.Format}, not of CTF packets"
        : reader.PacketBytes != _session.PacketBytes || reader.PacketCount != _session.PacketCount
            ? $"offset {StreamLayout.PacketBytes}: {reader.PacketCount} packets of {reader.PacketBytes} bytes, where the session has {_session.PacketCount} of {_session.PacketBytes}"
        : reader.IsOverwrite ? $"offset {StreamLayout.IsOverwrite}: a flight recorder's stream, from which nothing is taken"
        : null;

    private string[] EnumerateStreams()
    {
        try
        {
            return Directory.GetFileSystemEntries(_buffers, "stream_*");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>
    /// Brings the trace's metadata up to date; false where that fails. Records are moved only after the metadata that describes them, so
    /// a trace can be read at any moment, even if nobody finishes it.
    /// </summary>
    private bool Describe()
    {
        ReadDescription();
        if (_description.Length == 0)
            return false;
        try
        {
            if (_writtenBytes != _description.Length || !File.Exists(Path.Combine(TraceDirectory, MetadataName)))
            {
                Directory.CreateDirectory(TraceDirectory);
                WriteMetadata(target => File.WriteAllBytes(target, _description));
                _writtenBytes = _description.Length;
            }
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!_isUnwritable)
                _problems.Add($"{TraceDirectory}: the metadata could not be written: {e.Message}");
            _isUnwritable = true;
            return false;
        }
    }

    /// <summary>Takes the process's metadata over when it has changed. What cannot be read any more leaves the copy as it was.</summary>
    private void ReadDescription()
    {
        string path = Path.Combine(_buffers, MetadataName);
        _nextDescriptionMs = Environment.TickCount64 + DescriptionMs;
        try
        {
            if (_description.Length > 0 && _descriptionProblem == null && new FileInfo(path) is { Exists: true } file && file.Length == _description.Length)
                return;
            byte[]? bytes = SmallFile.Read(path, MaxDescriptionBytes);
            if (bytes == null)
                _descriptionProblem = $"{path}: empty, or no file, or too large for a description of events";
            else if (bytes.Length < _description.Length && !IsSchema(bytes))
                _descriptionProblem = $"{path}: was cut";
            else
                (_description, _descriptionProblem) = (bytes, null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _descriptionProblem = $"{path}: {e.Message}";
        }
    }

    private static bool IsSchema(byte[] bytes)
    {
        try
        {
            return MetadataReader.Read(bytes) != null;
        }
        catch (CtfException)
        {
            return false;
        }
    }

    /// <summary>Passes on what the process has to say about the rules.</summary>
    private void AddRemarks()
    {
        try
        {
            if (SmallFile.Read(Path.Combine(_buffers, SessionAttachment.RemarksName), MaxRemarksBytes) is { } bytes)
                _problems.AddRange(Encoding.UTF8.GetString(bytes).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }
        catch (IOException)
        {
            // Most processes have nothing to say, and no such file.
        }
    }

    private void AddDescriptionProblem()
    {
        if (_descriptionProblem == null)
            return;
        if (_description.Length == 0 && Losses.UncountedBytes > 0)
            _problems.Add($"{_descriptionProblem}; {Losses.UncountedBytes} bytes of records cannot be read without it");
        else if (HasTrace)
            _problems.Add($"{_descriptionProblem}; the copy that was made before is used");
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
            return RingControl.Read(_buffers);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            // Else it is a process that was killed while it attached.
            if (_streams.Values.Any(stream => stream.IsUsed))
                _problems.Add($"{Path.Combine(_buffers, RingControl.FileName)}: what was lost for want of a buffer is not known: {e.Message}");
        }
        return new RingSummary(0, 0, [], 0);
    }

    private TraceDecoder? ReadSchema()
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                // Empty or missing: the process was killed while it attached, or attaches just now. It has written no event.
                return _description.Length == 0 ? null : new TraceDecoder(MetadataReader.Read(_description));
            }
            catch (CtfException) when (attempt < SchemaAttempts)
            {
                // The process may be writing a declaration just now.
                Thread.Sleep(SchemaRetryMs);
                Describe();
            }
            catch (CtfException e)
            {
                _problems.Add($"{Path.Combine(_buffers, MetadataName)}: {e.Message}");
                return null;
            }
        }
    }
}
