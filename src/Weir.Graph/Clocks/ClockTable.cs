using Weir.Clock;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>What the traces tell about one clock.</summary>
public sealed class KnownClock
{
    internal KnownClock(ClockConversion? conversion, CounterSkew? skew)
    {
        Conversion = conversion;
        Skew = skew;
    }

    /// <summary>Converts its readings; null where no sample was stored.</summary>
    public ClockConversion? Conversion { get; }

    /// <summary>The skew between CPUs; null where none was stored.</summary>
    public CounterSkew? Skew { get; }
}

/// <summary>
/// What recordings have stored about their clocks: the samples and the skew in <c>weir_clock:</c> events. A stored clock is that of every
/// stream whose clock class has its namespace, name and UID (or UUID), also of another trace or recording: the UID stands for the machine since its start.
/// </summary>
public sealed class ClockTable
{
    private const string SampleName = "weir_clock:sample";
    private const string SkewName = "weir_clock:skew";

    private static readonly string[] s_sampleFields = ["monotonic_ns", "realtime_ns", "uncertainty_cycles", "realtime_uncertainty_ns"];
    private static readonly string[] s_skewFields = ["cpu", "reference_cpu", "least_cycles", "most_cycles"];

    private readonly Dictionary<ClockKey, KnownClock> _clocks = [];
    private readonly Dictionary<DataStream, KnownClock?> _byStream = [];

    private ClockTable(long offsetNs) => OffsetNs = offsetNs;

    /// <summary>What is added to every CLOCK_REALTIME, as it is to the clock classes.</summary>
    public long OffsetNs { get; }

    /// <summary>Reads what the traces of a source tell.</summary>
    /// <exception cref="TraceReadException">An event of a clock is not what it must be, or its trace is bad.</exception>
    public static ClockTable Read(CtfFsSource source, CtfFsOptions options)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        var gathered = new Dictionary<ClockKey, Gathering>();
        foreach (var iterator in source.CreateIterators(IsOfClock))
        {
            using (iterator)
            {
                for (var batch = iterator.Next(); batch.Count > 0; batch = iterator.Next())
                {
                    foreach (ref readonly var message in batch.AsSpan())
                    {
                        if (message.Kind == MessageKind.Event && ClockKey.Of(message.Stream) is { } key)
                            GetOrAdd(gathered, key).Add(in message);
                    }
                }
            }
        }
        var table = new ClockTable(unchecked((options.Clocks.OffsetSeconds * 1_000_000_000) + options.Clocks.OffsetNanoseconds));
        foreach (var (key, gathering) in gathered)
            table._clocks.Add(key, gathering.Conclude());
        return table;
    }

    /// <summary>What is known about a stream's clock, or null.</summary>
    public KnownClock? Find(DataStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!_byStream.TryGetValue(stream, out var clock))
            _byStream.Add(stream, clock = ClockKey.Of(stream) is { } key ? _clocks.GetValueOrDefault(key) : null);
        return clock;
    }

    private static bool IsOfClock(TraceClass trace)
    {
        foreach (var stream in trace.DataStreamClasses)
        {
            foreach (var declared in stream.EventRecordClasses)
            {
                if (declared.Name is SampleName or SkewName)
                    return true;
            }
        }
        return false;
    }

    private static Gathering GetOrAdd(Dictionary<ClockKey, Gathering> gathered, ClockKey key)
    {
        if (!gathered.TryGetValue(key, out var gathering))
            gathered.Add(key, gathering = new Gathering());
        return gathering;
    }

    private readonly record struct ClockKey(string? Namespace, string Name, string Uid)
    {
        public static ClockKey? Of(DataStream stream) =>
            stream.Clock is { } clock && ClockComparison.IdentityOf(clock) is var (names, name, uid) ? new ClockKey(names, name, uid) : null;
    }

    /// <summary>What is told about one clock, until all of it is read.</summary>
    private sealed class Gathering
    {
        private readonly List<(ClockSample Sample, DataStream Stream)> _samples = [];
        private readonly List<(int Reference, CpuOffset Offset)> _skew = [];
        private readonly Dictionary<EventDecoder, (FieldPicker Picker, FieldWalker Walker)> _pickers = [];
        private DataStream? _stream;

        public void Add(in Message message)
        {
            _stream ??= message.Stream;
            switch (message.Record.Decoder.Class.Name)
            {
                case SampleName:
                    var sample = Pick(in message, s_sampleFields);
                    _samples.Add((new ClockSample(message.Record.ClockValue, (long)sample[0], (long)sample[1], sample[2], (long)sample[3]), message.Stream));
                    break;
                case SkewName:
                    var skew = Pick(in message, s_skewFields);
                    _skew.Add(((int)skew[1], new CpuOffset((int)skew[0], (long)skew[2], (long)skew[3], 0)));
                    break;
            }
        }

        public KnownClock Conclude()
        {
            try
            {
                return new KnownClock(
                    _samples.Count == 0 ? null : ClockConversion.Create(Merge(), _stream!.FrequencyHz),
                    _skew.Count == 0 ? null : CounterSkew.Of(_skew[0].Reference, _skew.Where(item => item.Reference == _skew[0].Reference).Select(item => item.Offset)));
            }
            catch (ArgumentException e)
            {
                throw new TraceReadException(_stream!.Name, -1, $"the samples of the clock cannot be right: {e.Message}", e);
            }
        }

        /// <summary>
        /// Recordings of one time have their samples among each other's. Two that were taken at once by different ones may be in either
        /// order, within their brackets: the second says nothing more. What one recording says of itself is left to be judged.
        /// </summary>
        private List<ClockSample> Merge()
        {
            var samples = new List<ClockSample>();
            DataStream? last = null;
            foreach (var (sample, stream) in _samples.OrderBy(item => item.Sample.Cycles))
            {
                bool isAfter = samples.Count == 0 || (sample.Cycles > samples[^1].Cycles && sample.MonotonicNs > samples[^1].MonotonicNs);
                if (!isAfter && stream != last)
                    continue;
                samples.Add(sample);
                last = stream;
            }
            return samples;
        }

        private unsafe ReadOnlySpan<ulong> Pick(in Message message, string[] names)
        {
            var decoder = message.Record.Decoder;
            if (!_pickers.TryGetValue(decoder, out var picker))
            {
                picker = (new FieldPicker(decoder.Fields, names), new FieldWalker(message.Stream.Trace.Decoder));
                _pickers.Add(decoder, picker);
            }
            if (picker.Picker.Found != (1UL << names.Length) - 1)
                throw new TraceReadException(message.Stream.Name, -1, $"the event {decoder.Class.Name} does not have the integers {string.Join(", ", names)}");
            var visitor = picker.Picker.CreateVisitor();
            picker.Walker.WalkEvent(in message.Record, message.PacketStart, message.Slots, ref visitor);
            return picker.Picker.Values;
        }
    }
}
