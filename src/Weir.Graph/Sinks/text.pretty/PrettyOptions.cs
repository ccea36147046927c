namespace Weir.Graph;

/// <summary>Clocks whose times can be shown.</summary>
public enum PrettyTimes
{
    /// <summary>What the clock class makes of the cycles: one frequency and one offset for a whole trace.</summary>
    ClockClass,

    /// <summary>CLOCK_MONOTONIC, by the samples that were stored.</summary>
    Monotonic,

    /// <summary>CLOCK_REALTIME, by the samples that were stored.</summary>
    Realtime,
}

/// <summary>What <c>sink.text.pretty</c> shows; the defaults are babeltrace2's.</summary>
public sealed class PrettyOptions
{
    /// <summary>Whether text is coloured.</summary>
    public bool IsColored { get; set; }

    /// <summary>Whether losses are reported in colour.</summary>
    public bool HasColoredWarnings { get; set; }

    /// <summary>Whether bright colours are bold ones; else they have codes of their own.</summary>
    public bool BrightIsBold { get; set; } = true;

    /// <summary>Times as seconds since the origin.</summary>
    public bool ClockSeconds { get; set; }

    /// <summary>Times in UTC instead of the local zone.</summary>
    public bool ClockGmt { get; set; }

    /// <summary>Times with their date.</summary>
    public bool ClockDate { get; set; }

    /// <summary>Times as raw cycles.</summary>
    public bool ClockCycles { get; set; }

    /// <summary>Which clock the times are of.</summary>
    public PrettyTimes Times { get; set; }

    /// <summary>Whether events are marked whose order to the event before cannot be told.</summary>
    public bool ShowOrder { get; set; }

    /// <summary>The time since the event before.</summary>
    public bool ShowDelta { get; set; } = true;

    /// <summary>Names of the payload's fields.</summary>
    public bool NamePayload { get; set; } = true;

    /// <summary>Names of the contexts' fields.</summary>
    public bool NameContext { get; set; } = true;

    /// <summary>Names of the header's fields.</summary>
    public bool NameHeader { get; set; }

    /// <summary>Names of the scopes.</summary>
    public bool NameScope { get; set; }

    /// <summary>The trace's name.</summary>
    public bool FieldTrace { get; set; }

    /// <summary>The environment's hostname.</summary>
    public bool FieldHostname { get; set; } = true;

    /// <summary>The environment's domain.</summary>
    public bool FieldDomain { get; set; }

    /// <summary>The environment's procname.</summary>
    public bool FieldProcname { get; set; } = true;

    /// <summary>The environment's vpid.</summary>
    public bool FieldVpid { get; set; } = true;

    /// <summary>The event's log level.</summary>
    public bool FieldLogLevel { get; set; }

    /// <summary>Whether fields are walked one by one, and not by programs that print them; the text is the same.</summary>
    internal bool IsInterpreted { get; set; }

    /// <summary>The URI of the event's model.</summary>
    public bool FieldEmf { get; set; }
}
