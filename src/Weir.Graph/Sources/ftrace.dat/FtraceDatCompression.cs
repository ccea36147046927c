using System.IO.Compression;
using ZstdSharp;

namespace Weir.Graph;

/// <summary>Unpacks what trace-cmd packed: zstd, zlib, or nothing.</summary>
internal sealed class FtraceDatCompression : IDisposable
{
    /// <summary>The most that one piece may become; trace-cmd packs tens of pages, or a section.</summary>
    private const uint MaxBytes = 256 << 20;

    private readonly string _name;
    private Decompressor? _zstd;

    /// <summary>Chooses by the name in the file.</summary>
    public FtraceDatCompression(string name) => _name = name;

    /// <summary>Whether the file's compression is one that is known.</summary>
    public bool IsKnown => _name is "zstd" or "zlib" or "none";

    /// <summary>Unpacks a piece; its two lengths stand before it.</summary>
    public byte[] ReadPiece(FileCursor cursor)
    {
        uint packedBytes = cursor.ReadUInt32();
        uint bytes = cursor.ReadUInt32();
        // So much no method makes of so little.
        if (bytes > MaxBytes || bytes > ((ulong)packedBytes + 64) * 65536)
            throw cursor.Fail($"{packedBytes} packed bytes cannot be {bytes} bytes");
        byte[] packed = cursor.ReadBytes(packedBytes);
        byte[] unpacked = new byte[bytes];
        try
        {
            int length = _name switch
            {
                "zstd" => (_zstd ??= new Decompressor()).Unwrap(packed, unpacked),
                "zlib" => ReadZlib(packed, unpacked),
                _ => throw cursor.Fail($"the file says that it is packed with '{_name}', but this part is packed"),
            };
            if (length != unpacked.Length)
                throw cursor.Fail($"unpacked there are {length} bytes, and not the {bytes} that the file says");
        }
        catch (Exception e) when (e is ZstdException or InvalidDataException or IOException)
        {
            throw cursor.Fail($"this part of the file cannot be unpacked with {_name}", e);
        }
        return unpacked;
    }

    /// <inheritdoc/>
    public void Dispose() => _zstd?.Dispose();

    private static int ReadZlib(byte[] packed, byte[] unpacked)
    {
        using var stream = new ZLibStream(new MemoryStream(packed, writable: false), CompressionMode.Decompress);
        return stream.ReadAtLeast(unpacked, unpacked.Length, throwOnEndOfStream: false);
    }
}
