using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// A trace that is being written: its directory, its metadata, and what its streams share. Streams are added one after the other; those that
/// were added may look for events from several threads.
/// </summary>
internal sealed class CtfFsTraceOutput : IDisposable
{
    private readonly CtfFsSinkOptions _options;
    private readonly TraceLowering _lowering;
    private readonly MetadataFile _metadata;
    private readonly Dictionary<StreamDecoder, StreamLowering> _streamClasses = [];
    private readonly Dictionary<(ClockClass Clock, long OffsetNs, bool IsAbsolute), ClockClass> _clocks = [];
    private readonly HashSet<(ulong Class, ulong Id)> _streamIds = [];
    private readonly HashSet<string> _fileNames = [CtfFsTrace.MetadataFileName, "index"];

    /// <exception cref="TraceWriteException">The directory or the metadata cannot be written.</exception>
    public CtfFsTraceOutput(Trace trace, CtfFsSinkOptions options)
    {
        _options = options;
        Trace = trace;
        Directory = options.IsSingleTrace
            ? options.Path
            : TraceDirectoryName.MakeUnique(Path.Combine(options.Path, TraceDirectoryName.Of(trace.Class, trace.Name)));
        CreateDirectory(Directory);
        _lowering = new TraceLowering(trace.Decoder, options.Version, trace.Name);
        _metadata = new MetadataFile(Directory, _lowering.Output, options.Version);
    }

    /// <summary>The trace that is read.</summary>
    public Trace Trace { get; }

    /// <summary>Where it is written.</summary>
    public string Directory { get; }

    /// <summary>Whether it was said that it is there.</summary>
    public bool IsReported { get; set; }

    /// <summary>The trace class that is written.</summary>
    public TraceClass Class => _lowering.Output;

    /// <summary>Creates a directory and those above it.</summary>
    /// <exception cref="TraceWriteException">It cannot be made.</exception>
    public static void CreateDirectory(string path)
    {
        try
        {
            System.IO.Directory.CreateDirectory(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new TraceWriteException(path, "this directory cannot be made", e);
        }
    }

    /// <summary>Begins a data stream.</summary>
    /// <exception cref="TraceWriteException">Its file or the metadata cannot be written.</exception>
    public CtfFsStreamOutput AddStream(DataStream stream)
    {
        StreamLowering lowering;
        lock (_metadata)
        {
            // All that are known, so that their order does not depend on which stream is read first.
            for (int i = 0; i < Trace.Streams.Count; i++)
            {
                if (!_streamClasses.ContainsKey(Trace.Streams[i].Decoder))
                    _streamClasses.Add(Trace.Streams[i].Decoder, AddStreamClass(Trace.Streams[i]));
            }
            lowering = _streamClasses[stream.Decoder];
        }
        ulong id = stream.Id;
        while (!_streamIds.Add((stream.Decoder.Class.Id, id)))
            id++;
        var options = lowering.Options;
        bool hasIndex = stream.Clock is not null && options.HasBeginTime && options.HasEndTime;
        var file = new PacketFile(Directory, TraceDirectoryName.OfStream(stream.Name, _fileNames), hasIndex);
        return new CtfFsStreamOutput(this, stream, id, lowering, file);
    }

    /// <summary>How events of a class are written; adds one that was met only now.</summary>
    /// <exception cref="TraceWriteException">The metadata cannot be written.</exception>
    public EventLowering FindEvent(StreamLowering stream, EventDecoder decoder)
    {
        lock (_metadata)
        {
            if (stream.FindEvent(decoder.Class) is { } known)
                return known;
            var added = stream.AddEvent(decoder);
            _metadata.AddEvent(stream.Output, added.Output);
            _metadata.Flush();
            return added;
        }
    }

    public void Dispose() => _metadata.Dispose();

    private StreamLowering AddStreamClass(DataStream stream)
    {
        int clockCount = Class.ClockClasses.Count;
        var options = StreamLoweringOptions.From(stream.Decoder);
        if (CtfFsStreamOutput.IsWithoutPackets(stream))
            options = new StreamLoweringOptions { HasBeginTime = stream.Clock is not null, HasEndTime = stream.Clock is not null, HasSequenceNumber = true, HasDiscardedEvents = true };
        options = options with
        {
            HasSequenceNumber = options.HasSequenceNumber && !_options.IgnoresDiscardedPackets,
            HasDiscardedEvents = options.HasDiscardedEvents && !_options.IgnoresDiscardedEvents,
        };
        var lowering = _lowering.AddStream(stream.Decoder, options, ClockOf(stream));
        foreach (var eventRecordClass in stream.Decoder.Class.EventRecordClasses)
            lowering.AddEvent(stream.Decoder.FindEvent(eventRecordClass.Id)!);
        for (int i = clockCount; i < Class.ClockClasses.Count; i++)
            _metadata.AddClock(Class.ClockClasses[i]);
        _metadata.AddStream(lowering.Output);
        _metadata.Flush();
        return lowering;
    }

    /// <summary>The stream's clock with the offset and the origin that the source was told to give it.</summary>
    private ClockClass? ClockOf(DataStream stream)
    {
        if (stream.Clock is not { } clock)
            return null;
        ClockValue.TryGetOffset(clock, 0, 0, out long ownOffsetNs);
        long moreNs = unchecked(stream.ClockOffsetNs - ownOffsetNs);
        if (moreNs == 0 && stream.IsClockAbsolute == clock.IsAbsolute)
            return clock;
        var key = (clock, moreNs, stream.IsClockAbsolute);
        if (!_clocks.TryGetValue(key, out var moved))
        {
            moved = Move(clock, moreNs, stream.IsClockAbsolute);
            _clocks.Add(key, moved);
        }
        return moved;
    }

    private static ClockClass Move(ClockClass clock, long moreNs, bool isAbsolute)
    {
        var (seconds, nanoseconds) = Math.DivRem(moreNs, 1_000_000_000L);
        if (nanoseconds < 0)
            (seconds, nanoseconds) = (seconds - 1, nanoseconds + 1_000_000_000L);
        return new ClockClass
        {
            Name = clock.Name,
            Id = clock.Id,
            Namespace = clock.Namespace,
            Uid = clock.Uid,
            Uuid = clock.Uuid,
            Description = clock.Description,
            FrequencyHz = clock.FrequencyHz,
            PrecisionCycles = clock.PrecisionCycles,
            AccuracyCycles = clock.AccuracyCycles,
            OffsetSeconds = unchecked(clock.OffsetSeconds + seconds),
            OffsetCycles = clock.OffsetCycles + ClockValue.FromNanoseconds((ulong)nanoseconds, clock.FrequencyHz),
            IsAbsolute = isAbsolute,
            Origin = isAbsolute ? null : clock.Origin,
            Attributes = clock.Attributes,
        };
    }
}
