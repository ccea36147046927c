using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Weir.Tests.Sessions;

/// <summary>Root's recordings and the programs of other users: they meet, and can do each other no harm.</summary>
public class OtherUsersTests
{
    private const int Interrupt = 2;
    private const int Kill = 9;
    private const int Nobody = 65534;
    private const int Somebody = 65533;

    private static readonly string[] s_shop = [.. Place.Shop, "--seconds", "0.3"];

    [Theory]
    [InlineData("WEIR_SEQUENCE=")]
    [InlineData("WEIR_SEQUENCE=atomic")]
    public void A_recording_of_the_machine_has_every_event_of_another_users_program(string variable)
    {
        using var place = PlaceOfRoot();
        using var recorder = place.StartRecord("-a", "-e", "shop:*", "-o", "trace");
        place.WaitForSessions(1);
        var shop = place.Run(As(Nobody, s_shop), variable);
        recorder.Signal(Interrupt);
        var result = recorder.WaitForEnd();
        Assert.Contains("lost 0 events", result.Error);
        Assert.DoesNotContain("warning", result.Error);
        Assert.Equal(shop.ShopCounts(), Babeltrace.Count(place, "trace"));
        Assert.Equal("0\n", place.Run(["sh", "-c", "find trace -printf '%U\\n' | sort -u"]).Output);
        place.AssertNothingLeft();
    }

    [Fact]
    public void A_command_that_becomes_another_user_is_recorded()
    {
        using var place = PlaceOfRoot();
        var result = place.Run([Place.Weir, "record", "-e", "shop:*", "-o", "trace", "--", .. As(Nobody, s_shop)]);
        Assert.Contains("lost 0 events", result.Error);
        Assert.Equal(result.ShopCounts(), Babeltrace.Count(place, "trace"));
        place.AssertNothingLeft();
    }

    [Fact]
    public void A_program_finds_the_home_of_root_that_is_made_after_it_has_begun()
    {
        using var place = PlaceOfRoot();
        // A /run of the test's own.
        using var run = place.Start(["unshare", "-m", "sh", "-c", "mount -t tmpfs tmpfs /run && echo ready && exec sleep 1000"]);
        Wait.Until(() => run.HasExited || run.Output.Contains("ready", StringComparison.Ordinal), "a mount");
        Assert.SkipWhen(run.HasExited, $"There can be no /run of the test's own: {run.Error}");
        string[] inside = ["nsenter", "-m", "-t", run.Id.ToString(CultureInfo.InvariantCulture), $"--wd={place.Directory}", "env", "-u", "WEIR_HOME"];
        using var program = place.Start([.. inside, .. As(Nobody, Place.Role(TracedPrograms.WaitForLine))]);
        program.WaitForOutput("ready");
        using var ticking = place.Start([.. inside, .. As(Nobody, Place.Role(TracedPrograms.Tick))]);
        using var recorder = place.Start([.. inside, Place.Weir, "record", "-a", "-e", "weir_tests.session:tick", "-o", place.In("trace")]);
        ticking.WaitForOutput("committed");
        recorder.Signal(Interrupt);
        recorder.WaitForEnd();
        ticking.WaitForOutput("detached");
        ticking.Write("\n");
        ticking.WaitForEnd();
        Cli.RecordTests.AssertComplete(Babeltrace.Lines(place, "trace"));
    }

