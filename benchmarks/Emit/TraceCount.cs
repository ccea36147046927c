using System.IO.MemoryMappedFiles;

namespace Weir.Bench.Emit;

/// <summary>
/// Counts the benchmark's events in the files of any trace by the marker in their payloads, without trusting what a recorder says
/// about itself. Padding may repeat old bytes, so the count may exceed the events emitted by a few, and must never be below.
/// </summary>
internal static class TraceCount
{
    private const int ChunkBytes = 1 << 30;

    /// <returns>Markers found, and the bytes of the streams (neither metadata nor index files).</returns>
    public static unsafe (long Events, long Bytes) Count(string directory)
    {
        long events = 0, bytes = 0;
        foreach (string path in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories))
        {
            if (Path.GetFileName(path) == "metadata" || path.EndsWith(".idx", StringComparison.Ordinal))
                continue;
            long length = new FileInfo(path).Length;
            bytes += length;
            if (length == 0)
                continue;
            using var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
            using var view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            byte* start = null;
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            // Chunks overlap by three bytes, so a marker on a border is seen, and seen once.
            for (long at = 0; at < length; at += ChunkBytes)
                events += new ReadOnlySpan<byte>(start + at, (int)Math.Min(ChunkBytes + 3, length - at)).Count("WEIR"u8);
            view.SafeMemoryMappedViewHandle.ReleasePointer();
        }
        return (events, bytes);
    }
}
