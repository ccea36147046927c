using System.Runtime.CompilerServices;

namespace Weir.Ring;

/// <summary>
/// What a writer needs to know of its own thread: fixed memory that whoever stages records keeps one of for each thread, and
/// initialises on that thread with <see cref="Initialize"/>. Other threads must not use it.
/// </summary>
public unsafe struct WriterThread
{
    private static readonly Lock s_lock = new();
    private static readonly Stack<int> s_freeSlots = new();
    private static int s_nextSlot;

    /// <summary>The thread's rseq area, or null.</summary>
    internal byte* RseqArea;

    /// <summary>The thread's number among the living writers of the process, from 0.</summary>
    internal int Slot;

    /// <summary>Atomic sequence: the stream of the thread's last record, its end there, and its time.</summary>
    internal byte* LastStream;

    internal ulong LastEnd;

    internal ulong LastTime;

    /// <summary>Prepares the block for the calling thread.</summary>
    public static void Initialize(WriterThread* thread)
    {
        *thread = default;
        thread->RseqArea = Weir.Ring.RseqArea.OfThisThread();
        lock (s_lock)
            thread->Slot = s_freeSlots.TryPop(out int slot) ? slot : s_nextSlot++;
    }

    /// <summary>Gives the thread's number back once it will write no more; callable from another thread, such as a finalizer.</summary>
    public static void Release(WriterThread* thread)
    {
        lock (s_lock)
            s_freeSlots.Push(thread->Slot);
    }

    /// <summary>The CPU of the calling thread; a hint, it may have moved already.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static uint CurrentCpu(WriterThread* thread) =>
        thread->RseqArea != null ? Weir.Ring.RseqArea.CurrentCpu(thread->RseqArea) : (uint)LibC.CurrentCpu();
}
