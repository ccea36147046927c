namespace Weir.Kernel;

/// <summary>
/// A line of /proc/PID/maps:
/// <code>
///  55d0c0a02000-55d0c0a07000 r-xp 00002000 08:01 131      /usr/bin/cat
///  start        end          flags offset  dev   inode    path
/// </code>
/// Source: linux, Documentation/filesystems/proc.rst.
/// </summary>
internal readonly ref struct MapsLine
{
    private const uint Readable = 1;
    private const uint Writable = 2;
    private const uint Executable = 4;
    private const uint Shared = 8;

    public ulong Start { get; private init; }

    public ulong End { get; private init; }

    /// <summary>The kernel's VM_READ, VM_WRITE, VM_EXEC and VM_SHARED.</summary>
    public uint Flags { get; private init; }

    /// <summary>Where in the file it begins.</summary>
    public ulong Offset { get; private init; }

    /// <summary>The file system, as the text has it.</summary>
    public ReadOnlySpan<byte> Device { get; private init; }

    /// <summary>The file in it; 0 for memory that is no file's.</summary>
    public ulong Inode { get; private init; }

    /// <summary>The file, or a name such as [heap]; empty for nameless memory.</summary>
    public ReadOnlySpan<byte> Path { get; private init; }

    public bool IsExecutable => (Flags & Executable) != 0;

    /// <summary>Parses a line; false where it is none.</summary>
    public static bool TryParse(ReadOnlySpan<byte> line, out MapsLine map)
    {
        map = default;
        var words = new ByteWords(line);
        var range = words.Next();
        int dash = range.IndexOf((byte)'-');
        var flags = words.Next();
        if (dash <= 0 || flags.Length < 4)
            return false;
        map = new MapsLine
        {
            Start = ByteWords.Hex(range[..dash]),
            End = ByteWords.Hex(range[(dash + 1)..]),
            Flags = (flags[0] == 'r' ? Readable : 0) | (flags[1] == 'w' ? Writable : 0) | (flags[2] == 'x' ? Executable : 0) | (flags[3] == 's' ? Shared : 0),
            Offset = ByteWords.Hex(words.Next()),
            Device = words.Next(),
            Inode = (ulong)ByteWords.Decimal(words.Next()),
            Path = words.Rest,
        };
        return map.End > map.Start;
    }
}
