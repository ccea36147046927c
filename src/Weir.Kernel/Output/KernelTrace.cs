using Weir.Ctf;
using Weir.Graph;
using Weir.Tracing;

namespace Weir.Kernel;

/// <summary>
/// The trace <c>kernel/</c> of a recording, in LTTng's layout: its metadata, and a stream file with an index for each CPU of each kind of
/// stream. Event classes may be declared while streams are written; the metadata always names what was declared. Declaring is thread-safe.
/// </summary>
internal sealed class KernelTrace : IDisposable
{
    private readonly Lock _lock = new();
    private readonly string _metadataPath;
    private readonly MetadataFile _metadata;
    private readonly SessionDescription? _session;

    /// <summary>Begins a trace.</summary>
    /// <param name="directory">Its directory; made if it must be.</param>
    /// <param name="session">Whose clock the trace has.</param>
    /// <param name="environment">What is known of the machine and its kernel.</param>
    /// <exception cref="TraceWriteException">The files cannot be made.</exception>
    public KernelTrace(string directory, SessionDescription session, params ReadOnlySpan<EnvironmentEntry> environment)
        : this(directory, TraceMetadata.CreateClock(session), environment) => _session = session;

    /// <summary>Begins a trace whose clock is what it is.</summary>
    /// <exception cref="TraceWriteException">The files cannot be made.</exception>
    public KernelTrace(string directory, ClockClass clock, params ReadOnlySpan<EnvironmentEntry> environment)
    {
        Directory = directory;
        Clock = clock;
        Class = LttngLayout.CreateTrace(Guid.NewGuid(), Clock, environment);
        CtfFsTraceOutput.CreateDirectory(directory);
        _metadataPath = Path.Combine(directory, CtfFsTrace.MetadataFileName);
        _metadata = new MetadataFile(directory, Class, CtfVersion.Ctf18);
        _metadata.Flush();
    }

    /// <summary>The trace's directory.</summary>
    public string Directory { get; }

    /// <summary>The trace's class so far.</summary>
    public TraceClass Class { get; }

    /// <summary>What is read for a time of the trace.</summary>
    public Clock.ClockKind ClockKind => _session?.Clock ?? Weir.Clock.ClockKind.Monotonic;

    /// <summary>The clock of all its streams.</summary>
    public ClockClass Clock { get; }

    /// <summary>Adds a kind of stream.</summary>
    /// <param name="commonContext">What each event has after its header, or null.</param>
    /// <param name="header">Which of LTTng's headers its events have.</param>
    public DataStreamClass AddStreamClass(StructureFieldClass? commonContext, LttngEventHeader header)
    {
        lock (_lock)
        {
            var stream = LttngLayout.CreateStream((ulong)Class.DataStreamClasses.Count, Clock, commonContext, header);
            Class.Add(stream);
            _metadata.AddStream(stream);
            _metadata.Flush();
            return stream;
        }
    }

    /// <summary>Declares a kind of event; returns its ID, which counts up from 0 in each stream class.</summary>
    /// <exception cref="TraceWriteException">The metadata cannot be written.</exception>
    public uint Declare(DataStreamClass stream, string name, StructureFieldClass payload)
    {
        lock (_lock)
        {
            uint id = (uint)stream.EventRecordClasses.Count;
            var declared = new EventRecordClass { Id = id, Name = name, LogLevel = (int)TracepointLevel.Info, Payload = payload };
            stream.Add(declared);
            _metadata.AddEvent(stream, declared);
            _metadata.Flush();
            return id;
        }
    }

    /// <summary>Opens a stream of a class.</summary>
    /// <param name="stream">The class.</param>
    /// <param name="fileName">The stream's file.</param>
    /// <param name="cpu">The CPU that its packets name.</param>
    /// <param name="instance">What tells the streams of one class apart.</param>
    /// <param name="packetBytes">A packet is written when it has this many bytes.</param>
    /// <exception cref="TraceWriteException">The files cannot be made.</exception>
    public KernelStream OpenStream(DataStreamClass stream, string fileName, int cpu, ulong instance, int packetBytes) =>
        new(Class.Uuid!.Value, stream, new PacketFile(Directory, fileName, hasIndex: true), cpu, instance, packetBytes);

    /// <summary>Closes the metadata, with the clock as it was measured over the whole recording.</summary>
    /// <exception cref="IOException">The metadata cannot be written anew; what stands there is good but for a less exact clock.</exception>
    public void Finish(Clock.ClockCorrelation correlation)
    {
        _metadata.Dispose();
        if (_session is null)
            return;
        string text = File.ReadAllText(_metadataPath);
        string before = TraceMetadata.ClockText(_session);
        string after = TraceMetadata.ClockText(_session with { Correlation = correlation });
        string temporary = Directory + ".metadata";
        try
        {
            File.WriteAllText(temporary, text.Replace(before, after, StringComparison.Ordinal));
            File.Move(temporary, _metadataPath, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    public void Dispose() => _metadata.Dispose();
}
