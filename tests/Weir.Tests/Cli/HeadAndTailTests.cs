using System.Text;
using Weir.Cli;
using Xunit;

namespace Weir.Tests.Cli;

public class HeadAndTailTests
{
    [Theory]
    [InlineData(0, "")]
    [InlineData(3, "0 1 2")]
    [InlineData(6, "0 1 2 3 4 5")]
    [InlineData(7, "0 1 2 … 1 more … 4 5 6")]
    [InlineData(1000, "0 1 2 … 994 more … 997 998 999")]
    public void Keeps_both_ends_of_any_text_however_it_is_cut_into_writes(int lineCount, string expected)
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, lineCount).Select(i => $"{i}\n")));
        foreach (int step in new[] { 1, 2, 5, 4096 })
        {
            using var lines = new HeadAndTail(3);
            for (int at = 0; at < text.Length; at += step)
                lines.Write(text.AsSpan(at, Math.Min(step, text.Length - at)));
            var printed = new StringWriter();
            lines.Print(printed);
            Assert.Equal(expected, printed.ToString().TrimEnd().Replace('\n', ' '));
        }
    }
}
