using Weir.Ctf;

namespace Weir.Graph;

/// <summary>What is known to be wrong with the times of packets that certain versions of tracers have written; babeltrace2 mends the same.</summary>
/// <param name="EventsAfterPacket">The last event may be later than its packet's end.</param>
/// <param name="EventsBeforePacket">The first event may be earlier than its packet's beginning.</param>
/// <param name="ZeroEnd">The end of a packet that a crash has left open is zero.</param>
internal readonly record struct CtfFsQuirks(bool EventsAfterPacket, bool EventsBeforePacket, bool ZeroEnd)
{
    /// <summary>The quirks of the tracer that a trace's environment names.</summary>
    public static CtfFsQuirks Of(TraceClass trace)
    {
        string? tracer = trace.FindEnvironment("tracer_name")?.Text;
        if (tracer is null || trace.FindEnvironment("tracer_major")?.Number is not { } major)
            return default;
        long minor = trace.FindEnvironment("tracer_minor")?.Number ?? 0;
        long patch = (trace.FindEnvironment("tracer_patch") ?? trace.FindEnvironment("tracer_patchlevel"))?.Number ?? 0;
        var version = (major, minor, patch);
        return tracer switch
        {
            "lttng-ust" => new CtfFsQuirks(EventsAfterPacket: version.CompareTo((2, 11, 0)) < 0, EventsBeforePacket: false, ZeroEnd: true),
            "lttng-modules" => new CtfFsQuirks(EventsAfterPacket: IsOldKernelTracer(version), EventsBeforePacket: false, ZeroEnd: true),
            "barectf" => new CtfFsQuirks(EventsAfterPacket: false, EventsBeforePacket: version.CompareTo((2, 3, 1)) < 0, ZeroEnd: false),
            _ => default,
        };
    }

    /// <summary>When a packet ended.</summary>
    /// <param name="properties">What the packet says.</param>
    /// <param name="clockValue">The clock's value at its last event.</param>
    public ulong? EndOf(in PacketProperties properties, ulong clockValue)
    {
        if (properties.EndTime is not { } end)
            return null;
        bool isZero = ZeroEnd && end == 0 && properties.BeginTime is { } begin && begin != 0;
        return isZero || (EventsAfterPacket && end < clockValue) ? clockValue : end;
    }

    /// <summary>Each branch was mended in a release of its own.</summary>
    private static bool IsOldKernelTracer((long Major, long Minor, long Patch) version) => version switch
    {
        (2, 10, var patch) => patch < 10,
        (2, 9, var patch) => patch < 13,
        _ => version.CompareTo((2, 9, 0)) < 0,
    };
}
