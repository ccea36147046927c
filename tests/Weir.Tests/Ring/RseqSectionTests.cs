using Weir.Ring;
using Xunit;

namespace Weir.Tests.Ring;

/// <summary>What the restartable section copies and stores, byte for byte, and when it refuses.</summary>
public sealed unsafe class RseqSectionTests : IDisposable
{
    private readonly StagedBlock _staged = new();

    public RseqSectionTests() => Assert.SkipUnless(RseqSection.IsAvailable, RseqSection.Verdict);

    public void Dispose() => _staged.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_size_is_copied_exactly(bool isPair)
    {
        int[] payloads = [.. Enumerable.Range(0, 71), 100, 127, 128, 129, 255, 1000, 4096, 10_001];
        var expected = new byte[_staged.Memory.Length];
        for (int head = 0; head <= CommitBlock.MaxHeadBytes; head++)
        {
            foreach (int payload in payloads)
            {
                int at = 16 + ((head + payload) % 17);
                _staged.Reset();
                byte[] record = _staged.StageRecord(at, head, payload);
                _staged.Memory.CopyTo(expected);
                BitConverter.TryWriteBytes(expected, 101UL);
                if (isPair)
                    BitConverter.TryWriteBytes(expected.AsSpan(8), 201UL);
                record.CopyTo(expected.AsSpan(StagedBlock.RoomOffset + at));
                Assert.True(_staged.Commit(isPair));
                if (!_staged.Memory.SequenceEqual(expected))
                    Assert.Fail($"head {head}, payload {payload}: not exactly these bytes, or not the commit");
            }
        }
    }

    [Fact]
    public void A_single_commit_leaves_the_word_behind_the_guard()
    {
        Assert.True(_staged.Commit(isPair: false));
        Assert.Equal((101UL, 200UL), (_staged.GuardFirst, _staged.GuardSecond));
    }

    [Fact]
    public void A_single_commit_needs_no_aligned_pair()
    {
        _staged.Block->Guard += 8;
        _staged.Block->Expected = 200;
        _staged.Block->First = 202;
        Assert.True(_staged.Commit(isPair: false));
        Assert.Equal((100UL, 202UL), (_staged.GuardFirst, _staged.GuardSecond));
    }

    [Fact]
    public void A_pair_commit_stores_both_words()
    {
        Assert.True(_staged.Commit(isPair: true));
        Assert.Equal((101UL, 201UL), (_staged.GuardFirst, _staged.GuardSecond));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Patches_of_every_size_are_copied_exactly(bool isPair)
    {
        var expected = new byte[_staged.Memory.Length];
        for (int size = 0; size <= 100; size++)
        {
            _staged.Reset();
            byte[] record = _staged.StageRecord(1000, 4, 8);
            byte[] patch = [.. Enumerable.Range(1, size).Select(i => (byte)i)];
            _staged.StagePatch(size % 9, _staged.At(size % 17), patch);
            _staged.Memory.CopyTo(expected);
            BitConverter.TryWriteBytes(expected, 101UL);
            if (isPair)
                BitConverter.TryWriteBytes(expected.AsSpan(8), 201UL);
            patch.CopyTo(expected, StagedBlock.RoomOffset + (size % 17));
            record.CopyTo(expected, StagedBlock.RoomOffset + 1000);
            Assert.True(_staged.Commit(isPair));
            if (!_staged.Memory.SequenceEqual(expected))
                Assert.Fail($"{size} bytes: not exactly these");
        }
    }

    /// <summary>Each of them overwrites a part of what was there before it, so the order shows.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Patches_come_in_their_order_then_the_tail_then_the_record(bool isPair)
    {
        _staged.StageRecord(44, 2, 2);
        _staged.StagePatch(0, _staged.At(0), Repeated(1, 48));
        _staged.StagePatch(48, _staged.At(10), Repeated(2, 38));
        _staged.StagePatch(90, _staged.At(20), Repeated(3, 28));
        _staged.StagePatch(120, _staged.At(30), Repeated(4, 18));
        _staged.StageTail(40);
        Assert.True(_staged.Commit(isPair));
        byte[] expected =
        [
            .. Repeated(1, 10), .. Repeated(2, 10), .. Repeated(3, 10), .. Repeated(4, 10), .. Repeated(0, 4),
            1, 12, 23, 34, .. Repeated(StagedBlock.Untouched, 100),
        ];
        Assert.Equal(expected, _staged.Room[..expected.Length].ToArray());
    }

    [Fact]
    public void A_tail_without_patches_is_eight_zero_bytes()
    {
        _staged.StageRecord(20, 4, 8);
        _staged.StageTail(33);
        Assert.True(_staged.Commit(isPair: true));
        Assert.Equal([StagedBlock.Untouched, .. new byte[8], StagedBlock.Untouched], _staged.Room[32..42].ToArray());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void On_another_CPU_nothing_happens(bool isPair)
    {
        StageEverything();
        _staged.Block->Cpu = uint.MaxValue;
        AssertStale(isPair);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void With_another_value_at_the_guard_nothing_happens(bool isPair)
    {
        foreach (ulong difference in (ReadOnlySpan<ulong>)[1, 1UL << 31, 1UL << 32, 1UL << 63])
        {
            StageEverything();
            _staged.Block->Cpu = RseqArea.CurrentCpu(RseqArea.OfThisThread());
            _staged.GuardFirst = 100 ^ difference;
            AssertStale(isPair);
        }
    }

    [Fact]
    public void The_number_is_taken_from_where_the_block_says()
    {
        byte* area = stackalloc byte[64];
        *(uint*)(area + 40) = 7;
        _staged.Block->CpuOffset = 40;
        _staged.Block->Cpu = 8;
        Assert.False(RseqSection.TryCommit(area, _staged.Block));
        _staged.Block->Cpu = 7;
        Assert.True(RseqSection.TryCommit(area, _staged.Block));
    }

    [Fact]
    public void The_number_may_be_the_one_within_the_process()
    {
        Assert.SkipUnless(RseqArea.HasConcurrencyId, "the kernel gives threads no numbers within their process");
        bool isCommitted = false;
        for (int attempt = 0; attempt < 1000 && !isCommitted; attempt++)
        {
            _staged.Block->CpuOffset = RseqArea.ConcurrencyId;
            _staged.Block->Cpu = *(uint*)(RseqArea.OfThisThread() + RseqArea.ConcurrencyId);
            isCommitted = _staged.TryOnce(isPair: false);
        }
        Assert.True(isCommitted);
        Assert.InRange(_staged.Block->Cpu, 0U, (uint)Cpus.PossibleCount - 1);
    }

    private static byte[] Repeated(byte value, int count)
    {
        var bytes = new byte[count];
        bytes.AsSpan().Fill(value);
        return bytes;
    }

    private void StageEverything()
    {
        _staged.Reset();
        _staged.StageRecord(100, 4, 8);
        _staged.StagePatch(0, _staged.At(0), Repeated(1, 48));
        _staged.StageTail(200);
    }

    private void AssertStale(bool isPair)
    {
        byte[] before = _staged.Memory.ToArray();
        Assert.False(_staged.TryOnce(isPair));
        Assert.Equal(before, _staged.Memory.ToArray());
        Assert.Equal(0UL, *(ulong*)(RseqArea.OfThisThread() + RseqArea.Announced));
    }
}
