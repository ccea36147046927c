namespace Weir.Kernel;

/// <summary>All kinds of instrumentation that rules can ask for.</summary>
internal static class InstrumentationRegistry
{
    /// <summary>The kinds; the last takes every rule that none before it does.</summary>
    public static IReadOnlyList<InstrumentationKind> Kinds { get; } =
    [
        new UprobeKind(),
        new UsdtKind(),
        new KprobeKind(),
        new FunctionKind(),
        new FunctionGraphKind(),
        new MarkerKind(),
        new PerfKind(),
        new TracepointKind(),
    ];

    /// <summary>The kind of a rule.</summary>
    public static InstrumentationKind Of(KernelRule rule) =>
        Kinds.FirstOrDefault(kind => kind.Prefixes.Contains(rule.Kind, StringComparer.Ordinal)) ?? Kinds[^1];
}
