using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weir.Tracing;

/// <summary>
/// A file that a process keeps open and locked while it lives. However the process ends, the kernel closes and unlocks it, so the lock
/// tells the living from the dead where a process id cannot: after the id was given to another, and from another container.
/// </summary>
/// <remarks>
/// The lock is one for writing, which only who may write the file can take, and whoever asks takes none: so other users may be let ask,
/// and can neither feign a life nor get into anybody's way. It belongs to the open file, not to the process: a fork or a second close
/// does not end it.
/// </remarks>
internal sealed unsafe partial class LifeLock : IDisposable
{
    /// <summary>The file's name: in a session's directory its owner's, in a process's buffers the process's.</summary>
    public const string FileName = "alive";

    private const int WriteOnly = 0x1;
    private const int Create = 0x40;
    private const int Exclusive = 0x80;
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;
    private const int GetOpenFileLock = 36;
    private const int SetOpenFileLock = 37;
    private const short ReadLock = 0;
    private const short WriteLock = 1;
    private const short Unlocked = 2;

    private readonly SafeFileHandle _file;

    private LifeLock(SafeFileHandle file) => _file = file;

    /// <summary>Takes the lock of a directory that is new; null where its file system has no locks, and process ids must do.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="isForEveryone">Whether other users may ask.</param>
    /// <exception cref="IOException">The file cannot be made.</exception>
    public static LifeLock? TryTake(string directory, bool isForEveryone = false)
    {
        // Locked before it has its name: nobody ever sees the file of a living process unlocked.
        string path = Path.Combine(directory, FileName);
        string temporary = path + ".new";
        int fd = Open(temporary, WriteOnly | Create | Exclusive | CloseOnExec, Convert.ToInt32("600", 8));
        if (fd < 0)
            throw new IOException($"{temporary}: cannot be created: {Marshal.GetLastPInvokeErrorMessage()}");
        var file = new SafeFileHandle(fd, ownsHandle: true);
        var wanted = new FileLock { Kind = WriteLock };
        if (Control(file, SetOpenFileLock, &wanted) == 0)
        {
            if (isForEveryone)
                SessionHome.SetMode(temporary, SessionHome.ReadableFile);
            File.Move(temporary, path);
            return new LifeLock(file);
        }
        file.Dispose();
        File.Delete(temporary);
        return null;
    }

    /// <summary>Whether the process that took a directory's lock lives; null where none was taken.</summary>
    public static bool? IsHeld(string directory)
    {
        int fd = Open(Path.Combine(directory, FileName), NonBlocking | CloseOnExec, 0);
        if (fd < 0)
            return null;
        using var file = new SafeFileHandle(fd, ownsHandle: true);
        return IsHeld(file);
    }

    /// <summary>The same of a lock's file that is open already.</summary>
    public static bool IsHeld(SafeFileHandle file)
    {
        // Whom would a lock for reading have to wait for? Where that cannot be told, nobody's life is denied.
        var asked = new FileLock { Kind = ReadLock };
        return Control(file, GetOpenFileLock, &asked) != 0 || asked.Kind != Unlocked;
    }

    public void Dispose() => _file.Dispose();

    /// <summary>The kernel's <c>struct flock</c>, of the whole file.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct FileLock
    {
        public short Kind;
        public short Whence;
        public long Start;
        public long LengthBytes;
        public int ProcessId;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(SafeFileHandle file, int command, FileLock* argument);
}
