using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Weir.Clock;
using Weir.Graph;
using Weir.Tracing;

namespace Weir.Kernel;

/// <summary>
/// Keeps the pages as they are, in a <c>trace.dat</c> as trace-cmd writes it, with all that is needed to read them elsewhere. While it is
/// recorded each CPU has a file of its own, <c>trace.dat.cpuN</c>; they are put together, and packed if that is wanted, at the end.
/// </summary>
internal sealed class RawOutput : PageOutput
{
    /// <summary>The file's name.</summary>
    public const string FileName = "trace.dat";

    private const string OwnSystem = "ftrace";

    private readonly string _path;
    private readonly TracefsMount _tracefs;
    private readonly TracefsInstance _instance;
    private readonly SessionDescription _session;
    private readonly FtracePageLayout _layout;
    private readonly TraceDatWriter _file;
    private readonly List<RawTarget> _cpus = [];

    /// <summary>Begins a file.</summary>
    /// <exception cref="KernelException">It cannot be made.</exception>
    public RawOutput(string directory, TracefsMount tracefs, TracefsInstance instance, SessionDescription session, FtracePageLayout layout, bool isPacked)
    {
        _path = Path.Combine(directory, FileName);
        _tracefs = tracefs;
        _instance = instance;
        _session = session;
        _layout = layout;
        _file = Writing(() =>
        {
            Directory.CreateDirectory(directory);
            return new TraceDatWriter(_path, isPacked);
        });
    }

    /// <inheritdoc/>
    public override void Declare(IReadOnlyList<RecordedEvent> events)
    {
        string symbols = ReadIfThere("/proc/kallsyms");
        string printk = ReadIfThere(Path.Combine(_tracefs.Path, "printk_formats"));
        string[] own = [.. Directory.GetDirectories(Path.Combine(_tracefs.Path, "events", OwnSystem)).Order(StringComparer.Ordinal)
            .Select(path => ReadIfThere(Path.Combine(path, "format"))).Where(text => text.Length > 0)];
        var systems = events.Where(item => item.Event.System != OwnSystem)
            .GroupBy(item => item.Event.System, (system, items) => (system, (IReadOnlyList<string>)[.. items.Select(Format)])).ToList();
        _ = Writing(() =>
        {
            _file.WriteHead(_layout.PageBytes, _tracefs.ReadText("events/header_page"), _tracefs.ReadText("events/header_event"));
            _file.WriteOwnFormats(own);
            _file.WriteFormats(systems);
            _file.WriteSymbols(symbols);
            _file.WritePrintk(printk);
            _file.Reserve();
            return true;
        });

        string Format(RecordedEvent item) => _instance.ReadText($"events/{item.Event.System}/{item.Event.Name}/format");
    }

    /// <inheritdoc/>
    public override PageTarget Open(int cpu)
    {
        var target = Writing(() => new RawTarget(string.Create(CultureInfo.InvariantCulture, $"{_path}.cpu{cpu}"), cpu, _layout.PageBytes));
        _cpus.Add(target);
        return target;
    }

