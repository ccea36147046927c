using System.Globalization;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Kernel;

/// <summary>The judge itself: it sees what is wrong.</summary>
public sealed class LttngTruthTests
{
    private const int Count = 3000;

    [Fact]
    public void The_same_events_are_the_same() => Assert.Equal(0, Judge(lines => lines));

    [Fact]
    public void Another_value_is_seen() => Assert.Equal(1, Judge(lines => [.. lines.Select((line, i) => i == Count / 2 ? line.Replace("number = ", "number = 1", StringComparison.Ordinal) : line)]));

    [Fact]
    public void Another_text_is_seen() => Assert.Equal(1, Judge(lines => [.. lines.Select((line, i) => i == Count / 2 ? line.Replace("a, b", "a, c", StringComparison.Ordinal) : line)]));

    [Fact]
    public void A_missing_event_is_seen() => Assert.Equal(1, Judge(lines => [.. lines.Where((_, i) => i != Count / 2)]));

    [Fact]
    public void One_too_many_is_seen() => Assert.Equal(1, Judge(lines => [.. lines.SelectMany((line, i) => i == Count / 2 ? new[] { line, line } : [line])]));

    [Fact]
    public void Another_thread_is_seen() => Assert.Equal(1, Judge(lines => [.. lines.Select((line, i) => i == Count / 2 ? line.Replace("tid = 7 ", "tid = 8 ", StringComparison.Ordinal) : line)]));

    private static int Judge(Func<string[], string[]> change)
    {
        using var place = new Place();
        File.WriteAllLines(place.In("ours"), Lines("tid = 7, preempt_count = 0, irq_flags = 0x0", ", only_ours = 0x7F", 0));
        File.WriteAllLines(place.In("theirs"), change(Lines("tid = 7", ", only_theirs = [ [0] = 1 ]", 3000)));
        return LttngTruth.Run([place.In("ours"), place.In("theirs")]);
    }

    private static string[] Lines(string context, string own, long laterNs) =>
    [
        .. Enumerable.Range(0, Count).Select(i => string.Create(
            CultureInfo.InvariantCulture,
            $"[{1_700_000_000 + (i / 1000)}.{(i % 1000 * 1_000_000) + laterNs:D9}] (+0.001) vm kind_{i % 30}: {{ cpu_id = 1 }}, {{ {context} }}, {{ number = {i}, text = \"a, b\"{own} }}")),
    ];
}