    [Fact]
    public void Users_can_neither_read_nor_remove_what_others_record()
    {
        using var place = PlaceOfRoot();
        using var recorder = place.StartRecord("-a", "-e", "weir_tests.session:tick", "-o", "trace");
        place.WaitForSessions(1);
        using var program = place.Start(As(Nobody, Place.Role(TracedPrograms.Tick)));
        program.WaitForOutput("committed");
        string session = Directory.GetDirectories(place.Home).Single();
        string buffers = place.Buffers();
        string process = Directory.GetDirectories(buffers).Single();
        foreach (string attempt in new[]
        {
            $"ls {buffers}", $"ls {process}", $"cat {process}/stream_0", $"cat {process}/metadata", $"rm -rf {process}", $"mv {process} {process}.old",
            $"rmdir {process}", $"ln -s /etc/passwd {process}/stream_99", $"touch {session}/file", $"rm -f {session}/session", $"cat {session}/refused",
            $"sh -c 'echo >> {session}/session'", $"sh -c 'exec 3>> {session}/alive'", $"touch {place.Home}/.changed", $"ls /proc/{recorder.Id}/fd",
        })
            Assert.True(place.Run(As(Somebody, ["sh", "-c", attempt])).Status != 0, attempt);
        // But who has a lock for reading of what everybody may read keeps nobody alive.
        using var holder = place.Start(As(Somebody, ["flock", "-s", $"{session}/alive", "sleep", "1000"]));
        recorder.Signal(Kill);
        recorder.WaitForEnd();
        program.WaitForOutput("detached");
        program.Write("\n");
        program.WaitForEnd();
        Assert.Equal(0, place.Record("-o", "next", "-q", "--", "true").Status);
        place.AssertNothingLeft();
        Assert.False(Directory.Exists(buffers));
    }

    [Fact]
    public void What_another_user_puts_into_the_buffers_harms_nobody()
    {
        using var place = PlaceOfRoot();
        string victim = MakeVictim(place);
        string passwd = File.ReadAllText("/etc/passwd");
        using var recorder = place.StartRecord("-a", "-e", "shop:*", "-o", "trace");
        place.WaitForSessions(1);
        string buffers = place.Buffers();
        var hostile = place.Run(As(Nobody, ["sh", "-c", Hostile(buffers, victim)]));
        Assert.True(hostile.Status == 0, hostile.Error);
        var shop = place.Run(As(Somebody, s_shop));
        recorder.Signal(Interrupt);
        var result = recorder.WaitForEnd();
        // With the warnings that name what could not be read.
        Assert.Contains("not a file of its own", result.Error);
        Assert.Contains("were passed over", result.Error);
        Assert.DoesNotContain('\e', result.Error);
        Assert.Equal(shop.ShopCounts(), Babeltrace.Count(place, "trace"));
        Assert.Equal(passwd, File.ReadAllText("/etc/passwd"));
        AssertUnharmed(victim);
        Assert.False(Directory.Exists(buffers));
        Assert.DoesNotContain("root:", place.Run(["sh", "-c", "grep -rl root: trace; true"]).Output);
        place.AssertNothingLeft();
    }

    [Fact]
    public void A_stream_that_its_owner_cuts_again_and_again_ends_no_recorder()
    {
        using var place = PlaceOfRoot();
        using var recorder = place.StartRecord("-a", "-e", "weir_tests.session:tick", "-o", "trace");
        place.WaitForSessions(1);
        using var program = place.Start(As(Nobody, Place.Role(TracedPrograms.Tick)));
        program.WaitForOutput("committed");
        string process = Directory.GetDirectories(place.Buffers()).Single();
        // The program dies of it: a load of what is gone is a signal.
        var cut = place.Run(As(Nobody, ["sh", "-c", $"for i in $(seq 300); do for file in {process}/stream_*; do truncate -s 0 $file; truncate -s 8M $file; done; done; true"]));
        Assert.True(cut.Status == 0, cut.Error);
        using var other = place.Start(As(Somebody, Place.Role(TracedPrograms.Emit, "1000")));
        other.WaitForEnd();
        recorder.Signal(Interrupt);
        Assert.Equal(0, recorder.WaitForEnd().Status);
        string trace = Directory.GetDirectories(place.In("trace/ust/pid"), $"*-{other.Id}-*").Single();
        Assert.Equal(1000, Babeltrace.Lines(place, trace).Length);
        place.AssertNothingLeft();
    }

