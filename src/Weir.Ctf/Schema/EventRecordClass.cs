using System.Text.Json.Nodes;

namespace Weir.Ctf;

/// <summary>The class of one kind of event: its name and what it holds.</summary>
public sealed class EventRecordClass
{
    /// <summary>What the event header's ID says; unique in its data stream class.</summary>
    public ulong Id { get; init; }

    /// <summary>The event's name, <c>provider:event</c> by LTTng's habit; null where metadata names none.</summary>
    public string? Name { get; init; }

    /// <summary>Whose names these are (CTF 2), or null.</summary>
    public string? Namespace { get; init; }

    /// <summary>What tells this class from others of its name (CTF 2), or null.</summary>
    public string? Uid { get; init; }

    /// <summary>What the producer has noted on the class, or null.</summary>
    public JsonObject? Attributes { get; init; }

    /// <summary>LTTng's log level, 0 (emergency) to 14 (debug), or null.</summary>
    public int? LogLevel { get; init; }

    /// <summary>The URI of the event's model (<c>model.emf.uri</c>), or null.</summary>
    public string? EmfUri { get; init; }

    /// <summary>A context that only events of this class have, or null.</summary>
    public StructureFieldClass? SpecificContext { get; init; }

    /// <summary>The event's own fields, or null.</summary>
    public StructureFieldClass? Payload { get; init; }
}
