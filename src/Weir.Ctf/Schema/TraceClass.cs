using System.Text.Json.Nodes;

namespace Weir.Ctf;

/// <summary>One fact about the trace's surroundings: exactly one of the two values is set.</summary>
/// <param name="Name">The entry's name; a C identifier.</param>
/// <param name="Text">The value of a text entry.</param>
/// <param name="Number">The value of an integer entry.</param>
public sealed record EnvironmentEntry(string Name, string? Text, long? Number)
{
    /// <summary>A text entry.</summary>
    public EnvironmentEntry(string name, string text)
        : this(name, text, null)
    {
    }

    /// <summary>An integer entry.</summary>
    public EnvironmentEntry(string name, long number)
        : this(name, null, number)
    {
    }
}

/// <summary>
/// What a trace's metadata says. Built in code or read from metadata; may be read from several threads while nobody adds to it.
/// </summary>
public sealed class TraceClass
{
    private readonly List<DataStreamClass> _dataStreamClasses = [];
    private readonly List<ClockClass> _clockClasses = [];
    private readonly List<EnvironmentEntry> _environment = [];
    private readonly Dictionary<ulong, DataStreamClass> _byId = [];

    /// <summary>The trace's UUID, or null.</summary>
    public Guid? Uuid { get; init; }

    /// <summary>Whose names these are (CTF 2; LTTng's traces have <c>lttng.org,2009</c>), or null.</summary>
    public string? Namespace { get; init; }

    /// <summary>The trace's name (CTF 2), or null.</summary>
    public string? Name { get; init; }

    /// <summary>What tells this trace from others of its name (CTF 2), or null; in CTF 1.8 the UUID.</summary>
    public string? Uid { get; init; }

    /// <summary>What the producer has noted on the trace class, or null.</summary>
    public JsonObject? Attributes { get; init; }

    /// <summary>The version of CTF that the metadata is written in: 1 (for 1.8) or 2; 0 where the trace comes from no CTF.</summary>
    public int CtfVersion { get; init; }

    /// <summary>The byte order of the writing machine, which TSDL takes where a class names none.</summary>
    public ByteOrder NativeByteOrder { get; init; }

    /// <summary>What each packet begins with, or null.</summary>
    public StructureFieldClass? PacketHeader { get; init; }

    /// <summary>Facts about the trace's surroundings, in declaration order.</summary>
    public IReadOnlyList<EnvironmentEntry> Environment => _environment;

    /// <summary>The clock classes in declaration order.</summary>
    public IReadOnlyList<ClockClass> ClockClasses => _clockClasses;

    /// <summary>The data stream classes in declaration order.</summary>
    public IReadOnlyList<DataStreamClass> DataStreamClasses => _dataStreamClasses;

    /// <summary>The text entry of the environment named <paramref name="name"/>, or null.</summary>
    public EnvironmentEntry? FindEnvironment(string name)
    {
        foreach (var entry in _environment)
        {
            if (entry.Name == name)
                return entry;
        }
        return null;
    }

    /// <summary>The data stream class with this ID, or null.</summary>
    public DataStreamClass? FindStream(ulong id) => _byId.GetValueOrDefault(id);

    /// <summary>Adds a data stream class.</summary>
    /// <exception cref="ArgumentException">Another class has its ID.</exception>
    public void Add(DataStreamClass dataStreamClass)
    {
        ArgumentNullException.ThrowIfNull(dataStreamClass);
        if (!_byId.TryAdd(dataStreamClass.Id, dataStreamClass))
            throw new ArgumentException($"The trace class already has a data stream class {dataStreamClass.Id}.", nameof(dataStreamClass));
        _dataStreamClasses.Add(dataStreamClass);
    }

    /// <summary>Adds a clock class.</summary>
    /// <exception cref="ArgumentException">Another clock class has its ID, or its name where it has no ID.</exception>
    public void Add(ClockClass clockClass)
    {
        ArgumentNullException.ThrowIfNull(clockClass);
        foreach (var other in _clockClasses)
        {
            if ((other.Id ?? other.Name) == (clockClass.Id ?? clockClass.Name))
                throw new ArgumentException($"The trace class already has a clock class '{clockClass.Id ?? clockClass.Name}'.", nameof(clockClass));
        }
        _clockClasses.Add(clockClass);
    }

    /// <summary>Adds an environment entry; an earlier one of the same name is replaced.</summary>
    public void Add(EnvironmentEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        _environment.RemoveAll(other => other.Name == entry.Name);
        _environment.Add(entry);
    }
}
