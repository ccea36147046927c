using Weir.Ctf;

namespace Weir.Kernel;

/// <summary>What the trace says of the machine and its kernel.</summary>
internal static class KernelEnvironment
{
    /// <summary>The entries, by LTTng's names.</summary>
    public static EnvironmentEntry[] Create() =>
    [
        new("hostname", Environment.MachineName),
        new("domain", "kernel"),
        new("sysname", "Linux"),
        new("kernel_release", Read("/proc/sys/kernel/osrelease")),
        new("kernel_version", Read("/proc/sys/kernel/version")),
        new("tracer_name", "weir"),
        new("tracer_major", 0),
        new("tracer_minor", 1),
    ];

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
