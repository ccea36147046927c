using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Weir.Ring;

/// <summary>
/// What a writer needs to know of its own thread: fixed memory, aligned to <see cref="AlignmentBytes"/>, that whoever stages records keeps
/// one of for each thread, and initialises on that thread with <see cref="Initialize"/>. Other threads must not use it.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = SizeBytes)]
public unsafe struct WriterThread
{
    /// <summary>Bytes of a block.</summary>
    public const int SizeBytes = AlignmentBytes + CommitBlock.SizeBytes;

    /// <summary>Alignment that a block needs.</summary>
    public const int AlignmentBytes = 64;

    private static readonly Lock s_lock = new();
    private static readonly Stack<int> s_freeSlots = new();
    private static int s_nextSlot;

    /// <summary>The thread's rseq area, or null.</summary>
    [FieldOffset(0)] internal byte* RseqArea;

    /// <summary>The thread's number among the living writers of the process, from 0.</summary>
    [FieldOffset(8)] internal int Slot;

    /// <summary>The kernel's id of the thread.</summary>
    [FieldOffset(12)] internal int ThreadId;

    /// <summary>Atomic sequence: the stream of the thread's last record, the position's word right after it, and its time.</summary>
    [FieldOffset(16)] internal byte* LastStream;

    [FieldOffset(24)] internal ulong LastEnd;

    [FieldOffset(32)] internal ulong LastTime;

    /// <summary>The record that the thread stages.</summary>
    [FieldOffset(AlignmentBytes)] internal CommitBlock Block;

    /// <summary>Makes a block for the calling thread; free it with <see cref="Free"/>.</summary>
    public static WriterThread* New()
    {
        var thread = (WriterThread*)NativeMemory.AlignedAlloc(SizeBytes, AlignmentBytes);
        Initialize(thread);
        return thread;
    }

    /// <summary>Frees what <see cref="New"/> made, once its thread will write no more.</summary>
    public static void Free(WriterThread* thread)
    {
        Release(thread);
        NativeMemory.AlignedFree(thread);
    }

    /// <summary>Prepares a block for the calling thread.</summary>
    public static void Initialize(WriterThread* thread)
    {
        *thread = default;
        thread->RseqArea = Weir.Ring.RseqArea.OfThisThread();
        thread->ThreadId = LibC.ThreadId();
        thread->Block.CpuOffset = Weir.Ring.RseqArea.CpuId;
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
