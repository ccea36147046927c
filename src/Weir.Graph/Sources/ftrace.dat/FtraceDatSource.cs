using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// <c>source.ftrace.dat</c>: the kernel's events in a file of trace-cmd's. An output for each CPU of each buffer.
/// </summary>
public sealed class FtraceDatSource : Source
{
    private const string Help = $"""
        inputs=[PATH, ...]                        files that trace-cmd has written, of version 6 or 7
        labels=yes                                show the labels of values beside them, where the kernel lists them
        {ClockAdjustment.Help}
        """;

    private readonly List<(string Name, Func<MessageIterator> Create)> _outputs = [];
    private readonly List<FtraceDatFile> _files = [];

    private readonly ClockAdjustment _clocks;

    private FtraceDatSource(ClockAdjustment clocks) => _clocks = clocks;

    /// <summary>Offers it.</summary>
    public static SourceClass Class { get; } = new("ftrace", "dat", "Read the Linux kernel's events in files of trace-cmd's (trace.dat).", Create)
    {
        Help = Help,
        Recognize = FtraceDatFile.Recognize,
        AdjustsClocks = true,
    };

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => [.. _outputs.Select(output => output.Name)];

    /// <inheritdoc/>
    public override MessageIterator CreateIterator(int output) => _outputs[output].Create();

    /// <summary>Opens files.</summary>
    /// <param name="paths">The files.</param>
    /// <param name="hasLabels">Whether fields with labels become enumerations.</param>
    /// <param name="clocks">What is added to clocks; null for nothing.</param>
    /// <exception cref="TraceReadException">One is no trace.dat, or bad before its events.</exception>
    public static FtraceDatSource Open(IEnumerable<string> paths, bool hasLabels = false, ClockAdjustment? clocks = null)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var source = new FtraceDatSource(clocks ?? ClockAdjustment.None);
        try
        {
            foreach (string path in paths)
                source.Add(FtraceDatFile.Read(path), hasLabels);
            return source;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        foreach (var file in _files)
            file.Dispose();
        base.Dispose(disposing);
    }

    private static FtraceDatSource Create(ComponentContext context)
    {
        var parameters = new ParameterReader(context.Parameters);
        var inputs = parameters.Paths("inputs", "files");
        bool hasLabels = parameters.Flag("labels");
        var clocks = ClockAdjustment.Read(parameters);
        parameters.RejectOthers();
        return Open(inputs, hasLabels, clocks);
    }

    private void Add(FtraceDatFile file, bool hasLabels)
    {
        _files.Add(file);
        var traceClass = new TraceClass { NativeByteOrder = file.Metadata.ByteOrder };
        traceClass.Add(new EnvironmentEntry("tracer_name", "trace-cmd"));
        traceClass.Add(new EnvironmentEntry("domain", "kernel"));
        foreach (var entry in file.Environment)
            traceClass.Add(entry);
        var events = CreateEvents(file, hasLabels);
        var clocks = new Dictionary<string, ClockClass>();
        for (int i = 0; i < file.Buffers.Count; i++)
            traceClass.Add(CreateStreamClass(traceClass, (ulong)i, file, file.Buffers[i], events, clocks));
        var trace = new Trace(new TraceDecoder(traceClass), Path.GetFileName(file.Path));
        for (int i = 0; i < file.Buffers.Count; i++)
        {
            foreach (var pages in file.Buffers[i].Cpus)
                AddOutput(file, events, trace, file.Buffers[i], trace.Decoder.FindStream((ulong)i)!, pages);
        }
    }

    private void AddOutput(FtraceDatFile file, FtraceEventTable events, Trace trace, FtraceDatBuffer buffer, StreamDecoder decoder, FtraceDatPages pages)
    {
        var clock = decoder.Class.DefaultClock!;
        string name = buffer.Name.Length > 0 ? $"{file.Path} | {buffer.Name} | cpu{pages.Cpu}" : $"{file.Path} | cpu{pages.Cpu}";
        var stream = new DataStream
        {
            Trace = trace,
            Decoder = decoder,
            Id = (ulong)pages.Cpu,
            Name = name,
            FrequencyHz = clock.FrequencyHz,
            ClockOffsetNs = _clocks.OffsetOf(clock, file.Path),
            IsClockAbsolute = _clocks.IsAbsolute(clock),
        };
        _outputs.Add((name, () => new FtraceDatIterator(file, events, stream, buffer.PageBytes, pages)));
    }

    private static FtraceEventTable CreateEvents(FtraceDatFile file, bool hasLabels)
    {
        try
        {
            return new FtraceEventTable(file.Metadata, hasLabels);
        }
        catch (CtfException e)
        {
            throw new TraceReadException(file.Path, -1, "the format of an event is bad", e);
        }
    }

    private static DataStreamClass CreateStreamClass(
        TraceClass trace, ulong id, FtraceDatFile file, FtraceDatBuffer buffer, FtraceEventTable events, Dictionary<string, ClockClass> clocks)
    {
        if (!clocks.TryGetValue(buffer.Clock, out var clock))
        {
            long offsetSeconds = Math.DivRem(file.Clock.OffsetNs, 1_000_000_000, out long nanoseconds);
            if (nanoseconds < 0)
                (offsetSeconds, nanoseconds) = (offsetSeconds - 1, nanoseconds + 1_000_000_000);
            clock = file.Clock.Session ?? new ClockClass
            {
                Name = buffer.Clock,
                Description = "The kernel's trace clock.",
                OffsetSeconds = offsetSeconds,
                OffsetCycles = (ulong)nanoseconds,
                IsAbsolute = file.Clock.IsAbsolute,
            };
            clocks.Add(buffer.Clock, clock);
            trace.Add(clock);
        }
        var time = new IntegerFieldClass(64) { MappedClock = clock };
        var stream = new DataStreamClass
        {
            Id = id,
            Name = buffer.Name.Length > 0 ? buffer.Name : null,
            DefaultClock = clock,
            PacketContext = new StructureFieldClass(
            [
                new("timestamp_begin", time.With(role: FieldRole.PacketBeginTime)),
                new("timestamp_end", time.With(role: FieldRole.PacketEndTime)),
                new("cpu_id", new IntegerFieldClass(32)),
            ]),
            EventCommonContext = events.Context,
        };
        foreach (var eventClass in events.Classes)
            stream.Add(eventClass);
        return stream;
    }
}
