using System.Text;

namespace Weir.Graph;

/// <summary>Where in a program an event happened, as UTF-8.</summary>
/// <param name="Bin">File and place in it: <c>NAME+0x12</c>, or <c>NAME@0x12</c> where it is not position-independent.</param>
/// <param name="Func">Function and place in it, or empty.</param>
/// <param name="Src">File and line of the source, or empty.</param>
internal sealed record CodeLocation(byte[] Bin, byte[] Func, byte[] Src)
{
    /// <summary>Nothing is known.</summary>
    public static CodeLocation Unknown { get; } = new([], [], []);
}

/// <summary>A program or a library in a process's memory.</summary>
/// <param name="files">Opens files.</param>
/// <param name="path">The file.</param>
/// <param name="start">Address at which it was loaded.</param>
/// <param name="lengthBytes">Its length in memory.</param>
/// <param name="isRelative">Whether addresses in the file count from where it was loaded.</param>
internal sealed class LoadedBinary(BinaryFiles files, string path, ulong start, ulong lengthBytes, bool isRelative)
{
    private byte[]? _buildId;
    private bool _isOtherFile;
    private (string Name, uint Crc)? _debugLink;
    private string? _debugFile;
    private bool _isDebugFileKnown;

    /// <summary>Whether an address lies in it.</summary>
    public bool Covers(ulong address) => address >= start && address - start < lengthBytes;

    /// <summary>Tells the build ID that was loaded; a file of another one is not asked.</summary>
    public void SetBuildId(byte[] buildId)
    {
        _buildId = buildId;
        _isOtherFile = true;
        _isDebugFileKnown = false;
        try
        {
            _isOtherFile = buildId.Length == 0 || files.Find(path)?.Elf.FindBuildId() is not { } id || !id.AsSpan().StartsWith(buildId);
        }
        catch (BadElfException error)
        {
            files.Log($"{path}: {error.Message}");
        }
        if (_isOtherFile)
            files.Log($"{path}: not the file that was traced: its build ID is another one");
    }

    /// <summary>Tells name and checksum of the file with its debugging information.</summary>
    public void SetDebugLink(string name, uint crc)
    {
        _debugLink = (name, crc);
        _isDebugFileKnown = false;
    }

    /// <summary>What is known about an address, or null for a file that is not the one that was traced.</summary>
    public CodeLocation? Find(ulong address, bool fullPath)
    {
        if (_isOtherFile)
            return null;
        ulong offset = isRelative ? address - start : address;
        if (!_isDebugFileKnown)
        {
            _debugFile = files.FindDebugFile(path, _buildId, _debugLink);
            _isDebugFileKnown = true;
        }
        var dwarf = _debugFile is null ? null : files.Find(_debugFile)?.Dwarf;
        (string Name, ulong Address)? function = null;
        (string Path, long Line)? source = null;
        try
        {
            function = dwarf is not null ? dwarf.FindFunction(offset) : files.Find(path)?.Elf.FindFunction(offset);
        }
        catch (BadElfException error)
        {
            files.Log($"{path}: {error.Message}");
        }
        try
        {
            source = dwarf?.FindSource(offset);
        }
        catch (BadElfException error)
        {
            files.Log($"{path}: {error.Message}");
        }
        return new CodeLocation(
            Encoding.UTF8.GetBytes($"{(fullPath ? path : FileName(path))}{(isRelative ? '+' : '@')}{Hex(offset)}"),
            function is var (name, begin) ? Encoding.UTF8.GetBytes($"{name}+{Hex(unchecked(offset - begin))}") : [],
            source is var (file, line) ? Encoding.UTF8.GetBytes($"{(fullPath ? file : FileName(file))}:{line}") : []);
    }

    // As C's "%#x": zero has no prefix.
    private static string Hex(ulong value) => value == 0 ? "0" : $"0x{value:x}";

    /// <summary>What follows the last slash; all of a path that ends with one.</summary>
    private static string FileName(string path) => path.EndsWith('/') ? path : path[(path.LastIndexOf('/') + 1)..];
}
