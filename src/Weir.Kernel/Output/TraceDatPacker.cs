using Microsoft.Win32.SafeHandles;
using ZstdSharp;

namespace Weir.Kernel;

/// <summary>
/// Packs parts of a trace.dat of version 7 with zstd: <c>packed size u32 | size u32 | packed data</c>, pages in pieces of
/// <see cref="PieceBytes"/> behind their number, u32. Not thread-safe.
/// </summary>
internal sealed class TraceDatPacker : IDisposable
{
    /// <summary>The method's name in the file.</summary>
    public const string Name = "zstd";

    /// <summary>Its version there; what is written has the format of all versions since 1.0.</summary>
    public const string Version = "1.5";

    /// <summary>Bytes of a piece: readers unpack one at a time for each CPU, and larger ones are hardly smaller packed.</summary>
    public const int PieceBytes = 128 << 10;

    private const int HeadBytes = 2 * sizeof(uint);

    private readonly Compressor _zstd = new(Compressor.DefaultCompressionLevel);
    private readonly byte[] _piece = new byte[PieceBytes];
    private readonly byte[] _packed = new byte[HeadBytes + Compressor.GetCompressBound(PieceBytes)];

    /// <summary>Packs a part with its two sizes before it.</summary>
    public byte[] Pack(ReadOnlySpan<byte> bytes)
    {
        byte[] packed = new byte[HeadBytes + Compressor.GetCompressBound(bytes.Length)];
        return packed[..Pack(bytes, packed)];
    }

    /// <summary>
    /// Packs pages out of a file, which gives them back meanwhile. A disk that fills takes whole pieces; <paramref name="target"/> then ends behind
    /// the last.
    /// </summary>
    /// <param name="source">The file.</param>
    /// <param name="lengthBytes">Bytes of pages in it.</param>
    /// <param name="pageBytes">Size of a page; a piece has whole ones.</param>
    /// <param name="target">Takes them at its position.</param>
    /// <param name="problem">Why not all of them came, or null.</param>
    /// <returns>Bytes of pages that came.</returns>
    public long Pack(SafeFileHandle source, long lengthBytes, int pageBytes, FileStream target, out string? problem)
    {
        problem = null;
        long begin = target.Position;
        long end = begin + sizeof(uint);
        long done = 0;
        uint pieces = 0;
        int most = Math.Max(PieceBytes / pageBytes, 1) * pageBytes;
        try
        {
            if (lengthBytes > 0)
                target.Write(new byte[sizeof(uint)]);
            while (done < lengthBytes)
            {
                var piece = _piece.AsSpan(0, (int)Math.Min(most, lengthBytes - done));
                int read = RandomAccess.Read(source, piece, done);
                if (read < piece.Length)
                {
                    problem = "pages that were written are not there";
                    break;
                }
                int packed = Pack(piece, _packed);
                target.Write(_packed.AsSpan(0, packed));
                // What the disk does not take is to be known piece by piece.
                target.Flush();
                end = target.Position;
                TraceDatWriter.GiveBack(source, done, done + read);
                done += read;
                pieces++;
            }
        }
        catch (IOException e)
        {
            problem = e.Message;
        }
        if (pieces == 0)
            end = begin;
        target.SetLength(end);
        if (pieces > 0)
        {
            target.Position = begin;
            target.Write(BitConverter.GetBytes(pieces));
            target.Flush();
        }
        target.Position = end;
        return done;
    }

    /// <inheritdoc/>
    public void Dispose() => _zstd.Dispose();

    private int Pack(ReadOnlySpan<byte> bytes, Span<byte> target)
    {
        int packed = _zstd.Wrap(bytes, target[HeadBytes..]);
        BitConverter.TryWriteBytes(target, packed);
        BitConverter.TryWriteBytes(target[sizeof(uint)..], bytes.Length);
        return HeadBytes + packed;
    }
}
