using System.Runtime.InteropServices;

namespace Weir.Tracing;

/// <summary>
/// Waits for changes in directories of sessions with inotify: a blocked thread, no timer, so an idle CPU stays asleep. The runtime's
/// own watcher starts more than is needed here.
/// </summary>
internal sealed unsafe partial class HomeWatch
{
    private const int CloseOnExec = 0x80000;
    private const uint MovedTo = 0x80;
    private const uint Created = 0x100;
    private const uint Deleted = 0x200;
    private const int BufferBytes = 4096;

    private readonly int _fd;

    private HomeWatch(int fd) => _fd = fd;

    /// <summary>Begins to watch; null where the system refuses.</summary>
    public static HomeWatch? TryCreate(IEnumerable<string> directories)
    {
        int fd = Init(CloseOnExec);
        if (fd < 0)
            return null;
        int watched = 0;
        foreach (string directory in directories)
        {
            if (AddWatch(fd, directory, MovedTo | Created | Deleted) >= 0)
                watched++;
        }
        if (watched > 0)
            return new HomeWatch(fd);
        _ = Close(fd);
        return null;
    }

    /// <summary>Blocks until something has changed since the last call; false when nothing more can be watched.</summary>
    public bool Wait()
    {
        byte* buffer = stackalloc byte[BufferBytes];
        while (true)
        {
            nint got = Read(_fd, buffer, BufferBytes);
            if (got > 0)
                return true;
            const int Interrupted = 4;
            if (Marshal.GetLastPInvokeError() != Interrupted)
                return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "inotify_init1", SetLastError = true)]
    private static partial int Init(int flags);

    [LibraryImport("libc", EntryPoint = "inotify_add_watch", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddWatch(int fd, string path, uint mask);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(int fd, byte* buffer, nint lengthBytes);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int fd);
}
