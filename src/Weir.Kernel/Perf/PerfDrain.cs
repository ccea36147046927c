using System.Runtime.InteropServices;

namespace Weir.Kernel;

/// <summary>A thread that takes records out of the buffers of all CPUs: as soon as one is filled by a quarter, and some times a second.</summary>
internal sealed unsafe class PerfDrain : IDisposable
{
    private const int PeriodMs = 200;

    /// <summary>A counter whose task has ended is always readable.</summary>
    private const int IdlePauseMs = 10;

    private readonly IReadOnlyList<(PerfRing Ring, KernelStream Stream)> _cpus;
    private readonly PerfRecords _records;
    private readonly PerfClock _clock;
    private readonly Action? _begin;
    private readonly int _stop;
    private readonly Thread _thread;
    private volatile bool _isStopping;
    private bool _isFinished;

    /// <summary>Begins to drain.</summary>
    /// <param name="cpus">The buffers, and the streams that their records go to.</param>
    /// <param name="records">Makes events of records.</param>
    /// <param name="clock">The clock of the records.</param>
    /// <param name="begin">What the thread does first, or null.</param>
    /// <exception cref="KernelException">There are no descriptors left.</exception>
    public PerfDrain(IReadOnlyList<(PerfRing Ring, KernelStream Stream)> cpus, PerfRecords records, PerfClock clock, Action? begin)
    {
        _cpus = cpus;
        _records = records;
        _clock = clock;
        _begin = begin;
        _stop = LibC.EventDescriptor(0, LibC.CloseOnExec | LibC.NonBlocking);
        if (_stop < 0)
            throw new KernelException($"no descriptors to drain the counters' buffers with: {Marshal.GetLastPInvokeErrorMessage()}; 'ulimit -n' says how many there may be");
        _thread = new Thread(Run) { IsBackground = true, Name = "weir perf drain" };
        _thread.Start();
    }

    /// <summary>Takes the rest, and ends.</summary>
    public void Finish()
    {
        if (_isFinished)
            return;
        _isFinished = true;
        _isStopping = true;
        ulong one = 1;
        _ = LibC.Write(_stop, &one, sizeof(ulong));
        _thread.Join();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Finish();
        _ = LibC.Close(_stop);
    }

    private void Run()
    {
        _begin?.Invoke();
        var waits = stackalloc LibC.PollDescriptor[_cpus.Count + 1];
        for (int i = 0; i < _cpus.Count; i++)
            waits[i] = new LibC.PollDescriptor { Descriptor = _cpus[i].Ring.Descriptor, Wanted = LibC.PollIn };
        waits[_cpus.Count] = new LibC.PollDescriptor { Descriptor = _stop, Wanted = LibC.PollIn };
        while (!_isStopping)
        {
            int ready = LibC.Poll(waits, (nuint)_cpus.Count + 1, PeriodMs);
            if (!Drain() && ready > 0 && !_isStopping)
                Thread.Sleep(IdlePauseMs);
        }
        Drain();
    }

    /// <summary>Whether anything was there.</summary>
    private bool Drain()
    {
        bool hasRead = false;
        _clock.Advance();
        _records.BeginRound();
        foreach (var (ring, stream) in _cpus)
        {
            ring.BeginRead();
            while (ring.TryRead(out var record))
            {
                _records.Write(stream, record);
                hasRead = true;
            }
            ring.EndRead();
        }
        return hasRead;
    }
}
