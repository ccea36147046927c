using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Weir.Tracing;

namespace Weir.Sessions;

/// <summary>
/// The directory in which a process has its buffers, open: whatever its owner does to names and links from then on, what is opened here is in
/// that directory, is a file, and belongs to the directory's owner. Not thread-safe.
/// </summary>
internal sealed class ProcessBuffers : IDisposable
{
    private readonly SafeFileHandle _directory;

    private ProcessBuffers(string path, SafeFileHandle directory, uint user)
    {
        Path = path;
        _directory = directory;
        User = user;
        IsForeign = user != SessionHome.EffectiveUserId();
    }

    /// <summary>Where it is, for messages; what has this name now may be something else.</summary>
    public string Path { get; }

    /// <summary>Whose it is.</summary>
    public uint User { get; }

    /// <summary>Whether it is another user's than the recorder's.</summary>
    public bool IsForeign { get; }

    /// <summary>A path to the open directory itself.</summary>
    public string Anchor => $"/proc/self/fd/{_directory.DangerousGetHandle()}";

    /// <summary>Whether the process has not removed it.</summary>
    public bool IsThere => LibC.Status(_directory) is { Links: > 0 };

    /// <summary>Opens a process's directory; null where there is none of this name that is a directory.</summary>
    public static ProcessBuffers? TryOpen(string buffersDirectory, string name)
    {
        using var all = DirectoryEntries.Open(buffersDirectory);
        var directory = LibC.OpenIn(all, Terminated(name), LibC.IsDirectory);
        if (directory != null && LibC.Status(directory) is { } status)
            return new ProcessBuffers(System.IO.Path.Combine(buffersDirectory, name), directory, status.User);
        directory?.Dispose();
        return null;
    }

    /// <summary>The names in it, up to a number that no process reaches.</summary>
    public string[] Names()
    {
        const int MaxNames = 20_000;
        using var directory = LibC.OpenIn(_directory, Terminated("."), LibC.IsDirectory);
        return directory == null ? [] : DirectoryEntries.Names(directory, MaxNames);
    }

    /// <summary>Opens a file to read, or to read and write.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="InvalidDataException">It is a link, a pipe, or somebody else's.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public SafeFileHandle Open(string name, bool isWritable = false)
    {
        string path = System.IO.Path.Combine(Path, name);
        var file = LibC.OpenIn(_directory, Terminated(name), isWritable ? LibC.ReadWrite : 0);
        if (file == null)
        {
            int error = Marshal.GetLastPInvokeError();
            string message = Marshal.GetPInvokeErrorMessage(error);
            throw error == LibC.NoEntry ? new FileNotFoundException(message)
                : error == LibC.TooManyLinks ? new InvalidDataException($"{path}: {Refusal}")
                : new IOException($"{path}: cannot be opened: {message}");
        }
        if (LibC.Status(file) is { IsRegular: true } status && status.User == User)
            return file;
        file.Dispose();
        throw new InvalidDataException($"{path}: {Refusal}");
    }

    /// <summary>Whether the process lives; of one that had no lock, whether its id is anybody's.</summary>
    public bool IsAlive()
    {
        try
        {
            using var file = Open(LifeLock.FileName);
            return LifeLock.IsHeld(file);
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            return ProcessDirectory.ProcessIdOf(System.IO.Path.GetFileName(Path)) is not { } id || Directory.Exists($"/proc/{id}");
        }
    }

    public void Dispose() => _directory.Dispose();

    private const string Refusal = "not a file of its own; what was recorded there is not in the trace";

    private static byte[] Terminated(string name) => Encoding.UTF8.GetBytes(name + '\0');
}
