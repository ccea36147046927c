using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace Weir.Tests.Sessions;

/// <summary>
/// A directory of one test's own with a home for sessions in it, and the real programs run there. Removed at the end, mounts included.
/// </summary>
internal sealed partial class Place : IDisposable
{
    private readonly List<string> _mounts = [];
    private readonly List<Running> _started = [];

    /// <summary>A place, on disk by default, or with everything in shared memory.</summary>
    public Place(bool isInMemory = false)
    {
        Directory = Path.Combine(isInMemory ? "/dev/shm" : Path.GetTempPath(), $"weir-tests-{Guid.NewGuid():N}");
        System.IO.Directory.CreateDirectory(Directory);
        Home = In("home");
    }

    public string Directory { get; }

    /// <summary>The value of WEIR_HOME for everything that is started here.</summary>
    public string Home { get; set; }

    public static string Weir => Path.Combine(Repository.Root, "artifacts", "weir", "weir");

    public static string[] Shop { get; } = ["dotnet", Path.Combine(Repository.Root, "samples", "Shop", "bin", "Release", "net10.0", "Shop.dll")];

    public static string[] Role(Func<string[], int> role, params string[] arguments) =>
        [Environment.ProcessPath!, .. Program.ChildArguments(role, arguments)];

    public string In(string name) => Path.Combine(Directory, name);

    /// <summary>Starts a program here; variables are NAME=VALUE.</summary>
    public Running Start(string[] command, params string[] variables)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = Directory,
        };
        start.Environment["WEIR_HOME"] = Home;
        foreach (string name in new[] { "WEIR_SESSION", "WEIR_SEQUENCE", "WEIR_CLOCK", "WEIR_LOG" })
            start.Environment.Remove(name);
        foreach (string variable in variables)
        {
            int equals = variable.IndexOf('=');
            start.Environment[variable[..equals]] = variable[(equals + 1)..];
        }
        var running = new Running(start);
        _started.Add(running);
        return running;
    }

    /// <summary>Runs a program here to its end.</summary>
    public Finished Run(string[] command, params string[] variables) => Start(command, variables).WaitForEnd();

    /// <summary>Runs <c>weir record</c> here to its end.</summary>
    public Finished Record(params string[] arguments) => Run([Weir, "record", .. arguments]);

    public Running StartRecord(params string[] arguments) => Start([Weir, "record", .. arguments]);

    /// <summary>Waits until as many sessions as given are there.</summary>
    public void WaitForSessions(int count) => Wait.Until(
        () => System.IO.Directory.Exists(Home)
            && System.IO.Directory.GetDirectories(Home).Count(directory => File.Exists(Path.Combine(directory, "session"))) >= count,
        $"{count} sessions in {Home}");

    /// <summary>The one session's buffers, wherever they are.</summary>
    public string Buffers()
    {
        string link = Path.Combine(System.IO.Directory.GetDirectories(Home).Single(), "buffers");
        return new DirectoryInfo(link).LinkTarget ?? link;
    }

    /// <summary>Mounts a file system of some size on a new directory here, or skips the test.</summary>
    public string MountMemory(string name, string options)
    {
        string directory = In(name);
        System.IO.Directory.CreateDirectory(directory);
        var mount = Run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", directory]);
        Assert.SkipWhen(mount.Status != 0, $"A file system cannot be mounted here: {mount.Error}");
        _mounts.Add(directory);
        return directory;
    }

    /// <summary>What is left of sessions: directories in the home and buffers in shared memory that a session's link named.</summary>
    public void AssertNothingLeft()
    {
        Assert.Empty(System.IO.Directory.GetDirectories(Home));
        Assert.DoesNotContain(System.IO.Directory.GetFiles(Home), path => Path.GetFileName(path) != ".changed");
    }

    public void Dispose()
    {
        foreach (var running in _started)
            running.Dispose();
        foreach (string mount in _mounts)
            Process.Start("umount", ["-l", mount]).WaitForExit();
        // A program that has outlived its recorder makes a home again that it sees removed, until it ends.
        Wait.Until(TryDelete, $"the removal of {Directory}");
    }

    private bool TryDelete()
    {
        try
        {
            System.IO.Directory.Delete(Directory, recursive: true);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}

/// <summary>A program that was started.</summary>
internal sealed class Running : IDisposable
{
    private const int LimitMs = 120_000;

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();
    private bool _isDisposed;

    public Running(ProcessStartInfo start)
    {
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Append(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Append(_error, line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public string Output => Text(_output);

    public string Error => Text(_error);

    public bool HasExited => _process.HasExited;

    public void Write(string text)
    {
        _process.StandardInput.Write(text);
        _process.StandardInput.Flush();
    }

    public void Signal(int signal) => _ = Weir.Sessions.LibC.Kill(_process.Id, signal);

    public void WaitForOutput(string text) => Wait.Until(() => Output.Contains(text, StringComparison.Ordinal), $"'{text}' from {_process.StartInfo.FileName}: {Error}");

    /// <summary>The whole output; also that of children which outlive the program and have inherited it.</summary>
    public Finished WaitForEnd()
    {
        bool isOver = _process.WaitForExit(LimitMs);
        Assert.True(isOver, $"{string.Join(' ', _process.StartInfo.ArgumentList)} does not end: {Output}{Error}");
        _process.WaitForExit();
        return new Finished(_process.ExitCode, Output, Error);
    }

    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private static void Append(StringBuilder text, string? line)
    {
        if (line == null)
            return;
        lock (text)
            text.Append(line).Append('\n');
    }

    private static string Text(StringBuilder text)
    {
        lock (text)
            return text.ToString();
    }
}

/// <summary>A program that has ended.</summary>
internal sealed partial record Finished(int Status, string Output, string Error)
{
    /// <summary>The counts by event that the shop has printed.</summary>
    public SortedDictionary<string, long> ShopCounts()
    {
        var line = ShopLine().Match(Output);
        Assert.True(line.Success, Output + Error);
        return new SortedDictionary<string, long>(
            line.Groups[1].Value.Split(' ').Select(part => part.Split('=')).ToDictionary(
                part => $"shop:{part[0]}", part => long.Parse(part[1], CultureInfo.InvariantCulture)),
            StringComparer.Ordinal);
    }

    /// <summary>The report of <c>--json</c>, which follows the command's own output.</summary>
    public System.Text.Json.JsonElement Report() =>
        System.Text.Json.JsonDocument.Parse(Output[(Output.StartsWith('{') ? 0 : Output.IndexOf("\n{", StringComparison.Ordinal))..]).RootElement;

    [GeneratedRegex(@"^events: \d+ \((.*)\)$", RegexOptions.Multiline)]
    private static partial Regex ShopLine();
}

internal static class Wait
{
    /// <summary>Waits until something holds; fails after a time that is long for any machine.</summary>
    public static void Until(Func<bool> holds, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!holds())
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), $"Waited in vain for {what}.");
            Thread.Sleep(5);
        }
    }
}

