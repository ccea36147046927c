namespace Weir.Ctf;

/// <summary>The structure at the root of a field location, in the order in which a reader meets them.</summary>
public enum FieldScope : byte
{
    /// <summary>The trace's packet header.</summary>
    PacketHeader,

    /// <summary>The data stream's packet context.</summary>
    PacketContext,

    /// <summary>The data stream's event header.</summary>
    EventHeader,

    /// <summary>The context that all events of a data stream share.</summary>
    EventCommonContext,

    /// <summary>The context of one event record class.</summary>
    EventSpecificContext,

    /// <summary>The event's payload.</summary>
    EventPayload,
}

/// <summary>
/// Where the length of a dynamic array or the selector of a variant lies: a scope, then the names of structures' members down to it.
/// An array, a variant or an optional field on the way takes no name: the element, the option that is being decoded is meant, or was
/// decoded last. So one location may mean several fields, of which one is there.
/// </summary>
public sealed class FieldLocation : IEquatable<FieldLocation>
{
    /// <summary>Creates a location.</summary>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public FieldLocation(FieldScope origin, params string[] path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Length == 0)
            throw new ArgumentException("A field location names at least one member.", nameof(path));
        Origin = origin;
        Path = path;
    }

    /// <summary>The scope at which the path begins.</summary>
    public FieldScope Origin { get; }

    /// <summary>Names of members, outermost first (<see cref="StructureMember.Name"/>).</summary>
    public IReadOnlyList<string> Path { get; }

    /// <inheritdoc/>
    public bool Equals(FieldLocation? other)
    {
        if (other is null || other.Origin != Origin || other.Path.Count != Path.Count)
            return false;
        for (int i = 0; i < Path.Count; i++)
        {
            if (Path[i] != other.Path[i])
                return false;
        }
        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as FieldLocation);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Origin, Path.Count, Path[^1]);

    /// <inheritdoc/>
    public override string ToString() => $"{Origin}: {string.Join('.', Path)}";
}
