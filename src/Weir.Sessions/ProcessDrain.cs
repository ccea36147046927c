using System.Globalization;
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

    private readonly ProcessBuffers _buffers;
    private readonly UserQuota? _quota;
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

    /// <param name="buffers">The process's buffers; disposed with this.</param>
    /// <param name="traceDirectory">Where to.</param>
    /// <param name="session">The session.</param>
    /// <param name="quota">What a process of another user may cost; null for one of this user.</param>
    public ProcessDrain(ProcessBuffers buffers, string traceDirectory, SessionDescription session, UserQuota? quota)
    {
        _session = session;
        _buffers = buffers;
        _quota = quota;
        _change = new DirectoryChange(buffers.Anchor);
        _describe = Describe;
        TraceDirectory = traceDirectory;
    }

    /// <summary>Where the process's trace lies.</summary>
    public string TraceDirectory { get; }

    /// <summary>Whether the process is another user's.</summary>
    public bool IsForeign => _quota != null;

    /// <summary>Losses, once finished.</summary>
    public LossCounts Losses { get; private set; }

    /// <summary>Whether there is anything in <see cref="TraceDirectory"/>, or was.</summary>
    public bool HasTrace => _writtenBytes > 0;

    /// <summary>What went wrong, each thing once; all of it once finished.</summary>
    /// <remarks>Another user has a say in these: what a terminal would obey is taken out.</remarks>
    public IReadOnlyList<string> Problems => IsForeign ? [.. _problems.Select(Printable)] : _problems;

    /// <summary>Whether the process lives.</summary>
    public bool IsAlive() => _buffers.IsAlive();

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
    public void Finish(ulong now)
    {
        long begin = Environment.TickCount64;
        // Of a user whose processes have kept us waiting too long none is waited for any more.
        bool isAlive = _quota is null or { MayWait: true } && IsAlive();
        OpenNewStreams();
        ReadDescription();
        if (_streams.Count > 0 || _unreadable.Count > 0 || _description.Length > 0)
        {
            // Of a process that could not attach, and took back what it had made, nothing is left and nothing is recorded.
            if (_buffers.IsThere || _streams.Values.Any(stream => stream.IsUsed))
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
        SetDescription([]);
        _quota?.End(Environment.TickCount64 - begin);
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
        _buffers.Dispose();
    }

    private ulong Sum(Func<StreamDrain, ulong> count) => _streams.Values.Aggregate(0UL, (sum, stream) => sum + count(stream));

    private void OpenNewStreams()
    {
        foreach (string name in _buffers.Names().Where(IsStreamName))
        {
            string path = Path.Combine(_buffers.Path, name);
            if (_streams.ContainsKey(path) || _unreadable.Contains(path))
                continue;
            try
            {
                var access = IsForeign ? ReaderAccess.ConsumeUnmapped : ReaderAccess.Consume;
                if (StreamReader.TryOpen(_buffers.Open(name, isWritable: true), path, access) is not { } reader)
                    continue;
                if (Refusal(reader) is { } refusal)
                {
                    reader.Dispose();
                    throw new InvalidDataException($"{path}: {refusal}");
                }
                _streams.Add(path, new StreamDrain(reader, TraceDirectory));
            }
            catch (FileNotFoundException)
            {
                // A process that finds no room takes back what it has made.
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
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

    /// <summary>Of another user's process only the name of a CPU is one: there may be any number of others.</summary>
    private bool IsStreamName(string name) =>
        name.StartsWith("stream_", StringComparison.Ordinal)
        && (!IsForeign || (uint.TryParse(name["stream_".Length..], CultureInfo.InvariantCulture, out uint cpu) && cpu < Cpus.PossibleCount && name == StreamDrain.NameOf(cpu)));

    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));

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
        string path = Path.Combine(_buffers.Path, MetadataName);
        _nextDescriptionMs = Environment.TickCount64 + DescriptionMs;
        try
        {
            using var file = _buffers.Open(MetadataName);
            long length = RandomAccess.GetLength(file);
            if (_description.Length > 0 && _descriptionProblem == null && length == _description.Length)
                return;
            int limit = _quota?.DescriptionLimit(_description.Length) ?? MaxDescriptionBytes;
            byte[]? bytes = length > limit ? null : SmallFile.Read(file, limit);
            if (bytes == null)
                _descriptionProblem = $"{path}: empty, or no file, or too large for a description of events";
            else if (bytes.Length < _description.Length && !IsSchema(bytes))
                _descriptionProblem = $"{path}: was cut";
            else
            {
                SetDescription(bytes);
                _descriptionProblem = null;
            }
        }
        catch (InvalidDataException e)
        {
            _descriptionProblem = e.Message;
        }
        catch (IOException e)
        {
            _descriptionProblem = $"{path}: {e.Message}";
        }
    }

    private void SetDescription(byte[] bytes)
    {
        _quota?.ChangeDescription(_description.Length, bytes.Length);
        _description = bytes;
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
            using var file = _buffers.Open(SessionAttachment.RemarksName);
            if (SmallFile.Read(file, IsForeign ? UserQuota.MaxRemarksBytes : MaxRemarksBytes) is { } bytes)
                _problems.AddRange(Encoding.UTF8.GetString(bytes).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
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

    private string RingPath => Path.Combine(_buffers.Path, RingControl.FileName);

    private RingSummary ReadRing()
    {
        try
        {
            using var file = _buffers.Open(RingControl.FileName);
            return RingControl.Read(file, RingPath);
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            // Else it is a process that was killed while it attached.
            if (_streams.Values.Any(stream => stream.IsUsed))
                _problems.Add($"{RingPath}: what was lost for want of a buffer is not known: {e.Message}");
        }
        return new RingSummary(0, 0, [], 0);
    }

    /// <summary>Readers refuse a trace whose clocks do not go together, all of it.</summary>
    private bool HasSessionsClock(TraceClass schema)
    {
        var expected = TraceMetadata.CreateClock(_session);
        return schema.ClockClasses is [var clock] && clock.Name == expected.Name && clock.Uuid == expected.Uuid && clock.IsAbsolute == expected.IsAbsolute
            && clock.FrequencyHz == expected.FrequencyHz && clock.OffsetSeconds == expected.OffsetSeconds && clock.OffsetCycles == expected.OffsetCycles
            && Encoding.UTF8.GetString(_description).Contains(TraceMetadata.ClockText(_session), StringComparison.Ordinal);
    }

    private TraceDecoder? ReadSchema()
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                // Empty or missing: the process was killed while it attached, or attaches just now. It has written no event.
                if (_description.Length == 0)
                    return null;
                var schema = MetadataReader.Read(_description);
                if (!IsForeign || HasSessionsClock(schema))
                    return new TraceDecoder(schema);
                _problems.Add($"{Path.Combine(_buffers.Path, MetadataName)}: its clock is not the session's");
                return null;
            }
            catch (CtfException) when (attempt < SchemaAttempts && _quota is null or { MayWait: true })
            {
                // The process may be writing a declaration just now.
                Thread.Sleep(SchemaRetryMs);
                Describe();
            }
            catch (CtfException e)
            {
                _problems.Add($"{Path.Combine(_buffers.Path, MetadataName)}: {e.Message}");
                return null;
            }
        }
    }
}
