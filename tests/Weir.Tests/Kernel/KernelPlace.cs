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

    /// <summary>The names of instances that recordings have made and not removed.</summary>
    public static string[] Instances() =>
        [.. Directory.GetDirectories(Path.Combine(TracefsMount.UsualPath, "instances")).Select(path => Path.GetFileName(path)!).Where(name => name.StartsWith("weir_", StringComparison.Ordinal))];
}
