using System.Text;
using Weir.Tracing;
using Xunit;

namespace Weir.Tests.Tracing;

/// <summary>Tracepoints of this assembly, written by the generator as for any user: their schema, and the bytes that they stage.</summary>
public class GeneratedTracepointTests
{
    [Fact]
    public void The_schema_is_that_of_the_declarations()
    {
        var provider = Weir.Tracing.Generated.Weir_Tests_Tracing_SampleEventsTracepoints.Provider;
        Assert.Equal("weir_tests.sample", provider.Name);
        Assert.Equal(["mixed", "sequences", "quiet"], provider.Tracepoints.Select(t => t.Name));
        Assert.Equal([TracepointLevel.Info, TracepointLevel.Debug, TracepointLevel.Critical], provider.Tracepoints.Select(t => t.Level));
        Assert.Equal(
            [("id", FieldKind.Int64), ("event", FieldKind.String), ("day", FieldKind.Int32), ("ratio", FieldKind.Double), ("took", FieldKind.Int64)],
            provider.Tracepoints[0].Fields.Select(f => (f.Name, f.Kind)));
        Assert.Equal(
            Enum.GetValues<DayOfWeek>().Select(d => new EnumerationLabel(d.ToString(), (long)d)), provider.Tracepoints[0].Fields[2].Labels!);
        Assert.All(provider.Tracepoints[1].Fields.Take(2), f => Assert.True(f.IsSequence));
        Assert.Equal([FieldKind.UInt8, FieldKind.Int16, FieldKind.String], provider.Tracepoints[1].Fields.Select(f => f.Kind));
        Assert.Empty(provider.Tracepoints[2].Fields);
    }

    [Fact]
    public void A_disabled_tracepoint_does_nothing()
    {
        Assert.SkipWhen(
            Weir.Tracing.Generated.Weir_Tests_Tracing_SampleEventsTracepoints.Mixed.IsEnabled, "A session on this machine records the tests.");
        byte[] before = Staged(16);
        SampleEvents.Mixed(long.MaxValue, "never seen", DayOfWeek.Friday, 1, TimeSpan.Zero);
        Assert.Equal(before, Staged(16));
    }

    [Fact]
    public void Fields_are_staged_in_their_order()
    {
        SampleEvents.StageMixed();
        byte[] expected =
        [
            .. BitConverter.GetBytes(7L), .. Encoding.UTF8.GetBytes("né\0"), .. BitConverter.GetBytes(5), .. BitConverter.GetBytes(0.5),
            .. BitConverter.GetBytes(2_000_000L),
        ];
        Assert.Equal(expected, Staged(expected.Length));
    }

    [Fact]
    public void Sequences_are_staged_in_their_order()
    {
        SampleEvents.StageSequences();
        byte[] expected = [0, 0, 0, 0, 2, 0, 0, 0, 0xFF, 0xFF, 1, 0, (byte)'a', (byte)'b', 0];
        Assert.Equal(expected, Staged(expected.Length));
    }

    /// <summary>The next record of this thread begins where the last one lies.</summary>
    private static unsafe byte[] Staged(int lengthBytes) => new ReadOnlySpan<byte>(RecordWriter.Begin().Payload, lengthBytes).ToArray();
}

[TracepointProvider("weir_tests.sample")]
internal static partial class SampleEvents
{
    [Tracepoint]
    public static partial void Mixed(long id, string? @event, DayOfWeek day, double ratio, TimeSpan took);

    [Tracepoint(Level = TracepointLevel.Debug)]
    public static partial void Sequences(byte[]? none, ReadOnlySpan<short> some, Span<char> text);

    [Tracepoint(Level = TracepointLevel.Critical)]
    public static partial void Quiet();

    // What the enabled path calls; without a session there is no other way into it.
    public static void StageMixed() => EmitMixed(7, "né", DayOfWeek.Friday, 0.5, TimeSpan.FromMilliseconds(2));

    public static void StageSequences() => EmitSequences(null, [-1, 1], ['a', 'b']);
}