    /// <inheritdoc/>
    public override PageOutputResult Finish(ClockCorrelation clock, ulong endCycles, IReadOnlyList<CpuStatistics> statistics)
    {
        var problems = new List<string>();
        ulong written = 0;
        ulong notWritten = 0;
        long pageBytes = 0;
        try
        {
            WriteOptions(clock, endCycles, statistics);
            foreach (var cpu in _cpus)
            {
                string? problem = cpu.Problem;
                ulong read = statistics.FirstOrDefault(item => item.Cpu == cpu.Cpu)?.Read ?? 0;
                // Where all pages are there, the kernel has counted their events.
                ulong there = problem is null ? read : Math.Min(read, CountEvents(cpu.File, 0, cpu.LengthBytes));
                // The last page may be shorter in its file than in memory.
                RandomAccess.SetLength(cpu.File, cpu.LengthBytes);
                long bytes = _file.MovePages(cpu.File, cpu.Cpu, cpu.LengthBytes, _layout.PageBytes, out string? moveProblem);
                problem ??= moveProblem is null ? null : $"{_path}: the pages of CPU {cpu.Cpu} cannot be written: {moveProblem}";
                if (moveProblem is not null)
                    there -= Math.Min(there, CountEvents(cpu.File, bytes, cpu.LengthBytes));
                written += there;
                notWritten += read - there;
                pageBytes += bytes;
                cpu.Dispose();
                File.Delete(cpu.Path);
                if (problem is not null)
                    problems.Add(problem);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or KernelException)
        {
            problems.Add($"{_path}: cannot be completed: {e.Message}; what of the kernel's pages is not in it stays in {FileName}.cpuN beside it");
        }
        return new PageOutputResult
        {
            Events = written > 0 ? [new KernelEventCount("kernel", written, (ulong)pageBytes)] : [],
            FileBytes = _file.LengthBytes,
            Lost = statistics.Aggregate(0UL, (sum, item) => sum + item.Overwritten + item.Dropped),
            NotWritten = notWritten,
            Problems = problems,
        };
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var cpu in _cpus)
            cpu.Dispose();
        _file.Dispose();
    }

    private void WriteOptions(ClockCorrelation clock, ulong endCycles, IReadOnlyList<CpuStatistics> statistics)
    {
        int cpuCount = _cpus.Count == 0 ? 0 : _cpus.Max(cpu => cpu.Cpu) + 1;
        _file.WriteCommandLines(ReadIfThere(Path.Combine(_tracefs.Path, "saved_cmdlines")));
        foreach (var item in statistics)
            _file.WriteOption(FtraceDatOption.CpuStat, string.Create(CultureInfo.InvariantCulture, $"CPU: {item.Cpu}\n{item.Text}"));
        _file.WriteOption(FtraceDatOption.TraceClock, _instance.ReadText("trace_clock"));
        _file.WriteOption(FtraceDatOption.Uname, Uname());
        _file.WriteOption(FtraceDatOption.Version, FtraceDatSessionClock.Write(TraceMetadata.CreateClock(_session with { Correlation = clock })));
        _file.WriteOption(FtraceDatOption.TraceId, RandomNumberGenerator.GetBytes(sizeof(ulong)));
        _file.WriteOption(FtraceDatOption.CpuCount, BitConverter.GetBytes(cpuCount));
        _file.WriteClock(TraceDatTime.Of(_session.Clock, clock, endCycles));
        _file.EndOptions(cpuCount, _session.Clock == ClockKind.Counter ? KernelRecording.CounterClockName : KernelRecording.MonotonicClockName, _layout.PageBytes);
    }

    private unsafe ulong CountEvents(SafeFileHandle pages, long offset, long endOffset)
    {
        byte[] page = new byte[_layout.PageBytes];
        ulong count = 0;
        fixed (byte* start = page)
        {
            for (long at = offset; at < endOffset; at += page.Length)
            {
                int read = RandomAccess.Read(pages, page, at);
                var cursor = new FtracePageCursor(_layout, start, read, out _);
                while (cursor.MoveNext(out _))
                    count++;
            }
        }
        return count;
    }

    private T Writing<T>(Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KernelException($"{_path}: cannot be written: {e.Message}", e);
        }
    }

    /// <summary>As <c>uname</c> says it: system, host, release, machine.</summary>
    private static string Uname()
    {
        string machine = RuntimeInformation.OSArchitecture switch
        {
            Architecture.X64 => "x86_64",
            Architecture.Arm64 => "aarch64",
            var other => other.ToString().ToLowerInvariant(),
        };
        return $"{Kernel("ostype")} {Kernel("hostname")} {Kernel("osrelease")} {machine}";

        static string Kernel(string name) => ReadIfThere($"/proc/sys/kernel/{name}").Trim();
    }

    /// <summary>Reads what is good to have.</summary>
    private static string ReadIfThere(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
