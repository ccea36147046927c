using System.Runtime.CompilerServices;
using Weir.Ring;
using Xunit;

namespace Weir.Tests.Ring;

public sealed unsafe class StreamLayoutTests
{
    [Fact]
    public void Offsets_are_those_of_the_machine_code()
    {
        Assert.Equal((0, 8, 64, 72, 128), (
            StreamLayout.Position, StreamLayout.LastTime, StreamLayout.LostFull, StreamLayout.LostTooLarge, StreamLayout.Consumed));
        Assert.Equal(0x2000, StreamLayout.Data);
        Assert.Equal(12288, StreamLayout.HeadBytes);
    }

    [Fact]
    public void The_pairs_that_one_store_publishes_are_aligned_to_16_bytes()
    {
        Assert.Equal(0, (StreamLayout.Control + StreamLayout.Position) % 16);
        Assert.Equal(StreamLayout.Position + 8, StreamLayout.LastTime);
        Assert.Equal(0, (StreamLayout.Control + StreamLayout.LostFull) % 16);
        Assert.Equal(StreamLayout.LostFull + 8, StreamLayout.LostTooLarge);
    }

    [Fact]
    public void Commit_counts_fit_into_their_page() =>
        Assert.Equal(StreamLayout.Data, StreamLayout.CommitCounts + (StreamLayout.MaxPacketCount * StreamLayout.CommitCountStride));

    [Fact]
    public void The_magic_reads_as_text() => Assert.Equal("WEIRSTRM"u8.ToArray(), BitConverter.GetBytes(StreamLayout.Magic));

    [Theory]
    [InlineData(4096, 2, true)]
    [InlineData(4096, 64, true)]
    [InlineData(1 << 30, 64, true)]
    [InlineData(2048, 4, false)]
    [InlineData(4097, 4, false)]
    [InlineData(4096, 1, false)]
    [InlineData(4096, 3, false)]
    [InlineData(4096, 128, false)]
    [InlineData(1L << 31, 4, false)]
    [InlineData(0, 0, false)]
    [InlineData(-4096, -2, false)]
    [InlineData(long.MinValue, 2, false)]
    public void Geometry_is_powers_of_two_within_limits(long packetBytes, long packetCount, bool isValid) =>
        Assert.Equal(isValid, StreamLayout.IsValidGeometry(packetBytes, packetCount));

    [Fact]
    public void The_positions_word_has_room_for_every_threads_number()
    {
        Assert.Equal(ulong.MaxValue, StreamLayout.PositionMask | ((ulong)IntentTable.MaxIntents << StreamLayout.PositionBits));
        Assert.Equal(0UL, StreamLayout.PositionMask & ((ulong)IntentTable.MaxIntents << StreamLayout.PositionBits));
    }
}
