using System.Text.Json.Nodes;

namespace Weir.Ctf;

/// <summary>The class of data streams that share packet context, event header and event record classes.</summary>
public sealed class DataStreamClass
{
    private readonly List<EventRecordClass> _eventRecordClasses = [];
    private readonly Dictionary<ulong, EventRecordClass> _byId = [];

    /// <summary>What the packet header's stream ID says; unique in its trace class.</summary>
    public ulong Id { get; init; }

    /// <summary>Whose names these are (CTF 2), or null.</summary>
    public string? Namespace { get; init; }

    /// <summary>The class's name (CTF 2), or null.</summary>
    public string? Name { get; init; }

    /// <summary>What tells this class from others of its name (CTF 2), or null.</summary>
    public string? Uid { get; init; }

    /// <summary>What the producer has noted on the class, or null.</summary>
    public JsonObject? Attributes { get; init; }

    /// <summary>What follows the packet header in each packet, or null.</summary>
    public StructureFieldClass? PacketContext { get; init; }

    /// <summary>What each event record begins with, or null.</summary>
    public StructureFieldClass? EventHeader { get; init; }

    /// <summary>The context that all events have, or null.</summary>
    public StructureFieldClass? EventCommonContext { get; init; }

    /// <summary>The clock that the fields of this class map to, or null. All of them map to one.</summary>
    public ClockClass? DefaultClock { get; init; }

    /// <summary>The event record classes in declaration order.</summary>
    public IReadOnlyList<EventRecordClass> EventRecordClasses => _eventRecordClasses;

    /// <summary>Adds an event record class. Not to be called while another thread reads this class.</summary>
    /// <exception cref="ArgumentException">Another class has its ID.</exception>
    public void Add(EventRecordClass eventRecordClass)
    {
        ArgumentNullException.ThrowIfNull(eventRecordClass);
        if (!_byId.TryAdd(eventRecordClass.Id, eventRecordClass))
            throw new ArgumentException($"Data stream class {Id} already has an event record class {eventRecordClass.Id}.", nameof(eventRecordClass));
        _eventRecordClasses.Add(eventRecordClass);
    }

    /// <summary>The event record class with this ID, or null.</summary>
    public EventRecordClass? FindEvent(ulong id) => _byId.GetValueOrDefault(id);
}
