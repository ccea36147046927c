using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// What known tracers get wrong in the times of their packets, and babeltrace2 puts right; told by the environment's tracer and version.
/// </summary>
/// <param name="HasEventsAfterPackets">LTTng before 2.11 (modules also before 2.10.10 and 2.9.13): an event may be later than its packet's end.</param>
/// <param name="HasEventsBeforePackets">barectf before 2.3.1: a packet's first event may be earlier than its beginning.</param>
/// <param name="HasPacketsWithoutEnd">LTTng: a tracer that crashed leaves 0 as its last packets' end.</param>
internal readonly record struct TracerQuirks(bool HasEventsAfterPackets, bool HasEventsBeforePackets, bool HasPacketsWithoutEnd)
{
    public static TracerQuirks Of(TraceClass trace)
    {
        if (trace.FindEnvironment("tracer_name")?.Text is not { } name || trace.FindEnvironment("tracer_major")?.Number is not { } major)
            return default;
        long minor = trace.FindEnvironment("tracer_minor")?.Number ?? 0;
        long patch = (trace.FindEnvironment("tracer_patch") ?? trace.FindEnvironment("tracer_patchlevel"))?.Number ?? 0;
        var version = (major, minor, patch);
        return name switch
        {
            "lttng-ust" => new TracerQuirks(version.CompareTo((2, 11, 0)) < 0, false, true),
            "lttng-modules" => new TracerQuirks(version.CompareTo(FixedIn(major, minor)) < 0, false, true),
            "barectf" => new TracerQuirks(false, version.CompareTo((2, 3, 1)) < 0, false),
            _ => default,
        };
    }

    /// <summary>The clock value at which a packet ends.</summary>
    /// <param name="begin">What the packet says of its beginning.</param>
    /// <param name="end">What it says of its end.</param>
    /// <param name="last">The clock's value after its last event.</param>
    public ulong? EndOf(ulong? begin, ulong? end, ulong last)
    {
        bool isMissing = HasPacketsWithoutEnd && end == 0 && begin is not (null or 0);
        return isMissing || (HasEventsAfterPackets && end < last) ? last : end;
    }

    private static (long Major, long Minor, long Patch) FixedIn(long major, long minor) => (major, minor) switch
    {
        (2, 10) => (2, 10, 10),
        (2, >= 9) => (2, 9, 13),
        _ => (2, 9, 0),
    };
}
