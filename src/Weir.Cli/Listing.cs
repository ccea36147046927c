using System.IO.Enumeration;
using Weir.Kernel;
using Weir.Sessions;

namespace Weir.Cli;

/// <summary>What can be recorded here, of a pattern or all.</summary>
internal sealed class Listing
{
    private const int MaxNearest = 5;

    public string? Pattern { get; private init; }

    public bool HasFields { get; private init; }

    public IReadOnlyList<RunningProgram> Programs { get; private set; } = [];

    public IReadOnlyList<RunningSession> Sessions { get; private set; } = [];

    public IReadOnlyList<KernelKind> Kinds { get; private set; } = [];

    public IReadOnlyList<(KernelEventName Name, IReadOnlyList<KernelField> Fields)> KernelEvents { get; private set; } = [];

    /// <summary>Why nothing is known of the kernel; null where it is.</summary>
    public string? KernelRefusal { get; private set; }

    /// <summary>What may have been meant, as a sentence's end.</summary>
    public string Hint { get; private set; } = "";

    public static Listing Collect(string? pattern, bool hasFields)
    {
        var listing = new Listing { Pattern = pattern, HasFields = hasFields };
        // A provider's or system's name alone is all of its events.
        string full = pattern is null ? "*:*" : pattern.Contains(':') || pattern == "*" ? pattern : $"{pattern}:*";
        listing.Sessions = RunningSession.List();
        listing.CollectPrograms(full);
        listing.CollectKernel(full);
        return listing;
    }

    private void CollectPrograms(string full)
    {
        try
        {
            Programs =
            [
                .. RunningPrograms.Ask()
                    .Select(program => program with { Events = [.. program.Events.Where(item => FileSystemName.MatchesSimpleExpression(full, item.Name, ignoreCase: false))] })
                    .Where(program => program.Events.Count > 0),
            ];
        }
        catch (SessionException e)
        {
            Console.Error.WriteLine($"weir: {e.Message}");
        }
    }

    private void CollectKernel(string full)
    {
        try
        {
            using var tracefs = TracefsMount.Open();
            Kinds = KernelListing.Kinds(tracefs);
            var catalogue = EventCatalogue.Read(tracefs);
            int colon = full.IndexOf(':', StringComparison.Ordinal);
            var (system, name) = colon < 0 ? ("*", "*") : (full[..colon], full[(colon + 1)..]);
            KernelEvents = [.. catalogue.Match(system, name).Select(item => (item, HasFields ? KernelListing.Fields(tracefs, item) : []))];
            if (KernelEvents.Count == 0 && catalogue.Nearest(system, name) is { Count: > 0 } nearest)
                Hint = $"; the nearest are {string.Join(", ", nearest.Take(MaxNearest))}";
        }
        catch (KernelException e)
        {
            KernelRefusal = e.Message;
            Hint = $"; {e.Message}";
        }
    }
}
