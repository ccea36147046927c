using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace Weir.Tests.Ring;

/// <summary>What a ring cannot be cannot be written down.</summary>
public class ClientCompositionTests
{
    private static readonly Lazy<ImmutableArray<MetadataReference>> s_references = new(() =>
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path) is var name && (name.StartsWith("System.", StringComparison.Ordinal) || name is "Weir.Ring.dll" or "Weir.Clock.dll"))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ]);

    [Theory]
    [InlineData("PacketClient<PerCpu<Rseq>, Discard<WakeOnPacket>, CtfCompact<CounterClock>, NoHooks>")]
    [InlineData("PacketClient<PerCpu<Atomic>, Discard<WakeAtWatermark>, CtfLarge<MonotonicClock>, NoHooks>")]
    [InlineData("PacketClient<PerCpu<Available>, Overwrite, FtracePages<MonotonicClock>, NoHooks>")]
    [InlineData("PacketClient<Global, Discard<NoWakeUp>, PlainRecords, NoHooks>")]
    [InlineData("PacketClient<Global, Overwrite, PlainRecords, NoHooks>")]
    [InlineData("ContinuousClient<WakeAtWatermark, PerfRecords<MonotonicClock>, NoHooks>")]
    [InlineData("ContinuousClient<NoWakeUp, PerfRecords<CounterClock>, NoHooks>")]
    public void A_client_that_makes_sense_compiles(string client) => Assert.Equal([], ErrorsOf(Use(client)));

    [Theory]
    // A ring without packets has none that a reader could wait for, one sequence, one mode, no packet heads.
    [InlineData("ContinuousClient<WakeOnPacket, PerfRecords<MonotonicClock>, NoHooks>", "CS0315")]
    [InlineData("ContinuousClient<WakeAtWatermark, CtfCompact<MonotonicClock>, NoHooks>", "CS0315")]
    [InlineData("ContinuousClient<WakeAtWatermark, PlainRecords, NoHooks>", "CS0315")]
    [InlineData("ContinuousClient<Overwrite, PerfRecords<MonotonicClock>, NoHooks>", "CS0315")]
    [InlineData("ContinuousClient<PerCpu<Atomic>, WakeAtWatermark, PerfRecords<MonotonicClock>, NoHooks>", "CS0305")]
    // Perf's records have no packets around them.
    [InlineData("PacketClient<PerCpu<Rseq>, Discard<WakeOnPacket>, PerfRecords<MonotonicClock>, NoHooks>", "CS0315")]
    // A restartable sequence excludes other writers on its own CPU only.
    [InlineData("PacketClient<Global<Rseq>, Discard<WakeOnPacket>, PlainRecords, NoHooks>", "CS0308")]
    [InlineData("PacketClient<Rseq, Discard<WakeOnPacket>, PlainRecords, NoHooks>", "CS0315")]
    // Nobody consumes what is overwritten.
    [InlineData("PacketClient<Global, Overwrite<WakeOnPacket>, PlainRecords, NoHooks>", "CS0308")]
    [InlineData("PacketClient<Global, Discard, PlainRecords, NoHooks>", "CS0305")]
    [InlineData("PacketClient<Global, WakeOnPacket, PlainRecords, NoHooks>", "CS0315")]
    // A clock is a clock, a format a format; and a part that is a class would share its code with all others.
    [InlineData("PacketClient<Global, Overwrite, CtfCompact<NoHooks>, NoHooks>", "CS0315")]
    [InlineData("PacketClient<Global, Overwrite, MonotonicClock, NoHooks>", "CS0315")]
    [InlineData("PacketClient<Global, Overwrite, PlainRecords, ClassHooks>", "CS0453")]
    [InlineData("CtfCompact<MonotonicClock>", "CS0315")]
    public void A_client_that_makes_no_sense_does_not(string client, string error) => Assert.Equal([error], ErrorsOf(Use(client)));

    [Fact]
    public void Nobody_else_makes_a_client()
    {
        const string Source = """
            using Weir.Ring;
            public struct Mine : IRingClient { public static RingTraits Traits => default; }
            """;
        Assert.All(ErrorsOf(Source), error => Assert.Equal("CS0535", error));
        Assert.NotEmpty(ErrorsOf(Source));
    }

    private static string Use(string client) => $$"""
        using Weir.Clock;
        using Weir.Ring;
        public sealed class ClassHooks : IRingHooks { public static void At(RingPoint point) { } }
        public static class Program
        {
            public static RingBuffer Make(RingOptions options) => RingBuffer<{{client}}>.Create(options);
        }
        """;

    private static IEnumerable<string> ErrorsOf(string source) => CSharpCompilation
        .Create(
            "Test",
            [CSharpSyntaxTree.ParseText(source, new CSharpParseOptions(LanguageVersion.Latest), cancellationToken: TestContext.Current.CancellationToken)],
            s_references.Value,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary))
        .GetDiagnostics(TestContext.Current.CancellationToken)
        .Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)
        .Select(diagnostic => diagnostic.Id)
        .Distinct();
}
