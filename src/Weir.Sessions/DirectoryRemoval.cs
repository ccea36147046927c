using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Weir.Sessions;

/// <summary>
/// Removes a directory with what is in it while others, who own parts of it, may be changing it: everything is reached from the directory
/// that holds it, so that nobody can put a link in the way and have something else removed.
/// </summary>
internal static unsafe class DirectoryRemoval
{
    /// <summary>Deeper than anything that programs make; what somebody has made deeper stays.</summary>
    private const int MaxDepth = 16;

    private const int MaxEntries = 100_000;

    /// <summary>False where something is left.</summary>
    /// <param name="directory">Its path, up to the last name one in which nobody else has a say.</param>
    public static bool TryRemove(string directory)
    {
        try
        {
            using var parent = DirectoryEntries.Open(Path.GetDirectoryName(directory)!);
            return TryRemove(parent, Encoding.UTF8.GetBytes(Path.GetFileName(directory) + '\0'), 0);
        }
        catch (IOException)
        {
            return !Directory.Exists(directory);
        }
    }

    private static bool TryRemove(SafeFileHandle parent, byte[] name, int depth)
    {
        using (var directory = LibC.OpenIn(parent, name, LibC.IsDirectory))
        {
            // What is no directory, or was replaced by something that is none, is only unlinked.
            if (directory == null)
                return TryUnlink(parent, name, 0);
            foreach (var (entry, mayBeDirectory) in DirectoryEntries.Read(directory, MaxEntries))
            {
                if (mayBeDirectory && depth < MaxDepth)
                    TryRemove(directory, entry, depth + 1);
                else
                    TryUnlink(directory, entry, 0);
            }
        }
        return TryUnlink(parent, name, LibC.RemoveDirectory);
    }

    private static bool TryUnlink(SafeFileHandle parent, byte[] name, int flags)
    {
        fixed (byte* path = name)
            return LibC.Unlink(parent, path, flags) == 0 || System.Runtime.InteropServices.Marshal.GetLastPInvokeError() == LibC.NoEntry;
    }
}
