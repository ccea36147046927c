using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Cli;

/// <summary>Traces that LTTng-UST records here and now, read by babeltrace2 and by us.</summary>
public class LttngTraceTests
{
    internal const string Provider = """
        #undef TRACEPOINT_PROVIDER
        #define TRACEPOINT_PROVIDER weir_test
        #undef TRACEPOINT_INCLUDE
        #define TRACEPOINT_INCLUDE "./tp.h"
        #if !defined(WEIR_TEST_TP_H) || defined(TRACEPOINT_HEADER_MULTI_READ)
        #define WEIR_TEST_TP_H
        #include <lttng/tracepoint.h>
        TRACEPOINT_ENUM(weir_test, state, TP_ENUM_VALUES(
            ctf_enum_value("IDLE", 0)
            ctf_enum_value("BUSY", 1)
            ctf_enum_range("BROKEN", 2, 9)))
        TRACEPOINT_EVENT(weir_test, all,
            TP_ARGS(long, number, const char *, text, double, real, const int *, list, size_t, count),
            TP_FIELDS(
                ctf_integer(long, number, number)
                ctf_integer_hex(unsigned int, hex, (unsigned int) number)
                ctf_integer_network(short, network, (short) number)
                ctf_float(double, real, real)
                ctf_string(text, text)
                ctf_enum(weir_test, state, int, state, (int) (number % 12))
                ctf_array(int, three, list, 3)
                ctf_sequence(int, list, list, size_t, count)
                ctf_array_text(char, letters, "abc", 4)))
        TRACEPOINT_EVENT(weir_test, tick, TP_ARGS(long, number), TP_FIELDS(ctf_integer(long, number, number)))
        #endif
        #include <lttng/tracepoint-event.h>
        """;

    internal const string Program = """
        #define TRACEPOINT_CREATE_PROBES
        #define TRACEPOINT_DEFINE
        #include "tp.h"
        #include <math.h>
        #include <pthread.h>
        #include <unistd.h>
        static void *run(void *argument)
        {
            int list[] = { 1, -2, 3, -4 };
            const char *texts[] = { "", "plain", "quote \" slash \\ line\nend", "caf\xc3\xa9" };
            for (long i = 0; i < 3000; i++) {
                tracepoint(weir_test, tick, i);
                if (i % 10 == 0)
                    tracepoint(weir_test, all, i - 40, texts[i / 10 % 4], i % 7 ? i / 3.0 : NAN, list, i % 5);
                if (i % 1000 == 999)
                    usleep(80000);
            }
            return argument;
        }
        int main(void)
        {
            pthread_t other;
            pthread_create(&other, 0, run, 0);
            run(0);
            return pthread_join(other, 0);
        }
        """;

    // A session daemon of its own: its sockets and the files by which programs find it are mounted apart.
    private const string Script = """
        set -e
        mount -t tmpfs none /run
        mount -t tmpfs none /dev/shm
        export LTTNG_HOME=$PWD/lttng
        mkdir "$LTTNG_HOME"
        gcc -I. -o program program.c -llttng-ust -ldl -lpthread
        lttng-sessiond --daemonize --no-kernel --pidfile="$PWD/pid"
        trap 'kill $(cat pid)' EXIT
        lttng create test --output="$PWD/trace"
        lttng enable-channel -u $CHANNEL channel
        lttng enable-event -u -c channel 'weir_test:*'
        lttng add-context -u -c channel -t vtid -t procname
        lttng start
        LTTNG_UST_REGISTER_TIMEOUT=5000 ./program
        lttng stop
        lttng destroy
        """;

    [Theory]
    [InlineData("--num-subbuf=4 --subbuf-size=256k")]
    [InlineData("--num-subbuf=2 --subbuf-size=4k")]
    [InlineData("--buffers-pid --num-subbuf=4 --subbuf-size=64k --tracefile-size=65536 --tracefile-count=8")]
    public void A_fresh_trace_is_printed_as_babeltrace2_prints_it(string channel)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "A session daemon of its own needs mounts, and those need root.");
        foreach (string program in new[] { "lttng", "lttng-sessiond", "gcc", "babeltrace2" })
            Assert.SkipUnless(IsInstalled(program), $"{program} is not installed.");
        using var place = new Place();
        File.WriteAllText(place.In("tp.h"), Provider);
        File.WriteAllText(place.In("program.c"), Program);
        var recorded = place.Run(["unshare", "--mount", "bash", "-c", Script], $"CHANNEL={channel}");
        Assert.True(recorded.Status == 0, recorded.Error);

        var expected = place.Run(["babeltrace2", "--names=all", "--fields=all", place.In("trace")]);
        Assert.True(expected.Status == 0, expected.Error);
        var actual = place.Run([Place.Weir, "convert", "--names=all", "--fields=all", place.In("trace")]);
        Assert.True(actual.Status == 0, actual.Error);
        string[] lines = Lines(actual.Output);
        Assert.NotEmpty(lines);
        Assert.Equal(Comparable(Lines(expected.Output)), Comparable(lines));
        Assert.Equal(Losses(expected.Error), Losses(actual.Error));
    }

    internal static bool IsInstalled(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(directory => File.Exists(Path.Combine(directory, program)));

    internal static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>babeltrace2 2.0 repeats the string before where one is empty; such lines are compared up to their strings.</summary>
    internal static IEnumerable<string> Comparable(string[] lines) =>
        lines.Select(line => line.IndexOf(", text = ", StringComparison.Ordinal) is >= 0 and int at ? line[..at] : line);

    /// <summary>What was lost. A counter that goes back is for babeltrace2 2.0 one that went round, with nearly 2^64 losses.</summary>
    private static string[] Losses(string error) =>
        [.. Lines(error).Where(line => line.Contains("discarded", StringComparison.Ordinal) && !line.Contains("discarded 184467440737", StringComparison.Ordinal)).Select(line => line[line.IndexOf("Tracer", StringComparison.Ordinal)..line.IndexOf(" in trace", StringComparison.Ordinal)])];
}
