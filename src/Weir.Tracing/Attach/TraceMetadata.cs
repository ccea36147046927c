using System.Globalization;
using System.Text;
using Weir.Clock;
using Weir.Ctf;

namespace Weir.Tracing;

/// <summary>Describes what a process records as a CTF trace class, in LTTng's layout.</summary>
internal static class TraceMetadata
{
    private const int DebugLogLevel = (int)TracepointLevel.Debug;

    /// <summary>The trace class of a process in a session, without events yet; stream class 0 is the one that they go to.</summary>
    public static TraceClass Create(Guid uuid, SessionDescription session)
    {
        var clock = CreateClock(session);
        var trace = LttngLayout.CreateTrace(
            uuid,
            clock,
            new EnvironmentEntry("hostname", Environment.MachineName),
            new EnvironmentEntry("domain", "ust"),
            new EnvironmentEntry("tracer_name", "weir"),
            new EnvironmentEntry("tracer_major", 0),
            new EnvironmentEntry("tracer_minor", 1),
            new EnvironmentEntry("tracer_buffering_scheme", "pid"),
            new EnvironmentEntry("procname", ProcessDirectory.ProgramName),
            new EnvironmentEntry("vpid", Environment.ProcessId));
        trace.Add(LttngLayout.CreateStream(0, clock));
        return trace;
    }

    /// <summary>Declares a tracepoint under an id.</summary>
    public static EventRecordClass Declare(Tracepoint tracepoint, uint id)
    {
        var members = new List<StructureMember>();
        foreach (var field in tracepoint.Fields)
        {
            if (field.IsSequence)
            {
                var (length, elements) = LttngLayout.CreateSequence(field.Name, ElementClass(field));
                members.Add(length);
                members.Add(elements);
            }
            else
                members.Add(new StructureMember(field.Name, ElementClass(field)));
        }
        return new EventRecordClass
        {
            Id = id,
            Name = $"{tracepoint.Provider.Name}:{tracepoint.Name}",
            LogLevel = Math.Clamp((int)tracepoint.Level, 0, DebugLogLevel),
            Payload = new StructureFieldClass(members, minimumAlignmentBits: 8),
        };
    }

    private static FieldClass ElementClass(TracepointField field) => field.Kind switch
    {
        FieldKind.Single => new FloatingPointFieldClass(32),
        FieldKind.Double => new FloatingPointFieldClass(64),
        FieldKind.String => new StringFieldClass(),
        _ => new IntegerFieldClass(FieldPlace.FixedSize(field.Kind) * 8, field.Kind <= FieldKind.Int64)
        {
            Mappings = field.Labels is { Length: > 0 } labels ? [.. labels.Select(label => new EnumerationMapping(label.Label, label.Value))] : null,
        },
    };

    /// <summary>The clock's part of the metadata, which is the same text in all traces of a session.</summary>
    public static string ClockText(SessionDescription session)
    {
        var clock = CreateClock(session);
        var text = new StringBuilder();
        new TsdlWriter(LttngLayout.CreateTrace(Guid.Empty, clock), text).WriteClock(clock);
        return text.ToString();
    }

    /// <summary>The clock class of a session.</summary>
    public static ClockClass CreateClock(SessionDescription session) => new()
    {
        Name = session.Clock == ClockKind.Counter ? "cpu_counter" : "monotonic",
        Description = session.Clock == ClockKind.Counter ? "CPU counter (TSC)" : "CLOCK_MONOTONIC",
        Uuid = BootId(),
        FrequencyHz = session.Correlation.FrequencyHz,
        OffsetSeconds = session.Correlation.OffsetSeconds,
        OffsetCycles = session.Correlation.OffsetCycles,
        IsAbsolute = true,
    };

    /// <summary>What tells this machine's clock, since its start, from all others.</summary>
    private static Guid? BootId()
    {
        try
        {
            return Guid.TryParse(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim(), CultureInfo.InvariantCulture, out var id) ? id : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
