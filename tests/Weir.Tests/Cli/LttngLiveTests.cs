using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Cli;

/// <summary>A session that LTTng records, read live from its relay daemon while it grows.</summary>
public class LttngLiveTests
{
    // Daemons of its own, in networks and mounts of their own. A session takes one viewer only, so babeltrace2 reads what the daemon stored.
    private const string Script = """
        set -e
        mount -t tmpfs none /run
        mount -t tmpfs none /dev/shm
        ip link set lo up
        export LTTNG_HOME=$PWD/lttng
        mkdir "$LTTNG_HOME"
        gcc -I. -o program program.c -llttng-ust -ldl -lpthread
        lttng-relayd --daemonize --output="$PWD/relayed"
        lttng-sessiond --daemonize --no-kernel --pidfile="$PWD/pid"
        lttng create test --live=100000 --set-url=net://localhost
        lttng enable-channel -u $CHANNEL channel
        lttng enable-event -u -c channel 'weir_test:*'
        lttng add-context -u -c channel -t vtid -t procname
        lttng start
        $WEIR query source.ctf.lttng-live sessions -p 'url="net://localhost"' > sessions.txt
        $WEIR convert -i lttng-live net://localhost > list.txt
        babeltrace2 convert -i lttng-live net://localhost > list2.txt
        $WEIR convert --retry-duration=20000 --names=all --fields=all -i lttng-live net://localhost/host/$(hostname)/test > live.txt &
        viewer=$!
        # A viewer sees what comes after it has been attached.
        until $WEIR query source.ctf.lttng-live sessions -p 'url="net://localhost"' | grep -q 'client-count: 1'; do sleep 0.1; done
        export LTTNG_UST_REGISTER_TIMEOUT=5000
        ./program
        # A second program: its streams, and with buffers for each process its metadata, come while the viewer reads.
        ./program
        # What was recorded is printed while the session goes on: the viewer sees the last events without its end.
        for i in $(seq 50); do
            [ "$(grep -c 'number = 2999' live.txt)" -lt 4 ] || break
            sleep 0.1
        done
        lttng stop
        lttng destroy
        wait $viewer
        kill $(cat pid)
        """;

    [Theory]
    [InlineData("--num-subbuf=4 --subbuf-size=256k", true)]
    [InlineData("--buffers-pid --num-subbuf=4 --subbuf-size=256k", false)]
    public void A_live_session_is_printed_as_it_is_stored(string channel, bool outlivesPrograms)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Daemons of its own need mounts and a network apart, and those need root.");
        foreach (string program in new[] { "lttng", "lttng-sessiond", "lttng-relayd", "gcc", "babeltrace2", "ip" })
            Assert.SkipUnless(LttngTraceTests.IsInstalled(program), $"{program} is not installed.");
        using var place = new Place();
        File.WriteAllText(place.In("tp.h"), LttngTraceTests.Provider);
        File.WriteAllText(place.In("program.c"), LttngTraceTests.Program);
        var recorded = place.Run(["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "bash", "-c", Script], $"CHANNEL={channel}", $"WEIR={Place.Weir}");
        Assert.True(recorded.Status == 0, recorded.Error);
        Assert.Contains("session-name: test", File.ReadAllText(place.In("sessions.txt")), StringComparison.Ordinal);
        Assert.Equal(File.ReadAllText(place.In("list2.txt")), File.ReadAllText(place.In("list.txt")));
        Assert.Matches("^net://localhost/host/[^/]+/test \\(timer = 100000, [0-9]+ stream\\(s\\), 0 client\\(s\\) connected\\)\n$", File.ReadAllText(place.In("list.txt")));

        var expected = place.Run(["babeltrace2", "--names=all", "--fields=trace:hostname,trace:domain,trace:procname,trace:vpid,loglevel,emf", place.In("relayed")]);
        Assert.True(expected.Status == 0, expected.Error);
        string[] lines = [.. File.ReadAllLines(place.In("live.txt")).Select(WithoutTraceName)];
        string[] stored = [.. LttngTraceTests.Comparable(LttngTraceTests.Lines(expected.Output))];
        string[] live = [.. LttngTraceTests.Comparable(lines)];
        if (outlivesPrograms)
        {
            Assert.Equal(13200, stored.Length);
            Assert.Equal(stored, live);
            return;
        }
        // LTTng 2.13's daemon hangs up on the streams of a process that has ended before it has given out their last packets; babeltrace2
        // misses these, too. Nothing else is missing, and nothing is twice.
        var events = stored.Select(WithoutDelta).ToHashSet();
        Assert.All(live, line => Assert.True(events.Remove(WithoutDelta(line)), line));
        Assert.NotEmpty(live);
    }

    /// <summary>Without the time since the event before, which may be a missing one.</summary>
    private static string WithoutDelta(string line)
    {
        int from = line.IndexOf(", delta = ", StringComparison.Ordinal);
        return line.Remove(from, line.IndexOf(',', from + 1) - from);
    }

    /// <summary>A live trace has the session's name, a stored one its directory's.</summary>
    private static string WithoutTraceName(string line)
    {
        int from = line.IndexOf(", trace = ", StringComparison.Ordinal);
        return from < 0 ? line : line.Remove(from, line.IndexOf(", trace:", from + 1, StringComparison.Ordinal) - from);
    }
}
