namespace Weir.Graph;

/// <summary>What <c>sink.text.details</c> shows; the defaults are babeltrace2's.</summary>
public sealed record DetailsOptions
{
    /// <summary>Whether text is coloured.</summary>
    public bool IsColored { get; init; }

    /// <summary>Whether bright colours are bold ones; else they have codes of their own.</summary>
    public bool BrightIsBold { get; init; } = true;

    /// <summary>Whether a message takes one line, without its fields.</summary>
    public bool IsCompact { get; init; }

    /// <summary>Whether messages are shown.</summary>
    public bool WithData { get; init; } = true;

    /// <summary>Whether trace classes are shown, each before its first message.</summary>
    public bool WithMetadata { get; init; } = true;

    /// <summary>Whether times of messages are shown.</summary>
    public bool WithTime { get; init; } = true;

    /// <summary>Whether names of traces are shown.</summary>
    public bool WithTraceName { get; init; } = true;

    /// <summary>Whether names of data stream classes are shown.</summary>
    public bool WithStreamClassName { get; init; } = true;

    /// <summary>Whether namespaces of data stream classes are shown.</summary>
    public bool WithStreamClassNamespace { get; init; } = true;

    /// <summary>Whether names of data streams are shown.</summary>
    public bool WithStreamName { get; init; } = true;

    /// <summary>Whether UIDs are shown.</summary>
    public bool WithUid { get; init; } = true;
}
