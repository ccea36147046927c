using Weir.Ring;

namespace Weir.Tests.Ring;

/// <summary>The restartable section with what it returns: committed, stale or aborted.</summary>
internal static unsafe class RawSection
{
    private static readonly nint s_single = Map(isPair: false);
    private static readonly nint s_pair = Map(isPair: true);

    public static int Commit(bool isPair, CommitBlock* block) => At(isPair ? s_pair : s_single, block);

    /// <summary>Calls code that takes the place of the section.</summary>
    public static int At(nint entry, CommitBlock* block) =>
        ((delegate* unmanaged[SuppressGCTransition]<byte*, CommitBlock*, int>)entry)(RseqArea.OfThisThread(), block);

    private static nint Map(bool isPair)
    {
        var section = RseqSection.Native!;
        nint entry = RseqSection.Map(section, section.Assemble(isPair), out string? refusal);
        return entry != 0 ? entry : throw new InvalidOperationException(refusal);
    }
}
