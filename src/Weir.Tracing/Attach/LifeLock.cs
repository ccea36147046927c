using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weir.Tracing;

/// <summary>
/// A file that a process keeps open and locked while it lives. However the process ends, the kernel closes and unlocks it, so the lock
/// tells the living from the dead where a process id cannot: after the id was given to another, and from another container.
/// </summary>
internal sealed partial class LifeLock : IDisposable
{
    /// <summary>The file's name: in a session's directory its owner's, in a process's buffers the process's.</summary>
    public const string FileName = "alive";

    private const int WriteOnly = 0x1;
    private const int Create = 0x40;
    private const int Exclusive = 0x80;
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;
    private const int LockShared = 1;
    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;

    private readonly SafeFileHandle _file;

    private LifeLock(SafeFileHandle file) => _file = file;

    /// <summary>Takes the lock of a directory that is new; null where its file system has no locks, and process ids must do.</summary>
    /// <exception cref="IOException">The file cannot be made.</exception>
    public static LifeLock? TryTake(string directory)
    {
        // Locked before it has its name: nobody ever sees the file of a living process unlocked.
        string path = Path.Combine(directory, FileName);
        string temporary = path + ".new";
        int fd = Open(temporary, WriteOnly | Create | Exclusive | CloseOnExec, Convert.ToInt32("600", 8));
        if (fd < 0)
            throw new IOException($"{temporary}: cannot be created: {Marshal.GetLastPInvokeErrorMessage()}");
        var file = new SafeFileHandle(fd, ownsHandle: true);
        if (Lock(fd, LockExclusive | LockNonBlocking) == 0)
        {
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
        bool isHeld = Lock(fd, LockShared | LockNonBlocking) != 0;
        _ = Close(fd);
        return isHeld;
    }

    public void Dispose() => _file.Dispose();

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Lock(int fd, int operation);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int fd);
}
