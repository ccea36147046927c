using Weir.Clock;
using Weir.Ring;
using Xunit;

namespace Weir.Tests.Ring.Formats;

/// <summary>Read by <see cref="PacketParser"/>, which was written from LTTng's layout.</summary>
[Collection(nameof(Alone))]
public class CtfLargeTests
{
    private static readonly uint[] s_ids = [1, 31, 255, 256, 65_533, 65_534, 65_535, 65_536, 1_000_000, 5];

    [Theory]
    [InlineData(1, 0xFFFFFFFF, 0, "0100FFFFFFFF")]
    [InlineData(65_534, 0x100000001, 2, "FEFF01000000")]
    [InlineData(1, 0x100000000, 0, "FFFF010000000000000001000000")]
    [InlineData(65_535, 1, 1, "FFFFFFFF00000100000000000000")]
    [InlineData(0x12345678, 0x1122334455667788, 0x1122334455667788, "FFFF785634128877665544332211")]
    public void A_head_has_the_shortest_form_that_holds_it(uint id, ulong now, ulong last, string bytes) =>
        Assert.Equal(bytes, Convert.ToHexString(FormatHeads.Record<CtfLarge<MonotonicClock>>(id, now, last, 8)));

    [Theory]
    [MemberData(nameof(ManyWriters.Combinations), MemberType = typeof(ManyWriters))]
    public void Many_threads_write_and_every_record_is_read_once(string placement, string mode) =>
        ManyWriters.Check<CtfLarge<MonotonicClock>>(placement, mode, s_ids, cpu => CtfPackets.ParserOf(s_ids, cpu, isLarge: true));
}
