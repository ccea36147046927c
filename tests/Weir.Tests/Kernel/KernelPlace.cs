using Weir.Kernel;
using Xunit;

namespace Weir.Tests.Kernel;

/// <summary>What tests that record the kernel need of the machine.</summary>
internal static class KernelPlace
{
    /// <summary>Skips the test, with what is missing, where the kernel cannot be recorded.</summary>
    public static void SkipIfMissing()
    {
        try
        {
            using var tracefs = TracefsMount.Open();
            string probe = Path.Combine(tracefs.InstancesPath, $"weir_tests_{Environment.ProcessId}");
            Directory.CreateDirectory(probe);
            Directory.Delete(probe);
        }
        catch (Exception e) when (e is KernelException or IOException or UnauthorizedAccessException)
        {
            Assert.Skip($"The kernel cannot be recorded here: {e.Message}");
        }
    }

    /// <summary>What recordings that are over have left in the kernel.</summary>
    public static IReadOnlyList<string> Remains()
    {
        using var tracefs = TracefsMount.Open();
        return AbandonedInstances.Find(tracefs);
    }

    /// <summary>The instances of a process.</summary>
    public static string[] InstancesOf(int processId) =>
        [.. Directory.GetDirectories(Path.Combine(TracefsMount.UsualPath, "instances"), $"weir_{processId}_*").Select(path => Path.GetFileName(path)!)];
}
