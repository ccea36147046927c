using System.Runtime.CompilerServices;

namespace Weir.Ring;

/// <summary>
/// Wakes a reader that sleeps on a word of shared memory: 0 nobody sleeps, 1 somebody does. A writer that finds 0 makes no system call; one
/// that finds 1 takes it and wakes all sleepers. The word may be anybody's: a wrong value wakes nobody, or somebody too often.
/// </summary>
/// <remarks>
/// No wake-up is lost: the reader sets the word and then looks at the positions; the writer commits and then looks at the word, with a
/// full barrier between on either side. One of the two sees the other.
/// </remarks>
public static unsafe class Doorbell
{
    /// <summary>Wakes whoever sleeps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Ring(uint* word)
    {
        Interlocked.MemoryBarrier();
        if (word != null && Volatile.Read(ref *word) != 0)
            Wake(word);
    }

    /// <summary>Says that the caller is about to sleep: after this it looks once more, and then calls <see cref="Sleep"/>.</summary>
    internal static void Prepare(uint* word) => Interlocked.Exchange(ref *word, 1U);

    /// <summary>Sleeps until a writer rings, at most for a time. May return early.</summary>
    internal static void Sleep(uint* word, TimeSpan timeout)
    {
        var time = new LibC.TimeSpec { Seconds = (long)timeout.TotalSeconds, Nanoseconds = timeout.Ticks % TimeSpan.TicksPerSecond * 100 };
        _ = LibC.FutexWait(word, 1, timeout == Timeout.InfiniteTimeSpan ? null : &time);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Wake(uint* word)
    {
        if (Interlocked.Exchange(ref *word, 0U) != 0)
            LibC.FutexWake(word);
    }
}
