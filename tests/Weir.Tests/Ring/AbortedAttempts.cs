using Weir.Ring;

namespace Weir.Tests.Ring;

/// <summary>
/// Leaves the section at each of its instructions in turn, with every shape of block, and compares what a reader can see then, and
/// after the attempt has been repeated, with a run that was never disturbed. Throws at the first difference.
/// </summary>
internal static unsafe class AbortedAttempts
{
    private sealed record Shape(
        string Name, int HeadBytes, int PayloadBytes, int Used = 40, bool HasTail = false, bool IsFloorMoved = false, bool IsElsewhere = false,
        bool IsOvertaken = false);

    private static readonly int[] s_payloads = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33];
    private static readonly int[] s_heads = [0, 1, 2, 3, 4, 6, 8, 13, 16, 17, 36, 64];

    /// <param name="offsets">The section's instructions.</param>
    /// <param name="leftAt">The section, unannounced, with one instruction replaced by returning <paramref name="left"/>.</param>
    /// <param name="left">No result of the section's own.</param>
    /// <param name="isPair">Which of the two.</param>
    /// <returns>At how many instructions an attempt was left: all, or an exception says which is missing.</returns>
    public static int Check(IReadOnlyList<int> offsets, Func<int, nint> leftAt, int left, bool isPair)
    {
        using var ring = new TinyRing();
        CommitBlock* block = stackalloc CommitBlock[3];
        block = (CommitBlock*)(((nint)block + 63) & ~63);
        foreach (int offset in offsets)
        {
            nint attempt = leftAt(offset);
            bool isReached = false;
            foreach (var shape in Shapes())
                isReached |= CheckShape(ring, block, shape, attempt, left, isPair, $"{shape}, left at 0x{offset:x}, pair {isPair}");
            if (!isReached)
                throw new InvalidOperationException($"no attempt came to 0x{offset:x}");
        }
        return offsets.Count;
    }

    private static IEnumerable<Shape> Shapes()
    {
        foreach (int payload in s_payloads)
            yield return new Shape("usual", 4, payload);
        foreach (int head in s_heads)
            yield return new Shape("any head", head, 8);
        foreach (int size in (int[])[4, 8, 20])
        {
            yield return new Shape("tail", 4, size, HasTail: true);
            yield return new Shape("switch", 4, size, Used: TinyRing.PacketBytes - 4 - size, HasTail: true);
            yield return new Shape("switch, no tail", 13, size, Used: TinyRing.PacketBytes - 12 - size);
            yield return new Shape("switch, floor moved", 4, size, Used: TinyRing.PacketBytes - 4 - size, IsFloorMoved: true);
        }
        yield return new Shape("elsewhere", 4, 8, IsElsewhere: true);
        yield return new Shape("overtaken", 4, 8, IsOvertaken: true);
    }

    /// <returns>Whether the attempt came to where it is left.</returns>
    private static bool CheckShape(TinyRing ring, CommitBlock* block, Shape shape, nint attempt, int left, bool isPair, string what)
    {
        CommitBlock* other = block + 1;
        foreach (bool isInterleaved in (ReadOnlySpan<bool>)[false, true])
        {
            ring.Prepare(shape.Used, shape.IsFloorMoved);
            var before = ring.See();
            Stage(ring, block, shape);
            if (shape.IsElsewhere)
                block->Cpu++;
            if (shape.IsOvertaken)
                block->Expected--;
            if (RawSection.At(attempt, block) != left)
                return false;
            Require(before.IsLeftBy(ring.See()), what, "the attempt shows");
            if (isInterleaved)
            {
                Require(CommitOther(ring, other, isPair), what, "the other's record is not committed");
                var then = ring.See();
                Require(Commit(isPair, block) == RseqSection.Stale, what, "an attempt that was overtaken is not stale");
                Require(then.IsSameAs(ring.See()), what, "a stale attempt shows");
            }
            if (isInterleaved || shape.IsElsewhere || shape.IsOvertaken)
                Stage(ring, block, shape);
            Require(Commit(isPair, block) == RseqSection.Committed, what, "the repetition is not committed");
            var repeated = ring.See();

            ring.Prepare(shape.Used, shape.IsFloorMoved);
            if (isInterleaved)
                Require(CommitOther(ring, other, isPair), what, "the other's record is not committed");
            Stage(ring, block, shape);
            Require(Commit(isPair, block) == RseqSection.Committed, what, "the undisturbed attempt is not committed");
            Require(repeated.IsSameAs(ring.See()), what, "the repetition is not what it had been undisturbed");
        }
        return true;
    }

    private static void Stage(TinyRing ring, CommitBlock* block, Shape shape) =>
        ring.Stage(block, shape.HeadBytes, shape.PayloadBytes, seed: 100, shape.HasTail);

    private static bool CommitOther(TinyRing ring, CommitBlock* block, bool isPair)
    {
        ring.Stage(block, 4, 2, seed: 10, hasTail: false);
        return Commit(isPair, block) == RseqSection.Committed;
    }

    private static int Commit(bool isPair, CommitBlock* block)
    {
        int result;
        do
            result = RawSection.Commit(isPair, block);
        while (result == RseqSection.Aborted);
        return result;
    }

    private static void Require(bool isTrue, string what, string otherwise)
    {
        if (!isTrue)
            throw new InvalidOperationException($"{what}: {otherwise}");
    }
}
