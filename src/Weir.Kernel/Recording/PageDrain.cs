using System.Runtime.InteropServices;

namespace Weir.Kernel;

/// <summary>
/// A thread that takes pages away from some CPUs as they fill: it sleeps until the kernel says that a buffer is filled by
/// <c>buffer_percent</c>, splices full pages into a pipe, and hands them on. Pages that are not full stay with the kernel until the end, so a
/// CPU that records little is never woken for it.
/// </summary>
internal sealed unsafe class PageDrain : IDisposable
{
    /// <summary>Bytes that are moved at once.</summary>
    private const int BatchBytes = 1 << 20;

    /// <summary>Kernels before 6.1 call a buffer readable that has no full page; then waiting is by the clock.</summary>
    private const int IdlePauseMs = 10;

    private readonly IReadOnlyList<(CpuPages Pages, PageTarget Target)> _cpus;
    private readonly int _pageBytes;
    private readonly int _stop;
    private readonly int _pipeIn;
    private readonly int _pipeOut;
    private readonly int _batchBytes;
    private readonly byte* _buffer;
    private readonly Thread _thread;
    private readonly List<string> _problems = [];
    private volatile bool _isStopping;
    private bool _isFinished;

    /// <summary>Begins to drain.</summary>
    /// <exception cref="KernelException">There are no descriptors left.</exception>
    public PageDrain(IReadOnlyList<(CpuPages Pages, PageTarget Target)> cpus, int pageBytes)
    {
        _cpus = cpus;
        _pageBytes = pageBytes;
        _stop = LibC.EventDescriptor(0, LibC.CloseOnExec | LibC.NonBlocking);
        int* ends = stackalloc int[2];
        if (_stop < 0 || LibC.Pipe(ends, LibC.CloseOnExec) != 0)
            throw new KernelException($"no descriptors to drain the kernel's buffers with: {Marshal.GetLastPInvokeErrorMessage()}; 'ulimit -n' says how many there may be");
        (_pipeOut, _pipeIn) = (ends[0], ends[1]);
        int size = LibC.Control(_pipeIn, LibC.SetPipeSize, BatchBytes);
        // Without the right to a large pipe it has 16 pages.
        _batchBytes = Math.Max(size > 0 ? size : 16 * 4096, pageBytes) / pageBytes * pageBytes;
        _buffer = (byte*)NativeMemory.AlignedAlloc((nuint)_batchBytes, 4096);
        _thread = new Thread(Run) { IsBackground = true, Name = "weir kernel drain" };
        _thread.Start();
    }

    /// <summary>What went wrong, a sentence each; complete once finished.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Takes the rest, and ends. Nothing may be recorded any more.</summary>
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
        _ = LibC.Close(_pipeIn);
        _ = LibC.Close(_pipeOut);
        NativeMemory.AlignedFree(_buffer);
    }

    private void Run()
    {
        var waits = stackalloc LibC.PollDescriptor[_cpus.Count + 1];
        for (int i = 0; i < _cpus.Count; i++)
            waits[i] = new LibC.PollDescriptor { Descriptor = _cpus[i].Pages.Descriptor, Wanted = LibC.PollIn };
        waits[_cpus.Count] = new LibC.PollDescriptor { Descriptor = _stop, Wanted = LibC.PollIn };
        while (!_isStopping)
        {
            _ = LibC.Poll(waits, (nuint)_cpus.Count + 1, -1);
            if (!DrainAll(isEnd: false) && !_isStopping)
                Thread.Sleep(IdlePauseMs);
        }
        DrainAll(isEnd: true);
    }

    /// <summary>Whether anything was there.</summary>
    private bool DrainAll(bool isEnd)
    {
        bool hasMoved = false;
        foreach (var (pages, target) in _cpus)
        {
            try
            {
                hasMoved |= Drain(pages, target, isEnd);
            }
            catch (KernelException e)
            {
                if (!_problems.Contains(e.Message))
                    _problems.Add(e.Message);
            }
        }
        return hasMoved;
    }

    private bool Drain(CpuPages pages, PageTarget target, bool isEnd)
    {
        bool hasMoved = false;
        int moved;
        while ((moved = pages.Splice(_pipeIn, _batchBytes)) > 0)
        {
            hasMoved = true;
            target.Take(_pipeOut, moved, _buffer, _pageBytes);
            // The others' buffers fill too.
            if (!isEnd && moved < _batchBytes)
                break;
        }
        while (isEnd && (moved = pages.Read(_buffer, _pageBytes)) > 0)
        {
            hasMoved = true;
            target.Take(_buffer, moved);
        }
        return hasMoved;
    }
}
