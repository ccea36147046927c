using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Kernel;

public sealed class MarkerTests
{
    [Fact]
    public void Markers_of_the_instance_are_recorded_and_those_of_others_where_the_kernel_copies_them()
    {
        ProbedProgram.SkipWithoutTracefs();
        using var place = new Place();
        // Other recordings may run beside this one: theirs get the marker, too, and have not asked for it.
        const string Script = """
            for instance in /sys/kernel/tracing/instances/weir_*; do
                if [ -e $instance/trace_marker ]; then echo own words >$instance/trace_marker; printf '\001\000\000\000raw' >$instance/trace_marker_raw; fi
            done
            echo top words >/sys/kernel/tracing/trace_marker
            true
            """;
        var result = place.Record("-o", "trace", "-k", "marker:*", "--", "bash", "-c", Script);
        Assert.True(result.Status == 0, result.Error);
        string[] lines = ProbedProgram.Lines(place);
        Assert.Single(lines, line => line.Contains(" print: ", StringComparison.Ordinal) && line.Contains("own words", StringComparison.Ordinal));
        Assert.Single(lines, line => line.Contains(" raw_data: ", StringComparison.Ordinal) && line.Contains("id = 0x1, buf = \"raw\"", StringComparison.Ordinal));
        bool isCopied = lines.Any(line => line.Contains("top words", StringComparison.Ordinal));
        Assert.NotEqual(isCopied, result.Error.Contains("this kernel copies no markers", StringComparison.Ordinal));
    }
}