/// <summary>Reads traces with another project's program.</summary>
internal static partial class Babeltrace
{
    public static void SkipIfMissing() => Assert.SkipUnless(Command.IsInstalled("babeltrace2"), "babeltrace2 is not installed.");

    /// <summary>The lines of a trace, which must be readable to its end; without what the recorder itself tells about the clock.</summary>
    public static string[] Lines(Place place, string trace)
    {
        SkipIfMissing();
        var result = place.Run(["babeltrace2", trace]);
        Assert.True(result.Status == 0, result.Error);
        return [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.Contains(" weir_clock:", StringComparison.Ordinal))];
    }

    public static SortedDictionary<string, long> Count(Place place, string trace) => Count(Lines(place, trace));

    public static SortedDictionary<string, long> Count(IEnumerable<string> lines)
    {
        var counts = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (string line in lines)
        {
            string name = NameOf().Match(line).Groups[1].Value;
            counts[name] = counts.GetValueOrDefault(name) + 1;
        }
        return counts;
    }

    /// <summary>The values of an integer field, in the order of the trace.</summary>
    public static long[] Values(IEnumerable<string> lines, string field) =>
        [.. lines.Select(line => Regex.Match(line, $@"[ {{]{field} = (-?\d+)")).Where(match => match.Success)
            .Select(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];

    [GeneratedRegex(@" ([\w.]+:\w+): \{")]
    private static partial Regex NameOf();
}
