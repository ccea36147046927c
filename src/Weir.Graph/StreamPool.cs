using System.Runtime.ExceptionServices;

namespace Weir.Graph;

/// <summary>
/// Runs streams into a sink that takes messages in any order: each stream by itself, several at a time, without merging. What the sink makes
/// of it does not depend on how many at a time, nor does the error that is thrown.
/// </summary>
internal static class StreamPool
{
    /// <summary>Gives all messages of all streams to a sink, one batch at a time.</summary>
    /// <param name="streams">The streams; they stay the caller's.</param>
    /// <param name="consume">Takes the batches, from several threads.</param>
    /// <param name="consumesAtOnce">Whether two threads may give it batches at the same time.</param>
    /// <param name="jobs">How many streams are read at a time.</param>
    /// <param name="report">
    /// Takes the errors, stream after stream, at the end; streams must be such as go on after an error. Null: the error of the first stream that
    /// has one is thrown.
    /// </param>
    /// <exception cref="TraceReadException">A stream is bad, or the clocks of two cannot be compared, as merging them would have found.</exception>
    public static void Run(IReadOnlyList<MessageIterator> streams, Action<ArraySegment<Message>> consume, bool consumesAtOnce, int jobs, Action<TraceReadException>? report)
    {
        var run = new PooledRun(streams, consume, consumesAtOnce, report is not null);
        var threads = new Thread[Math.Clamp(jobs, 1, Math.Max(1, streams.Count)) - 1];
        for (int i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(run.Work) { Name = $"weir stream {i + 1}", IsBackground = true };
            threads[i].Start();
        }
        run.Work();
        foreach (var thread in threads)
            thread.Join();
        run.Conclude(report);
    }

    private sealed class PooledRun(IReadOnlyList<MessageIterator> streams, Action<ArraySegment<Message>> consume, bool consumesAtOnce, bool keepsGoing)
    {
        private readonly List<TraceReadException>?[] _errors = new List<TraceReadException>?[streams.Count];
        private readonly DataStream?[] _streams = new DataStream?[streams.Count];
        private readonly Lock _lock = new();
        private ExceptionDispatchInfo? _failure;
        private int _next;

        public void Work()
        {
            try
            {
                for (int i = Interlocked.Increment(ref _next) - 1; i < streams.Count && _failure is null; i = Interlocked.Increment(ref _next) - 1)
                    Drain(i);
            }
#pragma warning disable CA1031 // What a thread of the pool met is thrown where the pool was started.
            catch (Exception e)
#pragma warning restore CA1031
            {
                _failure = ExceptionDispatchInfo.Capture(e);
            }
        }

        public void Conclude(Action<TraceReadException>? report)
        {
            _failure?.Throw();
            DataStream? first = null;
            for (int i = 0; i < streams.Count; i++)
            {
                if (_streams[i] is { } stream)
                    ClockComparison.Check(first ??= stream, stream);
            }
            foreach (var errors in _errors)
            {
                foreach (var error in errors ?? [])
                {
                    if (report is null)
                        ExceptionDispatchInfo.Throw(error);
                    report(error);
                }
            }
        }

        private void Drain(int index)
        {
            while (true)
            {
                ArraySegment<Message> batch;
                try
                {
                    batch = streams[index].Next();
                }
                catch (TraceReadException e)
                {
                    (_errors[index] ??= []).Add(e);
                    if (keepsGoing)
                        continue;
                    return;
                }
                if (batch.Count == 0 || _failure is not null)
                    return;
                _streams[index] ??= batch[0].Stream;
                if (consumesAtOnce)
                {
                    consume(batch);
                    continue;
                }
                lock (_lock)
                    consume(batch);
            }
        }
    }
}
