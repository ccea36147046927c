namespace Weir.Graph;

/// <summary>How <c>source.ctf.fs</c> reads traces.</summary>
public sealed record CtfFsOptions
{
    /// <summary>What is added to clocks, and whether their origin is taken for the Epoch.</summary>
    public ClockAdjustment Clocks { get; init; } = ClockAdjustment.None;

    /// <summary>Whether to give only the time that all streams of a trace have in common.</summary>
    public bool IsIntersection { get; init; }

    /// <summary>What a trace's name says after its host; null for the path from the directory that was asked for.</summary>
    public string? TraceName { get; init; }

    /// <summary>
    /// Whether an iterator that has thrown a <see cref="TraceReadException"/> may be asked again and then goes on behind what is bad: with the
    /// next packet, where it is known where that begins. Else it throws the same again.
    /// </summary>
    public bool KeepGoing { get; init; }

    /// <summary>
    /// Where indexes of large stream files that have none are kept for the next time, so that a range of time is found at once; null keeps none.
    /// </summary>
    public string? IndexCacheDirectory { get; init; }

    /// <summary>Takes what is wrong but does no harm, a line each: an index that is not of its file. May be called from several threads.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>The user's cache for indexes: <c>$XDG_CACHE_HOME/weir/index</c>, or null where there is no home.</summary>
    public static string? DefaultIndexCacheDirectory
    {
        get
        {
            if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache && Path.IsPathRooted(cache))
                return Path.Combine(cache, "weir", "index");
            return Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home && Path.IsPathRooted(home)
                ? Path.Combine(home, ".cache", "weir", "index")
                : null;
        }
    }
}
