using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Weir.Graph;

/// <summary>
/// <c>sink.text.pretty</c> on several cores, with the same text to the byte. Messages are copied into <see cref="PrettyJob"/>s with the bytes
/// of their events, so their sources may go on; workers render the jobs in any order, each by a <see cref="PrettySink"/> of its own that is told
/// the last event of the job before; one thread writes their text in order.
/// <code>
/// Consume ──► job ──► _waiting ──► worker: render ──► done ──.
///              │                                              ├─► writer: text and warnings in order ──► _free ──► Consume
///              '────► _ordered ──────────────────────────────'
/// </code>
/// A job belongs to whoever took it from a queue last; the writer only looks at its head's <see cref="PrettyJob.Done"/> before. As many jobs as
/// there are bound the memory. An error of a worker or of the output is thrown by the next call, after all text before it was written.
/// </summary>
internal sealed class ParallelPrettySink : MessageSink
{
    private readonly Stream _output;
    private readonly bool _leaveOpen;
    private readonly TextWriter _errors;
    private readonly Func<Stream, TextWriter, PrettySink> _create;
    private readonly PrettyOptions _options;
    private readonly int _workerCount;
    private readonly BlockingCollection<PrettyJob> _waiting = [];
    private readonly BlockingCollection<PrettyJob> _ordered = [];
    private readonly BlockingCollection<PrettyJob> _free = [];
    private readonly List<Thread> _threads = [];
    private PrettyJob _job;
    private Message _last;
    private bool _hasLast;
    private bool _hasWarned;
    private bool _isThrown;
    private bool _cannotStart;
    private volatile ExceptionDispatchInfo? _failure;

    /// <summary>Creates a sink.</summary>
    /// <param name="output">Takes the text.</param>
    /// <param name="leaveOpen">Whether the output is only flushed in the end, not closed.</param>
    /// <param name="errors">Takes warnings.</param>
    /// <param name="create">Creates a worker's sink for an output and a writer of warnings.</param>
    /// <param name="options">What to show.</param>
    /// <param name="jobs">How many render at a time.</param>
    public ParallelPrettySink(Stream output, bool leaveOpen, TextWriter errors, Func<Stream, TextWriter, PrettySink> create, PrettyOptions options, int jobs)
    {
        _output = output;
        _leaveOpen = leaveOpen;
        _errors = errors;
        _create = create;
        _options = options;
        // More than a few for each core only wait for each other.
        _workerCount = Math.Min(jobs, 4 * Environment.ProcessorCount);
        _job = new PrettyJob();
    }

    /// <inheritdoc/>
    public override void Consume(ReadOnlySpan<Message> batch)
    {
        while (batch.Length > 0)
        {
            int taken = _job.Take(batch);
            NoteLast(batch[..taken]);
            batch = batch[taken..];
            if (batch.Length > 0)
                HandOver();
        }
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        if (_threads.Count == 0 || _cannotStart)
        {
            // All of it has found room in one job: threads would take longer.
            _job.Render(_create(_job.Text, _job.Warnings));
            WriteJob(_job);
            _job.Clear();
            SetBefore();
        }
        else
        {
            HandOver();
            // Whoever has all the free jobs knows that no other is under way.
            var jobs = new List<PrettyJob>();
            while (jobs.Count < JobCount - 1)
                jobs.Add(_free.Take());
            jobs.ForEach(_free.Add);
        }
        ThrowFailure();
        _output.Flush();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _waiting.CompleteAdding();
        _ordered.CompleteAdding();
        foreach (var thread in _threads)
            thread.Join();
        _job.Dispose();
        while (_free.TryTake(out var job))
            job.Dispose();
        _waiting.Dispose();
        _ordered.Dispose();
        _free.Dispose();
        if (!_leaveOpen)
            _output.Dispose();
        base.Dispose(disposing);
    }

    private int JobCount => (3 * _workerCount) + 2;

