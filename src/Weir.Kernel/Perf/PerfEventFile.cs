using System.Globalization;
using System.Runtime.InteropServices;

namespace Weir.Kernel;

/// <summary>
/// Opens the kernel's counters, one on each CPU.
/// <code>
///  perf_event_attr    0 type u32 | 4 size u32 | 8 config u64 | 16 period or frequency u64 | 24 sample_type u64 | 32 read_format u64
///                    40 flags u64 | 48 wakeup u32 | 52 breakpoint u32 | 56 .. 87 | 88 stack u32 | 92 clock s32 | 96 .. 111
/// </code>
/// Source: linux, include/uapi/linux/perf_event.h; man perf_event_open.
/// </summary>
internal static unsafe class PerfEventFile
{
    /// <summary>CLOCK_MONOTONIC.</summary>
    public const int MonotonicClock = 1;

    /// <summary>CLOCK_MONOTONIC_RAW, which nobody sets or slews.</summary>
    public const int RawClock = 4;

    /// <summary>The kernel's own clock of its counters.</summary>
    public const int OwnClock = -1;

    /// <summary>What a sample consists of, in this order: IDENTIFIER, IP, TID, TIME, ADDR, CPU, PERIOD where it varies, CALLCHAIN.</summary>
    private const ulong SampleType = (1 << 16) | 1 | 2 | 4 | 8 | 128 | 32;

    /// <summary>Asked for the period where it is fixed, the kernel makes a sample of each count of its own counters.</summary>
    private const ulong PeriodPart = 256;

    private const int AttributeBytes = 112;
    private const ulong CloseOnExec = 8;

    private const ulong Disabled = 1;
    private const ulong Inherit = 1 << 1;
    private const ulong ExcludeHypervisor = 1 << 6;
    private const ulong Maps = 1 << 8;
    private const ulong Names = 1 << 9;
    private const ulong Frequency = 1 << 10;
    private const ulong EnableOnExec = 1 << 12;
    private const ulong Tasks = 1 << 13;
    private const ulong Watermark = 1 << 14;
    private const ulong IdentifyAll = 1 << 18;
    private const ulong MapsWithFiles = 1 << 23;
    private const ulong NamesTellExec = 1 << 24;
    private const ulong UseClock = 1 << 25;
    private const ulong BuildIds = 1UL << 34;

    private const int NoSuchEntry = 2;
    private const int NotPermitted = 1;
    private const int AccessDenied = 13;
    private const int NoDevice = 19;
    private const int Invalid = 22;
    private const int TooManyFiles = 24;
    private const int NoSystemCall = 38;
    private const int NotSupported = 95;

    private const nuint EnableCommand = 0x2400;
    private const nuint DisableCommand = 0x2401;
    private const nuint SetOutputCommand = 0x2405;
    private const nuint IdCommand = 0x80082407;

    /// <summary>Opens a counter, which does not count yet.</summary>
    /// <param name="request">The counter and its rate; the dummy has records of mappings, names, and beginnings and ends of tasks.</param>
    /// <param name="thread">Whose events are counted, with those of all that it makes; null for everybody's.</param>
    /// <param name="cpu">The CPU.</param>
    /// <param name="clock">The clock of the records.</param>
    /// <param name="wakeBytes">The buffer is readable when it has so many bytes.</param>
    /// <exception cref="KernelException">It cannot be had; says why.</exception>
    public static int Open(PerfRequest request, int? thread, int cpu, int clock, int wakeBytes)
    {
        int fd = TryOpen(request, thread, cpu, clock, wakeBytes, out int error);
        return fd >= 0 ? fd : throw new KernelException(Explain(request, error));
    }

    /// <summary>Opens a counter of this thread's on any CPU, and closes it, to see whether it can be had.</summary>
    /// <exception cref="KernelException">It cannot be had; says why.</exception>
    public static void Try(PerfRequest request) => _ = LibC.Close(Open(request, LibC.GetThreadId(), -1, RawClock, 0));

    public static void Enable(int fd) => _ = LibC.Command(fd, EnableCommand, 0);

    /// <summary>Stops a counter, and those that have come of it in other tasks.</summary>
    public static void Disable(int fd) => _ = LibC.Command(fd, DisableCommand, 0);

