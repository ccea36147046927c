namespace Weir.Ctf;

/// <summary>A fixed number of bytes that mean nothing to CTF; byte-aligned.</summary>
/// <param name="lengthBytes">Number of bytes; a value from metadata, so never a size to allocate.</param>
public sealed class StaticBlobFieldClass(ulong lengthBytes) : FieldClass(8)
{
    /// <summary>The media type where metadata names none.</summary>
    public const string DefaultMediaType = "application/octet-stream";

    /// <summary>Number of bytes.</summary>
    public ulong LengthBytes => lengthBytes;

    /// <summary>What the bytes are (IANA media type).</summary>
    public string MediaType { get; init; } = DefaultMediaType;

    /// <summary>What the bytes mean to the reader (<see cref="FieldRole.TraceUuid"/>, which CTF 2 calls the metadata stream's, or nothing).</summary>
    public FieldRole Role { get; init; }
}

/// <summary>As many bytes as an earlier unsigned integer field says; byte-aligned.</summary>
/// <param name="lengthLocation">Where the number of bytes lies.</param>
public sealed class DynamicBlobFieldClass(FieldLocation lengthLocation) : FieldClass(8)
{
    /// <summary>Where the number of bytes lies.</summary>
    public FieldLocation LengthLocation => lengthLocation;

    /// <summary>What the bytes are (IANA media type).</summary>
    public string MediaType { get; init; } = StaticBlobFieldClass.DefaultMediaType;
}
