using Weir.Ctf;
using Weir.Graph;
using Xunit;

namespace Weir.Tests.Graph.Ftrace;

public unsafe class FtracePageCursorTests
{
    public static TheoryData<ByteOrder, int> Machines => new()
    {
        { ByteOrder.LittleEndian, 8 }, { ByteOrder.LittleEndian, 4 }, { ByteOrder.BigEndian, 8 }, { ByteOrder.BigEndian, 4 },
    };

    [Theory]
    [MemberData(nameof(Machines))]
    public void Times_are_sums_of_differences_extends_and_stamps(ByteOrder byteOrder, int longBytes)
    {
        byte[] page = new FtracePageBuilder(byteOrder, longBytes).Begin(1000)
            .Event(0, [1, 0, 0, 0]).Event(7, [2, 0, 0, 0], isLong: true)
            .Extend(1UL << 40).Event(5, new byte[200])
            .Word(29, 9).U32(8).U32(0) // discarded: its time does not count
            .Stamp(5_000_000_000_000).Event(1, [4, 0, 0, 0])
            .Word(29, 0).U32(77) // up to the page's end
            .Page();
        Assert.Equal(
            [(1000, 4), (1007, 4), (1012 + (1UL << 40), 200), (5_000_000_000_001, 4)], Read(byteOrder, longBytes, page, out string? problem, out _, out _));
        Assert.Null(problem);
    }

    [Fact]
    public void A_stamp_takes_its_highest_bits_from_the_time_before()
    {
        const ulong begin = (5UL << 59) + 100;
        byte[] page = new FtracePageBuilder(ByteOrder.LittleEndian, 8).Begin(begin).Stamp(300).Event(0, new byte[4]).Stamp(50).Event(0, new byte[4]).Page();
        Assert.Equal([((5UL << 59) + 300, 4), ((6UL << 59) + 50, 4)], Read(ByteOrder.LittleEndian, 8, page, out _, out _, out _));
    }

    [Theory]
    [MemberData(nameof(Machines))]
    public void Lost_events_are_counted_where_the_count_is_there(ByteOrder byteOrder, int longBytes)
    {
        var builder = new FtracePageBuilder(byteOrder, longBytes).Begin(1).Event(0, new byte[4]);
        Read(byteOrder, longBytes, builder.Page(3u << 30, 42), out _, out bool hasLost, out var count);
        Assert.True(hasLost);
        Assert.Equal(42UL, count);
        Read(byteOrder, longBytes, builder.Page(1u << 31), out _, out hasLost, out count);
        Assert.True(hasLost);
        Assert.Null(count);
        Read(byteOrder, longBytes, builder.Page(), out _, out hasLost, out _);
        Assert.False(hasLost);
    }

    [Fact]
    public void An_event_that_goes_on_behind_the_page_is_a_problem_after_those_before()
    {
        byte[] page = new FtracePageBuilder(ByteOrder.LittleEndian, 8).Begin(1).Event(0, new byte[4]).Word(28, 1).Page();
        Assert.Single(Read(ByteOrder.LittleEndian, 8, page, out string? problem, out _, out _));
        Assert.Contains("byte 24", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_bytes_are_events_or_a_problem()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        byte[] page = new byte[256];
        for (int i = 0; i < 20_000; i++)
        {
            random.NextBytes(page);
            page[9] = page[10] = page[11] = 0;
            foreach (var (_, length) in Read((ByteOrder)(i & 1), (i & 2) == 0 ? 4 : 8, page, out _, out _, out _))
                Assert.InRange(length, 0, 256);
        }
    }

    [Fact]
    public void A_description_that_is_no_pages_is_refused() =>
        Assert.Throws<CtfException>(() => FtracePageLayout.Parse("\tfield: u64 timestamp;\toffset:0;\tsize:4;\tsigned:0;\n", ByteOrder.LittleEndian, 8));

    private static List<(ulong Time, int Length)> Read(ByteOrder byteOrder, int longBytes, byte[] page, out string? problem, out bool hasLost, out ulong? lostCount)
    {
        var layout = FtracePageLayout.Parse("", byteOrder, longBytes);
        var events = new List<(ulong, int)>();
        fixed (byte* start = page)
        {
            var cursor = new FtracePageCursor(layout, start, page.Length, out problem);
            (hasLost, lostCount) = (cursor.HasLost, cursor.LostCount);
            while (problem is null && cursor.MoveNext(out problem))
            {
                Assert.True(cursor.DataOffset + cursor.DataLength <= page.Length);
                events.Add((cursor.Time, cursor.DataLength));
            }
        }
        return events;
    }
}
