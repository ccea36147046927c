using Weir.Ctf;
using Weir.Ring;
using Xunit;

namespace Weir.Tests.Ring;

/// <summary>The offsets that the machine code has as numbers, and that the trace's metadata tells every reader.</summary>
public sealed class PacketLayoutTests
{
    [Fact]
    public void Offsets_are_those_of_the_machine_code()
    {
        Assert.Equal(
            [4, 20, 24, 32, 32, 40, 48, 56, 64, 72, 80, 84],
            [
                PacketLayout.Uuid, PacketLayout.StreamId, PacketLayout.StreamInstanceId, PacketLayout.HeaderBytes, PacketLayout.TimestampBegin,
                PacketLayout.TimestampEnd, PacketLayout.ContentSize, PacketLayout.PacketSize, PacketLayout.SequenceNumber,
                PacketLayout.EventsDiscarded, PacketLayout.CpuId, PacketLayout.Records,
            ]);
        Assert.Equal(0x2a0, PacketLayout.Records * 8);
    }

    [Fact]
    public void The_metadatas_layout_is_the_same()
    {
        Assert.Equal(LttngLayout.PacketMagic, PacketLayout.Magic);
        Assert.Equal(LttngLayout.PacketHeaderBytes, PacketLayout.HeaderBytes);
        Assert.Equal(LttngLayout.PacketHeaderBytes + LttngLayout.PacketContextBytes, PacketLayout.Records);
    }
}
