using System.Globalization;
using System.Text.RegularExpressions;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Kernel;

/// <summary>Samples of counters, recorded of programs whose stacks and counts are known.</summary>
[Collection(nameof(Alone))]
public sealed class PerfSamplingTests
{
    // Spins until a time is over, in functions that keep frame pointers, and touches memory first.
    private const string Spinner = """
        #include <stdlib.h>
        #include <time.h>
        __attribute__((noinline)) unsigned spin_inner(unsigned n) { volatile unsigned x = 0; for (unsigned i = 0; i < n; i++) x += i; return x; }
        __attribute__((noinline)) unsigned spin_outer(double limit)
        {
            struct timespec begin, now;
            unsigned x = 0;
            clock_gettime(CLOCK_MONOTONIC, &begin);
            do
            {
                x += spin_inner(100000);
                clock_gettime(CLOCK_MONOTONIC, &now);
            } while ((now.tv_sec - begin.tv_sec) + (now.tv_nsec - begin.tv_nsec) / 1e9 < limit);
            return x;
        }
        int main(int count, char **arguments)
        {
            size_t pages = atoi(arguments[2]);
            volatile char *memory = malloc(pages * 4096 + 1);
            for (size_t i = 0; i < pages; i++)
                memory[i * 4096] = 1;
            return spin_outer(atof(arguments[1])) == 7;
        }
        """;

    [Fact]
    public void Stacks_of_a_command_have_its_functions()
    {
        using var place = new Place();
        string spinner = Build(place);
        var result = place.Record("-k", "perf:cpu-clock@499hz", "-k", "sched:sched_process_exec", "-k", "sched:sched_process_exit", "-o", "trace", "--", spinner, "0.3", "10");
        Assert.True(result.Status == 0, result.Error);
        Assert.Contains("lost 0 events", result.Error);
        var trace = Trace.Read(place);
        var stacks = trace.Samples("cpu-clock").Select(sample => trace.UserNames(sample)).ToList();
        Assert.True(stacks.Count(stack => stack is ["spin_inner", "spin_outer", "main", ..]) > stacks.Count / 2, string.Join('\n', stacks.Select(stack => string.Join(' ', stack))));
        AssertTimes(trace);
        Assert.Equal(trace.Lines, Babeltrace.Lines(place, "trace/kernel"));
    }

    [Fact]
    public void A_program_that_runs_already_has_names_too()
    {
        using var place = new Place();
        string spinner = Build(place);
        using var running = place.Start([spinner, "60", "10"]);
        var result = place.Record("-a", "-k", "perf:cpu-clock@199hz", "-o", "trace", "--", "sleep", "0.5");
        Assert.True(result.Status == 0, result.Error);
        var trace = Trace.Read(place);
        Assert.Contains(trace.Samples("cpu-clock"), sample => sample.Pid == running.Id && trace.UserNames(sample) is ["spin_inner", "spin_outer", "main", ..]);
    }

    [Fact]
    public void Methods_that_the_runtime_has_compiled_have_names()
    {
        KernelPlace.SkipIfMissing();
        using var place = new Place();
        var result = place.Run(
            [Place.Weir, "record", "-k", "perf:cpu-clock@499hz", "-o", "trace", "--", .. Place.Role(SpinHere)], "DOTNET_PerfMapEnabled=1", "DOTNET_TieredCompilation=0");
        Assert.True(result.Status == 0, result.Error);
        var trace = Trace.Read(place);
        Assert.Contains(trace.Samples("cpu-clock"), sample => trace.UserNames(sample).Any(name => name.Contains("PerfSamplingTests::SpinHere", StringComparison.Ordinal)));
        File.Delete($"/tmp/perf-{trace.Samples("cpu-clock").First().Pid}.map");
    }

