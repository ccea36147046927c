using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Weir.Kernel;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Kernel;

/// <summary><c>weir record -k</c> as people call it; traces are read with babeltrace2.</summary>
[Collection(nameof(Alone))]
public sealed partial class KernelRecordTests
{
    private static readonly string[] s_dd = ["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=2000", "status=none"];

    public KernelRecordTests() => KernelPlace.SkipIfMissing();

    [Fact]
    public void Calls_and_switches_of_the_command_and_its_children_are_recorded_and_nothing_else()
    {
        using var place = new Place();
        var result = place.Record(["-k", "syscalls:write", "-k", "sched:sched_process_fork", "-o", "trace", "--", "sh", "-c", $"{string.Join(' ', s_dd)}; echo $$"]);
        Assert.True(result.Status == 0, result.Error);
        Assert.Contains("of the kernel in", result.Error);
        Assert.Contains("lost 0 events", result.Error);
        string[] lines = Babeltrace.Lines(place, "trace");
        // dd's own, and what the shell prints at the end.
        Assert.Equal(2001, lines.Count(line => line.Contains(" syscall_entry_write: ", StringComparison.Ordinal) && line.Contains("count = 1 ", StringComparison.Ordinal)) + 1);
        string shell = result.Output.Trim();
        Assert.Contains(lines, line => line.Contains(" syscall_entry_write: ", StringComparison.Ordinal) && line.Contains($"{{ tid = {shell},", StringComparison.Ordinal));
        var children = lines.Select(line => Regex.Match(line, @"sched_process_fork: .* parent_tid = (\d+),.* child_tid = (\d+)")).Where(match => match.Success).ToList();
        var known = children.Select(match => match.Groups[2].Value).Append(shell).ToHashSet();
        string[] strangers = [.. lines.Where(line => line.Contains(" syscall_", StringComparison.Ordinal)).Select(line => ThreadOf().Match(line).Groups[1].Value).Distinct().Where(thread => !known.Contains(thread))];
        // The recorder's thread is in the list while it starts the command.
        Assert.True(strangers.Length <= 1, string.Join(", ", strangers));
        Assert.Empty(KernelPlace.Remains());
    }

    [Fact]
    public void Programs_and_kernel_stand_in_one_order()
    {
        using var place = new Place();
        var result = place.Record(["-k", "syscalls:write", "-e", "shop:*", "-o", "trace", "--", .. Place.Shop, "--seconds", "0.3"]);
        Assert.True(result.Status == 0, result.Error);
        Assert.Contains("of the kernel and 1 process in", result.Error);
        string[] lines = Babeltrace.Lines(place, "trace");
        Assert.Equal(result.ShopCounts(), Babeltrace.Count(lines.Where(line => line.Contains(" shop:", StringComparison.Ordinal))));
        int first = Array.FindIndex(lines, line => line.Contains(" shop:", StringComparison.Ordinal));
        int last = Array.FindLastIndex(lines, line => line.Contains(" shop:", StringComparison.Ordinal));
        // The shop prints its counts when it has emitted everything: that call comes behind its last event, and there are some between.
        int print = Array.FindLastIndex(lines, line => line.Contains(" syscall_entry_write: ", StringComparison.Ordinal));
        Assert.InRange(first, 0, last);
        Assert.InRange(print, last, lines.Length);
    }

    [Theory]
    [InlineData("sched:sched_swich", "this kernel has no such event; the nearest are sched:sched_switch")]
    [InlineData("schedd:*", "nor a system 'schedd'")]
    [InlineData("sched:sched_switch if prev_foo == 1", "it has no field 'prev_foo'; its fields are prev_comm, prev_pid")]
    [InlineData("sched:sched_switch if prev_prio > 0.5", "no numbers with a fraction")]
    [InlineData("sched:sched_switch if prev_tid == next_tid", "with a constant only")]
    [InlineData("sched:sched_switch if prev_tid == \"bash\"", "the kernel refuses the filter 'prev_pid == \"bash\"': ")]
    public void What_cannot_be_recorded_is_said_before_anything_starts_and_leaves_nothing(string rule, string message)
    {
        using var place = new Place();
        var result = place.Record(["-k", "sched:sched_waking", "-k", rule, "-o", "trace", "--", "touch", "ran"]);
        Assert.Equal(1, result.Status);
        Assert.Contains(message, result.Error);
        Assert.False(File.Exists(place.In("ran")), "the command ran");
        Assert.False(Directory.Exists(place.In("trace")), "the trace's directory is there");
        Assert.Empty(KernelPlace.Remains());
    }

