using System.Globalization;
using Weir.Clock;
using Weir.Kernel;
using Weir.Ring;
using Weir.Sessions;
using Weir.Tracing;

namespace Weir.Cli;

/// <summary>One thing that this machine allows or not.</summary>
/// <param name="Name">What it is.</param>
/// <param name="IsThere">Whether it can be had.</param>
/// <param name="Found">What was found, as a sentence's beginning.</param>
/// <param name="Remedy">How to get it, where it is not there.</param>
/// <param name="Values">Numbers and words for programs.</param>
internal sealed record MachineCheck(string Name, bool IsThere, string Found, string? Remedy, params IReadOnlyList<(string Name, object Value)> Values);

/// <summary>Looks what this machine allows. Each check does what tracing would do, rather than to conclude it from a version.</summary>
internal static class MachineChecks
{
    private const double GoalNs = 100;
    private const int CorrelationMs = 200;
    private const string SharedMemory = "/dev/shm";
    private const string TransparentHugePages = "/sys/kernel/mm/transparent_hugepage/";

    private static readonly TimeSpan s_skewLimit = TimeSpan.FromSeconds(1);

    public static List<MachineCheck> Run()
    {
        var cpus = Cpus.Allowed();
        var skew = CpuCounter.IsTrusted ? CounterSkew.Measure(cpus, s_skewLimit) : null;
        var clock = TraceClock.Choose(skew, out string reason);
        var first = ClockSample.Take(clock);
        Thread.Sleep(CorrelationMs / 2);
        var middle = ClockSample.Take(clock);
        Thread.Sleep(CorrelationMs / 2);
        var last = ClockSample.Take(clock);
        var correlation = ClockCorrelation.Between(clock, first, last);
        return
        [
            CheckSequence(),
            CheckCounter(clock, reason, skew),
            CheckSkew(cpus, skew, correlation.FrequencyHz),
            CheckCorrelation(first, middle, last, correlation),
            CheckSteps(),
            CheckHypervisor(),
            CheckHugePages(),
            CheckLockedMemory(cpus.Count),
            CheckBuffers(cpus.Count),
            CheckKernelEvents(),
            CheckKernelRemains(),
        ];
    }

    /// <summary>Makes an instance, as a recording does, and removes it.</summary>
    private static MachineCheck CheckKernelEvents()
    {
        const string Name = "kernel events";
        try
        {
            using var tracefs = TracefsMount.Open();
            using var instance = TracefsInstance.Create(tracefs);
            int count = EventCatalogue.Read(tracefs).Events.Count;
            var clock = KernelRecording.ChooseClock(ClockKind.Counter);
            return new MachineCheck(
                Name,
                true,
                $"weir record -k can record {count} of them, stamped by {(clock == ClockKind.Counter ? "the CPU's counter" : "CLOCK_MONOTONIC")}",
                null,
                ("events", count), ("clock", clock.ToString()), ("tracefs", tracefs.Path));
        }
        catch (KernelException e)
        {
            return new MachineCheck(Name, false, e.Message, TracefsMount.Needed, ("events", 0));
        }
    }

    /// <summary>Removes what killed recordings have left: it costs memory, and its events cost time, for nobody.</summary>
    private static MachineCheck CheckKernelRemains()
    {
        const string Name = "remains in the kernel";
        try
        {
            using var tracefs = TracefsMount.Open();
            var found = AbandonedInstances.Find(tracefs);
            var removed = AbandonedInstances.Remove(tracefs);
            var left = AbandonedInstances.Find(tracefs);
            string text = found.Count == 0 ? "killed recordings have left nothing" : $"of killed recordings {string.Join(", ", removed)} {(removed.Count == 1 ? "was" : "were")} removed";
            return left.Count == 0
                ? new MachineCheck(Name, true, text, null, ("removed", removed.Count), ("left", 0))
                : new MachineCheck(
                    Name, false, $"{string.Join(", ", left)} cannot be removed: somebody still uses them",
                    $"end what reads {tracefs.InstancesPath}/NAME, then weir doctor again", ("removed", removed.Count), ("left", left.Count));
        }
        catch (KernelException e)
        {
            return new MachineCheck(Name, false, $"it cannot be looked for: {e.Message}", TracefsMount.Needed, ("removed", 0), ("left", 0));
        }
    }

    private static MachineCheck CheckSequence()
    {
        var sequence = RingBuffer.ChooseSequence(out string reason);
        bool isRseq = sequence == SequenceKind.Rseq;
        return new MachineCheck(
            "restartable sequences",
            isRseq,
            isRseq ? $"events are committed by them: {reason}" : $"events are committed by atomic instructions, at about twice the cost: {reason}",
            isRseq ? null : "Linux 4.18 and glibc 2.35 or later, with glibc.pthread.rseq left on in GLIBC_TUNABLES, and WEIR_SEQUENCE not set to atomic",
            ("sequence", sequence.ToString()),
            ("reason", reason));
    }

