using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Kernel;

/// <summary>What a kernel without the means says; what it records with them, tests/vm/kernel-probes asks kernels that have them.</summary>
public sealed class FunctionTracerTests
{
    [Theory]
    [InlineData("function:vfs_read", "available_tracers", "function")]
    [InlineData("function_graph:vfs_read", "available_tracers", "function_graph")]
    [InlineData("kprobe:vfs_read", null, "kprobe_events")]
    [InlineData("kretprobe:vfs_read(ret:s64)", null, "kprobe_events")]
    public void A_kernel_that_cannot_says_so_before_anything_starts(string rule, string? file, string means)
    {
        ProbedProgram.SkipWithoutTracefs();
        bool isThere = file is null ? File.Exists($"/sys/kernel/tracing/{means}") : File.ReadAllText($"/sys/kernel/tracing/{file}").Split([' ', '\n']).Contains(means);
        Assert.SkipWhen(isThere && CanRead("/sys/kernel/tracing/available_filter_functions"), $"This kernel has {means}.");
        using var place = new Place();
        var result = place.Record("-o", "trace", "-k", rule, "--", "touch", place.In("ran"));
        Assert.Equal(1, result.Status);
        Assert.StartsWith($"weir: kernel rule '{rule}': ", result.Error, StringComparison.Ordinal);
        Assert.Contains("/sys/kernel/tracing/", result.Error);
        Assert.False(File.Exists(place.In("ran")));
        Assert.False(Directory.Exists(place.In("trace/kernel")));
    }

    private static bool CanRead(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return file.ReadByte() >= 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
