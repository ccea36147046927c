using System.Runtime.InteropServices;

namespace Weir.Kernel;

/// <summary>
/// The kernel's tracing files: where they are mounted, mounted here if they must be. A mount of ours goes again with the last user of it.
/// Source: linux, Documentation/trace/ftrace.rst.
/// </summary>
public sealed class TracefsMount : IDisposable
{
    /// <summary>Where the kernel means them to be.</summary>
    public const string UsualPath = "/sys/kernel/tracing";

    private readonly bool _isOurs;

    private TracefsMount(string path, bool isOurs)
    {
        Path = path;
        _isOurs = isOurs;
    }

    /// <summary>The directory.</summary>
    public string Path { get; }

    /// <summary>The directory of instances.</summary>
    public string InstancesPath => System.IO.Path.Combine(Path, "instances");

    /// <summary>Finds the files, or mounts them.</summary>
    /// <exception cref="KernelException">They are not there and cannot be mounted, or may not be used; says what is needed.</exception>
    public static TracefsMount Open()
    {
        string? path = FindMounted(File.ReadLines("/proc/mounts"));
        var mount = path is null ? MountNew() : new TracefsMount(path, isOurs: false);
        try
        {
            // A first look: without the right to read them nothing else has a sense.
            _ = Directory.GetFileSystemEntries(mount.Path).Length;
            return mount;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            mount.Dispose();
            throw new KernelException($"{mount.Path}: the kernel's tracing files may not be read here: {e.Message}; {Needed}", e) { NeedsPrivilege = e is UnauthorizedAccessException };
        }
    }

    /// <summary>What recording the kernel needs, as a sentence's end.</summary>
    public const string Needed =
        "recording the kernel needs root, or tracefs mounted for a group that you are in (as root: mount -o remount,mode=770,gid=tracing /sys/kernel/tracing)";

    /// <summary>Reads a file's whole text.</summary>
    /// <exception cref="KernelException">It cannot be read.</exception>
    public string ReadText(string relativePath) => TracefsFile.Read(System.IO.Path.Combine(Path, relativePath));

    /// <inheritdoc/>
    public void Dispose()
    {
        // Busy: somebody else has begun to use it meanwhile.
        if (_isOurs)
            _ = LibC.Unmount(Path, 0);
    }

    /// <summary>The first mount of tracefs in the lines of /proc/mounts, or the one that debugfs brings along; null where there is none.</summary>
    internal static string? FindMounted(IEnumerable<string> mounts)
    {
        string? found = null;
        foreach (string line in mounts)
        {
            // "nodev /sys/kernel/tracing tracefs rw 0 0", with spaces in paths as \040.
            if (line.Split(' ') is not [_, var place, "tracefs", ..])
                continue;
            place = place.Replace("\\040", " ", StringComparison.Ordinal);
            if (place == UsualPath)
                return place;
            found ??= place;
        }
        return found;
    }

    private static TracefsMount MountNew()
    {
        if (!Directory.Exists(UsualPath))
            throw new KernelException($"{UsualPath}: this kernel has no tracefs (it was built without CONFIG_FTRACE); the kernel cannot be recorded here");
        if (LibC.Mount("nodev", UsualPath, "tracefs", 0, 0) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            throw new KernelException($"{UsualPath}: tracefs is not mounted and cannot be: {Marshal.GetPInvokeErrorMessage(error)}; {Needed}") { NeedsPrivilege = LibC.IsRefusal(error) };
        }
        return new TracefsMount(UsualPath, isOurs: true);
    }
}
