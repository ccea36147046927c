namespace Weir.Ctf;

/// <summary>Text in a fixed number of bytes, which ends at its first zero code unit; byte-aligned.</summary>
/// <param name="lengthBytes">Number of bytes; a value from metadata, so never a size to allocate.</param>
public sealed class StaticStringFieldClass(ulong lengthBytes) : FieldClass(8)
{
    /// <summary>Number of bytes.</summary>
    public ulong LengthBytes => lengthBytes;

    /// <summary>How the text is encoded.</summary>
    public TextEncoding Encoding { get; init; }
}

/// <summary>Text in as many bytes as an earlier unsigned integer field says, which ends at its first zero code unit; byte-aligned.</summary>
/// <param name="lengthLocation">Where the number of bytes lies.</param>
public sealed class DynamicStringFieldClass(FieldLocation lengthLocation) : FieldClass(8)
{
    /// <summary>Where the number of bytes lies.</summary>
    public FieldLocation LengthLocation => lengthLocation;

    /// <summary>How the text is encoded.</summary>
    public TextEncoding Encoding { get; init; }
}