    private static MachineCheck CheckCounter(ClockKind clock, string reason, CounterSkew? skew)
    {
        var trust = CounterTrust.Examine(skew);
        bool isUsed = clock == ClockKind.Counter;
        return new MachineCheck(
            "CPU counter",
            isUsed,
            isUsed ? $"it is the clock: {reason}" : $"the clock is CLOCK_MONOTONIC instead, at about twice the cost: {reason}",
            isUsed ? null : "if the counter is sound, start the kernel with clocksource=tsc tsc=reliable (x86-64); of a guest, ask the host for an invariant one",
            ("clock", clock.ToString()),
            ("reason", reason),
            ("clock_source", trust.ClockSource),
            ("flags", string.Join(' ', trust.Flags)));
    }

    private static MachineCheck CheckSkew(IReadOnlyList<int> cpus, CounterSkew? skew, ulong frequencyHz)
    {
        const string Name = "skew between CPUs";
        if (skew == null)
            return new MachineCheck(Name, false, "not measured: the counter cannot be read, and the kernel answers for its own clock", "a trusted CPU counter");
        if (cpus.Count < 2)
            return new MachineCheck(Name, true, "there is none: this process may use one CPU only", null);
        var unmeasured = skew.Unmeasured.Select(item => $"CPU {item.Cpu}: {item.Reason}");
        if (skew.Offsets.Count == 0)
            return new MachineCheck(Name, false, $"it could not be measured: {string.Join("; ", unmeasured)}", "CPUs that are not taken up by others, and leave to bind threads to them");
        long least = skew.Offsets.Min(offset => offset.LeastCycles);
        long most = skew.Offsets.Max(offset => offset.MostCycles);
        string found = string.Create(
            CultureInfo.InvariantCulture,
            $"CPU {skew.ReferenceCpu} and {skew.Offsets.Count} other{(skew.Offsets.Count == 1 ? "" : "s")} differ by {Ns(least):+0;-0;0} to {Ns(most):+0;-0;0} ns at most, "
            + $"by {skew.Offsets.Min(offset => offset.Rounds)} exchanges or more each; {(skew.Warp is { } warp ? warp : "none was seen ahead of another that was asked later")}");
        if (skew.Unmeasured.Count > 0)
            found += $"; not measured: {string.Join("; ", unmeasured)}";
        return new MachineCheck(
            Name, skew.Warp == null && skew.Unmeasured.Count == 0, found, skew.Warp == null ? "CPUs that are not taken up by others" : "a machine whose CPUs agree",
            ("least_ns", Ns(least)), ("most_ns", Ns(most)), ("measured", skew.Offsets.Count), ("not_measured", skew.Unmeasured.Count));

        double Ns(long cycles) => Math.Round(cycles * 1e9 / frequencyHz, 1);
    }

    private static MachineCheck CheckCorrelation(ClockSample first, ClockSample middle, ClockSample last, ClockCorrelation correlation)
    {
        var conversion = ClockConversion.Create([first, last], correlation.FrequencyHz);
        long errorNs = Math.Abs(conversion.ToMonotonic(middle.Cycles).Ns - middle.MonotonicNs);
        double bracketNs = Math.Round(Math.Max(first.UncertaintyCycles, Math.Max(middle.UncertaintyCycles, last.UncertaintyCycles)) * 1e9 / correlation.FrequencyHz, 1);
        bool isGood = errorNs + (bracketNs / 2) <= GoalNs;
        return new MachineCheck(
            "correlation",
            isGood,
            string.Create(
                CultureInfo.InvariantCulture,
                $"CLOCK_MONOTONIC is bracketed to {bracketNs} ns and CLOCK_REALTIME to {first.RealtimeUncertaintyNs} ns; in the middle of {CorrelationMs} ms the conversion was {errorNs} ns off; "
                + $"{correlation.FrequencyHz} cycles a second"),
            isGood ? null : "a machine that is less busy, or a kernel whose clock_gettime needs no system call (clock source tsc)",
            ("bracket_ns", bracketNs), ("realtime_uncertainty_ns", first.RealtimeUncertaintyNs), ("error_ns", errorNs), ("frequency_hz", correlation.FrequencyHz));
    }

    private static MachineCheck CheckSteps()
    {
        using var watch = new RealtimeWatch();
        return new MachineCheck(
            "steps of the clock",
            watch.Refusal == null,
            watch.Refusal ?? "the kernel tells when the real-time clock is set, and a sample is taken at once",
            watch.Refusal == null ? null : "Linux 3.0 or later; without it a step is found by the next sample, within a second");
    }

