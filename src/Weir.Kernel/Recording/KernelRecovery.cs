using System.Globalization;
using System.Runtime.InteropServices;
using Weir.Clock;
using Weir.Ctf;
using Weir.Graph;
using Weir.Tracing;

namespace Weir.Kernel;

/// <summary>
/// Makes a trace of what an instance of the kernel's tracer holds that nobody drains: one whose memory outlived a panic
/// (<c>reserve_mem=</c> and <c>trace_instance=</c> on the kernel's command line), or that of a recorder that was killed. What was taken out is
/// in it no more. Source: linux, Documentation/trace/debugging.rst.
/// </summary>
public static unsafe class KernelRecovery
{
    private const int PacketBytes = 512 << 10;
    private const string BootInfo = "last_boot_info";

    /// <summary>Between two samples of the clock: its rate to some parts in a million.</summary>
    private const int MeasureMs = 50;

    /// <summary>Takes what an instance holds.</summary>
    /// <param name="name">The instance's name.</param>
    /// <param name="outputDirectory">The trace's directory, in which <see cref="KernelRecording.DirectoryName"/> is made.</param>
    /// <param name="clockName">The trace clock of the events; null for the one that the instance has now. A boot sets it back.</param>
    /// <exception cref="KernelException">It cannot be had; nothing was taken.</exception>
    public static KernelRecordingResult Recover(string name, string outputDirectory, string? clockName = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        using var tracefs = TracefsMount.Open();
        using var instance = TracefsInstance.Open(tracefs, name);
        // Else what is recorded now would come behind what was.
        string wasOn = instance.ReadText("tracing_on").Trim();
        instance.Write("tracing_on", "0");
        try
        {
            var layout = FtracePageLayout.Parse(tracefs.ReadText("events/header_page"), ByteOrder.LittleEndian, nint.Size);
            PageTranscoder.CheckLayout(EventFormats.Read(instance, EventCatalogue.Read(tracefs).Events[0]));
            string clock = clockName ?? ChosenClock(instance.ReadText("trace_clock"));
            string directory = Path.Combine(outputDirectory, KernelRecording.DirectoryName);
            using var trace = new KernelTrace(directory, CreateClock(clock, File.Exists(instance.PathOf(BootInfo))), LttngEnvironment.Create(name));
            using var output = new TranscodedOutput(trace, instance, layout, PacketBytes);
            output.Declare([]);
            var statistics = new List<CpuStatistics>();
            foreach (int cpu in CpuPages.Cpus(instance))
            {
                Drain(instance, cpu, output.Open(cpu), layout.PageBytes);
                statistics.Add(CpuStatistics.Of(instance, cpu));
            }
            var pages = output.Finish(default, 0, statistics);
            return new KernelRecordingResult
            {
                TraceDirectory = directory,
                Events = [.. pages.Events.OrderBy(item => item.Name, StringComparer.Ordinal)],
                FileBytes = pages.FileBytes,
                Lost = pages.Lost,
                NotWritten = pages.NotWritten,
                Problems = pages.Problems,
            };
        }
        catch (CtfException e)
        {
            throw new KernelException(e.Message, e);
        }
        finally
        {
            instance.TryWrite("tracing_on", wasOn);
        }
    }

    private static void Drain(TracefsInstance instance, int cpu, PageTarget target, int pageBytes)
    {
        using var pages = new CpuPages(instance, cpu);
        byte* page = (byte*)NativeMemory.AlignedAlloc((nuint)pageBytes, 4096);
        try
        {
            for (int length; (length = pages.Read(page, pageBytes)) > 0;)
                target.Take(page, length);
        }
        finally
        {
            NativeMemory.AlignedFree(page);
        }
    }

    /// <summary>
    /// The trace's clock. Of this boot's it is known when they were zero; the times of another boot count from that, and nobody knows when it was.
    /// </summary>
    private static ClockClass CreateClock(string name, bool isOtherBoot)
    {
        ClockKind? kind = name switch
        {
            KernelRecording.CounterClockName => ClockKind.Counter,
            KernelRecording.MonotonicClockName => ClockKind.Monotonic,
            _ => null,
        };
        var correlation = kind is { } known ? Measure(known) : new ClockCorrelation(1_000_000_000, 0, 0);
        if (kind is { } ours && !isOtherBoot)
            return TraceMetadata.CreateClock(new SessionDescription { Clock = ours, Correlation = correlation });
        return new ClockClass
        {
            Name = name.Replace('-', '_'),
            Description = string.Create(CultureInfo.InvariantCulture, $"The kernel's trace clock {name}{(isOtherBoot ? " of the boot before" : "")}"),
            FrequencyHz = correlation.FrequencyHz,
        };
    }

    private static ClockCorrelation Measure(ClockKind kind)
    {
        var first = ClockSample.Take(kind);
        Thread.Sleep(MeasureMs);
        return ClockCorrelation.Between(kind, first, ClockSample.Take(kind));
    }

    private static string ChosenClock(string clocks)
    {
        int open = clocks.IndexOf('[', StringComparison.Ordinal);
        int close = clocks.IndexOf(']', StringComparison.Ordinal);
        return open >= 0 && close > open ? clocks[(open + 1)..close] : "local";
    }
}
