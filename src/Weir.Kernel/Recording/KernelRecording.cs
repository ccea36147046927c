using System.Globalization;
using Weir.Clock;
using Weir.Ctf;
using Weir.Graph;
using Weir.Tracing;

namespace Weir.Kernel;

/// <summary>One kind of event in a recording.</summary>
/// <param name="Name">Its name in the trace.</param>
/// <param name="Count">How often it is there.</param>
/// <param name="Bytes">Bytes of all of them, without headers.</param>
public readonly record struct KernelEventCount(string Name, ulong Count, ulong Bytes);

/// <summary>What a recording of the kernel has brought.</summary>
public sealed record KernelRecordingResult
{
    /// <summary>The trace's directory.</summary>
    public required string TraceDirectory { get; init; }

    /// <summary>The events by kind.</summary>
    public required IReadOnlyList<KernelEventCount> Events { get; init; }

    /// <summary>Bytes of the stream files.</summary>
    public required long FileBytes { get; init; }

    /// <summary>Events that the kernel had no room for.</summary>
    public required ulong Lost { get; init; }

    /// <summary>Events that could not be written.</summary>
    public required ulong NotWritten { get; init; }

    /// <summary>What went wrong without ending the recording; a sentence each.</summary>
    public required IReadOnlyList<string> Problems { get; init; }
}

/// <summary>
/// Records the kernel from one moment to another, into a trace of its own in the directory of a recording. Everything that can be refused is
/// refused by <see cref="Prepare"/>. Not thread-safe.
/// <code>
///  Prepare ──► Start ──► Stop ──► Finish ──► Dispose        Dispose at any time takes back all that was made in the kernel
/// </code>
/// </summary>
public sealed class KernelRecording : IDisposable
{
    /// <summary>The trace's name in the recording's directory.</summary>
    public const string DirectoryName = "kernel";

    /// <summary>Beside raw pages: the trace of what has streams of its own.</summary>
    private const string OwnStreamsName = "ctf";

    internal const string CounterClockName = "x86-tsc";
    internal const string MonotonicClockName = "mono";

    /// <summary>CPUs that one thread drains; an event costs it some 30 ns.</summary>
    private const int CpusOfThread = 8;

    private readonly KernelRecordingOptions _options;
    private readonly TracefsMount _tracefs;
    private readonly List<string> _problems = [];
    private readonly List<Instrumentation> _instrumentation = [];
    private readonly List<(CpuPages Pages, PageTarget Target)> _cpus = [];
    private readonly List<PageDrain> _drains = [];
    private TracefsInstance? _instance;
    private KernelTrace? _trace;
    private PageOutput? _output;
    private string? _directory;
    private StateDump? _stateDump;
    private FtracePageLayout _layout = null!;
    private ClockKind _clock;
    private bool _isStopped;

    private KernelRecording(KernelRecordingOptions options, TracefsMount tracefs)
    {
        _options = options;
        _tracefs = tracefs;
    }

    /// <summary>Names of what killed recordings had left in the kernel and was removed.</summary>
    public IReadOnlyList<string> Removed { get; private set; } = [];

    /// <summary>
    /// The clock that user space must have too: the counter where the kernel can stamp its events with it, else CLOCK_MONOTONIC. Then every
    /// event has the same clock, and none needs to be converted.
    /// </summary>
    /// <exception cref="KernelException">The kernel cannot be recorded here at all.</exception>
    public static ClockKind ChooseClock(ClockKind wanted)
    {
        using var tracefs = TracefsMount.Open();
        return wanted == ClockKind.Counter && Clocks(tracefs).Contains(CounterClockName) ? ClockKind.Counter : ClockKind.Monotonic;
    }

    /// <summary>Why this user may not record the kernel, and what it takes, as a sentence's end; null for one who may.</summary>
    public static string? FindRefusal()
    {
        try
        {
            using var tracefs = TracefsMount.Open();
            using var instance = TracefsInstance.Create(tracefs);
            return null;
        }
        catch (KernelException e)
        {
            // What else is wrong is an error, and comes up as one.
            return e.NeedsPrivilege ? e.Message : null;
        }
    }

