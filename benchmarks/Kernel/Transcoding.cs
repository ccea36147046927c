using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Weir.Clock;
using Weir.Ctf;
using Weir.Graph;
using Weir.Kernel;
using Weir.Tracing;

namespace Weir.Benchmarks.Kernel;

/// <summary>What it costs to make CTF of the kernel's pages, apart from getting them.</summary>
internal static unsafe class Transcoding
{
    private const int PageBytes = 4096;
    private const int BufferKiB = 64 << 10;
    private static readonly string[] s_systems = ["sched", "raw_syscalls"];

    public static void Run(string directory, int rounds)
    {
        using var tracefs = TracefsMount.Open();
        using var instance = TracefsInstance.Create(tracefs);
        var layout = FtracePageLayout.Parse(tracefs.ReadText("events/header_page"), ByteOrder.LittleEndian, nint.Size);
        var pages = Record(instance);
        for (int round = 0; round < rounds; round++)
        {
            string place = Path.Combine(directory, round.ToString(CultureInfo.InvariantCulture));
            using (var trace = new KernelTrace(place, new SessionDescription { Correlation = new ClockCorrelation(1_000_000_000, 0, 0) }))
            {
                var stream = trace.AddStreamClass(PageTranscoder.CommonContext, LttngEventHeader.Compact);
                var table = new KernelEventTable(trace, stream, instance);
                Declare(table, instance);
                using var output = trace.OpenStream(stream, "stream", 0, 0, 512 << 10);
                var transcoder = new PageTranscoder(output, table, layout);
                var before = Environment.CpuUsage.TotalTime;
                foreach (var (start, length) in pages)
                    transcoder.Add((byte*)start, length);
                output.Flush();
                double seconds = (Environment.CpuUsage.TotalTime - before).TotalSeconds;
                ulong events = transcoder.Statistics().Aggregate(0UL, (sum, item) => sum + item.Count);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{events}\t{seconds:F4}\t{pages.Sum(page => (long)page.Length)}\t{output.FileBytes}"));
            }
            Directory.Delete(place, recursive: true);
        }
    }

    /// <summary>As a recording does before it starts.</summary>
    private static void Declare(KernelEventTable table, TracefsInstance instance)
    {
        foreach (string system in s_systems)
        {
            foreach (string path in Directory.EnumerateDirectories(instance.PathOf($"events/{system}")))
                table.Declare(new RecordedEvent(new KernelEventName(system, Path.GetFileName(path))));
        }
    }

    private static List<(nint Start, int Length)> Record(TracefsInstance instance)
    {
        instance.Write("buffer_size_kb", BufferKiB.ToString(CultureInfo.InvariantCulture));
        foreach (string system in s_systems)
            instance.Write($"events/{system}/enable", "1");
        instance.Write("tracing_on", "1");
        foreach (string load in new[] { "dd if=/dev/zero of=/dev/null bs=1 count=400000 status=none", "for i in $(seq 200); do /bin/true | /bin/true; done" })
        {
            using var process = Process.Start("bash", ["-c", load]);
            process.WaitForExit();
        }
        instance.Write("tracing_on", "0");
        var pages = new List<(nint, int)>();
        for (int cpu = 0; Directory.Exists(instance.PathOf($"per_cpu/cpu{cpu}")); cpu++)
        {
            using var file = new CpuPages(instance, cpu);
            while (true)
            {
                byte* page = (byte*)NativeMemory.Alloc(PageBytes);
                int length = file.Read(page, PageBytes);
                if (length == 0)
                    break;
                pages.Add(((nint)page, length));
            }
        }
        return pages;
    }
}
