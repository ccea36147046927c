using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Kernel;

/// <summary>The same load recorded by Weir and by the peers at once: they saw the same.</summary>
[Collection(nameof(Alone))]
public sealed partial class KernelTruthTests
{
    private const string Load = "ls -R /usr/share/doc >/dev/null; dd if=/dev/zero of=/dev/null bs=1 count=20000 2>/dev/null; for i in 1 2 3 4 5 6 7 8; do /bin/true; done";

    // Both stamp the same event, one after the other; an interrupt may come in between.
    private const long MaxApart = 1_000_000;

    // Outside of the first and last milliseconds of the shorter of the two.
    private const long Margin = 20_000_000;

    // TRACE_FLAG_HARDIRQ, TRACE_FLAG_SOFTIRQ and TRACE_FLAG_NMI of the kernel's common_flags.
    private const int InInterrupt = 0x08 | 0x10 | 0x40;

    [Fact]
    public void Trace_cmd_recorded_the_same_events_with_the_same_fields_on_the_same_CPUs_in_the_same_order()
    {
        KernelPlace.SkipIfMissing();
        Assert.SkipUnless(Command.IsInstalled("trace-cmd"), "trace-cmd is not installed.");
        using var place = new Place();
        // What this kernel may refuse is kept from trace-cmd by a mount namespace of its own.
        string peer = "for file in /proc/sys/kernel/ftrace_enabled /sys/kernel/tracing/set_ftrace_*; do [ ! -e $file ] || mount --bind /dev/null $file; done; "
            + $"exec trace-cmd record -q -C x86-tsc -b 32768 -e sched -e raw_syscalls -e irq -o trace.dat bash -c '{Load}'";
        var result = place.Record(
            ["-a", "-k", "sched:*", "-k", "raw_syscalls:*", "-k", "irq:*", "--kernel-buffer-size", "32M", "-o", "trace", "--", "unshare", "-m", "bash", "-c", peer]);
        Assert.SkipWhen(result.Error.Contains("trace-cmd: ", StringComparison.Ordinal), $"trace-cmd cannot record here: {result.Error}");
        Assert.True(result.Status == 0, result.Error);
        Assert.Contains("lost 0 events", result.Error);

        var ours = OurEvents(place.Run([Place.Weir, "convert", "--clock-cycles", "trace"]).Output);
        var theirs = TheirEvents(place.Run(["trace-cmd", "report", "-R", "-t", "-N", "trace.dat"]).Output);
        Assert.Equal(theirs.Keys.Order(), ours.Keys.Order());
        int compared = 0;
        foreach (int cpu in theirs.Keys)
            compared += TracerPairs.Compare(cpu, ours[cpu], theirs[cpu], MaxApart, Margin);
        Assert.True(compared > 40_000, $"only {compared} events of both were compared");
    }