    /// <summary>What the next job has to know of those before it.</summary>
    private void NoteLast(ReadOnlySpan<Message> messages)
    {
        for (int i = 0; i < messages.Length && !_hasWarned; i++)
            _hasWarned = PrettyClock.IsNegative(in messages[i], _options);
        for (int i = messages.Length - 1; i >= 0; i--)
        {
            if (messages[i].Kind != MessageKind.Event || !messages[i].HasTime)
                continue;
            _last = messages[i];
            _hasLast = true;
            return;
        }
    }

    /// <summary>Gives the job to the workers and takes a free one, when there is one.</summary>
    private void HandOver()
    {
        if (_threads.Count == 0)
            StartThreads();
        _ordered.Add(_job);
        _waiting.Add(_job);
        _job = _free.Take();
        SetBefore();
        ThrowFailure();
    }

    private void SetBefore()
    {
        _job.HasBefore = _hasLast;
        _job.Before = _last;
        _job.HasWarned = _hasWarned;
    }

    private void ThrowFailure()
    {
        if (_failure is not { } failure || _isThrown)
            return;
        _isThrown = true;
        failure.Throw();
    }

    private void StartThreads()
    {
        for (int i = 1; i < JobCount; i++)
            _free.Add(new PrettyJob());
        try
        {
            Start(WriteJobs, "weir output");
            for (int i = 0; i < _workerCount; i++)
                Start(RenderJobs, $"weir text {i + 1}");
        }
        catch
        {
            // Whoever waits for jobs to be written would wait for ever.
            _cannotStart = _threads.Count < 2;
            if (_cannotStart)
                throw;
        }
    }

    private void Start(ThreadStart work, string name)
    {
        var thread = new Thread(work) { Name = name, IsBackground = true };
        thread.Start();
        _threads.Add(thread);
    }

    private void RenderJobs()
    {
        var text = new JobText(this);
        var warnings = new StringWriter();
        PrettySink? sink = null;
        foreach (var job in _waiting.GetConsumingEnumerable())
        {
            try
            {
                sink ??= _create(text, warnings);
                text.Job = job;
                if (_failure is null)
                    job.Render(sink);
            }
#pragma warning disable CA1031 // Whatever a worker meets is thrown where the messages came from.
            catch (Exception e)
#pragma warning restore CA1031
            {
                job.Failure = ExceptionDispatchInfo.Capture(e);
                HandOnWhatPrecedes(sink);
            }
            job.Warnings.Write(warnings.ToString());
            warnings.GetStringBuilder().Clear();
            job.Done.Set();
        }
    }

    private static void HandOnWhatPrecedes(PrettySink? sink)
    {
        try
        {
            sink?.Flush();
        }
        catch (IOException)
        {
            // The output takes no more: the job's failure says so.
        }
    }

    private void WriteJobs()
    {
        foreach (var job in _ordered.GetConsumingEnumerable())
        {
            job.Turn.Set();
            job.Done.Wait();
            try
            {
                if (_failure is null)
                    WriteJob(job);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
            {
                _failure = ExceptionDispatchInfo.Capture(e);
            }
            _failure ??= job.Failure;
            job.Clear();
            _free.Add(job);
        }
    }

    private void WriteJob(PrettyJob job)
    {
        _output.Write(job.Text.GetBuffer(), 0, (int)job.Text.Length);
        string warnings = job.Warnings.ToString();
        if (warnings.Length == 0)
            return;
        _errors.Write(warnings);
        _errors.Flush();
    }

    /// <summary>Writes what there is of a job that makes very much text, once it is its turn: the writer waits for it, and writes nothing meanwhile.</summary>
    private void WriteEarly(PrettyJob job)
    {
        job.Turn.Wait();
        if (_failure is null)
            _output.Write(job.Text.GetBuffer(), 0, (int)job.Text.Length);
        job.Text.SetLength(0);
    }

    /// <summary>What a worker's sink writes to: the text of the job that is being rendered.</summary>
    private sealed class JobText(ParallelPrettySink owner) : MemoryStream
    {
        /// <summary>One event of 128 MiB can make gigabytes of text, more than an array can hold.</summary>
        private const int MaxBytes = 16 << 20;

        public PrettyJob? Job { get; set; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (Job!.Text.Length + buffer.Length > MaxBytes)
                owner.WriteEarly(Job);
            Job.Text.Write(buffer);
        }
    }
}