    /// <summary>Lets a counter write into another's buffer.</summary>
    public static bool TrySetOutput(int fd, int owner) => LibC.Command(fd, SetOutputCommand, owner) == 0;

    /// <summary>What records call the counter.</summary>
    public static ulong GetId(int fd)
    {
        ulong id = 0;
        _ = LibC.Command(fd, IdCommand, (nint)(&id));
        return id;
    }

    private static int TryOpen(PerfRequest request, int? thread, int cpu, int clock, int wakeBytes, out int error)
    {
        bool isDummy = request.Counter == PerfCounters.Dummy;
        // A child has the counter of the thread that makes it, and its exec switches it on: the recorder itself is never counted.
        ulong flags = Disabled | ExcludeHypervisor | Watermark | IdentifyAll
            | (clock == OwnClock ? 0 : UseClock)
            | (request.IsFrequency ? Frequency : 0)
            | (thread is null ? 0 : Inherit | EnableOnExec)
            | (isDummy ? Maps | MapsWithFiles | Names | NamesTellExec | Tasks | BuildIds : 0);
        byte* attributes = stackalloc byte[AttributeBytes];
        new Span<byte>(attributes, AttributeBytes).Clear();
        *(uint*)attributes = request.Counter.Type;
        *(uint*)(attributes + 4) = AttributeBytes;
        *(ulong*)(attributes + 8) = request.Counter.Config;
        *(ulong*)(attributes + 16) = request.Rate;
        *(ulong*)(attributes + 24) = SampleType | (request.IsFrequency ? PeriodPart : 0);
        *(ulong*)(attributes + 40) = flags;
        *(uint*)(attributes + 48) = (uint)wakeBytes;
        *(int*)(attributes + 92) = clock == OwnClock ? 0 : clock;
        int fd = Call(attributes, thread ?? -1, cpu, out error);
        if (fd < 0 && error == Invalid && isDummy)
        {
            // Kernels before 5.12 have no build IDs to give.
            *(ulong*)(attributes + 40) = flags & ~BuildIds;
            fd = Call(attributes, thread ?? -1, cpu, out error);
        }
        return fd;
    }

    private static int Call(byte* attributes, int pid, int cpu, out int error)
    {
        int number = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 298 : 241;
        int fd = (int)LibC.SystemCall(number, attributes, pid, cpu, -1, (nint)CloseOnExec);
        error = fd < 0 ? Marshal.GetLastPInvokeError() : 0;
        return fd;
    }

    private static string Explain(PerfRequest request, int error)
    {
        string lead = $"counter '{request.Counter.Name}'";
        switch (error)
        {
            case NoSuchEntry or NotSupported or NoDevice when request.Counter.IsHardware:
                return $"{lead}: not here: the processor's counters cannot be had on this machine (virtual machines mostly have none); those of the kernel can: {PerfCounters.SoftwareNames}";
            case NoSuchEntry or NotSupported or NoDevice:
                return $"{lead}: not here: this kernel does not have it; 'perf list' shows what it has";
            case AccessDenied or NotPermitted:
                return $"{lead}: not permitted: kernel.perf_event_paranoid is {Setting("perf_event_paranoid")}; root may, or CAP_PERFMON, or everybody after 'sysctl kernel.perf_event_paranoid=-1'";
            case Invalid when request.IsFrequency && ulong.TryParse(Setting("perf_event_max_sample_rate"), out ulong most) && request.Rate > most:
                return string.Create(CultureInfo.InvariantCulture, $"{lead}: {request.Rate} samples a second are more than kernel.perf_event_max_sample_rate allows, {most}");
            case TooManyFiles:
                return $"{lead}: no descriptors left: each CPU needs two; 'ulimit -n' says how many there may be";
            case NoSystemCall:
                return $"{lead}: this kernel has no counters (it was built without CONFIG_PERF_EVENTS)";
            default:
                return $"{lead}: the kernel refuses it: {Marshal.GetPInvokeErrorMessage(error)}";
        }
    }

    private static string Setting(string name)
    {
        try
        {
            return File.ReadAllText($"/proc/sys/kernel/{name}").Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "not known";
        }
    }
}
