using Weir.Clock;
using Weir.Ring;
using Xunit;

namespace Weir.Tests.Ring.Formats;

/// <summary>Read by <see cref="PacketParser"/>, which was written from LTTng's layout.</summary>
[Collection(nameof(Alone))]
public class CtfCompactTests
{
    private static readonly uint[] s_ids = [1, 2, 3, 7, 30, 31, 32, 65_535, 1_000_000, 5];

    [Theory]
    [InlineData(1, 0x7FFFFFF, 0, "E1FFFFFF")]
    [InlineData(30, 1, 0, "3E000000")]
    [InlineData(30, 0x8000000, 0, "1F1E0000000000000800000000")]
    [InlineData(31, 1, 1, "1F1F0000000100000000000000")]
    [InlineData(0x12345678, 0x1122334455667788, 0x1122334455667788, "1F785634128877665544332211")]
    public void A_head_has_the_shortest_form_that_holds_it(uint id, ulong now, ulong last, string bytes) =>
        Assert.Equal(bytes, Convert.ToHexString(FormatHeads.Record<CtfCompact<MonotonicClock>>(id, now, last, 8)));

    [Theory]
    [MemberData(nameof(ManyWriters.Combinations), MemberType = typeof(ManyWriters))]
    public void Many_threads_write_and_every_record_is_read_once(string placement, string mode) =>
        ManyWriters.Check<CtfCompact<MonotonicClock>>(placement, mode, s_ids, cpu => CtfPackets.ParserOf(s_ids, cpu, isLarge: false));
}
