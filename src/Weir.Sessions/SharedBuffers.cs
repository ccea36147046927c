namespace Weir.Sessions;

/// <summary>Names of the directories in shared memory that hold the buffers of sessions whose home is on a disk.</summary>
internal static class SharedBuffers
{
    private const string Place = "/dev/shm";
    private const string Prefix = "weir-";

    /// <summary>A path that nobody has taken or can guess.</summary>
    public static string NewPath() => Path.Combine(Place, $"{Prefix}{Guid.NewGuid():N}");

    /// <summary>Whether a path is one that <see cref="NewPath"/> makes.</summary>
    public static bool IsOne(string path) =>
        Path.GetDirectoryName(path) == Place && Path.GetFileName(path) is { } name && name.StartsWith(Prefix, StringComparison.Ordinal)
        && Guid.TryParseExact(name[Prefix.Length..], "N", out _);
}
