using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Weir.Tracing;

/// <summary>
/// Waits for changes in directories of sessions, and for the ends of their owners, with inotify: a blocked thread, no timer, so an idle
/// CPU stays asleep. The runtime's own watcher starts more than is needed here.
/// </summary>
internal sealed unsafe partial class HomeWatch
{
    private const int CloseOnExec = 0x80000;
    private const uint ClosedAfterWrite = 0x8;
    private const uint MovedTo = 0x80;
    private const uint ModeChanged = 0x4;
    private const uint Created = 0x100;
    private const uint Deleted = 0x200;
    private const int BufferBytes = 4096;

    // An event: watch i32 | mask u32 | cookie u32 | length of the name u32 | name.
    private const int MaskOffset = 4;
    private const int NameLengthOffset = 12;
    private const int EventBytes = 16;

    /// <summary>The kernel tells that a file is closed just before it takes its lock away.</summary>
    private const int UnlockMs = 20;

    private readonly int _fd;
    private readonly IReadOnlyCollection<string> _directories;
    private int _parentOfRoots = -1;

    private HomeWatch(int fd, IReadOnlyCollection<string> directories)
    {
        _fd = fd;
        _directories = directories;
    }

    /// <summary>Begins to watch; null where the system refuses.</summary>
    public static HomeWatch? TryCreate(IReadOnlyCollection<string> directories)
    {
        int fd = Init(CloseOnExec);
        if (fd < 0)
            return null;
        var watch = new HomeWatch(fd, directories);
        if (watch.Renew())
            return watch;
        _ = Close(fd);
        return null;
    }

    /// <summary>Watches directories that were removed and made again; those that are watched already stay so. False where there is none.</summary>
    public bool Renew()
    {
        int watched = 0;
        foreach (string directory in _directories)
        {
            bool isWatched = AddWatch(_fd, directory, MovedTo | Created | Deleted) >= 0;
            if (directory == SessionHome.OfRoot)
                isWatched |= WatchForRootsHome(isThere: isWatched);
            if (isWatched)
                watched++;
        }
        return watched > 0;
    }

    /// <summary>Root's home is the one that a program cannot make: until root does, and lets others in, watches for that.</summary>
    private bool WatchForRootsHome(bool isThere)
    {
        if (!isThere && _parentOfRoots < 0)
            _parentOfRoots = AddWatch(_fd, Path.GetDirectoryName(SessionHome.OfRoot)!, MovedTo | Created | ModeChanged);
        else if (isThere && _parentOfRoots >= 0)
        {
            _ = RemoveWatch(_fd, _parentOfRoots);
            _parentOfRoots = -1;
        }
        return _parentOfRoots >= 0;
    }

    /// <summary>Watches for the end of a session's owner, however it ends.</summary>
    public void WatchOwner(string sessionDirectory) =>
        // Only the owner has the file open for writing.
        _ = AddWatch(_fd, Path.Combine(sessionDirectory, LifeLock.FileName), ClosedAfterWrite);

    /// <summary>Blocks until something has changed since the last call; false when nothing more can be watched.</summary>
    public bool Wait()
    {
        byte* buffer = stackalloc byte[BufferBytes];
        while (true)
        {
            nint got = Read(_fd, buffer, BufferBytes);
            if (got > 0)
            {
                if (HasOwnerEnded(new ReadOnlySpan<byte>(buffer, (int)got)))
                    Thread.Sleep(UnlockMs);
                return true;
            }
            const int Interrupted = 4;
            if (Marshal.GetLastPInvokeError() != Interrupted)
                return false;
        }
    }

    private static bool HasOwnerEnded(ReadOnlySpan<byte> events)
    {
        while (events.Length >= EventBytes)
        {
            if ((BinaryPrimitives.ReadUInt32LittleEndian(events[MaskOffset..]) & ClosedAfterWrite) != 0)
                return true;
            events = events[Math.Min(events.Length, EventBytes + BinaryPrimitives.ReadInt32LittleEndian(events[NameLengthOffset..]))..];
        }
        return false;
    }

    [LibraryImport("libc", EntryPoint = "inotify_init1", SetLastError = true)]
    private static partial int Init(int flags);

    [LibraryImport("libc", EntryPoint = "inotify_add_watch", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddWatch(int fd, string path, uint mask);

    [LibraryImport("libc", EntryPoint = "inotify_rm_watch", SetLastError = true)]
    private static partial int RemoveWatch(int fd, int watch);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(int fd, byte* buffer, nint lengthBytes);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int fd);
}
