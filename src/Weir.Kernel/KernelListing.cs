namespace Weir.Kernel;

/// <summary>A kind of instrumentation, for people.</summary>
/// <param name="Names">What its rules begin with; none for tracepoints.</param>
/// <param name="Help">A rule and what it records.</param>
/// <param name="Refusal">Why this kernel has nothing of it; null where it has.</param>
public sealed record KernelKind(IReadOnlyList<string> Names, string Help, string? Refusal);

/// <summary>A field of an event of the kernel's.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The C type, of an array with its brackets.</param>
public readonly record struct KernelField(string Name, string Type);

/// <summary>What of the kernel can be recorded here.</summary>
public static class KernelListing
{
    /// <summary>All kinds of instrumentation.</summary>
    public static IReadOnlyList<KernelKind> Kinds(TracefsMount tracefs) =>
        [.. InstrumentationRegistry.Kinds.Select(kind => new KernelKind(kind.Prefixes, kind.Help, kind.Refusal(tracefs)))];

    /// <summary>The fields of an event, without those that all have.</summary>
    /// <exception cref="KernelException">Its description cannot be read.</exception>
    public static IReadOnlyList<KernelField> Fields(TracefsMount tracefs, KernelEventName name)
    {
        ArgumentNullException.ThrowIfNull(tracefs);
        var format = EventFormats.Read(Path.Combine(tracefs.Path, $"events/{name.System}/{name.Name}/format"));
        return [.. format.Fields.Select(field => new KernelField(field.Name, field.IsArray ? $"{field.Type}[]" : field.Type))];
    }
}