    [Fact]
    public void Page_faults_are_as_many_as_perf_stat_counts()
    {
        Assert.SkipUnless(Command.IsInstalled("perf"), "perf (linux-perf) is not installed.");
        using var place = new Place();
        string spinner = Build(place);
        var result = place.Record("-k", "perf:page-faults", "-k", "perf:minor-faults@100", "-o", "trace", "--", "perf", "stat", "-x,", "-e", "page-faults:u,page-faults:k", "--", spinner, "0", "3000");
        Assert.True(result.Status == 0, result.Error);
        long counted = Regex.Matches(result.Error, @"^(\d+),,page-faults", RegexOptions.Multiline).Sum(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
        var trace = Trace.Read(place);
        int exec = trace.Lines.FindIndex(line => line.Contains(" perf_comm: ", StringComparison.Ordinal) && line.Contains("is_exec = 1, comm = \"spinner\"", StringComparison.Ordinal));
        Assert.True(exec >= 0, "no exec of the program");
        long pid = Babeltrace.Values([trace.Lines[exec]], "pid").Single();
        var faults = trace.Samples("page-faults").Where(sample => sample.Pid == pid && sample.Line > exec).ToList();
        // perf reads its count where the program has ended, we see the faults until then: at the edges one or another is on one side only.
        Assert.InRange(faults.Count, counted - 3, counted + 3);
        Assert.True(counted > 3000);
        Assert.True(faults.Count(sample => trace.UserNames(sample) is ["main", ..]) >= 2990);
        // Each hundredth of as many, which begins to count with perf itself.
        Assert.InRange(trace.Samples("minor-faults").Count(sample => sample.Pid == pid), (counted / 100) - 2, (counted / 100) + 2);
    }

    [Theory]
    [InlineData("perf:page-fault", "the nearest are page-faults")]
    [InlineData("perf:cpu-clock@0", "'0' is no rate")]
    [InlineData("perf:cpu-clock@1000000000hz", "kernel.perf_event_max_sample_rate")]
    [InlineData("perf:page-faults if tid == 1", "cannot be filtered")]
    public void What_cannot_be_had_is_refused_with_what_can(string rule, string part)
    {
        KernelPlace.SkipIfMissing();
        using var place = new Place();
        var result = place.Record("-k", rule, "-o", "trace", "--", "true");
        Assert.Equal(1, result.Status);
        Assert.Contains(part, result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(place.In("trace")));
    }

    [Fact]
    public void A_counter_of_the_processor_is_there_or_said_not_to_be()
    {
        KernelPlace.SkipIfMissing();
        using var place = new Place();
        var result = place.Record("-k", "perf:cycles", "-o", "trace", "--", "ls", "/");
        if (result.Status == 0)
            Assert.NotEmpty(Trace.Read(place).Samples("cycles"));
        else
            Assert.Contains("counter 'cycles': not here", result.Error, StringComparison.Ordinal);
    }

    /// <summary>As a process: spins.</summary>
    internal static int SpinHere(string[] arguments)
    {
        long end = Environment.TickCount64 + 300;
        double sum = 0;
        while (Environment.TickCount64 < end)
        {
            for (int i = 0; i < 100_000; i++)
                sum += Math.Sqrt(i);
        }
        return sum < 0 ? 1 : 0;
    }

    /// <summary>
    /// The kernel tells an exec and an exit twice, by its tracepoints and by its counters, in an order that the source has: the times have it too,
    /// though they come by different clocks.
    /// </summary>
    private static void AssertTimes(Trace trace)
    {
        int exec = trace.Lines.FindIndex(line => line.Contains(" sched_process_exec: ", StringComparison.Ordinal) && line.Contains("/spinner\"", StringComparison.Ordinal));
        int name = trace.Lines.FindIndex(line => line.Contains(" perf_comm: ", StringComparison.Ordinal) && line.Contains("is_exec = 1, comm = \"spinner\"", StringComparison.Ordinal));
        long pid = Babeltrace.Values([trace.Lines[name]], "pid").Single();
        int exit = trace.Lines.FindIndex(line => line.Contains(" sched_process_exit: ", StringComparison.Ordinal) && line.Contains($" tid = {pid},", StringComparison.Ordinal));
        int end = trace.Lines.FindIndex(line => line.Contains(" perf_exit: ", StringComparison.Ordinal) && line.Contains($" tid = {pid},", StringComparison.Ordinal));
        Assert.Equal(new[] { name, exec, exit, end }.Order(), [name, exec, exit, end]);
        Assert.InRange(Seconds(trace.Lines[exec]) - Seconds(trace.Lines[name]), 0, 0.05m);
        Assert.InRange(Seconds(trace.Lines[end]) - Seconds(trace.Lines[exit]), 0, 0.05m);
    }

    private static decimal Seconds(string line)
    {
        var match = Regex.Match(line, @"^\[(\d+):(\d+):([\d.]+)\]");
        return (decimal.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture) * 60) + decimal.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture);
    }

    private static string Build(Place place)
    {
        KernelPlace.SkipIfMissing();
        Assert.SkipUnless(Command.IsInstalled("gcc"), "gcc is not installed.");
        File.WriteAllText(place.In("spinner.c"), Spinner);
        var built = place.Run(["gcc", "-O1", "-fno-omit-frame-pointer", "-o", "spinner", "spinner.c"]);
        Assert.True(built.Status == 0, built.Error);
        return place.In("spinner");
    }

    /// <summary>A sample, as text has it.</summary>
    private sealed record Sample(int Line, string Counter, long Pid, string[] UserStack);

    /// <summary>The samples of a trace and the names in it; every address must have one.</summary>
    private sealed class Trace
    {
        private readonly Dictionary<(long Pid, string Address), string> _names = [];
        private readonly List<Sample> _samples = [];

        public required List<string> Lines { get; init; }

        public static Trace Read(Place place)
        {
            var lines = place.Run([Place.Weir, "convert", "trace/kernel"]).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).ToList();
            var trace = new Trace { Lines = lines };
            for (int i = 0; i < lines.Count; i++)
                trace.Add(i, lines[i]);
            foreach (var sample in trace._samples)
                _ = trace.UserNames(sample);
            return trace;
        }

        public IEnumerable<Sample> Samples(string counter) => _samples.Where(sample => sample.Counter == counter);

        public string[] UserNames(Sample sample) => [.. sample.UserStack.Select(address => _names[(sample.Pid, address)])];

        private void Add(int number, string line)
        {
            var symbol = Regex.Match(line, "perf_symbol: .* pid = (-?\\d+), address = (0x[0-9A-F]+), .* name = \"(.*)\", module");
            if (symbol.Success)
                _names[(long.Parse(symbol.Groups[1].Value, CultureInfo.InvariantCulture), symbol.Groups[2].Value)] = symbol.Groups[3].Value;
            var sample = Regex.Match(line, "perf_sample: .* counter = \\( \"([a-z-]+)\" .* pid = (\\d+),.* user_stack = \\[(.*)\\]");
            if (sample.Success)
            {
                string[] stack = [.. Regex.Matches(sample.Groups[3].Value, "= (0x[0-9A-F]+)").Select(match => match.Groups[1].Value)];
                _samples.Add(new Sample(number, sample.Groups[1].Value, long.Parse(sample.Groups[2].Value, CultureInfo.InvariantCulture), stack));
            }
        }
    }
}
