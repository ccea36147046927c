using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Weir.Benchmarks.Convert;

/// <summary>A program's run, its output read through a pipe and thrown away.</summary>
internal static unsafe partial class MeasuredRun
{
    private const int ChildrenUsage = -1;

    /// <summary>Status, user s, system s, wall s, peak KiB and bytes of output, separated by tabs.</summary>
    public static string Of(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, UseShellExecute = false };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        var watch = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.BaseStream;
        byte[] buffer = new byte[1 << 20];
        long bytes = 0;
        for (int read = output.Read(buffer); read > 0; read = output.Read(buffer))
            bytes += read;
        process.WaitForExit();
        double wall = watch.Elapsed.TotalSeconds;
        // struct rusage of 64-bit Linux: user and system time as seconds and microseconds, then the peak in KiB. The only child there was.
        long* usage = stackalloc long[18];
        _ = getrusage(ChildrenUsage, usage);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{process.ExitCode}\t{usage[0] + (usage[1] / 1e6):F3}\t{usage[2] + (usage[3] / 1e6):F3}\t{wall:F3}\t{usage[4]}\t{bytes}");
    }

    [LibraryImport("libc")]
    private static partial int getrusage(int who, long* usage);
}
