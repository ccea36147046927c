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
        byte[] text = ReadText(metadata, out int packetVersion);
        if (packetVersion != 0)
            return packetVersion == 2 ? JsonMetadata.Parse(text) : TsdlParser.Parse(text);
        if (text is [JsonMetadata.RecordSeparator, ..])
            return JsonMetadata.Parse(text);
        CheckSignature(text);
        return TsdlParser.Parse(text);
    }

    /// <summary>The text of metadata, out of its packets where it is in packets.</summary>
    /// <param name="metadata">The metadata file's bytes.</param>
    /// <param name="packetVersion">The major version of CTF that the packets name, 1 or 2; 0 where there are no packets.</param>
    /// <exception cref="CtfMetadataException">A packet is not what the specification says.</exception>
    public static byte[] ReadText(ReadOnlySpan<byte> metadata, out int packetVersion)
    {
        packetVersion = 0;
        return MetadataText.IsPacketized(metadata) ? MetadataText.Unpack(metadata, out packetVersion) : metadata.ToArray();
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
