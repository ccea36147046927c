using System.Globalization;
using Weir.Clock;
using Weir.Ctf;

namespace Weir.Kernel;

/// <summary>
/// Records samples of counters into a stream for each CPU, and at the end the names of all addresses in their stacks. With a command its first
/// thread inherits the counters of the thread that starts it, and its exec switches them on; else each CPU has its own.
/// </summary>
internal sealed class PerfSampling : Instrumentation
{
    private const int RingBytes = 1 << 20;
    private const int WakeBytes = RingBytes / 4;

    private readonly InstrumentationContext _context;
    private readonly DataStreamClass _class;
    private readonly PerfEvents _events;
    private readonly PerfRecords _records;
    private readonly PerfClock _clock;
    private readonly AddressSpaces _spaces = new();
    private readonly List<PerfRequest> _requests = [];
    private readonly List<(PerfRing Ring, KernelStream Stream)> _cpus = [];
    private readonly KernelStream _symbols;
    private PerfDrain? _drain;
    private ulong _end;

    public PerfSampling(InstrumentationContext context)
    {
        _context = context;
        _clock = new PerfClock(context.Clock, FindTimeScale());
        _class = context.Trace.AddStreamClass(commonContext: null, LttngEventHeader.Compact);
        _events = new PerfEvents(context.Trace, _class);
        _records = new PerfRecords(_events, _clock, _spaces);
        _symbols = context.Trace.OpenStream(_class, "perf_symbols", cpu: 0, instance: uint.MaxValue, context.Options.PacketBytes);
    }

    /// <inheritdoc/>
    public override OwnStreamsResult Result => OwnStreamsResult.Of(_events.All, [.. _cpus.Select(item => item.Stream), _symbols], _records.Lost);

    /// <summary>Adds a counter, before the start.</summary>
    public void Add(PerfRequest request) => _requests.Add(request);

    /// <inheritdoc/>
    public override void Start()
    {
        if (!_context.Options.IsWholeMachine)
            return;
        Open(thread: null);
        foreach (int file in _cpus.SelectMany(item => item.Ring.Files))
            PerfEventFile.Enable(file);
        // After the switching on: what is mapped from now on the kernel tells.
        _drain = new PerfDrain(_cpus, _records, _clock, _spaces.AddRunning);
    }

    /// <inheritdoc/>
    public override void BeginCommandStart()
    {
        Open(LibC.GetThreadId());
        _drain = new PerfDrain(_cpus, _records, _clock, begin: null);
    }

    /// <inheritdoc/>
    public override void Stop()
    {
        foreach (int file in _cpus.SelectMany(item => item.Ring.Files))
            PerfEventFile.Disable(file);
        _drain?.Finish();
        _end = TraceClock.ReadOrdered(_context.Clock);
    }

    /// <inheritdoc/>
    public override void Finish()
    {
        foreach (var (_, stream) in _cpus)
            stream.Finish(_end, 0);
        WriteSymbols();
        _symbols.Finish(_end, 0);
        _context.Problems.AddRange(_cpus.Select(item => item.Stream).Append(_symbols).Select(stream => stream.Problem).OfType<string>());
        if (_records.ThrottledCount > 0)
        {
            _context.Problems.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"the kernel paused a counter {_records.ThrottledCount} times, because its samples took too much time; a lower rate, or kernel.perf_event_max_sample_rate and kernel.perf_cpu_time_max_percent, help"));
        }
        if (_spaces.IsFull)
            _context.Problems.Add("the samples have more different addresses than can be named; the last have no names");
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _drain?.Dispose();
        foreach (var (ring, stream) in _cpus)
        {
            ring.Dispose();
            stream.Dispose();
        }
        _symbols.Dispose();
        base.Dispose();
    }

    /// <summary>Opens a buffer for each CPU, with all counters, and the stream that its records go to.</summary>
    private void Open(int? thread)
    {
        var telling = new PerfRequest(PerfCounters.Dummy, 0, IsFrequency: false);
        foreach (int cpu in OnlineCpus())
        {
            var ring = new PerfRing(cpu, PerfEventFile.Open(telling, thread, cpu, _clock.RecordClock, WakeBytes), RingBytes);
            try
            {
                foreach (var request in _requests)
                {
                    int file = PerfEventFile.Open(request, thread, cpu, _clock.RecordClock, WakeBytes);
                    ring.Add(file);
                    _records.Name(PerfEventFile.GetId(file), request);
                }
                var stream = _context.Trace.OpenStream(
                    _class, string.Create(CultureInfo.InvariantCulture, $"perf_{cpu}"), cpu, (ulong)cpu, _context.Options.PacketBytes);
                _cpus.Add((ring, stream));
            }
            catch
            {
                ring.Dispose();
                throw;
            }
        }
    }

    private void WriteSymbols()
    {
        var resolver = new SymbolResolver(_spaces, _context.Problems);
        foreach (var symbol in resolver.Resolve())
            _events.WriteSymbol(_symbols, _end, symbol);
    }

    private PerfTimeScale? FindTimeScale()
    {
        if (_context.Clock != ClockKind.Counter)
            return null;
        try
        {
            var dummy = new PerfRequest(PerfCounters.Dummy, 0, IsFrequency: false);
            using var ring = new PerfRing(0, PerfEventFile.Open(dummy, null, OnlineCpus()[0], PerfEventFile.OwnClock, 0), WakeBytes);
            return ring.TimeScale;
        }
        catch (KernelException)
        {
            return null;
        }
    }

    /// <summary>The CPUs of a list such as <c>0-3,8</c>.</summary>
    private static List<int> OnlineCpus()
    {
        var cpus = new List<int>();
        foreach (string range in TracefsFile.Read("/sys/devices/system/cpu/online").Trim().Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] ends = range.Split('-');
            int first = int.Parse(ends[0], CultureInfo.InvariantCulture);
            for (int cpu = first; cpu <= int.Parse(ends[^1], CultureInfo.InvariantCulture); cpu++)
                cpus.Add(cpu);
        }
        return cpus;
    }
}
