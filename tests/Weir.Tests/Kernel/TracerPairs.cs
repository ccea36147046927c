using Xunit;

namespace Weir.Tests.Kernel;

/// <summary>An event as one of two tracers has it.</summary>
/// <param name="Time">When, in either tracer's own stamps of one clock, in ns or cycles.</param>
/// <param name="Thread">Whose it is.</param>
/// <param name="Interrupts">In which kind of interrupt it happened; 0 for none.</param>
/// <param name="Text">What both tracers say of it.</param>
internal sealed record TracedEvent(long Time, string Thread, int Interrupts, string Text);

/// <summary>Pairs what two tracers have recorded of one CPU at once: each event of the one with an event of the other.</summary>
internal static class TracerPairs
{
    /// <summary>Pairs all but the beginning and the end; fails where one has no partner.</summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="ours">Our events, in order of time.</param>
    /// <param name="theirs">The other tracer's.</param>
    /// <param name="maxApart">Both stamp the same event, one after the other; an interrupt may come in between.</param>
    /// <param name="margin">Of the time that both recorded, so much at its beginning and its end is left out.</param>
    /// <returns>Events that were paired.</returns>
    public static int Compare(int cpu, List<TracedEvent> ours, List<TracedEvent> theirs, long maxApart, long margin)
    {
        long begin = Math.Max(ours[0].Time, theirs[0].Time) + margin;
        long end = Math.Min(ours[^1].Time, theirs[^1].Time) - margin;
        var mine = ours.Where(item => item.Time >= begin && item.Time <= end).ToList();
        // Loads repeat themselves: the first pair is one that cannot be mistaken.
        mine = [.. mine.SkipWhile(item => Near(mine, item, maxApart).Count != 1 || Near(theirs, item, maxApart).Count != 1)];
        if (mine.Count == 0)
            return 0;
        int from = theirs.IndexOf(Assert.Single(Near(theirs, mine[0], maxApart)));
        begin = mine[0].Time;
        bool[] isTaken = new bool[theirs.Count];
        var last = new Dictionary<(string Thread, int Interrupts), int>();
        int moved = 0;
        foreach (var item in mine)
        {
            while (isTaken[from])
                from++;
            int at = from;
            while (at < theirs.Count && (isTaken[at] || theirs[at].Text != item.Text) && theirs[at].Time < item.Time + maxApart)
                at++;
            Assert.True(at < theirs.Count && theirs[at].Text == item.Text && !isTaken[at], $"CPU {cpu}: the other tracer has no {item}; it has next {theirs[from]}");
            isTaken[at] = true;
            // An interrupt, or another thread, may come between the two tracers' stamps. What one thread does in one context has one order.
            var context = (item.Thread, item.Interrupts);
            Assert.True(!last.TryGetValue(context, out int before) || before < at, $"CPU {cpu}: at the other tracer {item} is before what it follows here");
            last[context] = at;
            moved += at == from ? 0 : 1;
        }
        Assert.True(moved * 100 < mine.Count, $"CPU {cpu}: {moved} of {mine.Count} events have another order");
        var unmatched = theirs.Where((item, i) => !isTaken[i] && item.Time > begin + maxApart && item.Time < end - maxApart);
        Assert.Empty(unmatched);
        return mine.Count;
    }

    private static List<TracedEvent> Near(List<TracedEvent> events, TracedEvent wanted, long maxApart) =>
        [.. events.Where(item => item.Text == wanted.Text && Math.Abs(item.Time - wanted.Time) < maxApart)];
}
