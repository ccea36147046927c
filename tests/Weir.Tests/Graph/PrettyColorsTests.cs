using System.Text;
using Weir.Graph;
using Weir.Tests.Ctf;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Graph;

public class PrettyColorsTests
{
    // An enumeration with and without labels for its value, an array and an event without fields; four events are lost between two packets.
    private const string Metadata = """
        /* CTF 1.8 */
        trace { major = 1; minor = 8; byte_order = le; };
        clock { name = c; freq = 1000000000; };
        stream {
            packet.context := struct {
                integer { size = 8; map = clock.c.value; } timestamp_begin;
                integer { size = 8; map = clock.c.value; } timestamp_end;
                integer { size = 8; } packet_size;
                integer { size = 8; } events_discarded;
            };
            event.header := struct { integer { size = 8; } id; integer { size = 8; map = clock.c.value; } t; };
            event.context := struct { integer { size = 8; } context; };
        };
        event {
            name = "first"; id = 0;
            fields := struct {
                enum : integer { size = 8; } { one = 1, two } tag;
                enum : integer { size = 8; } { none = 9 } other;
                string text;
                floating_point { exp_dig = 8; mant_dig = 24; align = 8; } real;
                integer { size = 8; base = 16; } array[2];
                struct { integer { size = 8; } x; } inner;
            };
        };
        event { id = 1; name = "second"; fields := struct { }; };
        """;

    private static readonly byte[] s_stream = [.. Packet(5, 9, 0), .. Packet(55, 59, 4)];

    [Theory]
    [InlineData()]
    [InlineData("--names=all", "--fields=all")]
    [InlineData("--names=header", "--clock-cycles")]
    [InlineData("--names=none", "--no-delta")]
    [InlineData("--color=never")]
    public void Colours_are_those_of_babeltrace2(params string[] options)
    {
        Babeltrace.SkipIfMissing();
        using var place = new Place();
        string trace = Write();
        foreach (string brightness in new[] { "TERM=xterm", "TERM=xterm-kitty", "BABELTRACE_TERM_COLOR_BRIGHT_MEANS_BOLD=0" })
        {
            var expected = place.Run([Reference, "convert", "--clock-gmt", .. options, trace], "BABELTRACE_TERM_COLOR=always", "TERM=xterm", brightness);
            var actual = place.Run([Place.Weir, "convert", "--clock-gmt", .. options, trace], "BABELTRACE_TERM_COLOR=always", "TERM=xterm", brightness);
            Assert.Contains("first", expected.Output, StringComparison.Ordinal);
            Assert.Contains("\e[33m\e[1mWARNING\e[0m\e[33m: Tracer discarded 4 events ", actual.Error, StringComparison.Ordinal);
            Assert.Equal(LossesOf(expected.Error), LossesOf(actual.Error));
            // Where it colours nothing but has colours, 2.0.4 writes no end of a colour either.
            Assert.Equal(expected.Output.TrimEnd('\e', '[', '0', 'm'), actual.Output.TrimEnd('\e', '[', '0', 'm'));
        }
        Directory.Delete(trace, recursive: true);
    }

    [Fact]
    public void A_pipe_gets_no_colours_even_where_they_are_asked_for()
    {
        using var place = new Place();
        string trace = Write();
        string plain = place.Run([Place.Weir, "convert", "--clock-gmt", trace]).Output;
        Assert.DoesNotContain('\e', plain);
        Assert.Equal(plain, place.Run([Place.Weir, "convert", "--clock-gmt", "--color=always", trace], "TERM=xterm").Output);
        string colored = place.Run([Place.Weir, "convert", "--clock-gmt", trace], "BABELTRACE_TERM_COLOR=always").Output;
        Assert.Contains("\e[1m\e[1m\e[35mfirst\e[0m: { \e[36mcontext\e[0m = \e[1m42\e[0m }, ", colored, StringComparison.Ordinal);
        Directory.Delete(trace, recursive: true);
    }

    [Fact]
    public void Several_cores_colour_as_one_does_and_change_nothing_else()
    {
        using var trace = RandomTrace.Create(new Random(5), 5, 200, 40);
        var colored = new PrettyOptions { ClockGmt = true, NameHeader = true, NameScope = true, IsColored = true, HasColoredWarnings = true };
        string one = Conversion.Run(trace.Directory, pretty: colored).ToString();
        Assert.Equal(one, Conversion.Run(trace.Directory, jobs: 3, pretty: colored).ToString());
        string plain = Conversion.Run(trace.Directory, pretty: new PrettyOptions { ClockGmt = true, NameHeader = true, NameScope = true }).ToString();
        Assert.Equal(plain, System.Text.RegularExpressions.Regex.Replace(one, "\e\\[[0-9]+m", ""));
        Assert.True(one.Length > plain.Length);
    }

    /// <summary>Where 2.0.4 says a stream's name, it says its file's.</summary>
    private static string[] LossesOf(string said) =>
        [.. said.Split('\n').Where(line => line.Contains("discarded", StringComparison.Ordinal)).Select(line => line[..line.IndexOf(" in trace", StringComparison.Ordinal)] + line[line.LastIndexOf(')')..])];

    private static byte[] Packet(byte begin, byte end, byte discarded) =>
    [
        begin, end, 22 * 8, discarded,
        0, begin, 42, 1, 7, (byte)'h', (byte)'i', 0, 0, 0, 0x80, 0x3f, 0x10, 0x20, 3,
        1, end, 43,
    ];

    /// <summary>babeltrace2: the one that WEIR_BABELTRACE21 names, or the machine's.</summary>
    private static string Reference => Environment.GetEnvironmentVariable("WEIR_BABELTRACE21") is { Length: > 0 } named ? named : "babeltrace2";

    private static string Write()
    {
        string directory = Directory.CreateDirectory(LttngTraceBuilder.NewDirectory()).FullName;
        File.WriteAllText(Path.Combine(directory, "metadata"), Metadata, Encoding.ASCII);
        File.WriteAllBytes(Path.Combine(directory, "s"), s_stream);
        return directory;
    }
}
