using Weir.Ctf;

namespace Weir.Graph;

/// <summary>A perf.data as a trace: a class for each event, a stream for each CPU, and one for samples that do not name theirs.</summary>
internal sealed class PerfTrace
{
    private const ulong CpuStreams = 0;
    private const ulong OtherStream = 1;

    private readonly Dictionary<int, (DataStream Stream, Packet? Packet)> _streams = [];
    private readonly ClockAdjustment _clocks;

    private PerfTrace(PerfDataFile file, IReadOnlyList<PerfSampleClass> samples, Trace trace, ClockAdjustment clocks)
    {
        File = file;
        Samples = samples;
        Trace = trace;
        _clocks = clocks;
    }

    public PerfDataFile File { get; }

    /// <summary>The events' classes, in the order of the file's attributes.</summary>
    public IReadOnlyList<PerfSampleClass> Samples { get; }

    public Trace Trace { get; }

    public static PerfTrace Create(PerfDataFile file, bool hasLabels, bool isTimeOfDay, ClockAdjustment clocks)
    {
        var traceClass = new TraceClass { NativeByteOrder = file.ByteOrder };
        traceClass.Add(new EnvironmentEntry("tracer_name", "perf"));
        traceClass.Add(new EnvironmentEntry("domain", "kernel"));
        foreach (var entry in file.Environment)
            traceClass.Add(entry);
        var clock = CreateClock(file, isTimeOfDay);
        traceClass.Add(clock);
        var samples = CreateSamples(file, hasLabels);
        bool hasTimes = samples.Exists(sample => sample.TimeOffset >= 0);
        bool hasCpus = samples.Exists(sample => sample.CpuOffset >= 0);
        var cpuStreams = new DataStreamClass
        {
            Id = CpuStreams,
            DefaultClock = hasTimes ? clock : null,
            PacketContext = new StructureFieldClass([new("cpu_id", new IntegerFieldClass(32))]),
        };
        var otherStream = new DataStreamClass { Id = OtherStream, DefaultClock = hasTimes ? clock : null };
        foreach (var sample in samples)
        {
            cpuStreams.Add(sample.EventClass);
            otherStream.Add(sample.EventClass);
        }
        if (hasCpus)
            traceClass.Add(cpuStreams);
        traceClass.Add(otherStream);
        return new PerfTrace(file, samples, new Trace(new TraceDecoder(traceClass), Path.GetFileName(file.Path)), clocks);
    }

    /// <summary>The stream of a CPU, or of none (-1), with its packet.</summary>
    public (DataStream Stream, Packet? Packet) FindStream(int cpu)
    {
        if (_streams.TryGetValue(cpu, out var known))
            return known;
        var decoder = (cpu < 0 ? null : Trace.Decoder.FindStream(CpuStreams)) ?? Trace.Decoder.FindStream(OtherStream)!;
        var stream = new DataStream
        {
            Trace = Trace,
            Decoder = decoder,
            Id = (ulong)Math.Max(cpu, 0),
            Name = cpu < 0 ? File.Path : $"{File.Path} | cpu{cpu}",
            ClockOffsetNs = _clocks.OffsetOf(decoder.Class.DefaultClock, File.Path),
            IsClockAbsolute = _clocks.IsAbsolute(decoder.Class.DefaultClock),
        };
        var packet = new Packet { Stream = stream, HeaderAndContext = decoder.Class.PacketContext is null ? [] : BitConverter.GetBytes(cpu) };
        _streams.Add(cpu, (stream, packet));
        return (stream, packet);
    }

    private static List<PerfSampleClass> CreateSamples(PerfDataFile file, bool hasLabels)
    {
        var samples = new List<PerfSampleClass>();
        try
        {
            foreach (var attribute in file.Attributes)
                samples.Add(new PerfSampleClass(file, attribute, (ulong)samples.Count, hasLabels));
        }
        catch (CtfException e)
        {
            throw new TraceReadException(file.Path, -1, "the format of a tracepoint is bad", e);
        }
        return samples;
    }

    private static ClockClass CreateClock(PerfDataFile file, bool isTimeOfDay)
    {
        int? id = file.Attributes.FirstOrDefault(attribute => attribute.ClockId is not null)?.ClockId;
        long offsetNs = 0;
        if (isTimeOfDay)
        {
            if (file.ClockPoint is not { } point)
                throw new TraceReadException(file.Path, -1, "the file does not say what time of day it was: expected one that was recorded with a chosen clock (perf record -k)");
            offsetNs = unchecked((long)(point.RealtimeNs - point.ClockNs));
        }
        long seconds = Math.DivRem(offsetNs, 1_000_000_000, out long nanoseconds);
        if (nanoseconds < 0)
            (seconds, nanoseconds) = (seconds - 1, nanoseconds + 1_000_000_000);
        return new ClockClass
        {
            Name = id switch
            {
                0 => "realtime",
                1 => "monotonic",
                4 => "monotonic_raw",
                7 => "boottime",
                11 => "tai",
                _ => "perf",
            },
            Description = "The clock of perf's records.",
            OffsetSeconds = seconds,
            OffsetCycles = (ulong)nanoseconds,
            IsAbsolute = id == 0 || isTimeOfDay,
        };
    }
}
