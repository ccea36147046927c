using System.Globalization;
using System.Runtime.InteropServices;
using Weir.Ctf;

namespace Weir.Kernel;

/// <summary>
/// The environment by which readers know a kernel trace of LTTng's. Trace Compass takes a trace whose <c>domain</c> is <c>kernel</c>, and by
/// <c>tracer_name</c> and version it decides which names events and fields have; other tracers' names make it expect those of LTTng 2.5.
/// So the name is that of the tracer whose layout this is, and <c>recorder</c> says who wrote it.
/// </summary>
internal static class LttngEnvironment
{
    private const string Tracer = "lttng-modules";
    private const int TracerMajor = 2;
    private const int TracerMinor = 13;

    // Readers work around what versions before it got wrong.
    private const int TracerPatchLevel = 9;

    /// <summary>The entries of this machine, in LTTng's order; what cannot be read is left out.</summary>
    /// <param name="traceName">The trace's name, or null.</param>
    /// <param name="created">When the trace was begun; now where it is not given.</param>
    public static EnvironmentEntry[] Create(string? traceName = null, DateTimeOffset? created = null)
    {
        var entries = new List<EnvironmentEntry>();
        AddFile(entries, "hostname", "/proc/sys/kernel/hostname");
        entries.Add(new EnvironmentEntry("domain", "kernel"));
        AddFile(entries, "sysname", "/proc/sys/kernel/ostype");
        AddFile(entries, "kernel_release", "/proc/sys/kernel/osrelease");
        AddFile(entries, "kernel_version", "/proc/sys/kernel/version");
        entries.Add(new EnvironmentEntry("tracer_name", Tracer));
        entries.Add(new EnvironmentEntry("tracer_major", TracerMajor));
        entries.Add(new EnvironmentEntry("tracer_minor", TracerMinor));
        entries.Add(new EnvironmentEntry("tracer_patchlevel", TracerPatchLevel));
        entries.Add(new EnvironmentEntry("trace_buffering_scheme", "global"));
        entries.Add(new EnvironmentEntry("architecture_bit_width", RuntimeInformation.OSArchitecture is Architecture.X86 or Architecture.Arm or Architecture.Armv6 ? 32 : 64));
        if (traceName is not null)
            entries.Add(new EnvironmentEntry("trace_name", traceName));
        var time = (created ?? DateTimeOffset.Now).ToString("yyyyMMdd'T'HHmmsszzz", CultureInfo.InvariantCulture);
        entries.Add(new EnvironmentEntry("trace_creation_datetime", time.Replace(":", "", StringComparison.Ordinal)));
        AddFile(entries, "product_uuid", "/sys/class/dmi/id/product_uuid");
        entries.Add(new EnvironmentEntry("recorder", "weir"));
        return [.. entries];
    }

    private static void AddFile(List<EnvironmentEntry> entries, string name, string path)
    {
        try
        {
            string text = File.ReadAllText(path).Trim();
            if (text.Length > 0)
                entries.Add(new EnvironmentEntry(name, text));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not every machine has it, and the product's UUID is root's alone.
        }
    }
}
