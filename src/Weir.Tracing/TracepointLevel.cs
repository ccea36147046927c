namespace Weir.Tracing;

/// <summary>
/// Importance of an event; smaller is more important. The numbers are those that LTTng writes as <c>loglevel</c>, so other viewers
/// name them.
/// </summary>
public enum TracepointLevel
{
    /// <summary>The system is unusable.</summary>
    Emergency = 0,

    /// <summary>Action must be taken at once.</summary>
    Alert = 1,

    /// <summary>A critical condition.</summary>
    Critical = 2,

    /// <summary>An error.</summary>
    Error = 3,

    /// <summary>A warning.</summary>
    Warning = 4,

    /// <summary>Normal, but significant.</summary>
    Notice = 5,

    /// <summary>Informational.</summary>
    Info = 6,

    /// <summary>For debugging.</summary>
    Debug = 14,
}
