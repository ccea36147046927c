namespace Weir.Graph;

/// <summary>Files whose names come from elsewhere: pipes and devices among them could be waited for, and are let be.</summary>
internal static class RegularFile
{
    /// <summary>Opens a file, at the end of links; null where there is none, or an empty one.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be opened.</exception>
    public static FileStream? Open(string path, int bufferSize = 4096)
    {
        if (!File.Exists(path))
            return null;
        var target = File.ResolveLinkTarget(path, returnFinalTarget: true) as FileInfo ?? new FileInfo(path);
        // Pipes and devices have no length.
        return target.Exists && target.Length > 0
            ? new FileStream(target.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize)
            : null;
    }

    /// <summary>The first bytes of a file, as many as there is room for; none where it has no more or there is none.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static ReadOnlySpan<byte> ReadHead(string path, Span<byte> room)
    {
        using var stream = Open(path, bufferSize: 0);
        return stream is null ? default : room[..stream.ReadAtLeast(room, room.Length, throwOnEndOfStream: false)];
    }
}