    /// <summary>Makes everything ready; nothing is recorded yet.</summary>
    /// <param name="options">What is recorded.</param>
    /// <param name="session">Whose clock the events get, as <see cref="ChooseClock"/> wants it.</param>
    /// <param name="outputDirectory">The recording's directory, in which <see cref="DirectoryName"/> is made.</param>
    /// <exception cref="KernelException">Something cannot be had; nothing is left behind.</exception>
    public static KernelRecording Prepare(KernelRecordingOptions options, SessionDescription session, string outputDirectory)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(session);
        var recording = new KernelRecording(options, TracefsMount.Open());
        try
        {
            recording.PrepareAll(session, outputDirectory);
            return recording;
        }
        catch (Exception e)
        {
            recording.Dispose();
            recording.RemoveTrace();
            if (e is CtfException)
                throw new KernelException(e.Message, e);
            throw;
        }
    }

    /// <summary>Begins to record.</summary>
    /// <exception cref="KernelException">The kernel refuses it.</exception>
    public void Start()
    {
        foreach (var chunk in _cpus.Chunk(CpusOfThread))
            _drains.Add(new PageDrain(chunk, _layout.PageBytes));
        _output!.Start(TraceClock.ReadOrdered(_clock));
        _instance!.Write("tracing_on", "1");
        foreach (var item in _instrumentation)
            item.Start();
        _stateDump?.Start();
    }

    /// <summary>
    /// Called on the thread that is about to start the command: until <see cref="EndCommandStart"/> the processes that this thread makes, and
    /// all of theirs, are recorded. Does nothing where the whole machine is.
    /// </summary>
    public void BeginCommandStart()
    {
        if (_options.IsWholeMachine)
            return;
        foreach (var item in _instrumentation)
            item.BeginCommandStart();
        _instance!.Append("set_event_pid", ThisThread);
        _instance.Write("set_event_notrace_pid", "");
    }

    /// <summary>Ends what <see cref="BeginCommandStart"/> began; on the same thread.</summary>
    public void EndCommandStart()
    {
        if (_options.IsWholeMachine)
            return;
        // One thread cannot be taken out of the list, but kept from being recorded.
        _instance!.TryWrite("set_event_notrace_pid", ThisThread);
        foreach (var item in _instrumentation)
            item.EndCommandStart();
    }

    /// <summary>Stops recording, and takes what the kernel still has.</summary>
    public void Stop()
    {
        if (_isStopped)
            return;
        _isStopped = true;
        _instance!.TryWrite("tracing_on", "0");
        foreach (var item in _instrumentation)
            item.Stop();
        foreach (var drain in _drains)
            drain.Finish();
        _stateDump?.Finish();
    }

    /// <summary>Closes the trace.</summary>
    /// <param name="clock">The clock as it was measured over the whole recording.</param>
    /// <param name="endCycles">The time of the end.</param>
    public KernelRecordingResult Finish(ClockCorrelation clock, ulong endCycles)
    {
        Stop();
        var pages = _output!.Finish(clock, endCycles, ReadStatistics());
        Try(() =>
        {
            foreach (var item in _instrumentation)
                item.Finish();
        });
        List<OwnStreamsResult> own = [.. _instrumentation.Select(item => item.Result).Append(_stateDump?.Result).OfType<OwnStreamsResult>()];
        Try(() => FinishTrace(clock));
        _problems.AddRange(_drains.SelectMany(drain => drain.Problems));
        _problems.AddRange(pages.Problems);
        return new KernelRecordingResult
        {
            TraceDirectory = _directory!,
            Events = [.. pages.Events.Concat(own.SelectMany(item => item.Events)).OrderBy(item => item.Name, StringComparer.Ordinal)],
            FileBytes = pages.FileBytes + own.Sum(item => item.FileBytes),
            Lost = own.Aggregate(pages.Lost, (sum, item) => sum + item.Lost),
            NotWritten = own.Aggregate(pages.NotWritten, (sum, item) => sum + item.NotWritten),
            Problems = [.. _problems.Distinct()],
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _instance?.TryWrite("tracing_on", "0");
        foreach (var drain in _drains)
            drain.Dispose();
        foreach (var (pages, _) in _cpus)
            pages.Dispose();
        _output?.Dispose();
        _instance?.Dispose();
        foreach (var item in _instrumentation)
            item.Dispose();
        _stateDump?.Dispose();
        _trace?.Dispose();
        _tracefs.Dispose();
    }

    private void PrepareAll(SessionDescription session, string outputDirectory)
    {
        Removed = AbandonedInstances.Remove(_tracefs);
        _layout = ReadLayout();
        _clock = session.Clock;
        _instance = TracefsInstance.Create(_tracefs);
        _instance.Write("trace_clock", session.Clock == ClockKind.Counter ? CounterClockName : MonotonicClockName);
        _instance.Write("buffer_size_kb", ((_options.BufferBytes + 1023) / 1024).ToString(CultureInfo.InvariantCulture));
        _instance.Write("options/overwrite", _options.IsDiscarding ? "0" : "1");
        if (!_options.IsWholeMachine)
            FollowNobody(_instance);
        _directory = Path.Combine(outputDirectory, DirectoryName);
        _output = CreateOutput(_directory, session, outputDirectory);
        var context = new InstrumentationContext
        {
            Tracefs = _tracefs,
            Instance = _instance,
            Catalogue = EventCatalogue.Read(_tracefs),
            Trace = _trace!,
            Clock = session.Clock,
            Options = _options,
            OwnName = Path.GetFileName(_instance.Path),
            Problems = _problems,
        };
        foreach (var rule in _options.Rules)
            _instrumentation.Add(InstrumentationRegistry.Of(rule).Prepare(rule, context));
        var events = RecordedEvents.Unite(_instrumentation.SelectMany(item => item.Events));
        _output.Declare(events);
        OpenCpus();
        if (_options.HasStateDump)
            _stateDump = new StateDump(_trace!, session.Clock, _problems);
        RecordedEvents.Enable(_instance, events);
    }

    private PageOutput CreateOutput(string directory, SessionDescription session, string outputDirectory)
    {
        var environment = LttngEnvironment.Create(Path.GetFileName(Path.GetFullPath(outputDirectory)));
        if (!_options.IsRaw)
        {
            _trace = new KernelTrace(directory, session, environment);
            return new TranscodedOutput(_trace, _instance!, _layout, _options.PacketBytes);
        }
        var output = new RawOutput(directory, _tracefs, _instance!, session, _layout, _options.IsPacked);
        _output = output;
        _trace = new KernelTrace(Path.Combine(directory, OwnStreamsName), session, environment);
        return output;
    }

    /// <summary>Removes the trace, in which nothing is yet.</summary>
    private void RemoveTrace()
    {
        try
        {
            if (_directory is not null && Directory.Exists(_directory))
                Directory.Delete(_directory, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It harms nobody.
        }
    }

    private static void FollowNobody(TracefsInstance instance)
    {
        // An empty list is everybody. Children of those who are in it the kernel adds as they come, and takes out as they end.
        instance.Write("options/event-fork", "1");
        instance.Write("set_event_notrace_pid", ThisThread);
        instance.Write("set_event_pid", ThisThread);
    }

    private void OpenCpus()
    {
        foreach (int cpu in CpuPages.Cpus(_instance!))
        {
            var pages = new CpuPages(_instance!, cpu);
            try
            {
                _cpus.Add((pages, _output!.Open(cpu)));
            }
            catch
            {
                pages.Dispose();
                throw;
            }
        }
    }

    private FtracePageLayout ReadLayout()
    {
        try
        {
            return FtracePageLayout.Parse(_tracefs.ReadText("events/header_page"), ByteOrder.LittleEndian, nint.Size);
        }
        catch (CtfException e)
        {
            throw new KernelException($"{_tracefs.Path}/events/header_page: {e.Message}", e);
        }
    }

    private List<CpuStatistics> ReadStatistics()
    {
        var all = new List<CpuStatistics>();
        foreach (var (pages, _) in _cpus)
            Try(() => all.Add(CpuStatistics.Of(_instance!, pages.Cpu)));
        return all;
    }

    /// <summary>Closes the trace. Beside raw pages it has only what is not the kernel's to write, and goes where there is none.</summary>
    private void FinishTrace(ClockCorrelation clock)
    {
        if (!_options.IsRaw || _trace!.Class.DataStreamClasses.Count > 0)
        {
            _trace!.Finish(clock);
            return;
        }
        _trace.Dispose();
        Directory.Delete(_trace.Directory, recursive: true);
    }

    private static string ThisThread => LibC.GetThreadId().ToString(CultureInfo.InvariantCulture);

    private static string[] Clocks(TracefsMount tracefs) =>
        tracefs.ReadText("trace_clock").Split([' ', '\n', '[', ']'], StringSplitOptions.RemoveEmptyEntries);

    private void Try(Action finish)
    {
        try
        {
            finish();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CtfException or KernelException)
        {
            _problems.Add(e.Message);
        }
    }
}
