using System.Buffers.Binary;

namespace Weir.Tracing;

/// <summary>
/// How many processes a session could not record, in a file of its own: a u64, little-endian, for which the session's owner has made room
/// while there was some. Who may not write it, because the session is another user's, leaves an empty directory in the buffers instead.
/// </summary>
internal static class RefusedProcesses
{
    /// <summary>The file's name in the session's directory.</summary>
    public const string FileName = "refused";

    /// <summary>How the name ends of a directory that stands for a refused process.</summary>
    public const string MarkSuffix = ".refused";

    private const int Attempts = 200;

    /// <summary>Makes the file of a new session.</summary>
    public static void Create(string sessionDirectory) => File.WriteAllBytes(Path.Combine(sessionDirectory, FileName), new byte[sizeof(ulong)]);

    /// <summary>The count; 0 where it cannot be read.</summary>
    public static long Count(string sessionDirectory)
    {
        try
        {
            using var file = File.OpenHandle(Path.Combine(sessionDirectory, FileName), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            return Read(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    /// <summary>Counts one more. Other processes may do so at the same time, so the file is locked for it.</summary>
    public static void Add(string sessionDirectory)
    {
        string path = Path.Combine(sessionDirectory, FileName);
        if (SessionHome.OwnerOf(sessionDirectory) is { } owner && owner != SessionHome.EffectiveUserId() && !SessionHome.IsForEveryone)
        {
            Mark(sessionDirectory);
            return;
        }
        for (int i = 0; i < Attempts && File.Exists(path); i++)
        {
            try
            {
                // Opened for nobody else: the runtime takes an exclusive lock, and fails where another holds it.
                using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
                Span<byte> count = stackalloc byte[sizeof(ulong)];
                BinaryPrimitives.WriteInt64LittleEndian(count, Read(file) + 1);
                RandomAccess.Write(file, count, 0);
                return;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Thread.Sleep(1);
            }
        }
    }

    private static void Mark(string sessionDirectory)
    {
        try
        {
            string buffers = Path.Combine(sessionDirectory, SessionDescription.BuffersName);
            SessionHome.TryCreateNew(Path.Combine(buffers, ProcessDirectory.NameNow(Random.Shared.Next()) + MarkSuffix));
        }
        catch (IOException)
        {
            // Then nobody hears of it.
        }
    }

    private static long Read(Microsoft.Win32.SafeHandles.SafeFileHandle file)
    {
        Span<byte> count = stackalloc byte[sizeof(ulong)];
        return RandomAccess.Read(file, count, 0) == count.Length ? BinaryPrimitives.ReadInt64LittleEndian(count) : 0;
    }
}