    [Theory]
    [InlineData("sched", "not system:event")]
    [InlineData("sched:", "not system:event")]
    [InlineData("sched:sched_switch if prev_tid ==", "column 34")]
    public void A_wrong_rule_is_a_wrong_command_line(string rule, string message)
    {
        using var place = new Place();
        var result = place.Record(["-k", rule, "--", "true"]);
        Assert.Equal(2, result.Status);
        Assert.Contains(message, result.Error);
    }

    [Fact]
    public void Filters_are_evaluated_as_the_trace_shows_the_fields()
    {
        using var place = new Place();
        var result = place.Record(["-a", "-k", "sched:sched_switch if !(next_prio >= 20) || prev_comm == \"slee*\"", "-k", "syscalls:write if count == 1 && fd == 1", "-o", "trace", "--", "sh", "-c", $"{string.Join(' ', s_dd)}; sleep 0.05"]);
        Assert.True(result.Status == 0, result.Error);
        string[] lines = Babeltrace.Lines(place, "trace");
        Assert.Equal(2000, lines.Count(line => line.Contains(" syscall_entry_write: ", StringComparison.Ordinal) && line.Contains("fd = 1, ", StringComparison.Ordinal) && line.Contains("count = 1 ", StringComparison.Ordinal)));
        var switches = lines.Where(line => line.Contains(" sched_switch: ", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(switches);
        Assert.All(switches, line => Assert.Matches(@"prev_comm = ""slee.*|next_prio = (-\d+|1?\d) ", line));
    }

    [Fact]
    public void What_the_kernel_had_no_room_for_is_counted_where_it_is_missing()
    {
        using var place = new Place();
        // Nobody drains while the recorder stands still, and the buffer has room for some hundred events.
        var running = place.StartRecord("-a", "-k", "raw_syscalls:*", "--kernel-buffer-size", "64k", "--no-state-dump", "--json", "-o", "trace", "--", "sh", "-c", "kill -STOP $PPID; dd if=/dev/zero of=/dev/null bs=1 count=20000 status=none; kill -CONT $PPID; sleep 0.2");
        var result = running.WaitForEnd();
        Assert.True(result.Status == 0, result.Error);
        long lost = result.Report().GetProperty("lost").GetProperty("kernel_buffer_full").GetInt64();
        long kept = result.Report().GetProperty("events").GetInt64();
        Assert.InRange(lost, 1000, 10_000_000);
        var converted = place.Run([Place.Weir, "convert", "trace"]);
        long told = Regex.Matches(converted.Error, @"discarded (\d+) event").Sum(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
        Assert.True(lost == told, $"{lost} lost, {told} told: {converted.Error}");
        Assert.Equal(kept, converted.Output.Split('\n').Count(line => line.Contains(" sys_e", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("--overwrite")]
    [InlineData("--discard")]
    public void A_full_buffer_keeps_the_newest_events_or_with_discard_the_oldest(string option)
    {
        using var place = new Place();
        // Each call has a number, and nobody drains while the recorder stands still.
        const int Calls = 20_000;
        var result = place.Record([
            option, "-k", "raw_syscalls:sys_enter if id == 62", "--kernel-buffer-size", "64k", "--no-state-dump", "--json", "-o", "trace", "--",
            "taskset", "-c", "0", "bash", "-c", $"kill -STOP $PPID; while grep -qE '^State:.[^T]' /proc/$PPID/task/*/status; do :; done; for ((i = 1; i <= {Calls}; i++)); do kill -0 $((1000000000 + i)); done 2>/dev/null; kill -CONT $PPID; sleep 0.2"]);
        Assert.SkipWhen(RuntimeInformation.ProcessArchitecture != Architecture.X64, "The number of kill is another one here.");
        Assert.True(result.Status == 0, result.Error);
        long[] kept = [.. Babeltrace.Lines(place, "trace").Select(line => KilledProcess().Match(line)).Where(match => match.Success).Select(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) - 1_000_000_000).Where(call => call > 0)];
        long lost = result.Report().GetProperty("lost").GetProperty("kernel_buffer_full").GetInt64();
        // Those that stop the recorder and let it go on may be among either.
        Assert.InRange(lost + kept.Length, Calls, Calls + 2);
        Assert.InRange(kept.Length, 500, Calls / 2);
        Assert.Equal(Enumerable.Range((int)kept[0], kept.Length).Select(item => (long)item), kept);
        Assert.Equal(option == "--discard" ? 1 : Calls, option == "--discard" ? kept[0] : kept[^1]);
    }

    [Theory]
    [InlineData("either its oldest events or the newest", "--overwrite", "--discard", "-k", "sched:*")]
    [InlineData("--overwrite: programs' buffers lose the newest events", "--overwrite")]
    public void What_a_full_buffer_loses_is_said_once_and_of_the_kernel(string message, params string[] options)
    {
        using var place = new Place();
        var result = place.Record([.. options, "--", "true"]);
        Assert.Equal(2, result.Status);
        Assert.Contains(message, result.Error);
    }

    [Fact]
    public void What_a_killed_recorder_left_the_next_one_and_doctor_remove()
    {
        using var place = new Place();
        foreach (string[] cleaner in new string[][] { ["record", "-k", "sched:sched_switch", "-o", "next", "--", "true"], ["doctor"] })
        {
            using var running = place.StartRecord("-a", "-k", "sched:*", "-o", $"killed-{cleaner[0]}", "--", "sleep", "60");
            Wait.Until(() => KernelPlace.InstancesOf(running.Id).Length > 0, "the instance");
            running.Signal(9);
            Wait.Until(() => running.HasExited, "the recorder's end");
            string[] left = KernelPlace.InstancesOf(running.Id);
            var result = place.Run([Place.Weir, .. cleaner]);
            Assert.True(result.Status == 0, result.Error);
            // Another recorder on this machine may have been faster.
            if (left is [var name])
                Assert.Contains(name, result.Output + result.Error);
            Assert.Empty(KernelPlace.InstancesOf(running.Id));
        }
    }

    [Fact]
    public void Without_the_right_to_it_the_recorder_says_what_it_needs_and_records_the_rest()
    {
        Assert.SkipUnless(Command.IsInstalled("setpriv"), "setpriv (util-linux) is not installed.");
        using var place = new Place();
        Directory.CreateDirectory(place.Home);
        Assert.Equal(0, place.Run(["chmod", "777", place.Directory]).Status);
        var result = place.Run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", Place.Weir, "record", "-k", "sched:*", "-o", "trace", "--", .. Place.Shop, "--seconds", "0.1"],
            $"WEIR_HOME={place.In("nobody")}", $"HOME={place.Directory}", "DOTNET_EnableDiagnostics=0");
        Assert.SkipWhen(result.Error.Contains("Permission denied", StringComparison.Ordinal) && result.Error.Contains("artifacts", StringComparison.Ordinal), $"The program lies where only root can go: {result.Error}");
        Assert.True(result.Status == 0, result.Error);
        Assert.Matches(@"^weir: warning: the kernel is not recorded: .*needs root, or tracefs mounted for a group.*\n", result.Error);
        Assert.Equal(result.ShopCounts(), Babeltrace.Count(place, "trace"));
    }

    [Fact]
    public void A_disk_that_is_full_loses_events_and_says_so()
    {
        using var place = new Place();
        string disk = place.MountMemory("disk", "size=4m");
        var result = place.Record(["-a", "-k", "raw_syscalls:*", "--json", "-o", Path.Combine(disk, "trace"), "--subbuf-size", "64k", "--", "dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=200000", "status=none"]);
        Assert.True(result.Status == 0, result.Error);
        Assert.InRange(result.Report().GetProperty("lost").GetProperty("not_written").GetInt64(), 1000, 100_000_000);
        Assert.Contains("cannot be written further", result.Report().GetProperty("problems").ToString());
        // What was written before is a trace.
        Assert.NotEmpty(Babeltrace.Lines(place, Path.Combine(disk, "trace", "kernel")));
        Assert.Empty(KernelPlace.Remains());
    }

    [GeneratedRegex(@"args = \[ \[0\] = (\d+)")]
    private static partial Regex KilledProcess();

    [GeneratedRegex(@"\{ tid = (\d+),")]
    private static partial Regex ThreadOf();
}
