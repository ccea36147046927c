using Weir.Ring;

namespace Weir.Tests.Ring;

/// <summary>Commits blocks of every size and compares all the memory around with what must be there. Throws at the first difference.</summary>
internal static unsafe class ExactCopies
{
    private static readonly int[] s_payloads = [.. Enumerable.Range(0, 71), 100, 127, 128, 129, 255, 1000, 2049];

    /// <returns>How many blocks were committed.</returns>
    public static int CheckRecords(bool isPair)
    {
        using var staged = new StagedBlock(roomBytes: 2304);
        var expected = new byte[staged.Memory.Length];
        for (int head = 0; head <= CommitBlock.MaxHeadBytes; head++)
        {
            foreach (int payload in s_payloads)
            {
                int at = 16 + ((head + payload) % 17);
                staged.Reset();
                byte[] record = staged.StageRecord(at, head, payload);
                staged.Memory.CopyTo(expected);
                record.CopyTo(expected.AsSpan(StagedBlock.RoomOffset + at));
                Commit(staged, expected, isPair, $"head {head}, payload {payload}");
            }
        }
        return (CommitBlock.MaxHeadBytes + 1) * s_payloads.Length;
    }

    /// <returns>How many blocks were committed.</returns>
    public static int CheckPatches(bool isPair)
    {
        const int MaxPatchBytes = 100;
        using var staged = new StagedBlock(roomBytes: 256);
        var expected = new byte[staged.Memory.Length];
        for (int size = 0; size <= MaxPatchBytes; size++)
        {
            int at = size % 17;
            staged.Reset();
            byte[] record = staged.StageRecord(200, 4, 8);
            byte[] patch = [.. Enumerable.Range(1, size).Select(i => (byte)i)];
            staged.StagePatch(size % 9, staged.At(at), patch);
            staged.Memory.CopyTo(expected);
            patch.CopyTo(expected, StagedBlock.RoomOffset + at);
            record.CopyTo(expected, StagedBlock.RoomOffset + 200);
            Commit(staged, expected, isPair, $"a patch of {size}");
        }
        return MaxPatchBytes + 1;
    }

    private static void Commit(StagedBlock staged, byte[] expected, bool isPair, string what)
    {
        BitConverter.TryWriteBytes(expected, staged.Block->First);
        if (isPair)
            BitConverter.TryWriteBytes(expected.AsSpan(sizeof(ulong)), staged.Block->Second);
        if (!staged.Commit(isPair))
            throw new InvalidOperationException($"{what}: not committed");
        if (!staged.Memory.SequenceEqual(expected))
            throw new InvalidOperationException($"{what}: not exactly these bytes, or not the commit");
    }
}
