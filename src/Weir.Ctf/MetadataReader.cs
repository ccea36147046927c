namespace Weir.Ctf;

/// <summary>Reads the metadata of a CTF trace. Thread-safe.</summary>
public static class MetadataReader
{
    /// <summary>Largest metadata file that is read, in bytes.</summary>
    public const int MaxMetadataBytes = 256 << 20;

    /// <summary>Reads metadata: TSDL (CTF 1.8) or JSON (CTF 2), as text or in packets of either byte order.</summary>
    /// <param name="metadata">The metadata file's bytes.</param>
    /// <exception cref="CtfMetadataException">The metadata is not what CTF says; the error has its line and column.</exception>
    public static TraceClass Read(ReadOnlySpan<byte> metadata)
    {
        if (MetadataText.IsPacketized(metadata))
        {
            byte[] unpacked = MetadataText.Unpack(metadata, out int majorVersion);
            return majorVersion == 2 ? JsonMetadata.Parse(unpacked) : TsdlParser.Parse(unpacked);
        }
        byte[] text = metadata.ToArray();
        if (text is [JsonMetadata.RecordSeparator, ..])
            return JsonMetadata.Parse(text);
        CheckSignature(text);
        return TsdlParser.Parse(text);
    }

    /// <summary>Reads metadata from text; see <see cref="Read(ReadOnlySpan{byte})"/>.</summary>
    public static TraceClass Read(string metadata) => Read(System.Text.Encoding.UTF8.GetBytes(metadata));

    /// <summary>Plain TSDL begins with <c>/* CTF 1.8 */</c>, from which its version is known.</summary>
    private static void CheckSignature(ReadOnlySpan<byte> metadata)
    {
        if (!metadata.StartsWith("/* CTF "u8))
            throw new CtfMetadataException(1, 1, "expected the metadata to begin with '/* CTF 1.8 */', with a byte 0x1E (CTF 2), or with a packet of metadata");
        var version = metadata["/* CTF ".Length..];
        int length = version.IndexOf((byte)' ');
        if (!version.StartsWith("1.8"u8) || length != 3)
            throw new CtfMetadataException(1, 8, "this version of CTF is not known: expected 1.8");
    }
}