    [Fact]
    public void What_a_killed_recorder_leaves_is_removed_without_following_links()
    {
        using var place = PlaceOfRoot();
        string victim = MakeVictim(place);
        using var recorder = place.StartRecord("-a", "-e", "shop:*", "-o", "trace");
        place.WaitForSessions(1);
        string buffers = place.Buffers();
        recorder.Signal(Kill);
        recorder.WaitForEnd();
        var hostile = place.Run(As(Nobody, ["sh", "-c", Hostile(buffers, victim)]));
        Assert.True(hostile.Status == 0, hostile.Error);
        var next = place.Record("-o", "next", "--", "true");
        Assert.Equal(0, next.Status);
        Assert.Contains("was removed", next.Error);
        AssertUnharmed(victim);
        Assert.False(Directory.Exists(buffers));
        place.AssertNothingLeft();
    }

    [Fact]
    public void A_process_that_is_refused_room_is_counted_though_it_may_not_write_the_count()
    {
        using var place = PlaceOfRoot();
        string mount = place.MountMemory("small", "size=3m");
        place.Home = Path.Combine(mount, "home");
        using var recorder = place.StartRecord("-a", "-e", "shop:*", "-o", "trace", "--subbuf-size", "64k", "--num-subbuf", "2");
        place.WaitForSessions(1);
        Assert.NotEqual(0, place.Run(["dd", "if=/dev/zero", $"of={Path.Combine(mount, "fill")}", "bs=4k"]).Status);
        Assert.Equal(0, place.Run(As(Nobody, s_shop)).Status);
        recorder.Signal(Interrupt);
        Assert.Contains("1 process", recorder.WaitForEnd().Error);
    }

    /// <summary>Links, pipes, sizes and names that no program of good will makes.</summary>
    private static string Hostile(string buffers, string victim) => string.Join('\n',
        "set -e",
        $"cd {buffers}",
        // As the process.
        $"ln -s {victim} link-1-20260101-000000",
        "touch file-1-20260101-000000",
        "mkfifo pipe-1-20260101-000000",
        // As its files: links, pipes, and one that is larger than any memory.
        "mkdir links-2-20260101-000000 pipes-3-20260101-000000 large-4-20260101-000000 deep-5-20260101-000000",
        "for name in stream_0 metadata ring alive remarks; do",
        "  ln -s /etc/passwd links-2-20260101-000000/$name",
        "  mkfifo pipes-3-20260101-000000/$name",
        "  truncate -s 8T large-4-20260101-000000/$name",
        "done",
        $"ln -s {victim} links-2-20260101-000000/index",
        $"mkdir -p deep-5-20260101-000000/a/b/c && ln -s {victim} deep-5-20260101-000000/a/b/c/d",
        // Names: of a trace's temporary file, hidden, of no text, and with what a terminal obeys.
        "mkdir shop-6-20260101-000000.metadata .hidden-7-20260101-000000 \"$(printf 'bad\\377-8-20260101-000000')\" \"$(printf 'red\\033[31m-9-20260101-000000')\"");

    private static string MakeVictim(Place place)
    {
        string victim = place.In("victim");
        Directory.CreateDirectory(Path.Combine(victim, "inner"));
        File.WriteAllText(Path.Combine(victim, "inner", "file"), "whole");
        return victim;
    }

    private static void AssertUnharmed(string victim)
    {
        Assert.Equal("whole", File.ReadAllText(Path.Combine(victim, "inner", "file")));
        Assert.Equal([Path.Combine(victim, "inner")], Directory.GetFileSystemEntries(victim));
    }

    private static string[] As(int user, string[] command) =>
        ["setpriv", $"--reuid={user}", $"--regid={user}", "--clear-groups", "env", "HOME=/nonexistent", "DOTNET_CLI_HOME=/nonexistent", .. command];

    private static Place PlaceOfRoot()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can record other users' programs, and become them.");
        Assert.SkipUnless(Command.IsInstalled("setpriv"), "setpriv is not installed.");
        foreach (string needed in new[] { Place.Shop[^1], Environment.ProcessPath! })
        {
            using var test = Process.Start("setpriv", [$"--reuid={Nobody}", $"--regid={Nobody}", "--clear-groups", "test", "-r", needed]);
            test.WaitForExit();
            Assert.SkipWhen(test.ExitCode != 0, $"Other users cannot read {needed}.");
        }
        return new Place();
    }
}