    [Fact]
    public void Perf_stat_counted_as_many_events()
    {
        KernelPlace.SkipIfMissing();
        Assert.SkipUnless(Command.IsInstalled("perf"), "perf (linux-perf) is not installed.");
        using var place = new Place();
        string[] load = ["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-e", "sched:sched_process_exec", "--", "dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=5000", "status=none"];
        var result = place.Record(["-k", "raw_syscalls:sys_enter", "-k", "sched:sched_process_exec", "-o", "trace", "--", .. load]);
        Assert.True(result.Status == 0, result.Error);
        var counted = Regex.Matches(result.Error, @"^(\d+),.*?,(\w+:\w+),", RegexOptions.Multiline).ToDictionary(match => match.Groups[2].Value, match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
        string[] lines = place.Run([Place.Weir, "convert", "trace"]).Output.Split('\n');
        string exec = Assert.Single(lines, line => line.Contains("sched_process_exec", StringComparison.Ordinal) && line.Contains("/dd\"", StringComparison.Ordinal));
        string thread = Regex.Match(exec, @"\{ tid = \d+,").Value;
        // perf counts from the exec on, which enables it.
        int calls = lines.SkipWhile(line => line != exec).Count(line => line.Contains(" sys_enter: ", StringComparison.Ordinal) && line.Contains(thread, StringComparison.Ordinal));
        Assert.Equal(counted["raw_syscalls:sys_enter"], calls);
        Assert.Equal(1, counted["sched:sched_process_exec"]);
    }

    private static Dictionary<int, List<TracedEvent>> OurEvents(string text)
    {
        var events = new Dictionary<int, List<TracedEvent>>();
        foreach (string line in text.Split('\n'))
        {
            var match = OurLine().Match(line);
            if (!match.Success)
                continue;
            var values = OurValue().Matches(match.Groups["fields"].Value).Select(value => value.Groups[1].Success ? value.Groups[1].Value.Trim() : Number(value.Groups[2].Value));
            Add(events, match, values);
        }
        return events;
    }

    private static Dictionary<int, List<TracedEvent>> TheirEvents(string text)
    {
        var events = new Dictionary<int, List<TracedEvent>>();
        foreach (string line in text.Split('\n'))
        {
            var match = TheirLine().Match(line);
            if (match.Success)
                Add(events, match, TheirValues(match.Groups["fields"].Value));
        }
        return events;
    }

    private static void Add(Dictionary<int, List<TracedEvent>> events, Match match, IEnumerable<string> values)
    {
        int cpu = int.Parse(match.Groups["cpu"].Value, CultureInfo.InvariantCulture);
        if (!events.TryGetValue(cpu, out var list))
            events.Add(cpu, list = []);
        list.Add(new TracedEvent(
            long.Parse(match.Groups["time"].Value, CultureInfo.InvariantCulture),
            match.Groups["tid"].Value,
            match.Groups["flags"].Success ? int.Parse(match.Groups["flags"].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture) & InInterrupt : 0,
            $"{match.Groups["name"].Value.Replace("irq_softirq_", "softirq_", StringComparison.Ordinal)} tid={match.Groups["tid"].Value} {string.Join(' ', values)}"));
    }

    /// <summary><c>name=value name=value</c>, texts with spaces and arrays as <c>ARRAY[9c, ff, ...]</c>, bytes in base 16.</summary>
    private static IEnumerable<string> TheirValues(string fields)
    {
        foreach (Match field in TheirField().Matches(fields))
        {
            string value = field.Groups[1].Value.Trim();
            if (field.Value.Contains("prio=", StringComparison.Ordinal))
            {
                // As LTTng has them.
                yield return (int.Parse(value, CultureInfo.InvariantCulture) - 100).ToString(CultureInfo.InvariantCulture);
                continue;
            }
            if (!value.StartsWith("ARRAY[", StringComparison.Ordinal))
            {
                yield return Number(value);
                continue;
            }
            byte[] bytes = [.. value[6..].TrimEnd(']').Split(", ").Select(text => byte.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
            for (int i = 0; i + 8 <= bytes.Length; i += 8)
                yield return BitConverter.ToUInt64(bytes, i).ToString(CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Numbers in base 10 whatever base and sign they were written in; text as it is.</summary>
    private static string Number(string text)
    {
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) && ulong.TryParse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong value))
            return value.ToString(CultureInfo.InvariantCulture);
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) ? number.ToString(CultureInfo.InvariantCulture) : text;
    }

    [GeneratedRegex(@"^\[(?<time>\d+)\] .*? ?(?<name>\w+): \{ cpu_id = (?<cpu>\d+) \}, \{ tid = (?<tid>-?\d+), .*?irq_flags = 0x(?<flags>[0-9A-F]+) \}, \{ (?<fields>.*) \}$")]
    private static partial Regex OurLine();

    [GeneratedRegex(@"(?:= |: )(?:""([^""]*)""|(-?[0-9A-Fx][0-9A-Fa-fx]*))(?=[ ,)]|$)")]
    private static partial Regex OurValue();

    [GeneratedRegex(@"^ *.*-(?<tid>\d+) +\[(?<cpu>\d+)\] *(?<time>\d+): (?<name>\w+): +(?<fields>.*)$")]
    private static partial Regex TheirLine();

    [GeneratedRegex(@"\w+=(ARRAY\[.*?\]|.*?)(?= \w+=|$)")]
    private static partial Regex TheirField();
}
