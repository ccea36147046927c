namespace Weir.Graph;

/// <summary>A program or a library, opened.</summary>
/// <param name="Elf">Its sections and symbols.</param>
/// <param name="Dwarf">Its debugging information, or null.</param>
internal sealed record BinaryFile(ElfFile Elf, DwarfFile? Dwarf);

/// <summary>Opens the files that traces name, each once for all processes that run it; those used last stay open.</summary>
/// <param name="debugDirectory">Where separate debugging information is looked for.</param>
/// <param name="log">Takes a line about each file that is bad, or null.</param>
internal sealed class BinaryFiles(string debugDirectory, Action<string>? log) : IDisposable
{
    private const int MaxOpen = 16;

    // The one used last stands last.
    private readonly List<(string Path, BinaryFile? File)> _open = [];

    /// <summary>Says what a person may want to know.</summary>
    public void Log(string text) => log?.Invoke(text);

    /// <summary>The file at a path, or null where there is none that can be read.</summary>
    public BinaryFile? Find(string path)
    {
        int index = _open.FindIndex(item => item.Path == path);
        var found = index >= 0 ? _open[index] : (path, Open(path));
        if (index >= 0)
            _open.RemoveAt(index);
        else if (_open.Count == MaxOpen)
            Drop(0);
        _open.Add(found);
        return found.Item2;
    }

    /// <summary>The path of the file that has a program's debugging information; null where there is none.</summary>
    /// <param name="path">The program, which may have it itself.</param>
    /// <param name="buildId">Its build ID, or null.</param>
    /// <param name="link">Name and checksum of its debugging file, or null.</param>
    public string? FindDebugFile(string path, byte[]? buildId, (string Name, uint Crc)? link)
    {
        if (HasDwarf(path))
            return path;
        if (buildId is { Length: > 0 })
        {
            string hex = Convert.ToHexStringLower(buildId);
            string byId = Join(debugDirectory, ".build-id", hex[..2], hex[2..] + ".debug");
            if (HasDwarf(byId))
                return byId;
        }
        if (link is not var (name, crc))
            return null;
        string directory = Path.GetDirectoryName(path) is { Length: > 0 } parent ? parent : ".";
        foreach (string candidate in new[] { Join(directory, name), Join(directory, ".debug", name), Join(debugDirectory, directory, name) })
        {
            if (HasChecksum(candidate, crc))
                return HasDwarf(candidate) ? candidate : null;
        }
        return null;
    }

    /// <summary>Names, one under the other, with one slash between each two.</summary>
    public static string Join(string first, params ReadOnlySpan<string> others)
    {
        foreach (string other in others)
            first = $"{first.TrimEnd('/')}/{other.TrimStart('/')}";
        return first;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_open.Count > 0)
            Drop(_open.Count - 1);
    }

    private bool HasDwarf(string path) => Find(path)?.Dwarf is not null;

    private static bool HasChecksum(string path, uint crc)
    {
        try
        {
            using var stream = ElfFile.OpenFile(path);
            return Crc32.Of(stream) == crc;
        }
        catch (Exception error) when (error is BadElfException or IOException)
        {
            return false;
        }
    }

    private BinaryFile? Open(string path)
    {
        ElfFile elf;
        try
        {
            elf = ElfFile.Open(path);
        }
        catch (BadElfException error)
        {
            Log($"{path}: no debugging information: {error.Message}");
            return null;
        }
        try
        {
            return new BinaryFile(elf, DwarfFile.Open(elf));
        }
        catch (BadElfException error)
        {
            Log($"{path}: no debugging information: {error.Message}");
            return new BinaryFile(elf, null);
        }
    }

    private void Drop(int index)
    {
        _open[index].File?.Elf.Dispose();
        _open.RemoveAt(index);
    }
}
