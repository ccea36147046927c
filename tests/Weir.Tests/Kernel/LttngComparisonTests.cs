using Weir.Ctf;
using Weir.Graph;
using Xunit;

namespace Weir.Tests.Kernel;

/// <summary>The judge itself: it sees what is wrong.</summary>
public sealed class LttngComparisonTests
{
    [Fact]
    public void LttngsOwnFieldsAreFound()
    {
        var comparison = Compare("s32 tid; s32 prio; s32 target_cpu;");
        Assert.Empty(comparison.Problems);
        Assert.Equal((1, 3), (comparison.Events, comparison.SameFields));
    }

    [Theory]
    [InlineData("u32 tid;", "sched_wakeup.tid: u32 in LTTng's trace, s32 in ours")]
    [InlineData("s64 target_cpu;", "sched_wakeup.target_cpu: s64 in LTTng's trace, s32 in ours")]
    [InlineData("s32 pid;", "sched_wakeup.pid: s32 in LTTng's trace, nothing in ours")]
    public void AnotherTypeOrNameIsAProblem(string field, string problem)
    {
        var comparison = Compare(field);
        Assert.Equal([problem], comparison.Problems);
        Assert.Equal(0, comparison.ListedFields);
    }

    [Fact]
    public void WhatIsListedAsDifferentIsNoProblem()
    {
        var comparison = Compare("u32 rwbs;", "block", "block_bio_queue", "field:char rwbs[8];	offset:8;	size:8;	signed:0;");
        Assert.Empty(comparison.Problems);
        Assert.Equal(1, comparison.ListedFields);
    }

    private static LttngComparison Compare(string fields) => Compare(fields, "sched", "sched_wakeup", """
        field:char comm[16];	offset:8;	size:16;	signed:0;
        field:pid_t pid;	offset:24;	size:4;	signed:1;
        field:int prio;	offset:28;	size:4;	signed:1;
        field:int target_cpu;	offset:32;	size:4;	signed:1;
        """);

    private static LttngComparison Compare(string fields, string system, string name, string kernelFields)
    {
        var comparison = new LttngComparison(MetadataReader.Read($$"""
            /* CTF 1.8 */
            typealias integer { size = 32; signed = true; } := s32;
            typealias integer { size = 32; signed = false; } := u32;
            typealias integer { size = 64; signed = true; } := s64;
            typealias integer { size = 64; signed = false; } := u64;
            trace { major = 1; minor = 8; byte_order = le; };
            stream { event.header := struct { u32 id; }; };
            event { name = "{{name}}"; id = 0; fields := struct { {{fields}} }; };
            """));
        comparison.Compare(system, FormatParser.Parse($"name: {name}\nID: 1\nformat:\n{kernelFields}", 8));
        return comparison;
    }
}
