using System.Buffers.Binary;

namespace Weir.Ctf;

/// <summary>
/// Takes the text out of a metadata stream, which is either the text itself or packets of text (CTF 1.8, section 7.1):
/// <code>
///  0 magic u32 0x75D11D57 | 4 uuid 16 bytes | 20 checksum u32 | 24 content_size u32 (bits) | 28 packet_size u32 (bits)
/// 32 compression u8 | 33 encryption u8 | 34 checksum scheme u8 | 35 major u8 | 36 minor u8 | 37 text
/// </code>
/// Numbers are in the byte order in which the magic is read.
/// </summary>
internal static class MetadataText
{
    private const uint Magic = 0x75D11D57;
    private const int UuidOffset = 4;
    private const int ContentSizeOffset = UuidOffset + 16 + 4;
    private const int PacketSizeOffset = ContentSizeOffset + 4;
    private const int CompressionOffset = PacketSizeOffset + 4;
    private const int EncryptionOffset = CompressionOffset + 1;
    private const int ChecksumSchemeOffset = EncryptionOffset + 1;
    private const int MajorOffset = ChecksumSchemeOffset + 1;
    private const int MinorOffset = MajorOffset + 1;

    internal const int HeaderBytes = MinorOffset + 1;

    /// <summary>Whether the metadata is in packets.</summary>
    public static bool IsPacketized(ReadOnlySpan<byte> metadata) =>
        metadata.Length >= 4 && (BinaryPrimitives.ReadUInt32LittleEndian(metadata) == Magic || BinaryPrimitives.ReadUInt32BigEndian(metadata) == Magic);

    /// <summary>The text of all packets, one after the other.</summary>
    /// <param name="metadata">The packets.</param>
    /// <param name="majorVersion">The major version of CTF that all packets name: 1 or 2.</param>
    /// <exception cref="CtfMetadataException">A packet is not what the specification says.</exception>
    public static byte[] Unpack(ReadOnlySpan<byte> metadata, out int majorVersion)
    {
        majorVersion = metadata.Length > MajorOffset ? metadata[MajorOffset] : 1;
        bool isLittle = BinaryPrimitives.ReadUInt32LittleEndian(metadata) == Magic;
        var text = new byte[metadata.Length];
        int length = 0;
        ReadOnlySpan<byte> uuid = default;
        for (int offset = 0; offset < metadata.Length;)
        {
            var packet = metadata[offset..];
            if (packet.Length < HeaderBytes)
                throw Bad(offset, $"the packet's header takes {HeaderBytes} bytes, but the file ends after {packet.Length}");
            if (Read(packet, 0, isLittle) != Magic)
                throw Bad(offset, $"expected the magic number 0x{Magic:X}, found 0x{Read(packet, 0, isLittle):X}");
            CheckSchemes(packet, offset);
            if (packet[MajorOffset] != majorVersion)
                throw Bad(offset, $"version {packet[MajorOffset]} is not that of the first packet, {majorVersion}");
            uint contentBits = Read(packet, ContentSizeOffset, isLittle);
            uint packetBits = Read(packet, PacketSizeOffset, isLittle);
            if (contentBits % 8 != 0 || packetBits % 8 != 0 || contentBits > packetBits || contentBits / 8 < HeaderBytes)
                throw Bad(offset, $"a content of {contentBits} bits in a packet of {packetBits} bits is impossible");
            if (packetBits / 8 > packet.Length)
                throw Bad(offset, $"the packet takes {packetBits / 8} bytes, but the file ends after {packet.Length}");
            var packetUuid = packet.Slice(UuidOffset, 16);
            if (uuid.IsEmpty)
                uuid = packetUuid;
            else if (!uuid.SequenceEqual(packetUuid))
                throw Bad(offset, "the packet's UUID is not that of the first packet");
            var part = packet[HeaderBytes..(int)(contentBits / 8)];
            part.CopyTo(text.AsSpan(length));
            length += part.Length;
            offset += (int)(packetBits / 8);
        }
        return text.AsSpan(0, length).ToArray();
    }

    private static void CheckSchemes(ReadOnlySpan<byte> packet, int offset)
    {
        if ((packet[MajorOffset], packet[MinorOffset]) is not ((1, 8) or (2, 0)))
            throw Bad(offset, $"version {packet[MajorOffset]}.{packet[MinorOffset]} is not known: expected 1.8 or 2.0");
        if (packet[CompressionOffset] != 0)
            throw Bad(offset, $"compression scheme {packet[CompressionOffset]} is not known: expected 0");
        if (packet[EncryptionOffset] != 0)
            throw Bad(offset, $"encryption scheme {packet[EncryptionOffset]} is not known: expected 0");
        if (packet[ChecksumSchemeOffset] != 0)
            throw Bad(offset, $"checksum scheme {packet[ChecksumSchemeOffset]} is not known: expected 0");
    }

    private static uint Read(ReadOnlySpan<byte> packet, int offset, bool isLittle) => isLittle
        ? BinaryPrimitives.ReadUInt32LittleEndian(packet[offset..])
        : BinaryPrimitives.ReadUInt32BigEndian(packet[offset..]);

    private static CtfMetadataException Bad(int offset, string message) =>
        new(0, 0, $"metadata packet at byte {offset}: {message}");
}
