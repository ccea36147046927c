using System.Runtime.CompilerServices;
using Weir.Clock;

namespace Weir.Ring;

/// <summary>
/// Commits a record with one restartable sequence: find the CPU, read the clock, check the room, write head and payload, and publish
/// all of it with one final store. A packet's switch and a loss are committed by the same store. Thread-safe, wait-free but for
/// aborts, callable wherever <see cref="IsAvailable"/>.
/// </summary>
/// <remarks>
/// <para><b>What is guaranteed.</b> A reader that has loaded a position P sees every byte below P as its writer left it, and no byte
/// below P changes until the reader gives it back. However a writer ends (preempted, migrated, signalled, killed), its record is
/// either wholly below the position or was never there.</para>
/// <para><b>Why.</b> Writers of one stream run on one CPU. The kernel lets no other thread run on that CPU between <c>start</c> and
/// the store at <c>commit</c> without moving the interrupted thread to <c>abort</c>, so the position loaded at the beginning is still
/// the stream's position when the store publishes position + size: the section is a critical section of that CPU. The store is one
/// instruction, 16 aligned bytes that hold the position and the time of the last record, so both change together even if the
/// thread dies at the next instruction. x86-64 makes stores visible in program order: who sees the position sees the record.</para>
/// <para><b>What an aborted attempt leaves.</b> Everything written before the commit is either beyond the position in the open packet,
/// or in the sub-buffer of the next packet, which was checked to be free (its reader has given it back, and only a writer on this CPU
/// can take it), or one of three fields in the open packet's head (end, content size, discarded), which no reader believes while the
/// packet is open and which the attempt that closes the packet writes again. So a repetition starts from the same state.</para>
/// <para><b>Losses.</b> When there is no room, the same final store writes the pair of loss counters with one of them incremented, in
/// place of the pair (position, time): counted exactly once for the same reason.</para>
/// <para><b>Time.</b> The 27 bits of a compact head are extended by a decoder with the time of the record before it, or with the begin
/// of the packet for the first. The time compared here is exactly that: it is published by the store that publishes the record.
/// The counter is read after the position, on the CPU that owns the stream, so times in a stream never go back.</para>
/// <para><b>Trust.</b> The control line is shared memory. Each address is formed with masks out of the private
/// <see cref="RingMemory"/>, so a position or a consumed count overwritten by somebody else can spoil the trace but not the program.
/// </para>
/// <para>Source: linux/Documentation and the rseq(2) ABI, <c>struct rseq_cs</c>: version, flags, start_ip, post_commit_offset,
/// abort_ip; signature 0x53053053 before abort_ip.</para>
/// </remarks>
public static unsafe partial class RseqSequence
{
    private const int DescriptorBytes = 32;

    private static readonly delegate* unmanaged[SuppressGCTransition]<RingMemory*, byte*, byte*, nint, nint, int> s_commit = Load(out s_verdict);
    private static readonly string s_verdict;

    /// <summary>Whether this process can run the sequence.</summary>
    public static bool IsAvailable
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => s_commit != null;
    }

    /// <summary>Why it can or cannot, as a sentence's end.</summary>
    public static string Verdict => s_verdict;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static CommitResult Commit(RingMemory* ring, byte* area, byte* payload, int lengthBytes, uint id) =>
        // Zero-extended: a negative length is a huge one, which is lost and counted, never copied.
        (CommitResult)s_commit(ring, area, payload, (nint)(uint)lengthBytes, (nint)id);

    /// <summary>The code as it is mapped, with a descriptor that holds offsets from the code's beginning until it is relocated.</summary>
    internal static byte[] Assemble()
    {
        var code = new byte[DescriptorOffset + DescriptorBytes];
        X64.CopyTo(code);
        // version u32 = 0, flags u32 = 0
        BitConverter.TryWriteBytes(code.AsSpan(DescriptorOffset + 8), (ulong)StartOffset);
        BitConverter.TryWriteBytes(code.AsSpan(DescriptorOffset + 16), (ulong)(DoneOffset - StartOffset));
        BitConverter.TryWriteBytes(code.AsSpan(DescriptorOffset + 24), (ulong)AbortOffset);
        return code;
    }

    internal static void Relocate(nint address)
    {
        *(ulong*)(address + DescriptorOffset + 8) += (ulong)address;
        *(ulong*)(address + DescriptorOffset + 24) += (ulong)address;
    }

    private static delegate* unmanaged[SuppressGCTransition]<RingMemory*, byte*, byte*, nint, nint, int> Load(out string verdict)
    {
        nint address = 0;
        if (!CpuCounter.IsTrusted)
            verdict = $"it reads the CPU's counter, which cannot be used: {CpuCounter.Verdict}";
        else if (!RseqArea.IsRegistered)
            verdict = RseqArea.Verdict;
        else
        {
            address = ExecutableMemory.Map(Assemble(), Relocate, out string? refusal);
            verdict = refusal ?? RseqArea.Verdict;
        }
        return (delegate* unmanaged[SuppressGCTransition]<RingMemory*, byte*, byte*, nint, nint, int>)address;
    }
}
