namespace Weir.Kernel;

/// <summary>A counter of the kernel's or of the processor's.</summary>
/// <param name="Name">Its name, as perf's.</param>
/// <param name="Type">The kernel's number of its kind: 0 is the processor's, 1 the kernel's.</param>
/// <param name="Config">The kernel's number of it.</param>
/// <param name="IsSteady">Whether it goes on all the time, so that sampling each count makes no sense.</param>
internal sealed record PerfCounter(string Name, uint Type, ulong Config, bool IsSteady)
{
    public bool IsHardware => Type == PerfCounters.HardwareType;
}

/// <summary>The counters by name. Source: linux, include/uapi/linux/perf_event.h; the names are those of <c>perf list</c>.</summary>
internal static class PerfCounters
{
    public const uint HardwareType = 0;
    public const uint SoftwareType = 1;

    /// <summary>A counter that never counts, for records that tell of processes.</summary>
    public static readonly PerfCounter Dummy = new("dummy", SoftwareType, 9, IsSteady: false);

    private const int MaxNearest = 5;

    private static readonly Dictionary<string, string> s_otherNames = new()
    {
        ["faults"] = "page-faults",
        ["cs"] = "context-switches",
        ["migrations"] = "cpu-migrations",
        ["cpu-cycles"] = "cycles",
        ["branch-instructions"] = "branches",
    };

    /// <summary>All of them; a sample names its counter by the number here.</summary>
    public static IReadOnlyList<PerfCounter> All { get; } =
    [
        new("cpu-clock", SoftwareType, 0, IsSteady: true),
        new("task-clock", SoftwareType, 1, IsSteady: true),
        new("page-faults", SoftwareType, 2, IsSteady: false),
        new("context-switches", SoftwareType, 3, IsSteady: false),
        new("cpu-migrations", SoftwareType, 4, IsSteady: false),
        new("minor-faults", SoftwareType, 5, IsSteady: false),
        new("major-faults", SoftwareType, 6, IsSteady: false),
        new("alignment-faults", SoftwareType, 7, IsSteady: false),
        new("emulation-faults", SoftwareType, 8, IsSteady: false),
        new("cycles", HardwareType, 0, IsSteady: true),
        new("instructions", HardwareType, 1, IsSteady: true),
        new("cache-references", HardwareType, 2, IsSteady: true),
        new("cache-misses", HardwareType, 3, IsSteady: true),
        new("branches", HardwareType, 4, IsSteady: true),
        new("branch-misses", HardwareType, 5, IsSteady: true),
        new("bus-cycles", HardwareType, 6, IsSteady: true),
    ];

    /// <summary>The names of the kernel's own counters, which every machine has.</summary>
    public static string SoftwareNames => string.Join(", ", All.Where(counter => !counter.IsHardware).Select(counter => counter.Name));

    /// <summary>The counter of a name; null where there is none.</summary>
    public static PerfCounter? Find(string name)
    {
        string usual = s_otherNames.GetValueOrDefault(name, name);
        return All.FirstOrDefault(counter => counter.Name == usual);
    }

    /// <summary>What may have been meant by a name, as a sentence's end.</summary>
    public static string Suggest(string name)
    {
        var nearest = NearestNames.Find(name, All.Select(counter => counter.Name).Concat(s_otherNames.Keys), MaxNearest);
        return nearest.Count > 0 ? $"the nearest are {string.Join(", ", nearest)}" : $"there are {string.Join(", ", All.Select(counter => counter.Name))}";
    }
}
