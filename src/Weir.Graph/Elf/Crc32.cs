namespace Weir.Graph;

/// <summary>The checksum by which <c>.gnu_debuglink</c> tells its file: CRC-32 of IEEE 802.3, reflected, as zlib's.</summary>
internal static class Crc32
{
    private static readonly uint[] s_table = CreateTable();

    /// <summary>The checksum of all that a stream has left.</summary>
    public static uint Of(Stream stream)
    {
        byte[] buffer = new byte[64 << 10];
        uint crc = ~0u;
        for (int count = stream.Read(buffer); count > 0; count = stream.Read(buffer))
        {
            foreach (byte next in buffer.AsSpan(0, count))
                crc = s_table[(byte)(crc ^ next)] ^ (crc >> 8);
        }
        return ~crc;
    }

    private static uint[] CreateTable()
    {
        var table = new uint[256];
        for (uint i = 0; i < table.Length; i++)
        {
            uint value = i;
            for (int bit = 0; bit < 8; bit++)
                value = (value & 1) != 0 ? (value >> 1) ^ 0xEDB88320 : value >> 1;
            table[i] = value;
        }
        return table;
    }
}
