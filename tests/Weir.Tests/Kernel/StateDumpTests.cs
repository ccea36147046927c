using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Weir.Clock;
using Weir.Kernel;
using Weir.Tests.Sessions;
using Weir.Tracing;
using Xunit;

namespace Weir.Tests.Kernel;

/// <summary>What a recording of the kernel says of the machine, against /proc of a process that is there meanwhile.</summary>
[Collection(nameof(Alone))]
public sealed partial class StateDumpTests
{
    private const int SetName = 15;

    [Fact]
    public void A_process_is_there_with_its_threads_files_sockets_and_modules()
    {
        KernelPlace.SkipIfMissing();
        using var place = new Place();
        string file = place.In("a file (of mine)");
        using var child = place.Start(Place.Role(Target, file));
        child.WaitForOutput("ready");
        string port = Regex.Match(child.Output, @"port=(\d+)").Groups[1].Value;
        var result = place.Record("-k", "sched:sched_process_exec", "-o", "trace", "--", "true");
        Assert.True(result.Status == 0, result.Error);
        Assert.DoesNotContain("state dump", result.Error);

        string[] lines = place.Run([Place.Weir, "convert", "trace/kernel"]).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var threads = Directory.GetDirectories($"/proc/{child.Id}/task").Select(path => int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture)).Order();
        string[] states = Of(lines, "lttng_statedump_process_state", $" pid = {child.Id},");
        Assert.Equal(threads, states.Select(line => (int)Babeltrace.Values([line], "tid").Single()).Order());
        Assert.All(states, line => Assert.Contains($"ppid = {Environment.ProcessId},", line, StringComparison.Ordinal));
        Assert.Contains(states, line => line.Contains($"tid = {child.Id},", StringComparison.Ordinal) && line.Contains("name = \"a) R\\n(\uFFFD\"", StringComparison.Ordinal));

        string table = Regex.Match(states[0], "file_table_address = (0x[0-9A-F]+)").Groups[1].Value;
        string descriptor = Assert.Single(Of(lines, "lttng_statedump_file_descriptor", $" file_table_address = {table},"), line => line.Contains(file, StringComparison.Ordinal));
        string fd = Regex.Match(descriptor, @" fd = (\d+)").Groups[1].Value;
        string flags = File.ReadLines($"/proc/{child.Id}/fdinfo/{fd}").Single(line => line.StartsWith("flags:", StringComparison.Ordinal)).Split('\t')[1];
        Assert.Contains($" flags = 0{flags.TrimStart('0')},", descriptor, StringComparison.Ordinal);