    private static MachineCheck CheckHypervisor()
    {
        var guests = HypervisorClock.ReadGuests(HypervisorClock.KvmDirectory, out string? refusal);
        bool isGuest = CounterTrust.Examine().Flags.Contains("hypervisor");
        string where = isGuest ? "this machine is a guest; " : "";
        string found = refusal == null
            ? $"{where}{string.Join("; ", guests.Select(guest => string.Create(CultureInfo.InvariantCulture, $"guest {guest.Guest}, {guest.VirtualCpu}: offset {guest.Clock.OffsetCycles}, ratio {guest.Clock.Ratio} / 2^{guest.Clock.FractionBits}")))}"
            : $"{where}{refusal}";
        return new MachineCheck(
            "guests' clocks",
            refusal == null,
            found,
            refusal == null ? null : $"on the host, as root: {HypervisorClock.KvmDirectory}/*/vcpu*/tsc-offset; between any two machines a clock exchange bounds the offset",
            ("is_guest", isGuest), ("guest_cpus", guests.Count));
    }

    private static MachineCheck CheckHugePages()
    {
        string shared = Chosen(TransparentHugePages + "shmem_enabled");
        string process = Chosen(TransparentHugePages + "enabled");
        _ = long.TryParse(Field("/proc/meminfo", "HugePages_Total:"), CultureInfo.InvariantCulture, out long reserved);
        bool isThere = shared is "always" or "within_size" or "advise" or "force" || reserved > 0;
        return new MachineCheck(
            "huge pages",
            isThere,
            $"for shared memory: {shared}; for a process's own: {process}; reserved: {reserved}",
            isThere ? null : $"as root: echo advise > {TransparentHugePages}shmem_enabled",
            ("shared", shared), ("process", process), ("reserved", reserved));
    }

    private static MachineCheck CheckLockedMemory(int cpuCount)
    {
        string limit = Field("/proc/self/limits", "Max locked memory");
        long needed = BuffersBytes(cpuCount);
        bool isThere = limit == "unlimited" || (long.TryParse(limit, CultureInfo.InvariantCulture, out long bytes) && bytes >= needed);
        return new MachineCheck(
            "locked memory",
            isThere,
            string.Create(CultureInfo.InvariantCulture, $"this process may lock {(limit == "" ? "an unknown number of" : limit)} bytes; default buffers of a process take {needed}"),
            isThere ? null : $"ulimit -l {needed / 1024} or more, or LimitMEMLOCK= of the service",
            ("limit", limit), ("needed_bytes", needed));
    }

    private static MachineCheck CheckBuffers(int cpuCount)
    {
        string home = SessionHome.Path;
        string place = home;
        while (!Directory.Exists(place) && Path.GetDirectoryName(place) is { } parent)
            place = parent;
        string format = Format(place);
        if ((format is not ("tmpfs" or "ramfs") || home == SessionHome.OfRoot) && Directory.Exists(SharedMemory))
            (place, format) = (SharedMemory, Format(SharedMemory));
        long free = new DriveInfo(place).AvailableFreeSpace;
        long needed = BuffersBytes(cpuCount);
        bool isThere = free >= needed && format is "tmpfs" or "ramfs";
        return new MachineCheck(
            "room for buffers",
            isThere,
            $"{RecordingReport.Size(free)} are free in {place} ({format}); default buffers of a process take {RecordingReport.Size(needed)}",
            isThere ? null : "room in /dev/shm, or WEIR_HOME on a tmpfs with room; or smaller buffers: --subbuf-size, --num-subbuf",
            ("place", place), ("format", format), ("free_bytes", free), ("needed_bytes", needed), ("home", home));
    }

    private static long BuffersBytes(int cpuCount) => (long)cpuCount * SessionOptions.DefaultPacketBytes * SessionOptions.DefaultPacketCount;

    private static string Format(string directory)
    {
        try
        {
            return new DriveInfo(directory).DriveFormat;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "unknown";
        }
    }

    /// <summary>The choice in brackets, of a file such as "always [madvise] never".</summary>
    private static string Chosen(string path)
    {
        string text = Read(path);
        int open = text.IndexOf('[', StringComparison.Ordinal);
        int close = text.IndexOf(']', StringComparison.Ordinal);
        return open >= 0 && close > open ? text[(open + 1)..close] : "unknown";
    }

    /// <summary>The first word after a name at a line's beginning.</summary>
    private static string Field(string path, string name)
    {
        foreach (string line in Read(path).Split('\n'))
        {
            if (line.StartsWith(name, StringComparison.Ordinal))
                return line[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault() ?? "";
        }
        return "";
    }

    private static string Read(string path)
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
