using Weir.Ring;
using Xunit;

namespace Weir.Tests.Ring;

public sealed class RingControlTests
{
    /// <summary>
    /// A thread that finished its record between the two looks, and has not stored the stream's last time yet: the record is in a snapshot,
    /// and only the line tells a time that is late enough to end the packet with.
    /// </summary>
    [Fact]
    public void A_line_that_changed_while_it_was_read_leaves_no_hole_but_a_time()
    {
        const int Time = 32;
        var first = new byte[RingControl.IntentsOffset + (2 * IntentTable.LineBytes)];
        var second = new byte[first.Length];
        int line = RingControl.IntentsOffset + IntentTable.LineBytes;
        BitConverter.TryWriteBytes(first.AsSpan(line), 100UL << 2);
        BitConverter.TryWriteBytes(first.AsSpan(line + 8), 16UL);
        BitConverter.TryWriteBytes(first.AsSpan(line + Time), 12345UL);
        first.CopyTo(second, 0);
        BitConverter.TryWriteBytes(second.AsSpan(line), (100UL << 2) | 1);
        Assert.Equal(12345UL, RingControl.Settle(first, second));
        Assert.Null(IntentTable.Read(second.AsSpan(line, IntentTable.LineBytes), 1));
        Assert.Null(IntentTable.Read(second.AsSpan(RingControl.IntentsOffset, IntentTable.LineBytes), 0));
    }
}
