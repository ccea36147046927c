using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Weir.Sessions;

/// <summary>
/// The entries of an open directory that others may write to. The runtime's own enumeration follows links to tell what they lead to, and
/// cannot give back names that are no text.
/// </summary>
internal static class DirectoryEntries
{
    // An entry: inode u64 | offset i64 | length u16 | type u8 | name, ended by a zero.
    private const int LengthOffset = 16;
    private const int TypeOffset = 18;
    private const int NameOffset = 19;
    private const int BufferBytes = 32 * 1024;
    private const byte UnknownType = 0;
    private const byte DirectoryType = 4;

    /// <summary>Opens a directory by a path in which nobody else has a say, so that what is in it can be opened without following links.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SafeFileHandle Open(string directory)
    {
        int fd = LibC.Open(directory, LibC.IsDirectory | LibC.NonBlocking | LibC.CloseOnExec, 0);
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true)
            : throw new IOException($"{directory}: cannot be opened: {System.Runtime.InteropServices.Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Reads entries from where the directory stands.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="maxCount">About how many; there may be any number.</param>
    /// <returns>Names as bytes, with the zero that ends them, and whether they may be directories.</returns>
    public static List<(byte[] Name, bool MayBeDirectory)> Read(SafeFileHandle directory, int maxCount)
    {
        var entries = new List<(byte[], bool)>();
        byte[] buffer = new byte[BufferBytes];
        while (entries.Count < maxCount)
        {
            int length = LibC.GetEntries(directory, buffer);
            if (length <= 0)
                break;
            for (int at = 0; at < length;)
            {
                int entryBytes = BinaryPrimitives.ReadUInt16LittleEndian(buffer.AsSpan(at + LengthOffset));
                var name = buffer.AsSpan(at + NameOffset, entryBytes - NameOffset);
                name = name[..(name.IndexOf((byte)0) + 1)];
                if (!name.SequenceEqual(".\0"u8) && !name.SequenceEqual("..\0"u8))
                    entries.Add((name.ToArray(), buffer[at + TypeOffset] is DirectoryType or UnknownType));
                at += entryBytes;
            }
        }
        return entries;
    }

    /// <summary>The names of a directory's entries as text; what was none no longer leads to its entry.</summary>
    public static string[] Names(SafeFileHandle directory, int maxCount) =>
        [.. Read(directory, maxCount).Select(entry => Encoding.UTF8.GetString(entry.Name.AsSpan(0, entry.Name.Length - 1)))];
}