        string socket = Assert.Single(Of(lines, "weir_statedump_inet_socket", $" local_port = {port},"));
        Assert.Contains($" pid = {child.Id},", socket, StringComparison.Ordinal);
        Assert.Contains("\"listen\"", socket, StringComparison.Ordinal);
        Assert.Contains("local_address = \"127.0.0.1\"", socket, StringComparison.Ordinal);
        AssertModules(place, child.Id, Of(lines, "weir_statedump_module", $" pid = {child.Id},"));
        Assert.Equal(lines, Babeltrace.Lines(place, "trace/kernel"));
    }

    [Fact]
    public void The_machine_is_there_with_its_CPUs_interrupts_and_interfaces()
    {
        KernelPlace.SkipIfMissing();
        using var place = new Place();
        var result = place.Record("-k", "sched:sched_process_exec", "-o", "trace", "--", "true");
        Assert.True(result.Status == 0, result.Error);
        string[] lines = place.Run([Place.Weir, "convert", "trace/kernel"]).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(
            File.ReadLines("/proc/cpuinfo").Count(line => line.StartsWith("processor", StringComparison.Ordinal)),
            Of(lines, "lttng_statedump_cpu_topology", "").Length);
        Assert.Single(Of(lines, "lttng_statedump_network_interface", "name = \"lo\", address_ipv4 = 0x7F000001"));
        foreach (string directory in Directory.GetDirectories("/sys/kernel/irq"))
        {
            string[] actions = File.ReadAllText(Path.Combine(directory, "actions")).Trim().Split(',', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(actions.Length, Of(lines, "lttng_statedump_interrupt", $" irq = {Path.GetFileName(directory)},").Length);
        }
        Assert.Single(Of(lines, "lttng_statedump_start", ""));
        Assert.Single(Of(lines, "lttng_statedump_end", ""));
        Assert.NotEmpty(Of(lines, "lttng_statedump_process_state", "type = 1,"));
    }

    [Theory]
    [InlineData(StateDumpOutput.MaxBytes, false)]
    [InlineData(-1L, true)]
    public void A_dump_that_becomes_too_long_is_cut_and_says_so(long maxBytes, bool isCut)
    {
        using var place = new Place();
        var session = new SessionDescription { Clock = ClockKind.Monotonic, Correlation = new ClockCorrelation(1_000_000_000, 0, 0) };
        var problems = new List<string>();
        using (var trace = new KernelTrace(place.In("trace"), session))
        {
            using var dump = new StateDump(trace, ClockKind.Monotonic, problems, maxBytes);
            dump.Start();
            dump.Finish();
            Assert.Equal(!isCut, dump.Result.Events.Any(item => item.Name == "lttng_statedump_end"));
            Assert.Contains(dump.Result.Events, item => item.Name == "lttng_statedump_cpu_topology");
        }
        Assert.Equal(isCut, problems.Any(problem => problem.Contains("was cut", StringComparison.Ordinal)));
        Assert.NotEmpty(Babeltrace.Lines(place, "trace"));
    }

    [Fact]
    public void A_recording_can_be_without()
    {
        KernelPlace.SkipIfMissing();
        using var place = new Place();
        var result = place.Record("--no-state-dump", "-k", "sched:sched_process_exec", "-o", "trace", "--", "true");
        Assert.True(result.Status == 0, result.Error);
        Assert.DoesNotContain("statedump", place.Run([Place.Weir, "convert", "trace/kernel"]).Output, StringComparison.Ordinal);
        Assert.False(File.Exists(place.In("trace/kernel/statedump")));
    }

    /// <summary>Executable mappings as /proc has them, and build IDs as readelf prints them.</summary>
    private static void AssertModules(Place place, int pid, string[] modules)
    {
        var expected = File.ReadLines($"/proc/{pid}/maps").Where(line => line.Split(' ')[1].Contains('x', StringComparison.Ordinal) && line.Contains(".so", StringComparison.Ordinal))
            .Select(line => ulong.Parse(line[..line.IndexOf('-', StringComparison.Ordinal)], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
        var starts = modules.Where(line => line.Contains(".so", StringComparison.Ordinal))
            .Select(line => ulong.Parse(Regex.Match(line, "start = 0x([0-9A-F]+)").Groups[1].Value, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
        Assert.Equal(expected.Order(), starts.Order());
        if (!Command.IsInstalled("readelf"))
            return;
        string libc = modules.First(line => line.Contains("/libc.so.6\"", StringComparison.Ordinal));
        string path = Regex.Match(libc, "path = \"(.*)\"").Groups[1].Value;
        string buildId = Regex.Match(place.Run(["readelf", "-n", path]).Output, "Build ID: ([0-9a-f]+)").Groups[1].Value;
        Assert.Equal(buildId, Convert.ToHexStringLower([.. ElementOf().Matches(libc).Select(match => byte.Parse(match.Groups[1].Value, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture))]));
    }

    private static string[] Of(string[] lines, string name, string part) =>
        [.. lines.Where(line => line.Contains($" {name}: ", StringComparison.Ordinal) && line.Contains(part, StringComparison.Ordinal))];

    /// <summary>As a process: has a strange name, a file and a port open until its input ends.</summary>
    internal static int Target(string[] arguments)
    {
        _ = SetProcessOption(SetName, [.. "a) R\n("u8, 0xFF, 0], 0, 0, 0);
        using var file = new FileStream(arguments[0], FileMode.Create, FileAccess.ReadWrite);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"port={((IPEndPoint)listener.LocalEndpoint).Port}"));
        Console.WriteLine("ready");
        _ = Console.In.ReadToEnd();
        return 0;
    }

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int SetProcessOption(int option, byte[] value, nint third, nint fourth, nint fifth);

    [GeneratedRegex(@"\[\d+\] = 0x([0-9A-F]+)")]
    private static partial Regex ElementOf();
}
