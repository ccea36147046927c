using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Weir.Clock;

namespace Weir.Ring;

/// <summary>
/// Commits what a thread has staged in its <see cref="CommitBlock"/>, unless something has come between: the one thing that C# cannot
/// do. Thread-safe, callable wherever <see cref="IsAvailable"/>.
/// </summary>
/// <remarks>
/// <para><b>What is guaranteed.</b> When an attempt returns true, its copies were made and its commit stored on the CPU that the
/// block names, the guard's word held the expected value until that store, and no other thread ran on that CPU between the check of
/// the guard and the store. When it returns false, nothing was committed; some or all of the copies may have been made. However the
/// thread ends, at any instruction, one of the two is the case.</para>
/// <para><b>Why.</b> The kernel sends a thread that it has preempted, moved or signalled between <c>start</c> and <c>done</c> to
/// <c>abort</c>, which gives up. The commit is the last instruction before <c>done</c>, and it is one store.</para>
/// <para><b>Why the checks are enough,</b> although the block was staged outside the section, where anything could happen: the guard's
/// word is only ever stored to by such sections of its own CPU, and never takes a value twice. If it is still the expected one, nobody
/// has committed since it was read, so everything that was read after it and that only a commit changes is still true, wherever the
/// thread has been in between.</para>
/// <para><b>What callers owe.</b> The copies' targets must be bytes that nobody believes before the commit, so that an attempt may be
/// given up, repeated, or overtaken by another thread's; and addresses come from private memory.</para>
/// </remarks>
internal static unsafe partial class RseqSection
{
    /// <summary>What the code returns; whatever is not this committed nothing.</summary>
    internal const int Committed = 0;

    /// <summary>Another CPU, or another value at the guard.</summary>
    internal const int Stale = 1;

    /// <summary>Interrupted by the kernel.</summary>
    internal const int Aborted = 2;

    private static readonly delegate* unmanaged[SuppressGCTransition]<byte*, CommitBlock*, int> s_commit =
        Load(isPair: false, out s_verdict);
    private static readonly delegate* unmanaged[SuppressGCTransition]<byte*, CommitBlock*, int> s_commitPair =
        Load(isPair: true, out _);
    private static readonly string s_verdict;

    /// <summary>Whether this process can run the section.</summary>
    public static bool IsAvailable
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => s_commit != null && s_commitPair != null;
    }

    /// <summary>Why it can or cannot, as a sentence's end.</summary>
    public static string Verdict => s_verdict;

    /// <summary>Makes the block's copies and stores its first word at the guard.</summary>
    /// <param name="area">The calling thread's rseq area.</param>
    /// <param name="block">What it has staged.</param>
    /// <returns>False when nothing was committed, and the block must be staged anew.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryCommit(byte* area, CommitBlock* block) => s_commit(area, block) == Committed;

    /// <summary>The same, but both words, in one store; the guard is aligned to 16 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryCommitPair(byte* area, CommitBlock* block) => s_commitPair(area, block) == Committed;

    /// <summary>The section for the machine that this process runs on, or null.</summary>
    internal static SectionCode? Native => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => X64,
        Architecture.Arm64 => Arm64,
        _ => null,
    };

    /// <summary>Maps a section's code, with its descriptor relocated to where it lies; for the life of the process.</summary>
    /// <returns>Where to call it, or 0 with <paramref name="refusal"/> saying why.</returns>
    internal static nint Map(SectionCode section, byte[] code, out string? refusal)
    {
        nint address = ExecutableMemory.Map(
            code, at => section.Relocate(new Span<byte>((byte*)at + section.Descriptor, SectionCode.DescriptorBytes), at), out refusal);
        return address == 0 ? 0 : address + section.Entry;
    }

    private static delegate* unmanaged[SuppressGCTransition]<byte*, CommitBlock*, int> Load(bool isPair, out string verdict)
    {
        nint entry = 0;
        if (Native is not { } section)
            verdict = $"no section for {RuntimeInformation.ProcessArchitecture} is written";
        else if (!RseqArea.IsRegistered)
            verdict = RseqArea.Verdict;
        else
        {
            entry = Map(section, section.Assemble(isPair), out string? refusal);
            verdict = refusal ?? RseqArea.Verdict;
        }
        return (delegate* unmanaged[SuppressGCTransition]<byte*, CommitBlock*, int>)entry;
    }
}
